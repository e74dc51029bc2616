# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.decide_rollback."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._rollout import decide_rollback

DOCUMENTATION = r"""
name: decide_rollback
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Decide the one release that all hosts go back to
version_added: 0.1.0
description:
  - Takes what M(plugspace.titan.release_info) reported on each host and decides, once for all of
    them, the release to go back to, and what stands in the way.
options:
  _input:
    description:
      - For each host the result of M(plugspace.titan.release_info).
      - None stands for a host that gave no answer.
    type: dict
    required: true
  target:
    description:
      - The name of a release, or at least 7 digits of a commit.
      - Empty means the release that was live before the current one.
    type: str
    default: ""
  confirm:
    description: The name of the release, needed when migrations lie between it and the current one.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Say what a rollback would do
  ansible.builtin.debug:
    msg: "{{ (infos | plugspace.titan.decide_rollback(target='a1b2c3d')).text }}"
"""

RETURN = r"""
_value:
  description:
    - The decision, with the keys of P(plugspace.titan.decide_deploy#filter).
    - V(migrations) are those that came after the release and stay in the database.
  type: dict
  sample:
    name: 20261122T090000Z-0ddba11
    commit: 0ddba11a4e5f60718293a4b5c6d7e8f901234567
    ref: v1
    subject: Answer health requests
    change: true
    pending: [titan1]
    wanted: [titan1]
    commits: []
    migrations: []
    problems: []
    warnings: []
    text: Go back to v1 0ddba11 ...
"""


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"decide_rollback": decide_rollback}
