# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup of records, in a real play."""

from __future__ import annotations

from pathlib import Path

import real_play
from record_samples import record, result

from ansible_collections.plugspace.titan.plugins.module_utils._record_store import Store

PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.set_stats:
        data:
          by_default: "{{ query('plugspace.titan.records') }}"
          empty: "{{ query('plugspace.titan.records', '', last=1) }}"
          named: "{{ query('plugspace.titan.records', folder, outcome='healed') }}"
          others: "{{ query('plugspace.titan.records', folder, outcome='refused') }}"
    - block:
        - ansible.builtin.debug:
            msg: "{{ query('plugspace.titan.records', last=-1) }}"
      rescue:
        - ansible.builtin.debug:
            msg: rescued
    - ansible.builtin.debug:
        msg: "{{ query('plugspace.titan.records', folder ~ '/play.yml') }}"
"""


def test_it_reads_where_the_callback_writes(tmp_path: Path) -> None:
    Store(str(tmp_path), "service_down", 1795490100.0).write(record(result()))
    stats, said = real_play.run(PLAY, tmp_path, folder=str(tmp_path))
    for name in ("by_default", "empty", "named"):
        (one,) = stats[name]
        assert (one["state"], one["record"]["procedure"]) == ("healed", "service_down")
    assert stats["others"] == []
    assert "last is -1; it is a number of records" in said
    assert "cannot list the records in" in said
