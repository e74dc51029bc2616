# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose a host's processes are: of an application, of a unit of the platform, or of neither."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen
from ansible_collections.plugspace.titan.plugins.module_utils._words import size


class User(t.NamedTuple):
    """A process and the memory that it has, with that of its descendants for an instance."""

    pid: int
    bytes: float
    row: Seen


def unit_name(name: str) -> str:
    """A unit as systemd calls it."""
    return name if "." in name or not name else f"{name}.service"


def bytes_of(row: Seen) -> float:
    """A process's share of the memory; what it maps, where the share could not be read."""
    return row.number("pss_bytes") if row.has("pss_bytes") else row.number("rss_bytes")


class MemoryUsers:
    """Everybody who has memory on a host.

    seen: V(host) with processes, V(pm2) with all applications, V(units) by who they are of, and
    V(platform_units), the names of all units of the platform.
    """

    def __init__(self, seen: Seen) -> None:
        self._pm2 = seen.part("pm2")
        processes = seen.part("host").part("processes")
        self._rows = {one.whole("pid"): one for one in processes.rows("kept")}
        self._by_unit = [one for one in processes.rows("by_unit") if one.text("unit")]
        units = seen.part("units")
        known = [*seen.texts("platform_units"), *(units.text(name) for name in units.names())]
        self._platform = {unit_name(name) for name in known} - {""}
        self._pm2_unit = unit_name(units.text("pm2"))
        self._children: dict[int, list[int]] = {}
        for pid, row in self._rows.items():
            self._children.setdefault(row.whole("ppid"), []).append(pid)

    def _tree(self, pid: int) -> set[int]:
        """A process and all that descend from it."""
        found: set[int] = set()
        waiting = [pid]
        while waiting:
            one = waiting.pop()
            if one > 0 and one not in found:
                found.add(one)
                waiting += self._children.get(one, [])
        return found

    def applications(self) -> dict[str, list[User]]:
        """The running instances under PM2, by application; those without one are left out."""
        found: dict[str, list[User]] = {}
        for app in self._pm2.rows("apps"):
            for one in app.rows("instances"):
                pid = one.whole("pid")
                if pid <= 0:
                    continue
                rows = [self._rows[each] for each in self._tree(pid) if each in self._rows]
                held = sum(bytes_of(row) for row in rows) or one.number("memory_bytes")
                found.setdefault(app.text("name"), []).append(User(pid, held, one))
        return found

    def _pm2_rows(self) -> list[Seen]:
        """PM2's daemon, the instances of all applications, and all that descend from them."""
        known = self._tree(self._pm2.part("daemon").whole("pid"))
        for instances in self.applications().values():
            for one in instances:
                known |= self._tree(one.pid)
        return [row for pid, row in self._rows.items() if pid in known]

    def strangers(self) -> list[User]:
        """The processes that belong to nothing of the platform, the largest first."""
        known = {one.whole("pid") for one in self._pm2_rows()}
        found = [
            User(pid, bytes_of(row), row)
            for pid, row in self._rows.items()
            if pid not in known and row.text("unit") not in self._platform
        ]
        return sorted(found, key=lambda one: -one.bytes)

    def strange_units(self) -> dict[str, Seen]:
        """The units that are none of the platform, by name.

        That of logins is not one program, and whoever stopped one that PM2 is in would stop PM2.
        """
        known = {*self._platform, "ssh.service", "sshd.service", "init.scope"}
        known |= {one.text("unit") for one in self._pm2_rows()}
        return {one.text("unit"): one for one in self._by_unit if one.text("unit") not in known}

    def of_unit(self, name: str) -> float:
        """What the processes of a unit have."""
        wanted = unit_name(name)
        return sum(bytes_of(one) for one in self._by_unit if one.text("unit") == wanted)

    def largest(self, count: int) -> list[tuple[str, float]]:
        """The applications and units that have most."""
        found = {
            name: sum(one.bytes for one in instances)
            for name, instances in self.applications().items()
        }
        counted: dict[str, float] = {}
        for row in self._pm2_rows():
            counted[row.text("unit")] = counted.get(row.text("unit"), 0.0) + bytes_of(row)
        for one in self._by_unit:
            unit = one.text("unit")
            # PM2's unit is its applications; started from a login, they are in that of logins.
            if unit != self._pm2_unit:
                found.setdefault(unit, max(0.0, bytes_of(one) - counted.get(unit, 0.0)))
        return sorted(found.items(), key=lambda pair: -pair[1])[:count]


def shown(observed: object) -> dict[str, str]:
    """The state of a host's memory in a few lines, by label."""
    seen = Seen(observed)
    memory = seen.part("host").part("memory")
    lines = {}
    if memory:
        lines["memory"] = (
            f"{size(memory.number('available_bytes'))} of {size(memory.number('total_bytes'))}"
            f" available, {size(memory.number('page_cache_bytes'))} page cache"
        )
    if memory.number("swap_total_bytes"):
        used = memory.number("swap_total_bytes") - memory.number("swap_free_bytes")
        lines["swap"] = f"{size(used)} of {size(memory.number('swap_total_bytes'))} used"
    largest = MemoryUsers(seen).largest(3)
    if largest:
        lines["largest"] = ", ".join(f"{name} {size(held)}" for name, held in largest)
    cache = seen.part("mongodb").part("server").part("cache")
    if cache:
        lines["cache of MongoDB"] = (
            f"{size(cache.number('used_bytes'))} of {size(cache.number('max_bytes'))}"
        )
    redis = seen.part("redis").part("memory")
    if redis:
        most = redis.number("max_bytes")
        lines["Redis"] = size(redis.number("rss_bytes")) + (f" of {size(most)}" if most else "")
    return lines
