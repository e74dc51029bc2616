# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible starts it, on processes that are really there."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import started_module

from ansible_collections.plugspace.titan.plugins.modules import process


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(["sleep", "60"])
    yield child
    child.kill()
    child.wait()


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.parametrize("check_mode", [True, False])
def test_it_is_ended(check_mode: bool, sleeper: subprocess.Popen[bytes]) -> None:
    result = started_module.result(process, check_mode, pid=sleeper.pid, expected="sleep 60")
    assert (result["changed"], result["signal"]) == (True, "" if check_mode else "TERM")
    assert (sleeper.poll() is None) is check_mode


def test_a_stopped_one_goes_on(sleeper: subprocess.Popen[bytes]) -> None:
    sleeper.send_signal(signal.SIGSTOP)
    while state_of(sleeper.pid) != "T":
        time.sleep(0.01)
    assert started_module.result(process, pid=sleeper.pid, state="continued")["changed"]
    assert state_of(sleeper.pid) == "S"
    assert not started_module.result(process, pid=sleeper.pid, state="continued")["changed"]


def test_one_that_is_gone_is_no_change(sleeper: subprocess.Popen[bytes]) -> None:
    sleeper.kill()
    sleeper.wait()
    assert not started_module.result(process, pid=sleeper.pid)["changed"]


def test_another_one_is_refused(sleeper: subprocess.Popen[bytes]) -> None:
    result = started_module.result(process, pid=sleeper.pid, expected="/srv/api.js")
    assert "is not the one that was meant" in result["msg"]
    assert sleeper.poll() is None
