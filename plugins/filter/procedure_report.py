# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.procedure_report."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils import _procedure

DOCUMENTATION = r"""
name: procedure_report
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Say what a procedure did on all hosts
version_added: 0.1.0
description:
  - Worst first, a line for each host and what was seen and done below it.
options:
  _input:
    description: The results, as P(plugspace.titan.procedure_result#filter) gives them.
    type: list
    elements: dict
    required: true
  failure:
    description: Whether only the hosts that need a person are told; empty when none does.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Say what was done
  ansible.builtin.debug:
    msg: "{{ results | plugspace.titan.procedure_report }}"
"""

RETURN = r"""
_value:
  description: The text.
  type: str
  sample: |-
    FAIL titan2 gave no answer, so nobody knows how plugspace-api is.
    ok   plugspace-api on titan1 is well; nothing was done.
"""


def procedure_report(results: t.Sequence[_procedure.Result], failure: bool = False) -> str:
    """The text, of all or of those that need a person."""
    return _procedure.failure(results) if failure else _procedure.report(results)


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"procedure_report": procedure_report}
