# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup of records, in a real play."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from record_samples import record, result

from ansible_collections.plugspace.titan.plugins.module_utils._record_store import Store

ROOT = Path(__file__).resolve().parents[4]
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
    (tmp_path / "play.yml").write_text(PLAY)
    Store(str(tmp_path), "service_down", 1795490100.0).write(record(result()))
    ran = subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible-playbook")),
            *("-i", "localhost,", "-c", "local", "-e", f"folder={tmp_path}"),
            str(tmp_path / "play.yml"),
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "TITAN_RECORD_DIRECTORY": str(tmp_path),
            "ANSIBLE_SHOW_CUSTOM_STATS": "1",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    told: dict[str, Any] = json.loads(ran.stdout[ran.stdout.index("{") :])
    stats = told["global_custom_stats"]
    for name in ("by_default", "empty", "named"):
        (one,) = stats[name]
        assert (one["state"], one["record"]["procedure"]) == ("healed", "service_down")
    assert stats["others"] == []
    assert "last is -1; it is a number of records" in ran.stdout
    assert "cannot list the records in" in ran.stdout + ran.stderr
