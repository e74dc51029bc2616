# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.releases_table."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._release_table import releases_table

DOCUMENTATION = r"""
name: releases_table
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Write the releases of all hosts as a table
version_added: 0.1.0
description:
  - One line for each host and release, newest first.
  - Then a note for each release that cannot be used.
options:
  _input:
    description:
      - For each host the result of M(plugspace.titan.release_info).
      - None stands for a host that gave no answer.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the releases
  ansible.builtin.debug:
    msg: "{{ infos | plugspace.titan.releases_table }}"
"""

RETURN = r"""
_value:
  description: The table.
  type: str
  sample: "titan1  20261123T101500Z-a1b2c3d  current  v2  a1b2c3d  2026-11-23T10:15:09Z  ann"
"""


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"releases_table": releases_table}
