# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The identity of a run, seen from a real one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
PLAY = """
# The main process templates the name of a play.
- name: "Run {{ lookup('plugspace.titan.run_identity').id }}."
  hosts: all
  gather_facts: false
  vars:
    identity: "{{ lookup('plugspace.titan.run_identity') }}"
  tasks:
    - name: In a worker
      ansible.builtin.copy:
        content: "{{ identity | to_json }}"
        dest: "{{ out }}/{{ inventory_hostname }}-task"
    - name: Looped
      ansible.builtin.copy:
        content: "{{ item | to_json }}"
        dest: "{{ out }}/{{ inventory_hostname }}-loop"
      loop: ["{{ identity }}"]
"""


def play(out: Path) -> tuple[int, list[dict[str, object]], str]:
    """Run the play; its process, what the tasks saw, and what the main process saw."""
    out.mkdir()
    (out / "play.yml").write_text(PLAY)
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "a,b,localhost,"]
    command += [
        "-c",
        "local",
        "-e",
        f"out={out}",
        "-e",
        f"ansible_python_interpreter={sys.executable}",
    ]
    process = subprocess.Popen(
        [*command, str(out / "play.yml")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
    )
    output, _errors = process.communicate(timeout=120)
    assert process.returncode == 0, output
    files = [path for path in out.iterdir() if path.suffix != ".yml"]
    named = output.partition("PLAY [Run ")[2].partition(".]")[0]
    return process.pid, [json.loads(path.read_text()) for path in files], named


def test_one_run_has_one_identity_and_another_run_another_one(tmp_path: Path) -> None:
    pid, seen, in_main = play(tmp_path / "one")
    assert len(seen) == 6
    (identity,) = {str(content["id"]) for content in seen}
    assert identity == in_main
    assert identity.split(":")[1] == str(pid)
    alive = [content["alive"] for content in seen if "alive" in content]
    assert all(identity.partition(":")[2] in keys for keys in alive if isinstance(keys, list))
    other_pid, others, _in_main = play(tmp_path / "two")
    assert other_pid != pid
    assert {content["id"] for content in others} != {identity}
