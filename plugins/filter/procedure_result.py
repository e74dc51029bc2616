# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.procedure_result."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.plugspace.titan.plugins.module_utils._ladder import LadderError
from ansible_collections.plugspace.titan.plugins.module_utils._procedure import (
    Course,
    Result,
    result,
)

DOCUMENTATION = r"""
name: procedure_result
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Tell what became of a procedure on a host
version_added: 0.1.0
description:
  - Decides the outcome from the findings before and after, and says it in a sentence.
  - C(findings) are those before anything was done, C(left) those of the last look. Each of the
    C(rungs) has what was shown C(before) and C(after) it, and the causes that were C(left) then.
options:
  _input:
    description:
      - How the procedure went - C(procedure), C(subject), C(host), C(severity), C(began) and
        C(ended) (seconds since the epoch), C(incident_began) (ISO 8601), C(first) and C(findings)
        (before anything was done, and now), C(rungs) (the ladder), C(taken), C(step), C(refusal),
        C(failure), C(planning), C(lost), C(before) and C(after).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Keep what became of it
  ansible.builtin.set_fact:
    common_result: "{{ course | plugspace.titan.procedure_result }}"
"""

RETURN = r"""
_value:
  description:
    - The outcome is V(well), V(planned), V(healed), V(unhealed), V(refused) or V(unreachable).
  type: dict
  sample:
    procedure: service_down
    subject: plugspace-api
    host: titan1
    severity: critical
    outcome: healed
    summary: >-
      plugspace-api on titan1 is well again after 9 s: 2 instances, stopped in PM2. What helped:
      start what does not run.
    cause: stopped
    advice: ""
    findings: []
    left: []
    rungs: []
    before: {answer: got no connection}
    after: {answer: 3 good answers in a row}
    began: "2026-11-24T03:10:00Z"
    incident_began: "2026-11-24T03:00:00Z"
    seconds: 9.2
"""


def procedure_result(course: Course) -> Result:
    """Build it, and tell a course that is none as a filter tells it."""
    try:
        return result(course)
    except (LadderError, KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"procedure_result: {error!r}") from error


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"procedure_result": procedure_result}
