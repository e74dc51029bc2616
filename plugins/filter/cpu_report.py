# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.cpu_report."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._cpu_report import cpu_report

DOCUMENTATION = r"""
name: cpu_report
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Say what a host's processors do in a few lines
version_added: 0.1.0
description:
  - The evidence of P(plugspace.titan.diagnose_cpu#filter), short enough for a record, and what is
    worth saying of a host on which nothing is wrong.
options:
  _input:
    description: The observation.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Keep what was seen
  ansible.builtin.set_fact:
    before: "{{ (observed | plugspace.titan.cpu_report).lines }}"
"""

RETURN = r"""
_value:
  description:
    - V(lines) has a line for each label.
    - V(remark) is a sentence, for example that the processors are busy with the work of others;
      empty where nothing needs to be said.
  type: dict
  sample:
    lines:
      processors: 2, 97 % busy; its own processes use 12 % of one
      busiest: mongod (pid 401) 4 %
      plugspace-api: "2 instances: instance 0 (pid 812) uses 1 %, instance 1 (pid 820) uses 1 %"
    remark: ""
"""


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"cpu_report": cpu_report}
