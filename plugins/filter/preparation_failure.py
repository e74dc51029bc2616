# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.preparation_failure."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._outcome import preparation_failure

DOCUMENTATION = r"""
name: preparation_failure
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Tell why a release was put live on no host
version_added: 0.1.0
description:
  - Writes the last word of a procedure that stopped before its switch, all hosts' causes together.
options:
  _input:
    description:
      - For each host that failed, its cause as P(plugspace.titan.failure_cause#filter) gives it.
    type: dict
    required: true
  name:
    description: The release.
    type: str
    required: true
  hosts:
    description: The hosts of the run.
    type: list
    elements: str
    required: true
  lost:
    description: The hosts that stopped answering.
    type: list
    elements: str
    default: []
  left:
    description: What could not be tidied up, in sentences.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Stop before the switch
  ansible.builtin.fail:
    msg: "{{ causes | plugspace.titan.preparation_failure(release.name, ansible_play_hosts_all) }}"
"""

RETURN = r"""
_value:
  description: The text, its first line the causes, then the last lines of what failed.
  type: str
  sample: "Release 20261123T101500Z-a1b2c3d was not put live: titan1: npm run build failed ..."
"""


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"preparation_failure": preparation_failure}
