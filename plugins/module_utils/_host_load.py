# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much a host has to do: load, processor time, and how long work waits for what it needs."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._host import HostError, Report

PRESSURES = ("cpu", "memory", "io")


class Host(t.Protocol):
    """The few things that are asked of the operating system."""

    def read(self, path: str) -> str:
        """Return a file of /proc."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


def load(host: Host, interval: float = 0) -> Report:
    """Return the load; the use of the processors over `interval` seconds if there is one."""
    words = host.read("/proc/loadavg").split()
    try:
        averages = [float(word) for word in words[:3]]
        runnable = int(words[3].partition("/")[0])
    except (IndexError, ValueError) as error:
        raise HostError("/proc/loadavg is not as the kernel writes it") from error
    before = host.read("/proc/stat")
    found = {words[0]: words[1:] for words in map(str.split, before.splitlines()) if words}
    cpu = None
    if interval:
        host.sleep(interval)
        cpu = use(times(before), times(host.read("/proc/stat")))
    return {
        **dict(zip(("average_1m", "average_5m", "average_15m"), averages)),
        "cpus": sum(name.startswith("cpu") and name != "cpu" for name in found),
        "runnable": runnable,
        "blocked": int((found.get("procs_blocked") or ["0"])[0]),
        "cpu": cpu,
        "pressure": _pressures(host),
    }


def times(stat: str) -> list[int]:
    """Return user, nice, system, idle, iowait, irq, softirq and steal of all processors, in ticks.

    What follows them is the time of guests, which is counted in user already.
    """
    for line in stat.splitlines():
        name, *words = line.split() or [""]
        if name == "cpu" and len(words) >= 4:
            return [int(word) for word in (words + ["0"] * 4)[:8]]
    raise HostError("/proc/stat has no line for all processors")


def use(before: t.Sequence[int], after: t.Sequence[int]) -> Report:
    """Return what the processors did between two readings, in percent of all of them."""
    # iowait may run backwards: the kernel says so.
    spent = [max(0, new - old) for old, new in zip(before, after)]
    user, nice, system, idle, iowait, irq, softirq, steal = (
        100 * ticks / max(sum(spent), 1) for ticks in spent
    )
    return {
        "user_percent": round(user + nice, 1),
        "system_percent": round(system + irq + softirq, 1),
        "iowait_percent": round(iowait, 1),
        "steal_percent": round(steal, 1),
        "idle_percent": round(idle, 1),
    }


def _pressures(host: Host) -> Report | None:
    found = {}
    for resource in PRESSURES:
        try:
            found[resource] = pressure(host.read(f"/proc/pressure/{resource}"))
        except OSError:
            continue  # built without it, or switched off at boot
    return found or None


def pressure(text: str) -> Report:
    """Return the averages of one resource: percent of the time that some or all work waited."""
    found: Report = {}
    for line in text.splitlines():
        kind, *words = line.split() or [""]
        pairs = (word.partition("=") for word in words)
        if kind in ("some", "full"):
            found[kind] = {name: float(value) for name, _equals, value in pairs if name != "total"}
    return found
