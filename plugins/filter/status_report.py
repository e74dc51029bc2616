# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.status_report."""

from __future__ import annotations

import time
import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.plugspace.titan.plugins.module_utils._status import report

DOCUMENTATION = r"""
name: status_report
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Judge what was observed on all hosts and tell it in a few lines, worst first
version_added: 0.1.0
description:
  - Takes the results of the observing tasks of the role P(plugspace.titan.status#role) as they were
    registered, failed ones included, and judges them by the limits that each host brings along.
  - What could not be observed is told as such; nothing is left out silently.
options:
  _input:
    description:
      - For each host what was observed - the key V(parts) with the names of the parts that were
        asked for, V(limits), V(services) (the names that PM2 must know), V(interrupted) (why the
        observation ended early), and for each part its registered result.
    type: dict
    required: true
  verbose:
    description: Whether healthy checks have a line each, instead of one line for each host.
    type: bool
    default: false
  homeless:
    description: Parts that were asked for although no host has them, and the group that is empty.
    type: dict
    default: {}
  now:
    description: The present time in seconds since 1970; by default the controller's clock.
    type: float
"""

EXAMPLES = r"""
- name: Say how the platform is
  ansible.builtin.debug:
    msg: "{{ (observed | plugspace.titan.status_report).text }}"
"""

RETURN = r"""
_value:
  description: The report.
  type: dict
  contains:
    summary:
      description: One sentence that names the worst.
      type: str
    healthy:
      description: Whether no row is V(FAIL) or V(UNKNOWN).
      type: bool
    counts:
      description: How many rows have each state.
      type: dict
    rows:
      description: All rows, worst first, each with V(host), V(what), V(state) and V(detail).
      type: list
      elements: dict
    text:
      description: Summary and table for the terminal.
      type: str
  sample:
    summary: "1 host: 1 problem: titan2 redis does not answer: 127.0.0.1:6379 refused it."
    healthy: false
    counts: {FAIL: 1, UNKNOWN: 0, WARN: 0, OK: 0}
    rows:
      - host: titan2
        what: redis
        state: FAIL
        detail: "does not answer: 127.0.0.1:6379 refused it"
    text: "..."
"""


def status_report(
    observed: t.Any,
    verbose: bool = False,
    homeless: t.Mapping[str, str] | None = None,
    now: float | None = None,
) -> dict[str, t.Any]:
    """Check the input and make the report."""
    if not isinstance(observed, t.Mapping):
        raise AnsibleFilterError("status_report wants a dictionary of hosts")
    return report(observed, time.time() if now is None else now, verbose, homeless)


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"status_report": status_report}
