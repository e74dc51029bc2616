#!/usr/bin/python
# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module plugspace.titan.access_log_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: access_log_info
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Tell which routes of a site are slow, from nginx's access log
version_added: 0.1.0
description:
  - Counts requests by route, with percentiles of the time that they took and the statuses that they
    ended with, and shows first what costs all visitors together the most time.
  - The log is read in blocks, a gigabyte in some 10 s and 50 MB of memory.
  - A WebSocket counts with its status alone, since it takes as long as it is open.
  - A number, a hash or a very long part of a path is C(:id), and the query is left out, so that no
    visitor's data is shown. Percentiles are right to 5 %.
extends_documentation_fragment:
  - plugspace.titan.attributes
  - plugspace.titan.attributes.info
options:
  path:
    description: The log, in nginx's format C(combined) or one that begins like it.
    type: path
    default: /var/log/nginx/access.log
  since:
    description: How many seconds back is looked; 0 for as far as O(tail_bytes) reaches.
    type: int
    default: 3600
  tail_bytes:
    description: How many bytes of the log's end are read at most; 0 for all.
    type: int
    default: 268435456
  top:
    description: How many routes are returned.
    type: int
    default: 10
  time_marker:
    description:
      - What stands in a line, after the request, in front of C($request_time).
      - Of a log without it only the statuses are told; RV(lines_without_time) counts its lines.
    type: str
    default: took=
seealso:
  - module: plugspace.titan.service_probe
"""

EXAMPLES = r"""
- name: Find what was slow in the last quarter of an hour
  plugspace.titan.access_log_info:
    since: 900
    top: 3
  become: true
  register: access
"""

RETURN = r"""
path:
  description: The log.
  returned: success
  type: str
bytes:
  description: How much of it was looked at.
  returned: success
  type: int
lines:
  description: How many requests were counted.
  returned: success
  type: int
strange_lines:
  description: How many lines were no request.
  returned: success
  type: int
lines_without_time:
  description: How many did not tell how long they took.
  returned: success
  type: int
last_gateway_error_s:
  description: Seconds since the last answer of 502, 503 or 504; null when there was none.
  returned: success
  type: float
all:
  description: All routes together, as one of RV(routes).
  returned: success
  type: dict
routes:
  description:
    - The routes, first those that cost their visitors the most time, which is the 95th percentile
      times the requests. C(gateway_errors) counts the statuses 502, 503 and 504.
    - Of more than 500 routes, the others are together in C((other)).
  returned: success
  type: list
  elements: dict
  sample:
    - route: /api/rooms/:id/messages
      count: 5120
      p50_ms: 35.2
      p95_ms: 1520.0
      p99_ms: 2362.0
      statuses: {2xx: 5100, 5xx: 20}
      gateway_errors: 20
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.plugspace.titan.plugins.module_utils._access_log import (
    ARGUMENT_SPEC,
    AccessLogError,
    look,
)


def main() -> None:
    """Read and return."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        report = look(module.params)
    except AccessLogError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **report)


if __name__ == "__main__":
    main()
