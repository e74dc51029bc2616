# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.failure_cause."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._outcome import failure_cause

DOCUMENTATION = r"""
name: failure_cause
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Read the cause out of the result of a failed task
version_added: 0.1.0
description:
  - Reduces C(ansible_failed_result) to what a person needs, one sentence and the application's
    last log lines.
options:
  _input:
    description: The result of the failed task.
    type: dict
    required: true
  task:
    description: The name of the failed task.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Keep what went wrong
  ansible.builtin.set_fact:
    cause: "{{ ansible_failed_result | plugspace.titan.failure_cause(ansible_failed_task.name) }}"
"""

RETURN = r"""
_value:
  description: The cause, with the keys V(task), V(sentence), V(cause), V(app) and V(logs).
  type: dict
  sample:
    task: Reload every service behind its gate
    sentence: "plugspace-api: instance 0 exited with code 1 within 0.4 s of its start"
    cause: exited
    app: plugspace-api
    logs: ["Error: no configuration"]
"""


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"failure_cause": failure_cause}
