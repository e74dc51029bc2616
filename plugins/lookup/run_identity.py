# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lookup plugspace.titan.run_identity."""

from __future__ import annotations

DOCUMENTATION = r"""
name: run_identity
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Tell who this run of Ansible is
version_added: 0.1.0
description:
  - The same in every task, on every host and in every process of one run, and different in any
    other run.
  - It is what the lock of a host is held by. With it a later run from the same controller can tell
    whether an earlier one is still alive.
options:
  _terms:
    description: None are needed.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Take the lock
  plugspace.titan.lock:
    path: /home/plugspace/deploy/lock.json
    run: "{{ lookup('plugspace.titan.run_identity') }}"
"""

RETURN = r"""
_raw:
  description:
    - The run. V(alive) lists the processes of the controller, so that the hosts know which runs
      are gone.
  type: list
  elements: dict
  sample:
    - id: 0a058faeb7a33d16:4711:123456
      controller: 0a058faeb7a33d16
      host: bastion
      user: alice
      pid: 4711
      alive: ["1:30", "4711:123456"]
"""

import multiprocessing
import typing as t

from ansible.executor.process.worker import WorkerProcess
from ansible.plugins.lookup import LookupBase

from ansible_collections.plugspace.titan.plugins.module_utils._identity import Run


def main_process() -> int:
    """The process that leads the run: a worker's parent, whoever else's own."""
    process = multiprocessing.current_process()
    parent = multiprocessing.parent_process()
    if isinstance(process, WorkerProcess) and parent is not None and parent.pid:
        return parent.pid
    return t.cast(int, process.pid)


class LookupModule(LookupBase):  # type: ignore[misc]
    """The lookup."""

    def run(
        self, terms: list[str], variables: dict[str, t.Any] | None = None, **kwargs: t.Any
    ) -> list[dict[str, t.Any]]:
        """Tell who runs."""
        self.set_options(var_options=variables, direct=kwargs)
        return [Run.of_process(main_process()).to_dict()]
