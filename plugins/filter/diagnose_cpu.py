# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.diagnose_cpu."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_cpu import diagnose_cpu

DOCUMENTATION = r"""
name: diagnose_cpu
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Say who keeps a host's processors busy
version_added: 0.1.0
description:
  - Takes what was observed on one host and returns all causes, those that can be helped without
    asking a person first - instances that run away, services with more to do than they can, PM2,
    strangers, servers, and what the kernel misses.
  - The processes of the host decide. That its processors are busy with the work of others is no
    finding.
  - A process that was started just now blames nobody.
options:
  _input:
    description:
      - V(limits) holds process_percent (of one processor, from which on an instance or a process is
        busy), busy_percent (of all processors, from which on the host is full) and min_age_s
        (younger processes are still starting).
      - V(run_s) says for how many seconds the procedure has been at work, so that an instance that
        it has added is not compared with the others.
      - V(services) is as in C(titan_services), V(pm2) the result of M(plugspace.titan.pm2_info) for
        all applications, V(host) that of M(plugspace.titan.host_info) with processes.
      - V(answers) has a row of M(plugspace.titan.service_probe) for each service, by its name.
      - V(servers) are the systemd units that are no strangers, such as those of databases.
      - V(named) is what a person has named for a destructive rung. It comes first.
      - V(errors) says by part why it could not be read.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Say who is busy
  ansible.builtin.debug:
    msg: "{{ observed | plugspace.titan.diagnose_cpu | map(attribute='evidence') | list }}"
"""

RETURN = r"""
_value:
  description:
    - The findings; none when nobody stands out.
    - V(cause) is a word for programs, V(subject) what is ill, V(evidence) one line for a person,
      V(confidence) one of V(certain), V(likely) and V(possible).
    - V(rung) is the rung of the ladder that helps and V(target) what it acts on. Where V(rung) is
      empty, V(advice) says what a person must do.
    - V(restart_instances) for V(runaway); the target is PM2's ids, with commas.
    - V(wait_until_started) for V(starting).
    - V(scale) for V(saturated), where the site permits more instances and a processor is idle; the
      target is how many there shall be.
    - V(replace_pm2) for V(pm2_busy), and V(end_process) for V(foreign_busy) with C(NAME:PID) as its
      target. Both are destructive, a person names the target.
    - No rung for V(application_busy), V(pm2_child_busy), V(system_busy), V(server_busy),
      V(host_full), V(stolen), V(waits_for_disk) and V(unknown).
  type: list
  elements: dict
  sample:
    - cause: runaway
      subject: plugspace-api
      evidence: of plugspace-api, instance 1 (pid 1204) uses 99 % of a processor; the others use 2 %
        at most
      confidence: likely
      rung: restart_instances
      target: "1"
      advice: ""
"""


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"diagnose_cpu": diagnose_cpu}
