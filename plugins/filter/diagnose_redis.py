# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.diagnose_redis."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_redis import (
    diagnose_redis,
)

DOCUMENTATION = r"""
name: diagnose_redis
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Say why Redis does not serve
version_added: 0.1.0
description:
  - Takes what was observed on one host and returns all causes, the one that explains most first -
    disk, port, unit, configuration, data, process, password, memory, saving, scripts, master.
  - A part that was not observed, or that failed, blames nobody.
  - Of the log it shows no password, no rule of an access list and no line of the configuration;
    of such a line only the first word.
options:
  _input:
    description:
      - V(service) holds name, unit, port, data_path, config_file and user.
      - V(redis) and V(host) are the results of M(plugspace.titan.redis_info) and
        M(plugspace.titan.host_info), V(host) with the unit, its processes, the listeners of the
        port and the kills for want of memory.
      - V(answer) is the row of M(plugspace.titan.service_probe) for it, if it was probed.
      - V(unit_log) is a list of the last lines of the unit's journal and of Redis' own log, each
        with its newest line last.
      - V(paths) tells, as M(plugspace.titan.evidence_info) does, when the configuration, its
        directory and the data directory were changed. What the log says of one that was changed
        after the unit's last process ended does not count.
      - V(config_test) holds ok and output of a test of the configuration.
      - V(kill_output) is what Redis answered to C(SCRIPT KILL) or C(FUNCTION KILL), after the rung
        V(kill_script) was climbed.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Say what is wrong
  ansible.builtin.debug:
    msg: "{{ observed | plugspace.titan.diagnose_redis | map(attribute='evidence') | list }}"
"""

RETURN = r"""
_value:
  description:
    - The findings; none when Redis is well.
    - V(cause) is a word for programs, V(subject) what is ill, V(evidence) one line for a person,
      V(confidence) one of V(certain), V(likely) and V(possible).
    - V(rung) is the rung of the ladder that helps and V(target) what it acts on. Where V(rung) is
      empty, V(advice) says what a person must do.
    - V(wait) for V(loading), V(starting), V(slow_command) and V(aof_failing).
    - V(continue_processes) for V(paused); the target is the processes to send SIGCONT, with commas.
    - V(kill_script) for V(busy_script); the target is V(script) (C(SCRIPT KILL)) or V(function)
      (C(FUNCTION KILL)).
    - V(retry_save) for V(save_failing), which is C(BGSAVE).
    - V(start_unit) for V(stopped), V(killed), V(out_of_memory), V(crashed), V(failed),
      V(port_was_taken) and V(disk_was_full), and V(restart_unit) for V(hung) and
      V(not_listening); the target is the unit.
    - V(raise_maxmemory) for V(memory_full), where the host has the memory; the target is the new
      C(maxmemory). It is destructive, a person names the target.
    - No rung for V(disk_full), V(port_held_by_stranger), V(unit_unusable), V(configuration),
      V(aof_damaged), V(snapshot_damaged), V(not_permitted), V(log_not_writable),
      V(start_too_slow), V(traced), V(waits_for_disk), V(too_many_open_files), V(max_clients),
      V(protected_mode), V(wrong_password), V(tls), V(unkillable), V(save_not_permitted),
      V(save_cannot_fork), V(master_down), V(unsteady) and V(unknown).
  type: list
  elements: dict
  sample:
    - cause: busy_script
      subject: Redis
      evidence: 127.0.0.1:6379 is blocked by the function f for 12 s; until it ends, nothing is
        served (FUNCTION KILL ends one that has not written yet)
      confidence: certain
      rung: kill_script
      target: function
      advice: ""
"""


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"diagnose_redis": diagnose_redis}
