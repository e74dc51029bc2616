# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.memory_evidence."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._memory_users import shown

DOCUMENTATION = r"""
name: memory_evidence
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Say the state of a host's memory in a few lines
version_added: 0.1.0
description:
  - The evidence of P(plugspace.titan.diagnose_memory#filter), short enough for a record.
options:
  _input:
    description: The observation.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Keep what was seen
  ansible.builtin.set_fact:
    before: "{{ observed | plugspace.titan.memory_evidence }}"
"""

RETURN = r"""
_value:
  description: For each label a line.
  type: dict
  sample:
    memory: 1.1 GB of 8.0 GB available, 820 MB page cache
    largest: plugspace-api 1.4 GB, mongod.service 310 MB, prometheus.service 34 MB
"""


def memory_evidence(observed: object) -> dict[str, str]:
    """The lines, by label."""
    return shown(observed)


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"memory_evidence": memory_evidence}
