# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.next_rung."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.plugspace.titan.plugins.module_utils._ladder import (
    LadderError,
    next_step,
)

DOCUMENTATION = r"""
name: next_rung
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Choose the next rung of a procedure's ladder, or say why it ends
version_added: 0.1.0
description:
  - The first finding decides, since it explains the others.
  - A rung that did not help against a cause is not climbed again for it; its successor is.
  - A destructive rung is climbed only for a target that a person has named.
options:
  _input:
    description: The findings of a diagnosis that was made after the last rung.
    type: list
    elements: dict
    required: true
  rungs:
    description:
      - The whole ladder - for each rung its V(name), what it V(says) to a person, V(next) (what is
        tried when it did not help), whether it is V(destructive), and whether one host climbs it
        after the other (V(turns)), which is not decided here.
    type: list
    elements: dict
    required: true
  taken:
    description: The rungs that this run has climbed, each with V(rung), V(target) and V(cause).
    type: list
    elements: dict
    default: []
  confirmed:
    description: What a person has named for a destructive rung.
    type: str
    default: ""
  option:
    description: The variable that a person names it by, which the reason tells.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Choose what to do
  ansible.builtin.set_fact:
    step: "{{ findings | plugspace.titan.next_rung(rungs, taken) }}"
  vars:
    rungs:
      - name: reload
        next: restart
      - name: restart
"""

RETURN = r"""
_value:
  description:
    - V(rung) is the rung, V(target) what it acts on (empty for all of the subject), and V(finding)
      the finding that decides.
    - Where the ladder ends, V(rung) is empty and V(reason) says why.
  type: dict
  sample:
    rung: restart_instances
    target: "1"
    finding:
      cause: degraded
    reason: ""
"""


def next_rung(
    findings: t.Sequence[t.Any],
    rungs: t.Sequence[t.Any],
    taken: t.Sequence[t.Any] = (),
    confirmed: str = "",
    option: str = "",
) -> t.Mapping[str, t.Any]:
    """Choose, and tell a ladder that does not fit as a filter tells it."""
    try:
        return next_step(findings, rungs, taken, confirmed, option)
    except LadderError as error:
        raise AnsibleFilterError(f"next_rung: {error}") from error


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"next_rung": next_rung}
