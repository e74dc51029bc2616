# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who uses a host's processors: each process counted with the one that it belongs to."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._finding import Finding, finding
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen
from ansible_collections.plugspace.titan.plugins.module_utils._words import plain, plural


class Instance(t.NamedTuple):
    """An instance of an application that runs; percent: of one processor, with its children."""

    id: int
    pid: int
    percent: float
    age_s: float


class Report(t.TypedDict):
    """Lines by label, and a sentence; it is empty where nothing needs to be said."""

    lines: dict[str, str]
    remark: str


class Usage:
    """The processors of a host, over the interval in which they were watched.

    host: as host_info tells it, with the processes. pm2: as pm2_info tells it, all applications.
    """

    def __init__(self, host: Seen, pm2: Seen) -> None:
        processes, load = host.part("processes"), host.part("load")
        self.watched = bool(processes.rows("kept"))
        self.processors = max(1, load.whole("cpus"))
        self.rows = processes.rows("kept")
        self.by_unit = processes.rows("by_unit")
        self.daemon = pm2.part("daemon").whole("pid")
        self.states = processes.part("states")
        self.shares = load.part("cpu")
        self._by_pid = {one.whole("pid"): one for one in self.rows}
        self._names = {
            each.whole("pid"): app.text("name")
            for app in pm2.rows("apps")
            for each in app.rows("instances")
            if each.whole("pid")
        }
        self._owners = {pid: self._find_owner(pid) for pid in self._by_pid}

    def owner(self, row: Seen) -> int:
        """The instance, or PM2's daemon, that a process stems from; 0 for all others."""
        return self._owners.get(row.whole("pid"), 0)

    def instances(self, app: Seen) -> list[Instance]:
        """The instances of an application that run."""
        found = []
        for one in app.rows("instances"):
            pid = one.whole("pid")
            if pid > 0:
                row = self._by_pid.get(pid, one)
                age = row.number("age_s") if row.has("age_s") else one.number("uptime_s")
                found.append(Instance(one.whole("id"), pid, self._with_children(pid), age))
        return found

    @property
    def total(self) -> float:
        """What all processes of the host use, in percent of one processor."""
        return sum(one.number("cpu_percent") for one in self.by_unit or self.rows)

    def total_without(self, young: t.Callable[[Seen], bool]) -> float:
        """The same without those that have just been started."""
        return self.total - sum(one.number("cpu_percent") for one in self.rows if young(one))

    def busiest(self, count: int) -> str:
        """Who uses most, for a person; a process of an application by the name of that."""
        most = sorted(self.rows, key=lambda one: -one.number("cpu_percent"))[:count]
        return ", ".join(
            f"{self._name(one)} (pid {one.whole('pid')}) {one.number('cpu_percent'):.0f} %"
            for one in most
        )

    def _name(self, row: Seen) -> str:
        return self._names.get(self.owner(row)) or row.text("name")

    @property
    def machine(self) -> float | None:
        """How busy the kernel says its processors are, in percent of all of them.

        In a container these are those of the machine, with all that its other guests do.
        """
        if not self.shares.has("idle_percent"):
            return None
        at_rest = self.shares.number("idle_percent") + self.shares.number("iowait_percent")
        return max(0.0, 100 - at_rest)

    def _find_owner(self, pid: int) -> int:
        passed: set[int] = set()
        while pid not in passed:
            if pid in self._names or pid == self.daemon:
                return pid
            if pid not in self._by_pid:
                break
            passed.add(pid)
            pid = self._by_pid[pid].whole("ppid")
        return 0

    def _with_children(self, pid: int) -> float:
        mine = [one for one in self.rows if self.owner(one) == pid]
        return sum(one.number("cpu_percent") for one in mine)


def unwatched(usage: Usage, seen: Seen) -> list[Finding]:
    """What is said when nobody knows who uses the processors. seen: the observation."""
    if usage.watched:
        return []
    told = seen.part("errors").text("host") or seen.part("host").part("errors").text("processes")
    why = f"the processes could not be looked at: {told or 'the host told nothing of them'}"
    advice = "look by hand: top -c, or ps aux --sort=-%cpu"
    return [finding("unknown", "cpu", why, advice=advice)]


def percents(instances: t.Iterable[Instance]) -> str:
    """What instances use, for a person."""
    return ", ".join(
        f"instance {one.id} (pid {one.pid}) uses {one.percent:.0f} %" for one in instances
    )


def in_line(instances: t.Sequence[Instance]) -> str:
    """The instances of an application, in one line."""
    count = plural(len(instances), "instance")
    return plain(f"{count}: {percents(instances)}" if instances else count)
