# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.records_table."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._record_list import records_table

DOCUMENTATION = r"""
name: records_table
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Write past runs of procedures as a table
version_added: 0.1.0
description:
  - One line for each record, newest first.
  - Then a note for each file that is damaged.
options:
  _input:
    description:
      - What the lookup P(plugspace.titan.records#lookup) gives.
    type: list
    elements: dict
    required: true
  wanted:
    description: What the records were asked for by; told when there is none.
    type: list
    elements: str
    default: []
  among:
    description: All records that there are; told how many when none of them was asked for.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Show the last ten runs
  ansible.builtin.debug:
    msg: "{{ query('plugspace.titan.records', '/var/lib/titan/records', last=10)
             | plugspace.titan.records_table }}"
"""

RETURN = r"""
_value:
  description: The table.
  type: str
  sample: "2026-11-24T03:15:00Z  redis_down  healed  redis  titan1  stopped  6.2 s  ann  x.json"
"""


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"records_table": records_table}
