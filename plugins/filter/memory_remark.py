# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.memory_remark."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_memory import remark

DOCUMENTATION = r"""
name: memory_remark
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Say why a host that looks short of memory is not
version_added: 0.1.0
description:
  - Little free memory is no illness where it is the page cache that has it. Names also whom the
    kernel has killed for want of memory.
options:
  _input:
    description: The observation that P(plugspace.titan.diagnose_memory#filter) takes.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Say it
  ansible.builtin.debug:
    msg: "{{ observed | plugspace.titan.memory_remark }}"
"""

RETURN = r"""
_value:
  description: One sentence without its full stop; empty where nothing is left open.
  type: str
  sample: only 310 MB are free, but 5.1 GB of page cache are given back when a program needs them,
    so 5.2 GB are available
"""


def memory_remark(observed: object) -> str:
    """The sentence."""
    return remark(observed)


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"memory_remark": memory_remark}
