# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Callback plugspace.titan.preload."""

from __future__ import annotations

DOCUMENTATION = r"""
name: preload
type: notification
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Load filters and tests once for a run
version_added: 0.1.0
description:
  - Ansible forks a process for each task and host, and each of them that uses one filter of a
    collection loads all files with filters of that collection. With this callback the process that
    they are forked from has loaded them before, and Python's garbage collector passes over what
    was loaded until then.
  - It shows and changes nothing. A run without it does the same, and takes longer.
requirements:
  - set in C(callbacks_enabled)
"""

EXAMPLES = r"""
ansible.cfg: |
  [defaults]
  callbacks_enabled = plugspace.titan.record, plugspace.titan.preload
"""

RETURN = r"""
loaded:
  description: The filters and tests. They stay in the memory of the process; nothing is shown.
  returned: to the processes that are forked
  type: list
  elements: str
  sample: [plugspace.titan.procedure_result, ansible.builtin.defined]
"""

import gc
import typing as t

from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import filter_loader, test_loader


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """The callback: to look one of them up loads them all."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "plugspace.titan.preload"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_start(self, playbook: t.Any) -> None:
        filter_loader.get("plugspace.titan.procedure_result")
        test_loader.get("ansible.builtin.defined")
        # What is there by now stays. A fork whose collector looked through it would copy its pages.
        gc.freeze()
