#!/usr/bin/python
# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module plugspace.titan.record_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: record_info
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Read the records of procedures that a host keeps
version_added: 0.1.0
description:
  - Reads what M(plugspace.titan.record) wrote. On the controller itself the lookup
    P(plugspace.titan.records#lookup) reads what the callback wrote.
  - A file that is damaged is told, and stops nothing. Changes nothing.
extends_documentation_fragment:
  - plugspace.titan.attributes
  - plugspace.titan.attributes.info
options:
  path:
    description: The directory of the records. Without one there is no record.
    type: path
    required: true
  last:
    description: At most so many records; V(0) for all.
    type: int
    default: 0
  host:
    description: Only procedures in which this host had a part.
    type: str
    default: ""
  procedure:
    description:
      - Only those of one of these procedures, such as V(redis_down).
      - A service goes by its procedure, as in V(service_down plugspace-api).
    type: list
    elements: str
    default: []
  outcome:
    description: Only those with this outcome, such as V(healed) or V(unhealed).
    type: str
    default: ""
seealso:
  - module: plugspace.titan.record
"""

EXAMPLES = r"""
- name: Read what was not healed
  plugspace.titan.record_info:
    path: /var/lib/titan/records
    outcome: unhealed
  become: true
  register: kept
"""

RETURN = r"""
records:
  description: The records, newest first.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The file.
      type: str
    state:
      description: The outcome; empty when the file is damaged.
      type: str
    problem:
      description: What is wrong with the file; empty when nothing is.
      type: str
    record:
      description: The record; empty when the file is damaged.
      type: dict
  sample:
    - path: /var/lib/titan/records/20261124T031500Z-redis_down-4f1a2b.json
      state: healed
      problem: ""
      record: {}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.plugspace.titan.plugins.module_utils._record_list import listed
from ansible_collections.plugspace.titan.plugins.module_utils._record_store import RecordError


def main() -> None:
    """Read and tell."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "last": {"type": "int", "default": 0},
            "host": {"type": "str", "default": ""},
            "procedure": {"type": "list", "elements": "str", "default": []},
            "outcome": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    chosen = dict(module.params)
    try:
        records = listed(chosen.pop("path"), **chosen)
    except RecordError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, records=records)


if __name__ == "__main__":
    main()
