# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.decide_deploy."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._rollout import decide_deploy

DOCUMENTATION = r"""
name: decide_deploy
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Decide the one release that all hosts of a deployment get
version_added: 0.1.0
description:
  - Takes what M(plugspace.titan.release_info) reported on each host and decides, once for all of
    them, the commit, the release name, which hosts still need it, and what stands in the way.
options:
  _input:
    description:
      - For each host the result of M(plugspace.titan.release_info).
      - None stands for a host that gave no answer.
    type: dict
    required: true
  sites:
    description:
      - For each host the result of M(plugspace.titan.service_probe) through it.
      - An unhealthy site is a warning in the plan.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Say what would go out
  ansible.builtin.debug:
    msg: "{{ (infos | plugspace.titan.decide_deploy).text }}"
"""

RETURN = r"""
_value:
  description:
    - The decision, with the keys V(name), V(commit), V(ref), V(subject), V(change), V(pending),
      V(wanted), V(commits), V(migrations), V(problems), V(warnings) and V(text).
    - V(problems) holds one sentence for each thing that stands in the way, all hosts together.
      Empty means go.
  type: dict
  sample:
    name: 20261123T101500Z-a1b2c3d
    commit: a1b2c3d4e5f60718293a4b5c6d7e8f9012345678
    ref: v2
    subject: Show the version in the health report
    change: true
    pending: [titan1, titan2]
    wanted: [titan1, titan2]
    commits: []
    migrations: []
    problems: []
    warnings: []
    text: Deploy v2 a1b2c3d ...
"""


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"decide_deploy": decide_deploy}
