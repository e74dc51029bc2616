# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole report: each part by itself, and only what was asked for."""

from __future__ import annotations

import os
import time
import typing as t

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils._host import HostError, LocalHost
from ansible_collections.plugspace.titan.plugins.module_utils._host_listeners import Socket
from ansible_collections.plugspace.titan.plugins.module_utils._host_report import Wanted, observe
from ansible_collections.plugspace.titan.plugins.module_utils._process import Finished
from ansible_collections.plugspace.titan.plugins.module_utils._timex import Timex

UNIT = "Id=nginx.service\nLoadState=loaded\nActiveState=active\nSubState=running\n"
NEVER = {"processes": None, "listeners": None, "oom_kills": None, "oom_kill_count": None}


class FakeHost(LocalHost):
    """This host's processes, and the rest in memory."""

    def __init__(self) -> None:
        super().__init__(5)
        self.files = {
            "/proc/meminfo": "MemTotal: 100 kB\nMemAvailable: 50 kB\n",
            "/proc/self/mountinfo": "",
            "/proc/loadavg": "0.10 0.20 0.30 1/2 3\n",
            "/proc/stat": "cpu 1 2 3 4\ncpu0 1 2 3 4\n",
            "/proc/vmstat": "oom_kill 3\n",
        }
        self.delay = 0.0
        self.slept: list[float] = []

    def read(self, path: str) -> str:
        if path in self.files:
            return self.files[path]
        if path.split("/")[2].isdigit():
            return super().read(path)
        raise FileNotFoundError(2, "No such file or directory", path)

    def show_units(self, units: t.Sequence[str], properties: t.Sequence[str]) -> str:
        time.sleep(self.delay)
        return UNIT

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def timex(self) -> Timex:
        return Timex(16_500, 0)

    def run(self, command: t.Sequence[str]) -> Finished:
        raise HostError(f"no {command[0]}")


class FakeSockets:
    """One socket, or none."""

    def __init__(self, error: str = "") -> None:
        self.error = error

    def listening(self) -> list[Socket]:
        if self.error:
            raise HostError(self.error)
        return [Socket(80, "tcp", "::", os.getpid()), Socket(53, "udp", "::", None)]


def test_what_was_not_asked_for_costs_nothing_and_is_no_error() -> None:
    host = FakeHost()
    found = observe(host, FakeSockets("never asked"), Wanted(), 5)
    assert found["errors"] == {}
    assert found["memory"]["available_percent"] == 50.0
    assert (found["file_systems"], found["units"]) == ([], [])
    assert (found["load"]["cpus"], found["load"]["cpu"]) == (1, None)
    assert found["clock"]["synchronised"] is True
    assert NEVER.items() <= found.items()
    assert host.slept == []


def test_all_that_can_be_asked_for() -> None:
    host = FakeHost()
    wanted = Wanted(["nginx"], 2, [os.getpid()], 0.5, True, [80], 60)
    found = observe(host, FakeSockets(), wanted, 5)
    assert found["units"][0]["active"] == "active"
    assert os.getpid() in {row["pid"] for row in found["processes"]["kept"]}
    assert found["load"]["cpu"]
    assert host.slept == [0.5, 0.5]  # of the load and of the processes, at the same time
    assert [(row["port"], row["pid"]) for row in found["listeners"]] == [(80, os.getpid())]
    # The log cannot be read; the counter can.
    assert (found["oom_kills"], found["oom_kill_count"]) == (None, 3)
    assert found["errors"] == {
        "oom_kills": "the log of the kernel cannot be read: no journalctl; no dmesg"
    }


def test_named_processes_alone_are_reason_enough() -> None:
    found = observe(FakeHost(), FakeSockets(), Wanted(pids=[os.getpid()]), 5)
    assert os.getpid() in {row["pid"] for row in found["processes"]["kept"]}


def test_a_missing_library_takes_only_the_listeners() -> None:
    found = observe(FakeHost(), FakeSockets("psutil is missing"), Wanted(listeners=True), 5)
    assert found["errors"] == {"listeners": "psutil is missing"}
    assert found["listeners"] is None
    assert found["load"]


def test_a_part_that_hangs_or_fails_does_not_take_the_others() -> None:
    host = FakeHost()
    host.delay = 2
    del host.files["/proc/self/mountinfo"]
    host.files["/proc/meminfo"] = ""
    host.files["/proc/loadavg"] = "?"
    started = time.monotonic()
    found = observe(host, FakeSockets(), Wanted(["nginx"]), 0.2)
    assert time.monotonic() - started < 1
    assert found["units"] is None
    assert found["clock"]
    assert found["errors"] == {
        "memory": "/proc/meminfo has no MemTotal",
        "file_systems": "[Errno 2] No such file or directory: '/proc/self/mountinfo'",
        "load": "/proc/loadavg is not as the kernel writes it",
        "units": "no answer within 0.2 s",
    }


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted(processes=1, interval=5), r"interval \(5 s\) must be .* less than timeout \(5 s\)"),
        (Wanted(pids=[1], interval=0), r"interval \(0 s\)"),
        (Wanted(processes=1, interval=float("nan")), "interval"),
        (Wanted(processes=-1), "must not be negative"),
        (Wanted(oom_since=-1), "must not be negative"),
        (Wanted(ports=[80]), "set listeners to true"),
    ],
)
def test_a_wrong_question_is_told_at_once(wanted: Wanted, said: str) -> None:
    with pytest.raises(HostError, match=said):
        observe(FakeHost(), FakeSockets(), wanted, 5)


def test_an_interval_that_is_not_used_may_be_anything() -> None:
    assert observe(FakeHost(), FakeSockets(), Wanted(interval=60), 5)["errors"] == {}
