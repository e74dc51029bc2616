# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands end in time, with everything that they started."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils._process import (
    ProcessError,
    capture,
    clean_environment,
    run,
    words,
)


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as source:
            return source.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def sh(script: str, cwd: Path, timeout: float = 20, nice: int = 0) -> object:
    return run(["sh", "-c", script], clean_environment(), timeout, str(cwd), nice)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["npm", "ci"], ["npm", "ci"]),
        (["npx prisma migrate deploy"], ["npx", "prisma", "migrate", "deploy"]),
        (["/usr/local/bin/backup.sh"], ["/usr/local/bin/backup.sh"]),
        (["sh", "-c", "a b"], ["sh", "-c", "a b"]),
        ([""], []),
        ([], []),
    ],
)
def test_a_command_may_be_one_string(given: list[str], expected: list[str]) -> None:
    assert words(given) == expected


def test_a_string_that_is_no_command_is_told() -> None:
    with pytest.raises(ProcessError, match="echo 'a is no command: No closing quotation"):
        words(["echo 'a"])


def test_the_end_of_long_output_is_kept(tmp_path: Path) -> None:
    finished = run(
        ["sh", "-c", "seq 1 100000; echo oops >&2; exit 3"], clean_environment(), 30, str(tmp_path)
    )
    assert finished.code == 3
    assert finished.output.endswith("100000\noops\n")
    assert len(finished.output) <= 64 * 1024


@pytest.mark.parametrize("ending", ["exit 0", "exec sleep 60"])
def test_nothing_stays_behind(tmp_path: Path, ending: str) -> None:
    started = time.monotonic()
    sh(f"sleep 60 & echo $! > pid; {ending}", tmp_path, 1)
    assert time.monotonic() - started < 6
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 5
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not alive(pid)


def test_time_out_is_told(tmp_path: Path) -> None:
    finished = run(["sleep", "60"], clean_environment(), 0.3, str(tmp_path))
    assert finished.timed_out
    with pytest.raises(ProcessError, match=r"no result within 0.3 s"):
        capture(["sleep", "60"], clean_environment(), 0.3)


def test_what_cannot_start_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match="was not found on PATH"):
        capture(["no-such-command"], clean_environment(), 5)
    with pytest.raises(ProcessError, match="does not exist"):
        run(["true"], clean_environment(), 5, str(tmp_path / "gone"))
    (tmp_path / "plain").write_text("")
    with pytest.raises(ProcessError, match="could not be started"):
        run([str(tmp_path / "plain")], clean_environment(), 5, str(tmp_path))


def test_the_callers_environment_stays_with_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_CALLER", "x")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    environment = clean_environment({"EXTRA": "1"})
    assert "SECRET_OF_THE_CALLER" not in environment
    assert environment["HTTPS_PROXY"] == "http://proxy:3128"
    assert environment["EXTRA"] == "1"


def test_priority_is_lowered(tmp_path: Path) -> None:
    sh("sleep 0.2; nice > niceness", tmp_path, nice=10)
    assert int((tmp_path / "niceness").read_text()) == max(os.nice(0), 10)
