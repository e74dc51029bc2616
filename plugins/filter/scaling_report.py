# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.scaling_report."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._scale_back import scaling_report

DOCUMENTATION = r"""
name: scaling_report
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Say in a few lines how many instances services have and need
version_added: 0.1.0
description:
  - The evidence of P(plugspace.titan.diagnose_scaling#filter), short enough for a record, and which
    services need what they were given.
options:
  _input:
    description: The observation.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Keep what was seen
  ansible.builtin.set_fact:
    before: "{{ (observed | plugspace.titan.scaling_report).lines }}"
"""

RETURN = r"""
_value:
  description:
    - V(lines) has a line for each service.
    - V(remark) says which services still need what they were given; empty when none does.
  type: dict
  sample:
    lines:
      plugspace-api: "2 instances: instance 0 (pid 812) uses 1 %, instance 1 (pid 820) uses 1 %"
    remark: ""
"""


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"scaling_report": scaling_report}
