# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.input_problems."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._inputs import problems

DOCUMENTATION = r"""
name: input_problems
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Say what is wrong with the inputs of a run
version_added: 0.1.0
description:
  - All problems together, a sentence each, so that a person puts them right at once.
options:
  _input:
    description: The variables that are defined, by name.
    type: dict
    required: true
  required:
    description: The names of the variables that have to be defined.
    type: list
    elements: str
    default: []
  least:
    description: For each variable that is a number, the smallest that makes sense.
    type: dict
    default: {}
  said:
    description: The names of variables that look like inputs of the procedure.
    type: list
    elements: str
    default: []
  known:
    description: The names of its inputs.
    type: list
    elements: str
    default: []
  type_errors:
    description: What Ansible says of them by their specification.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Refuse with every problem at once
  ansible.builtin.assert:
    that: problems == []
    fail_msg: "{{ problems | join('; ') }}"
  vars:
    problems: >-
      {{ {'service_down_cooldown': service_down_cooldown}
         | plugspace.titan.input_problems(least={'service_down_cooldown': 0}) }}
"""

RETURN = r"""
_value:
  description: The sentences; none when all is right.
  type: list
  elements: str
  sample:
    - service_down_cooldown is 'abc'; it has to be a number that is 0 or more
"""


def input_problems(
    given: t.Mapping[str, t.Any],
    required: t.Sequence[str] = (),
    least: t.Mapping[str, float] | None = None,
    said: t.Sequence[str] = (),
    known: t.Sequence[str] = (),
    type_errors: t.Sequence[str] = (),
) -> list[str]:
    """The sentences."""
    return problems(given, required, least, said, known, type_errors)


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"input_problems": input_problems}
