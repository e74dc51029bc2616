# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.target_problem."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._targets import problem

DOCUMENTATION = r"""
name: target_problem
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Say what is wrong with the hosts that a run is for
version_added: 0.1.0
description:
  - A pattern that names no host ends as a run without a task, which looks like success, and of
    several names Ansible leaves out those that it does not find. This says so before.
options:
  _input:
    description: The pattern, as somebody has given it.
    type: str
    required: true
  found:
    description: The hosts that it names.
    type: list
    elements: str
    required: true
  groups:
    description: The hosts of each group of the inventory.
    type: dict
    required: true
  group:
    description: The group that they have to be in. Empty for any, and for a host that is in none.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Refuse hosts that the procedure is not for
  ansible.builtin.assert:
    that: problem == ''
    fail_msg: "{{ problem }}"
  vars:
    found: "{{ query('ansible.builtin.inventory_hostnames', redis_down_hosts) }}"
    problem: "{{ redis_down_hosts | plugspace.titan.target_problem(found, groups, 'titan_redis') }}"
"""

RETURN = r"""
_value:
  description: The sentence; empty when the hosts are right.
  type: str
  sample: titan9 is no host and no group of this inventory.
"""


def target_problem(
    pattern: str, found: t.Sequence[str], groups: t.Mapping[str, t.Sequence[str]], group: str
) -> str:
    """The sentence."""
    return problem(pattern, found, groups, group)


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"target_problem": target_problem}
