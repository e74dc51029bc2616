# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ending or continuing one process and no other."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils._signals import (
    LocalKernel,
    SignalError,
    apply,
    plan,
)


class FakeKernel:
    """One process, 77, that ends at a signal of its choice."""

    def __init__(self, ends_at: int = signal.SIGTERM, state: str = "S") -> None:
        self.ends_at = ends_at
        self.state = state
        self.name = "77:1"
        self.sent: list[int] = []
        self.error: type[OSError] | None = None

    def key(self, pid: int) -> str:
        return self.name if pid == 77 else ""

    def program(self, pid: int) -> str:
        return "node /srv/app/dist/api.js"

    def stopped(self, pid: int) -> bool:
        return self.state == "T"

    def kill(self, pid: int, number: int) -> None:
        if self.error:
            raise self.error
        self.sent.append(number)
        if number == self.ends_at:
            self.name = ""


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def do(kernel: FakeKernel, state: str = "ended", expected: str = "") -> str:
    clock = Clock()
    return apply(kernel, plan(kernel, 77, state, expected), 2.0, clock, clock.sleep)


def test_it_is_asked_to_end() -> None:
    kernel = FakeKernel()
    assert do(kernel, expected="/dist/api.js") == "TERM"
    assert kernel.sent == [signal.SIGTERM]


def test_one_that_does_not_end_is_killed() -> None:
    kernel = FakeKernel(signal.SIGKILL)
    assert do(kernel) == "KILL"
    assert kernel.sent == [signal.SIGTERM, signal.SIGCONT, signal.SIGKILL]


def test_one_that_cannot_be_killed_is_told() -> None:
    with pytest.raises(SignalError, match="waits for a device"):
        do(FakeKernel(-1))


@pytest.mark.parametrize(("state", "needed"), [("T", True), ("S", False)])
def test_only_a_stopped_one_is_continued(state: str, needed: bool) -> None:
    kernel = FakeKernel(state=state)
    planned = plan(kernel, 77, "continued")
    assert planned.needed is needed
    assert apply(kernel, planned, 1) == "CONT"
    assert kernel.sent == [signal.SIGCONT]


def test_another_process_is_left_alone() -> None:
    with pytest.raises(SignalError, match="is not the one that was meant"):
        plan(FakeKernel(), 77, "ended", "/srv/other.js")
    kernel = FakeKernel()
    planned = plan(kernel, 77, "ended")
    kernel.name = "77:2"  # its number was given to another one
    apply(kernel, planned, 1)
    assert kernel.sent == []


def test_one_that_is_gone_needs_nothing() -> None:
    assert not plan(FakeKernel(), 78, "ended").needed


@pytest.mark.parametrize("pid", [0, 1, -5, os.getpid()])
def test_some_are_never_ended(pid: int) -> None:
    with pytest.raises(SignalError, match="none that may be ended"):
        plan(FakeKernel(), pid, "ended")


def test_errors_of_the_kernel() -> None:
    kernel = FakeKernel()
    kernel.error = PermissionError
    with pytest.raises(SignalError, match="become: true"):
        do(kernel)
    kernel.error = ProcessLookupError
    planned = plan(kernel, 77, "continued")
    assert apply(kernel, planned, 1) == "CONT"


def test_this_kernel() -> None:
    kernel = LocalKernel()
    assert kernel.key(os.getpid()).startswith(f"{os.getpid()}:")
    assert "python" in kernel.program(os.getpid()) or "pytest" in kernel.program(os.getpid())
    assert not kernel.stopped(os.getpid())
    assert (kernel.key(2**22 + 1), kernel.program(2**22 + 1), kernel.stopped(2**22 + 1)) == (
        "",
        "",
        False,
    )


def test_a_script_that_was_started_by_a_relative_path_is_known_by_its_absolute_one(
    tmp_path: Path,
) -> None:
    waits = tmp_path / "waits.sh"
    waits.write_text("echo begun; read line\n")
    with subprocess.Popen(
        ["sh", "./waits.sh"], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        # Before, it may have no command line yet.
        assert process.stdout.readline() == b"begun\n"
        assert plan(LocalKernel(), process.pid, "ended", str(waits)).needed
        with pytest.raises(SignalError, match="is not the one that was meant"):
            plan(LocalKernel(), process.pid, "ended", str(tmp_path / "other.sh"))
