# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a service answers slowly, from what its host, its databases and the access log showed.

Slow is what the log says of the last minutes, or what a probe meets now. What was logged before
something was healed on the host does not count any more. After something was done in this run
the log still has the slow requests from before, so probes decide then, and an operation that still
runs: a probe need not wait for what it keeps others waiting for.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_host import (
    EMPTY,
    find_unit,
)
from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_queries import (
    missing_indexes,
    slow_commands,
    slow_operations,
    worst_query,
)
from ansible_collections.plugspace.titan.plugins.module_utils._finding import (
    CERTAIN,
    LIKELY,
    POSSIBLE,
    Finding,
    finding,
)
from ansible_collections.plugspace.titan.plugins.module_utils._scaling import saturated
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen
from ansible_collections.plugspace.titan.plugins.module_utils._words import plural

ANSWER_MS, OPERATION_S, SINCE_S = 1000.0, 10.0, 300.0
# Of fewer requests a percentile says nothing.
_LEAST_REQUESTS = 10
# As many errors of nginx's upstreams are no accident any more.
_MANY_ERRORS, _ERROR_SHARE = 10, 0.05
# When the last one is older, and everybody is answered now, it is over.
_OVER_S = 60.0
# What service_probe says of an answer that did not come in time.
_LATE = re.compile(r"gave no answer within|was cut off")
# How much slower than its siblings an instance is that has something of its own.
_TIMES_SLOWER = 3
_BUSY_PERCENT, _IDLE_PERCENT = 80, 40
# With less, it is the host that lacks processors.
_RAN_PERCENT = 15
_ROUTES = 3


class LatencyDiagnosis:
    """The evidence about one service on one host, and what it says; the filter documents it."""

    def __init__(self, observed: object) -> None:
        self._seen = Seen(observed)
        limits = self._seen.part("limits")
        self._limit = limits.number("answer_ms", ANSWER_MS)
        self._operation = limits.number("operation_s", OPERATION_S)
        since = limits.number("since_s", SINCE_S)
        self._since = min(since, self._seen.part("healed").number("ago_s", since))
        self._service = self._seen.part("service")
        self.name = self._service.text("name")
        self._settled = self._seen.flag("settled") is True
        self._answer = self._seen.part("answer")
        self._site = self._seen.part("site")
        apps = self._seen.part("pm2").rows("apps")
        self._app = next((app for app in apps if app.text("name") == self.name), EMPTY)
        self._measured = self._seen.part("instances")
        self._answers = {one.whole("pid"): one for one in self._measured.rows("answers")}
        self._log = self._seen.part("access_log")
        self._all = self._log.part("all")

    def findings(self) -> list[Finding]:
        """All causes, the one that explains most first; none when it is quick."""
        found = [*self._blocked(), *self._errors()]
        if found:
            return found
        mongodb, redis = self._seen.part("mongodb"), self._seen.part("redis")
        named = self._seen.shown("confirmed")
        operations = slow_operations(mongodb, self._operation, named)
        if not self._is_slow():
            # Who names one has it ended, though nobody is seen to wait for it.
            asked = named in [one["target"] for one in operations if one["target"]]
            # Where an operation was ended, what the log knew of before is over when none is left.
            ended = self._settled and named and self._log_is_slow()
            return operations if asked or ended else []
        slow_queries = self._seen.part("slow_queries")
        found = [
            # What all instances share would slow all of them.
            *([*self._uneven()] or self._slow_instances()),
            *operations,
            *missing_indexes(mongodb, slow_queries, self._limit),
            *slow_commands(redis, self._since, self._limit),
            # More instances would ask a slow database for more, so this comes after it.
            *self._saturated(),
        ]
        return found or [self._slow_route(worst_query(slow_queries))]

    # -- other illnesses ----------------------------------------------------------------------

    def _blocked(self) -> t.Iterator[Finding]:
        redis = self._seen.part("redis")
        if redis.text("state") == "busy":
            why = redis.text("error") or "a script blocks it"
            advice = "run playbooks/redis_down.yml, which ends what blocks it"
            yield finding("redis_blocked", "redis", why, advice=advice)

    def _errors(self) -> t.Iterator[Finding]:
        """It does not answer at all, or badly: that is not slowness."""
        reason = next((one for one in map(_badly, (self._answer, self._site)) if one), "")
        if not reason and self._nobody_answers():
            reason = self._measured.text("reason") or "no instance answered"
        requests, errors = self._all.whole("count"), self._all.whole("gateway_errors")
        many = errors >= _MANY_ERRORS and errors >= _ERROR_SHARE * requests
        told = f"nginx got no good answer for {errors} of {plural(requests, 'request')}"
        going_on = self._log.number("last_gateway_error_s") < _OVER_S
        if many and going_on and not self._settled:
            reason = f"{reason}; {told}" if reason else told
        if reason:
            yield finding(
                "upstream_errors",
                self.name,
                reason,
                LIKELY if reason == told else CERTAIN,
                advice="see playbooks/api_down.yml, which is for a service that does not answer",
            )

    def _nobody_answers(self) -> bool:
        """Not even late. Who has more to do than there is time for, answers later still."""
        if self._answers or self._measured.whole("failures") == 0:
            return False
        late = bool(_LATE.search(self._measured.text("reason")))
        return not (late and self._saturated())

    # -- slow or not --------------------------------------------------------------------------

    def _is_slow(self) -> bool:
        if any(row.flag("ok") is False for row in (self._answer, self._site)):
            return True
        if self._slow_pids():
            return True
        return not self._settled and self._log_is_slow()

    def _log_is_slow(self) -> bool:
        sockets = self._all.part("statuses").whole("1xx")
        timed = self._all.whole("count") - sockets - self._log.whole("lines_without_time")
        return timed >= _LEAST_REQUESTS and self._all.number("p95_ms") > self._limit

    def _slow_pids(self) -> dict[int, float]:
        """The processes that answer slowly each time, with the milliseconds of the quickest."""
        slow = {
            pid: one.number("least_ms")
            for pid, one in self._answers.items()
            if one.number("least_ms") > self._limit
        }
        own = {one.whole("pid") for one in self._online()}
        return slow | dict.fromkeys(own & set(self._measured.wholes("silent")), 0.0)

    def _online(self) -> list[Seen]:
        return [
            one
            for one in self._app.rows("instances")
            if one.text("status") == "online" and one.whole("pid") > 0
        ]

    # -- why ----------------------------------------------------------------------------------

    def _slow_instances(self) -> t.Iterator[Finding]:
        slow = self._slow_pids()
        others = max(
            (one.number("least_ms") for pid, one in self._answers.items() if pid not in slow),
            default=None,
        )
        if others is None:
            return
        bad = [
            one
            for one in self._online()
            if one.whole("pid") in slow
            and (slow[one.whole("pid")] or self._limit) >= _TIMES_SLOWER * others
        ]
        if not bad:
            return
        told = "; ".join(_instance(one, slow[one.whole("pid")]) for one in bad)
        yield finding(
            "slow_instance",
            self.name,
            f"{told}, while the others answer within {max(others, 1):.0f} ms",
            rung="restart_instances",
            target=",".join(str(one.whole("id")) for one in bad),
            advice="what made it slow stands in its log, or in what it was asked for",
        )

    def _uneven(self) -> t.Iterator[Finding]:
        """Some have all the work, so nobody else could be slow, and nginx could share it out."""
        name = self._seen.text("nginx_unit")
        if find_unit(self._seen.part("host"), name).text("active") != "active":
            return
        busy = {one.whole("pid"): one.number("busy_percent") for one in self._measured.rows("busy")}
        online = {one.whole("pid"): one for one in self._online()}
        full = {pid for pid in online if busy.get(pid, 0.0) >= _BUSY_PERCENT}
        idle = {pid for pid in online if busy.get(pid, 100.0) <= _IDLE_PERCENT}
        # Who answers nobody hangs, and would go on to do so.
        answering = full <= set(self._answers) and set(self._slow_pids()) <= full
        if not full or not idle or full | idle != set(online) or not answering:
            return
        ids = ", ".join(str(online[pid].whole("id")) for pid in sorted(full))
        most = max(self._answers[pid].number("most_ms") for pid in full)
        yield finding(
            "uneven",
            self.name,
            f"instance {ids} has all the work and takes up to {most:.0f} ms for an answer, while"
            f" the others are idle: the connections that {name} keeps stay with it",
            LIKELY,
            rung="reload_unit",
            target=name,
            advice="a client that asked while its connection was closed has to ask again",
        )

    def _saturated(self) -> list[Finding]:
        known = {one.whole("pid"): one for one in self._measured.rows("busy")}
        rows = [known.get(one.whole("pid"), EMPTY) for one in self._online()]
        least = min((one.number("busy_percent") for one in rows), default=0.0)
        if least < _BUSY_PERCENT:
            return []
        waited = max(one.number("waited_percent") for one in rows)
        told = f"{plural(len(rows), 'instance')} of {self.name}, busy {least:.0f} % of the time"
        if waited >= 1:
            told += f" (up to {waited:.0f} % waiting for a processor)"
        ran = min(one.number("busy_percent") - one.number("waited_percent") for one in rows)
        if ran < _RAN_PERCENT:
            advice = "see playbooks/high_cpu.yml for who uses the processors; more instances would"
            advice += " wait as these do"
            return [finding("processors_busy", self.name, told, LIKELY, advice=advice)]
        cpu = self._seen.part("host").part("load").part("cpu")
        idle = f"; the host's processors are {cpu.number('idle_percent'):.0f} % idle" if cpu else ""
        return [saturated(self._service, self._app, told + idle)]

    def _slow_route(self, query: str) -> Finding:
        told = []
        if not self._settled and self._log_is_slow():
            told.append(
                f"{self._all.number('p95_ms'):.0f} ms is what 95 % of"
                f" {plural(self._all.whole('count'), 'request')} stayed within"
            )
            rows = self._log.rows("routes")
            rows = [one for one in rows if one.number("p95_ms") > self._limit] or rows
            told += [_route(one) for one in rows[:_ROUTES]]
        told += [row.text("reason") for row in (self._answer, self._site) if row.text("reason")]
        told += [
            f"process {pid} takes {least:.0f} ms or more" if least else f"process {pid} is silent"
            for pid, least in self._slow_pids().items()
        ]
        also = f"; the query that took the most time is {query}" if query else ""
        return finding(
            "slow_route",
            self.name,
            "; ".join(told) or "a visitor was not answered in time",
            POSSIBLE,
            advice="look what these routes do and wait for: neither databases, instances nor"
            f" processors explain it{also}",
        )


def _badly(row: Seen) -> str:
    """The reason of a probe that did not fail for want of time."""
    reason = row.text("reason") or row.text("msg") or "it does not answer well"
    return reason if row.flag("ok") is False and not _LATE.search(reason) else ""


def _instance(one: Seen, least: float) -> str:
    if not least:
        return f"instance {one.whole('id')} gave no answer in time"
    return f"instance {one.whole('id')} takes {least:.0f} ms or more for an answer"


def _route(one: Seen) -> str:
    return (
        f"{one.text('route')} {plural(one.whole('count'), 'time')}, p95"
        f" {one.number('p95_ms'):.0f} ms, p99 {one.number('p99_ms'):.0f} ms"
    )


def diagnose_latency(observed: object) -> list[Finding]:
    """All causes of a service's slowness on one host, the one that explains most first."""
    return LatencyDiagnosis(observed).findings()
