# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.service_remark."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_service import remark

DOCUMENTATION = r"""
name: service_remark
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Say that a service answers, though something that it needs does not
version_added: 0.1.0
description:
  - WebSockets go on without Redis, and whoever uses them misses something all the same.
options:
  _input:
    description: The observation that P(plugspace.titan.diagnose_service#filter) takes.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Say it
  ansible.builtin.debug:
    msg: "{{ observed | plugspace.titan.service_remark }}"
"""

RETURN = r"""
_value:
  description: One sentence without its full stop; empty when all answers that the service needs.
  type: str
  sample: "but plugspace-voice needs redis, and 127.0.0.1:6379 refused the connection;
    redis-server is inactive: run playbooks/redis_down.yml"
"""


def service_remark(observed: object) -> str:
    """The sentence."""
    return remark(observed)


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"service_remark": service_remark}
