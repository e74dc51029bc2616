# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ending or continuing one process, and no other that got its number in the meantime."""

from __future__ import annotations

import os
import signal
import time
import typing as t
from dataclasses import dataclass

from ansible_collections.plugspace.titan.plugins.module_utils._host import LocalHost
from ansible_collections.plugspace.titan.plugins.module_utils._host_processes import (
    look_at,
    program_of,
    script_of,
)
from ansible_collections.plugspace.titan.plugins.module_utils._identity import process_key

ENDED, CONTINUED = "ended", "continued"
_POLL = 0.05


class SignalError(Exception):
    """A process that must not or cannot be acted on; the text says why and what to do."""


class Kernel(t.Protocol):
    """What is asked of the operating system."""

    def key(self, pid: int) -> str:
        """The process as C(pid:starttime), empty when there is none."""

    def program(self, pid: int) -> str:
        """Its command line and its script, as host_info tells it; empty when unknown."""

    def stopped(self, pid: int) -> bool:
        """Whether a signal has stopped it."""

    def kill(self, pid: int, number: int) -> None:
        """Send a signal."""


class LocalKernel:
    """This host."""

    def key(self, pid: int) -> str:
        """The process as C(pid:starttime), empty when there is none."""
        return process_key(pid)

    def program(self, pid: int) -> str:
        """Its command line and its script, as host_info tells it, one line."""
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as source:
                line = source.read(4096).replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            return ""
        host = LocalHost(0)
        reading = look_at(host, pid)
        script = script_of(host, reading, program_of(host, pid)) if reading else None
        return f"{line} {script}" if script else line

    def stopped(self, pid: int) -> bool:
        """Whether a signal has stopped it."""
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as source:
                return source.read().rpartition(")")[2].split()[0] == "T"
        except OSError:
            return False

    def kill(self, pid: int, number: int) -> None:
        """Send a signal."""
        os.kill(pid, number)


@dataclass(frozen=True)
class Plan:
    """What is to be done. key: the process that is meant, empty when it is gone already."""

    pid: int
    state: str
    key: str
    needed: bool


def plan(kernel: Kernel, pid: int, state: str, expected: str = "") -> Plan:
    """Decide; SignalError when the process is not the one that is expected.

    expected: a text that its command line has to contain, or the absolute path of its script.
    """
    if pid <= 1 or pid == os.getpid():
        raise SignalError(f"pid {pid} is none that may be {state}")
    key = kernel.key(pid)
    if not key:
        return Plan(pid, state, "", False)
    command = kernel.program(pid)
    if expected and expected not in command:
        raise SignalError(
            f"process {pid} is not the one that was meant: it does not run {expected}; look again"
        )
    return Plan(pid, state, key, state == ENDED or kernel.stopped(pid))


def apply(
    kernel: Kernel,
    planned: Plan,
    grace: float,
    clock: t.Callable[[], float] = time.monotonic,
    sleep: t.Callable[[float], None] = time.sleep,
) -> str:
    """Do it; the last signal that was needed. grace: seconds before it is killed."""
    if planned.state == CONTINUED:
        _send(kernel, planned, signal.SIGCONT)
        return "CONT"
    _send(kernel, planned, signal.SIGTERM)
    # One that was stopped gets the signal only when it goes on.
    _send(kernel, planned, signal.SIGCONT)
    if _gone(kernel, planned, grace, clock, sleep):
        return "TERM"
    _send(kernel, planned, signal.SIGKILL)
    if _gone(kernel, planned, 5.0, clock, sleep):
        return "KILL"
    raise SignalError(
        f"process {planned.pid} was killed and is still there: it waits for a device"
        f" (state D in `ps -o stat= -p {planned.pid}`), which only ends with that"
    )


def _send(kernel: Kernel, planned: Plan, number: int) -> None:
    if kernel.key(planned.pid) != planned.key:
        return
    try:
        kernel.kill(planned.pid, number)
    except ProcessLookupError:
        return
    except PermissionError:
        raise SignalError(
            f"process {planned.pid} belongs to another user: run the task as root (become: true)"
        ) from None


def _gone(
    kernel: Kernel,
    planned: Plan,
    seconds: float,
    clock: t.Callable[[], float],
    sleep: t.Callable[[float], None],
) -> bool:
    deadline = clock() + seconds
    while kernel.key(planned.pid) == planned.key:
        if clock() >= deadline:
            return False
        sleep(_POLL)
    return True
