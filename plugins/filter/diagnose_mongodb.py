# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.diagnose_mongodb."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_mongodb import (
    diagnose_mongodb,
)

DOCUMENTATION = r"""
name: diagnose_mongodb
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Say why MongoDB, or its replica set, does not serve
version_added: 0.1.0
description:
  - Takes what was observed on one host and returns all causes, the one that explains most first.
    Where the member does not answer these are disk, port, unit, data directory, key file,
    configuration and process; where it does, connections, replica set and password.
  - A part that was not observed, or that failed, blames nobody.
  - Of the log it shows messages and errors, never other attributes or a key.
options:
  _input:
    description:
      - V(service) holds name, unit, port, data_path, config_file, user, group and replica_set, the
        name that a new set gets.
      - V(mongodb) is the result of M(plugspace.titan.mongodb_info) on this host, with a login, and
        V(members) those of the other hosts, by host.
      - V(host) is the result of M(plugspace.titan.host_info) with the unit, its processes, the
        listeners of the port and the kills for want of memory.
      - V(answer) is the row of M(plugspace.titan.service_probe) for it, if it was probed.
      - V(unit_log) is a list of the last lines of the unit's journal and of C(mongod.log), each
        with its newest line last.
      - V(data) tells of the data directory path, exists, owner, group, and of its lock_file exists
        and owner.
      - V(paths) tells, as M(plugspace.titan.evidence_info) does, when the configuration, the data
        directory and its lock file were changed. What the log says of one that was changed after
        the unit's last process ended does not count.
      - V(evidence), the result of M(plugspace.titan.evidence_info), takes the place of V(mongodb),
        V(host), V(unit_log), V(data), V(paths) and V(answer).
      - V(member) is this host's member as the inventory calls it, and V(others) has the evidence of
        the other hosts by the inventory's names of their members. A member that is silent, and that
        its own host can help, is waited for.
      - V(expected_members) are the members by the inventory as host:port. One that says itself that
        the set calls it otherwise is not missing, and neither is one that says nothing while the
        set has a member that nobody else is. V(lag_max_s) are the seconds that one may be behind
        (10 unless given).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Say what is wrong
  ansible.builtin.debug:
    msg: "{{ observed | plugspace.titan.diagnose_mongodb | map(attribute='evidence') | list }}"
"""

RETURN = r"""
_value:
  description:
    - The findings; none when the member and its set are well.
    - V(cause) is a word for programs, V(subject) what is ill, V(evidence) one line for a person,
      V(confidence) one of V(certain), V(likely) and V(possible).
    - V(rung) is the rung of the ladder that helps and V(target) what it acts on. Where V(rung) is
      empty, V(advice) says what a person must do.
    - V(wait) for V(starting), V(electing), V(joining) and V(member_not_ready), and for
      V(member_down), V(majority_lost) and V(member_missing) where the silent member's own host can
      help it.
    - V(continue_processes) for V(paused); the target is the processes to send SIGCONT, with commas.
    - V(start_unit) for V(stopped), V(killed), V(out_of_memory), V(crashed), V(failed),
      V(port_was_taken) and V(disk_was_full), and V(restart_unit) for V(hung) and
      V(not_listening); the target is the unit.
    - V(initiate_set) for V(never_initiated), where every member answers and none has a
      configuration; the target is the set. It is destructive, a person names the set.
    - V(add_member) for V(member_missing), unless it does not run; the target is the member, as
      host:port. It is destructive, a person names the member.
    - V(force_set) for V(majority_lost), where nothing can be waited for, the hosts of all expected
      members were looked at, each silent member has nobody at its port or a host that cannot be
      reached, and a secondary is left that can become primary; the target is the set and the lost
      members, as SET-without-MEMBER,MEMBER. It is destructive, a person names it.
    - No rung for V(disk_full), V(port_held_by_stranger), V(unit_unusable), V(configuration),
      V(keyfile), V(data_in_use), V(data_missing), V(wrong_owner), V(data_damaged),
      V(start_too_slow), V(traced), V(waits_for_disk), V(too_many_open_files),
      V(connections_used_up), V(wrong_password), V(tls), V(standalone), V(not_a_member),
      V(cut_off), V(keyfile_mismatch), V(lagging), V(too_stale), V(unsteady) and V(unknown), and for
      V(member_down), V(majority_lost) and V(member_missing) in all other cases.
  type: list
  elements: dict
  sample:
    - cause: member_down
      subject: titan3:27017
      evidence: "titan3:27017 gives no answer: titan3:27017 refused the connection"
      confidence: certain
      rung: ""
      target: ""
      advice: heal it on its own host; the set goes on as long as a majority answers
"""


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"diagnose_mongodb": diagnose_mongodb}
