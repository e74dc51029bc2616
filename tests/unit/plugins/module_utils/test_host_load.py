# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clock, the load and the units of control groups, from what kernels really wrote."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.plugspace.titan.plugins.module_utils import _timex
from ansible_collections.plugspace.titan.plugins.module_utils._host import HostError
from ansible_collections.plugspace.titan.plugins.module_utils._host_cgroup import (
    unit_of,
    unit_of_path,
)
from ansible_collections.plugspace.titan.plugins.module_utils._host_clock import clock
from ansible_collections.plugspace.titan.plugins.module_utils._host_load import (
    load,
    pressure,
    times,
    use,
)
from ansible_collections.plugspace.titan.plugins.module_utils._timex import Timex, read_timex

PRESSURE = """some avg10=57.37 avg60=41.82 avg300=33.12 total=18973149323
full avg10=0.00 avg60=0.00 avg300=0.00 total=0
"""
STAT = """cpu  4462463 308248 1533165 2479419 49540 0 86518 191563 0 0
cpu0 2231231 154124 766582 1239709 24770 0 43259 95781 0 0
cpu1 2231232 154124 766583 1239710 24770 0 43259 95782 0 0
intr 100248397 0 0
ctxt 263286432
btime 1795427630
processes 1425579
procs_running 34
procs_blocked 3
"""
# 200 ticks later: 90 user, 10 nice, 40 system, 10 softirq, 20 idle, 20 iowait, 10 steal.
LATER = "cpu  4462553 308258 1533205 2479439 49560 0 86528 191573 0 0\n"


class FakeHost:
    """A host whose processors work while one sleeps."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.files = {
            "/proc/loadavg": "6.67 4.38 3.56 2/693 7791\n",
            "/proc/stat": STAT,
            "/proc/pressure/cpu": PRESSURE,
        }

    def read(self, path: str) -> str:
        if path not in self.files:
            raise FileNotFoundError(2, "No such file or directory", path)
        return self.files[path]

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.files["/proc/stat"] = LATER


def test_load_without_an_interval_does_not_wait() -> None:
    host = FakeHost()
    assert load(host) == {
        "average_1m": 6.67,
        "average_5m": 4.38,
        "average_15m": 3.56,
        "cpus": 2,
        "runnable": 2,
        "blocked": 3,
        "cpu": None,
        "pressure": {
            "cpu": {
                "some": {"avg10": 57.37, "avg60": 41.82, "avg300": 33.12},
                "full": {"avg10": 0.0, "avg60": 0.0, "avg300": 0.0},
            }
        },
    }
    assert host.slept == []


def test_use_of_the_processors_over_an_interval() -> None:
    host = FakeHost()
    assert load(host, 0.5)["cpu"] == {
        "user_percent": 50.0,
        "system_percent": 25.0,
        "iowait_percent": 10.0,
        "steal_percent": 5.0,
        "idle_percent": 10.0,
    }
    assert host.slept == [0.5]


def test_a_kernel_without_pressure_is_no_error() -> None:
    host = FakeHost()
    del host.files["/proc/pressure/cpu"]
    assert load(host)["pressure"] is None


@pytest.mark.parametrize(("path", "text"), [("/proc/loadavg", "1 2"), ("/proc/loadavg", "a b c d")])
def test_foreign_load_is_an_error(path: str, text: str) -> None:
    host = FakeHost()
    host.files[path] = text
    with pytest.raises(HostError, match="/proc/loadavg"):
        load(host)


def test_times_of_an_old_kernel_lack_some() -> None:
    assert times("cpu 1 2 3 4\n") == [1, 2, 3, 4, 0, 0, 0, 0]
    with pytest.raises(HostError, match="/proc/stat"):
        times("cpu0 1 2 3 4\n\n")


@given(
    st.lists(st.integers(0, 2**63), min_size=8, max_size=8),
    st.lists(st.integers(0, 2**63), min_size=8, max_size=8),
)
def test_use_is_a_share(before: list[int], after: list[int]) -> None:
    # Counters may stand still or run backwards.
    found = use(before, after)
    assert all(0 <= share <= 100 for share in found.values())
    assert sum(found.values()) < 100.5


def test_pressure_of_one_kind_only() -> None:
    # CPU pressure before Linux 5.13 has no second line.
    assert list(pressure(PRESSURE.splitlines()[0])) == ["some"]
    assert pressure("\n") == {}


@pytest.mark.parametrize(
    ("timex", "expected"),
    [
        # chronyd
        (Timex(41_500, 211), (True, 0.000211, 0.0415)),
        # systemd-timesyncd, a while after it set the clock: it estimates nothing
        (Timex(16_500, 0), (True, None, 0.0165)),
        # nobody, as a virtual machine said
        (Timex(16_000_000, 16_000_000), (False, None, None)),
    ],
)
def test_clock(timex: Timex, expected: tuple[t.Any, ...]) -> None:
    assert tuple(clock(timex).values()) == expected


def test_the_kernel_refuses_or_is_foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def adjtimex(self, answer: object) -> int:
            _timex.ctypes.set_errno(1)
            return -1

    monkeypatch.setattr(_timex.ctypes, "CDLL", lambda name, use_errno: Refusing())
    with pytest.raises(PermissionError, match="adjtimex"):
        read_timex()
    monkeypatch.setattr(_timex.ctypes, "CDLL", lambda name, use_errno: object())
    with pytest.raises(OSError, match="no adjtimex"):
        read_timex()


V1 = """123:net_cls,net_prio:/
9:name=systemd:/system.slice/nginx.service
8:pids:/system.slice/nginx.service
4:memory:/process_api/2d77b0186ad1122464537173bc3b7c3f
1:cpu:/
0::/system.slice/nginx.service
"""


@pytest.mark.parametrize(
    ("cgroup", "expected"),
    [
        (V1, "nginx.service"),
        ("9:name=systemd:/system.slice/cron.service\n0::/\n", "cron.service"),
        ("0::/system.slice/mongod.service\n", "mongod.service"),
        ("0::/init.scope\n", "init.scope"),
        ("0::/system.slice/docker.service/supervised\n", "docker.service"),
        ("0::/system.slice/docker-2a663dede69a.scope/init.scope\n", "init.scope"),
        ("0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope"),
        (
            "0::/user.slice/user-1000.slice/user@1000.service/app.slice/pm2.service\n",
            "pm2.service",
        ),
        ("9:name=systemd:/docker/5a5efd9bc85a/system.slice/ssh.service\n", "ssh.service"),
        ("0::/docker/5a5efd9bc85a72d71f9bb95aa51561710bfda8e9b7df440b1374f33e4da075b2\n", None),
        ("0::/user.slice\n", None),
        ("0::/system.slice/odd:name.service\n", "odd:name.service"),
        ("9:name=systemd:/\n0::/\n", None),
        ("", None),
        ("no cgroup", None),
    ],
)
def test_unit_of_a_process(cgroup: str, expected: str | None) -> None:
    assert unit_of(cgroup) == expected


@given(st.text())
def test_any_text_is_a_control_group_or_none(text: str) -> None:
    assert unit_of(text) is None or text
    assert unit_of_path(text) is None or unit_of_path(text) in text.split("/")
