# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What mongodb_down takes for the evidence of the other members, in a real play."""

from __future__ import annotations

from pathlib import Path

import real_play

# As triage runs it: db2 has the same procedure, db3 another one, db4 none yet, app1 no member.
PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.add_host:
        name: "{{ item.name }}"
        groups: ["{{ item.group | default('titan_mongodb') }}"]
        ansible_connection: local
        __common_running: "{{ item.running | default(omit) }}"
        __common_evidence: {mongodb: {state: "{{ item.name }}"}}
      loop:
        - {name: db1, running: mongodb_down}
        - {name: db2, running: mongodb_down}
        - {name: db3, running: redis_down}
        - {name: db4}
        - {name: app1, running: redis_down, group: titan_redis}

- hosts: titan_mongodb:titan_redis
  gather_facts: false
  vars_files:
    - "{{ role }}/defaults/main.yml"
    - "{{ role }}/vars/main.yml"
  vars:
    titan_mongodb_replica_set: rs0
    mongodb_down_lag_max_s: 10
    __common_mongodb_monitor: {}
  tasks:
    - ansible.builtin.set_stats:
        data:
          others: "{{ __mongodb_down_observed.others }}"
          members: "{{ __mongodb_down_observed.members }}"
      when: inventory_hostname == 'db1'
"""


def test_only_members_that_were_looked_at_for_it_are_its_neighbours(tmp_path: Path) -> None:
    role = real_play.ROOT / "roles" / "mongodb_down"
    stats, said = real_play.run(PLAY, tmp_path, role=str(role))
    assert stats.get("others") == {"db2:27017": {"mongodb": {"state": "db2"}}}, said
    assert stats["members"] == {"db2": {"state": "db2"}}
