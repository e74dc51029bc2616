# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has the memory of a host, when too little of it is left.

Used memory is no illness: the kernel keeps files in what nobody needs. So nobody is blamed while
enough is available, but for who takes more than the site allows it, and for a cache that would not
fit when it fills.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_host import who
from ansible_collections.plugspace.titan.plugins.module_utils._finding import (
    CERTAIN,
    LIKELY,
    POSSIBLE,
    Finding,
    finding,
)
from ansible_collections.plugspace.titan.plugins.module_utils._memory_users import (
    MemoryUsers,
    bytes_of,
)
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen
from ansible_collections.plugspace.titan.plugins.module_utils._words import plural, size

MB, GB = 1024**2, 1024**3
# Less than this explains no shortage: an absolute size, and a share of the host's memory.
_LEAST_BYTES, _LEAST_SHARE = 256 * MB, 0.02
# Of what is large by its nature, more.
_LARGE_SHARE = 0.05
# An instance of a service without a limit is out of line when it is so many times as large as its
# smallest sibling, and of this size; without smaller siblings, when it is of the other.
_TIMES, _SUSPICIOUS, _TOO_LARGE = 3, 512 * MB, 1024 * MB
# Sizes of a cache are in such steps, so that a little more or less is no other size.
_STEP = 0.25 * GB
# A cache that just fits today would not tomorrow.
_SPARE_SHARE = 0.05
# Ending one of these takes more with it than memory.
_SYSTEM = re.compile(r"systemd.*|sshd|dbus-daemon|dockerd|containerd.*|init")

Weighed = tuple[float, Finding]


class MemoryDiagnosis:
    """The evidence about one host's memory, and what it says; the filter documents the evidence."""

    def __init__(self, observed: object) -> None:
        self._seen = Seen(observed)
        self._host = self._seen.part("host")
        memory = self._host.part("memory")
        limits = self._seen.part("limits")
        self.total = memory.number("total_bytes")
        self.available = memory.number("available_bytes")
        self._shared = memory.number("shared_bytes")
        self.wanted = max(
            self.total * limits.number("available_percent") / 100,
            limits.number("available_mb") * MB,
        )
        self.is_short = self.total > 0 and self.available < self.wanted
        self._least = max(_LEAST_BYTES, self.total * _LEAST_SHARE)
        self._users = MemoryUsers(self._seen)

    def findings(self) -> list[Finding]:
        """All causes, the one that has most first; none when enough is available."""
        if not self.total:
            said = self._host.part("errors").text("memory") or self._host.text("msg")
            why = f"nobody could look at the host's memory{f': {said}' if said else ''}"
            advice = "log in and look: free -m, ps aux --sort=-rss | head"
            return [finding("unknown", "memory", why, POSSIBLE, advice=advice)]
        found = [*self._leaks()]
        if self.is_short:
            found += [*self._foreign(), *self._foreign_units()]
        found += self._cache(sum(weight for weight, _one in found))
        if self.is_short:
            found += [*self._redis(), *self._shared_memory()]
            found = found or [self._unexplained()]
        return [one for _weight, one in sorted(found, key=lambda pair: -pair[0])]

    # -- applications under PM2 ---------------------------------------------------------------

    def _leaks(self) -> t.Iterator[Weighed]:
        services = {one.text("name"): one for one in self._seen.rows("services")}
        for name, instances in self._users.applications().items():
            service = services.get(name)
            limit = service.number("memory_limit_mb") * MB if service else 0.0
            sizes = sorted((one.bytes for one in instances), reverse=True)
            why = ""
            if limit > 0:
                allowed, ill = limit, sizes[0] > limit
                why = f"; memory_limit_mb is {limit / MB:.0f}"
            else:
                uneven = sizes[0] >= _TIMES * sizes[-1]
                allowed = sizes[-1] if uneven else _SUSPICIOUS
                ill = self.is_short and sizes[0] >= (_SUSPICIOUS if uneven else _TOO_LARGE)
            if ill:
                largest = max(instances, key=lambda one: one.bytes)
                others = f", its smallest {size(sizes[-1])}" if len(sizes) > 1 else ""
                yield (
                    sum(max(0.0, one - allowed) for one in sizes),
                    finding(
                        "leak",
                        name,
                        f"{name} has {size(sum(sizes))} in {plural(len(sizes), 'instance')}:"
                        f" its largest (pid {largest.pid}) {size(sizes[0])}{others}"
                        f"{why}{self._told()}",
                        CERTAIN if limit > 0 else LIKELY,
                        "reload" if service else "",
                        advice=(
                            "find what keeps the memory, or it is back in some time:"
                            f" pm2 logs {name} --lines 500 | grep -iE 'memory|heap'"
                            if service
                            else f"describe {name} in titan_services, or pm2 reload {name}"
                        ),
                    ),
                )

    # -- MongoDB ------------------------------------------------------------------------------

    def _cache(self, freed: float) -> list[Weighed]:
        """A cache that the host cannot give. freed: what others have and will give back."""
        mongodb = self._seen.part("mongodb")
        cache = mongodb.part("server").part("cache")
        in_file = self._seen.part("mongodb_config").number("cache_size_gb") * GB
        may = max(cache.number("max_bytes"), in_file)
        has = self._users.of_unit(self._seen.part("units").text("mongodb"))
        used = cache.number("used_bytes")
        # It needs more than its cache: connections, sorts, what is read and written just now.
        besides = max(0.0, has - used)
        others = max(0.0, self.total - self.available - has - freed)
        room = self.total - others - besides
        # The right size: MongoDB's own rule, and no more than the other programs leave.
        left = room - self.wanted - self.total * _SPARE_SHARE
        own_rule = (self.total - GB) / 2
        fitting = max(_STEP, min(own_rule, left) // _STEP * _STEP)
        fits = min(fitting, in_file or may)
        # One that holds little explains no shortage, and still has to fit when it fills.
        explains = self.is_short and used - fits >= self._least
        most = room - self.wanted if explains else room
        if not cache or may <= max(most, fits):
            return []
        member = mongodb.text("role") in ("PRIMARY", "SECONDARY")
        file = self._seen.part("mongodb_config").text("path") or "its configuration"
        if fits < fitting:
            # The site's own word counts.
            why = f"this host has no room for that; {file} says {fits / GB:g} GB"
        elif own_rule <= left:
            why = f"by its own rule {fits / GB:g} GB are right for {size(self.total)} of memory"
        else:
            why = (
                f"this host can give it {fits / GB:g} GB: of {size(self.total)} memory"
                f" {size(others + besides)} are used by all else, and {size(self.wanted)} have to"
                " stay available"
            )
        return [
            (
                max(0.0, used - fits),
                finding(
                    "mongodb_cache_too_large",
                    "mongodb",
                    f"MongoDB may fill a cache of {size(may)}, and {why}{self._told()}",
                    CERTAIN,
                    "shrink_cache" if member else "",
                    f"{fits / GB:g} GB",
                    "a cache that is too small for the data makes reads slow: give the host more"
                    " memory, or MongoDB a host of its own"
                    if member
                    else f"set cacheSizeGB to {fits / GB:g} in {file} and restart it at a quiet"
                    " moment: it is no member of a set that could go on without it",
                ),
            )
        ]

    # -- others -------------------------------------------------------------------------------

    def _foreign(self) -> t.Iterator[Weighed]:
        for one in self._users.strangers():
            if one.bytes < self._least:
                continue
            name = one.row.text("name") or "a process"
            is_system = one.pid <= 1 or bool(_SYSTEM.fullmatch(name))
            target = f"{name}:{one.pid}"
            unit = one.row.text("unit")
            yield (
                one.bytes,
                finding(
                    "system_process" if is_system else "foreign",
                    name,
                    f"{who(one.row)} has {size(one.bytes)} and belongs to nothing of the"
                    f" platform{self._told()}",
                    POSSIBLE if is_system else CERTAIN,
                    "" if is_system else "end_process",
                    "" if is_system else target,
                    f"look at {unit or name}, which the system needs; restart it at a quiet moment"
                    if is_system
                    else "find out whose it is: whoever started it may start it again",
                ),
            )

    def _foreign_units(self) -> t.Iterator[Weighed]:
        """Units of many processes, none of which is large."""
        large = {one.row.text("unit") for one in self._users.strangers() if one.bytes > self._least}
        for unit, row in self._users.strange_units().items():
            held = bytes_of(row)
            if held >= self._least and unit not in large:
                yield (
                    held,
                    finding(
                        "foreign",
                        unit,
                        f"{unit} has {size(held)} in {row.whole('processes')} processes and"
                        f" belongs to nothing of the platform{self._told()}",
                        advice=f"find out whose it is: systemctl status {unit}; systemctl stop"
                        " ends all of it",
                    ),
                )

    def _redis(self) -> t.Iterator[Weighed]:
        memory = self._seen.part("redis").part("memory")
        has, most = memory.number("rss_bytes"), memory.number("max_bytes")
        if has < max(_LEAST_BYTES, self.total * _LARGE_SHARE):
            return
        bound = (
            f"maxmemory is {size(most)}" if most else "it has no maxmemory, so nothing bounds it"
        )
        yield (
            has,
            finding(
                "redis_large",
                "redis",
                f"Redis has {size(has)}; {bound}{self._told()}",
                POSSIBLE,
                advice="remove keys or let them expire, and bound it:"
                " CONFIG SET maxmemory, with a maxmemory-policy that evicts",
            ),
        )

    def _shared_memory(self) -> t.Iterator[Weighed]:
        if self._shared < max(_LEAST_BYTES, self.total * _LARGE_SHARE):
            return
        systems = [
            (one.number("size_bytes") - one.number("available_bytes"), one.text("mount"))
            for one in self._host.rows("file_systems")
            if one.text("type") == "tmpfs"
        ]
        held, mount = max(systems, default=(0.0, ""))
        where = f"; {mount} holds {size(held)}" if held >= _LEAST_BYTES else ""
        yield (
            self._shared,
            finding(
                "shared_memory",
                "tmpfs",
                f"{size(self._shared)} are files in memory (tmpfs) or shared memory"
                f"{where}{self._told()}",
                POSSIBLE,
                advice="look with du -shx /dev/shm /run /tmp and ipcs -m, and remove what nobody"
                " needs: it is no cache that is given back",
            ),
        )

    def _unexplained(self) -> Weighed:
        largest = ", ".join(f"{name} {size(held)}" for name, held in self._users.largest(3))
        advice = "give the host more memory, or move a service to another host"
        why = f"no program has much more than it should{self._told()}"
        why += f"; the largest: {largest or '?'}"
        return 0.0, finding("memory_short", "memory", why, LIKELY, advice=advice)

    def _told(self) -> str:
        """How short it is, and whom it has cost already."""
        told = ""
        if self.is_short:
            percent = 100 * self.available / self.total
            told = f"; only {size(self.available)} ({percent:.0f} %) are available"
        return told + killed(self._host)


def killed(host: Seen) -> str:
    """The newest process that the kernel killed for want of memory, as the end of a sentence."""
    kills = host.rows("oom_kills")
    if not kills:
        return ""
    name, time = kills[0].text("name") or "a process", kills[0].text("time") or "some time"
    more = f" and {len(kills) - 1} more" if len(kills) > 1 else ""
    # The limit of a unit or container was reached, whatever the host has left.
    within = " within its own limit" if kills[0].text("scope") == "cgroup" else ""
    return f"; the kernel killed {name} at {time}{more} for want of memory{within}"


def remark(observed: object) -> str:
    """What is said when enough is available, and it does not look so; else empty."""
    diagnosis, host = MemoryDiagnosis(observed), Seen(observed).part("host")
    memory = host.part("memory")
    free, cached = memory.number("free_bytes"), memory.number("page_cache_bytes")
    said = ""
    if memory.has("free_bytes") and not diagnosis.is_short and free < diagnosis.wanted and cached:
        said = (
            f"only {size(free)} are free, but {size(cached)} of page cache are given back when a"
            f" program needs them, so {size(diagnosis.available)} are available"
        )
    return (said + killed(host)).lstrip("; ")


def diagnose_memory(observed: object) -> list[Finding]:
    """Who has a host's memory, the one that has most first."""
    return MemoryDiagnosis(observed).findings()
