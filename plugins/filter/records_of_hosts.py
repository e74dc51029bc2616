# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.records_of_hosts."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._record_copy import of_hosts

DOCUMENTATION = r"""
name: records_of_hosts
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Join the records that several hosts keep
version_added: 0.1.0
description:
  - The newest first, whichever host has it, as the lookup P(plugspace.titan.records#lookup) gives
    them. The path has the host in front.
  - Then what is wrong with a file, or with a host that gave no answer.
options:
  _input:
    description: The results of a loop over the hosts with M(plugspace.titan.record_info).
    type: list
    elements: dict
    required: true
  last:
    description: At most so many records; V(0) for all.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Show the last ten
  ansible.builtin.debug:
    msg: "{{ kept.results | plugspace.titan.records_of_hosts(10) | plugspace.titan.records_table }}"
"""

RETURN = r"""
_value:
  description: The records.
  type: list
  elements: dict
  sample:
    - path: mon1:/var/lib/titan/records/20261124T031500Z-redis_down-4f1a2b.json
      state: healed
      problem: ""
      record: {}
"""


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"records_of_hosts": of_hosts}
