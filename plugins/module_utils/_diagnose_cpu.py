# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a host's processors are busy, from what its processes used while they were watched.

The processes of the host decide, not what the kernel says of its processors: in a container, and on
a machine that others share, the kernel tells of all that the machine does.
"""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._cpu_usage import (
    Instance,
    Usage,
    percents,
    unwatched,
)
from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_host import EMPTY, who
from ansible_collections.plugspace.titan.plugins.module_utils._finding import (
    CERTAIN,
    LIKELY,
    POSSIBLE,
    Finding,
    finding,
)
from ansible_collections.plugspace.titan.plugins.module_utils._scaling import saturated
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen
from ansible_collections.plugspace.titan.plugins.module_utils._words import age, plural

_HOST = "cpu"
_STEAL_PERCENT = 20
_IOWAIT_PERCENT = 25
_SLOW = "see playbooks/high_response_time.yml for what it works at"


class CpuDiagnosis:
    """The evidence about the processors of one host, and what it says.

    observed: limits (process_percent, busy_percent, min_age_s), run_s (how long the procedure has
    been at work), services (as titan_services), pm2
    (pm2_info, all applications), host (host_info with processes over an interval), answers (a row
    of service_probe for each service, by its name), servers (the units that are no strangers),
    named (what a person has named for a destructive rung) and errors (of the parts that could not
    be read). Any of them may be missing.
    """

    def __init__(self, observed: object) -> None:
        seen = Seen(observed)
        limits = seen.part("limits")
        self._much = limits.number("process_percent") or 80.0
        self._full = limits.number("busy_percent") or 80.0
        self._min_age = limits.number("min_age_s", 30.0)
        self._run = seen.number("run_s")
        self._pm2 = seen.part("pm2")
        self._usage = Usage(seen.part("host"), self._pm2)
        self._services = {one.text("name"): one for one in seen.rows("services")}
        self._answers = seen.part("answers")
        self._servers = [one if "." in one else f"{one}.service" for one in seen.texts("servers")]
        self._named = seen.text("named")
        self._blind = unwatched(self._usage, seen)

    def findings(self) -> list[Finding]:
        """All causes; first what can be helped without asking a person."""
        if self._blind:
            return self._blind
        apps = [one for app in self._pm2.rows("apps") for one in self._application(app)]
        found = [one for one in apps if one["rung"]]
        found += [*self._daemon(), *self._strangers(), *self._busy_servers()]
        # More instances help nobody as long as somebody else takes the processors.
        found += [one for one in apps if not one["rung"]]
        found += [*([] if found else self._host_is_full()), *self._kernel()]
        # What a person has named is what that person wants to be done now.
        return sorted(found, key=lambda one: not self._is_named(one))

    def _is_named(self, one: Finding) -> bool:
        return bool(self._named) and self._named == (one["target"] or one["subject"])

    # -- applications -------------------------------------------------------------------------

    def _application(self, app: Seen) -> list[Finding]:
        name, running = app.text("name"), self._usage.instances(app)
        busy = [one for one in running if one.percent >= self._much]
        grown = [one for one in busy if not self._is_young(one.age_s)]
        others = [one for one in running if one not in busy]
        calm = [one for one in others if one.percent < self._much / 2]
        if not grown:
            return self._starting(name, busy) if busy else []
        if any(not self._is_new_beside(one, grown) for one in calm):
            at_most = max(one.percent for one in others)
            return [self._runaway(name, grown, f"; the others use {at_most:.0f} % at most")]
        # Those that came last have not been given their share of the work yet.
        if calm or sum(one.percent for one in running) < self._much * len(running):
            return []
        if self._answers.part(name).flag("ok") is False:
            return [self._runaway(name, grown, ", and nobody gets an answer")]
        if any(one.flag("module") for one in app.rows("instances")):
            return [self._runaway(name, grown, "; it is a module of PM2, which serves nobody")]
        return [self._load(app, running)]

    def _is_young(self, seconds: float) -> bool:
        return seconds < self._min_age

    def _is_new_beside(self, one: Instance, busy: list[Instance]) -> bool:
        """Whether it was added only just now, or by this run, to help those that are busy."""
        added = one.age_s < self._run <= max(each.age_s for each in busy)
        return added or self._is_young(one.age_s)

    def _starting(self, name: str, busy: list[Instance]) -> list[Finding]:
        youngest = min(one.age_s for one in busy)
        why = f"{name} was started {age(youngest)} ago and is busy: {percents(busy)}"
        return [finding("starting", name, why, LIKELY, "wait_until_started")]

    def _runaway(self, name: str, busy: list[Instance], more: str) -> Finding:
        why = f"of {name}, {percents(busy)} of a processor{more}"
        ids = ",".join(str(one.id) for one in busy)
        return finding("runaway", name, why, LIKELY, "restart_instances", ids)

    def _load(self, app: Seen, running: list[Instance]) -> Finding:
        """All of it is busy, and it answers: more than its instances can do."""
        name = app.text("name")
        service = self._services.get(name, EMPTY)
        why = f"all of {name} is busy: {percents(running)} of a processor"
        if not service:
            advice = (
                f"name it in titan_services, so that it can be helped; if it is not at work: pm2"
                f" restart {name}"
            )
            return finding("application_busy", name, why, LIKELY, advice=advice)
        idle = self._usage.processors * 100 - self._usage.total
        # So many more could be as busy as these are.
        room = max(0, int(idle // self._much))
        if not room:
            processors = plural(self._usage.processors, "processor")
            return finding(
                "saturated",
                name,
                f"{why}; of {processors} none is left idle",
                LIKELY,
                advice="add a host; more instances here would share the same processors",
            )
        most = service.whole("max_instances")
        if len(running) < most:
            most = min(most, len(running) + room)
        return saturated(Seen({**service.value, "max_instances": most}), app, why)

    # -- PM2, strangers and servers -----------------------------------------------------------

    def _daemon(self) -> t.Iterator[Finding]:
        daemon = self._usage.daemon
        for row in self._usage.rows:
            if not self._is_busy(row) or self._usage.owner(row) != daemon or not daemon:
                continue
            percent = row.number("cpu_percent")
            if row.whole("pid") == daemon:
                why = f"PM2's daemon (pid {daemon}) uses {percent:.0f} % of a processor"
                advice = "watch whether it comes again; pm2.log in PM2's home tells what it did"
                yield finding("pm2_busy", "PM2", why, CERTAIN, "replace_pm2", advice=advice)
            else:
                why = (
                    f"{who(row)} uses {percent:.0f} % of a processor; PM2 started it, and does not"
                )
                why += f" tell for which application (its daemon is {self._state()})"
                advice = "see playbooks/service_down.yml for what is wrong with PM2"
                yield finding("pm2_child_busy", "PM2", why, LIKELY, advice=advice)

    def _state(self) -> str:
        return self._pm2.part("daemon").text("state") or "unknown"

    def _is_busy(self, row: Seen) -> bool:
        return row.number("cpu_percent") >= self._much and not self._is_new(row)

    def _is_new(self, row: Seen) -> bool:
        return self._is_young(row.number("age_s"))

    def _strangers(self) -> t.Iterator[Finding]:
        for row in self._usage.rows:
            if not self._is_busy(row) or self._usage.owner(row):
                continue
            if row.text("unit") in self._servers:
                continue
            pid, name = row.whole("pid"), row.text("name")
            why = f"{who(row)} uses {row.number('cpu_percent'):.0f} % of a processor"
            why += f" and has been there for {age(row.number('age_s'))}"
            if pid <= 1 or not name or not row.number("rss_bytes"):
                advice = (
                    "look at dmesg, since it cannot be ended; a thread of the kernel that is busy"
                    " wants memory (kswapd), a disk or the network"
                )
                yield finding("system_busy", _HOST, why, LIKELY, advice=advice)
                continue
            target = f"{name}:{pid}"
            advice = "find out whose it is: whoever started it may start it again"
            yield finding("foreign_busy", name, why, CERTAIN, "end_process", target, advice)

    def _busy_servers(self) -> t.Iterator[Finding]:
        """What is asked too much. It has many threads or many clients, so only where it hurts."""
        if not self._is_full():
            return
        for row in self._usage.by_unit:
            unit, percent = row.text("unit"), row.number("cpu_percent")
            if unit in self._servers and percent >= self._much:
                why = f"{unit} uses {percent:.0f} % of a processor{self._of_all()}"
                yield finding("server_busy", unit, why, LIKELY, advice=_SLOW)

    # -- the host -----------------------------------------------------------------------------

    def _share(self) -> float:
        """What its own processes use, in percent of all processors."""
        return self._usage.total_without(self._is_new) / self._usage.processors

    def _is_full(self) -> bool:
        return self._share() >= self._full

    def _of_all(self) -> str:
        own, processors = self._usage.total, plural(self._usage.processors, "processor")
        return f"; all of the host use {own:.0f} % of {processors}"

    def _host_is_full(self) -> list[Finding]:
        if not self._is_full():
            return []
        why = f"no process stands out{self._of_all()}; most: {self._usage.busiest(3)}"
        return [finding("host_full", _HOST, why, LIKELY, advice=f"add a host; {_SLOW}")]

    def _kernel(self) -> t.Iterator[Finding]:
        """What no process uses, and the host misses all the same."""
        shares, waiting = self._usage.shares, self._usage.states.whole("D")
        steal, iowait = shares.number("steal_percent"), shares.number("iowait_percent")
        if steal >= _STEAL_PERCENT and self._share() + steal >= self._full:
            why = f"the machine that it runs on takes {steal:.0f} % of its processors for others"
            advice = "ask whoever runs that machine, or move this host to another one"
            yield finding("stolen", _HOST, why, POSSIBLE, advice=advice)
        if iowait >= _IOWAIT_PERCENT and waiting > 0:
            why = f"its processors wait for disks {iowait:.0f} % of the time; of its processes"
            why += f" {waiting} did so when they were counted"
            advice = "look at the disk (iostat -x 1), more processors do not help"
            yield finding("waits_for_disk", _HOST, why, POSSIBLE, advice=advice)


def diagnose_cpu(observed: object) -> list[Finding]:
    """All causes; none when no process of the host stands out."""
    return CpuDiagnosis(observed).findings()
