# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.diagnose_memory."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_memory import (
    diagnose_memory,
)

DOCUMENTATION = r"""
name: diagnose_memory
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Say who has the memory of a host
version_added: 0.1.0
description:
  - Takes what was observed on one host and returns all causes, the one that has most first -
    an application under PM2 that leaks, a cache of MongoDB that the host cannot give, a process
    that belongs to nothing of the platform, Redis, files in memory.
  - As long as enough is available nobody is blamed, but an application that is over its own
    limit, and a cache that would not fit when it fills.
  - A part that was not observed, or that failed, blames nobody.
options:
  _input:
    description:
      - V(limits) holds available_percent and available_mb, of which less is too little.
      - V(services) are the services of the site; memory_limit_mb of one is what each of its
        instances may have.
      - V(host), V(pm2), V(redis) and V(mongodb) are the results of
        M(plugspace.titan.host_info) with processes, M(plugspace.titan.pm2_info) with all
        applications, M(plugspace.titan.redis_info) and M(plugspace.titan.mongodb_info).
      - V(mongodb_config) is the part of that name of M(plugspace.titan.evidence_info).
      - V(units) holds the systemd units of V(mongodb), V(redis), V(nginx) and V(pm2), and
        V(platform_units) is a list of all others of the platform.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Say what is wrong
  ansible.builtin.debug:
    msg: "{{ observed | plugspace.titan.diagnose_memory | map(attribute='evidence') | list }}"
"""

RETURN = r"""
_value:
  description:
    - The findings; none when all is well.
    - V(cause) is a word for programs, V(subject) what is ill, V(evidence) one line for a person,
      V(confidence) one of V(certain), V(likely) and V(possible).
    - V(rung) is the rung of the ladder that helps and V(target) what it acts on. Where V(rung) is
      empty a person is needed, and V(advice) says for what.
  type: list
  elements: dict
  sample:
    - cause: leak
      subject: plugspace-api
      evidence: "plugspace-api has 1.4 GB in 2 instances: its largest (pid 4711) 1.3 GB, its
        smallest 68 MB; memory_limit_mb is 600"
      confidence: certain
      rung: reload
      target: ""
      advice: find what keeps the memory, or it is back in some time
"""


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"diagnose_memory": diagnose_memory}
