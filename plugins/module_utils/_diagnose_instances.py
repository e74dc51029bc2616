# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the processes of an application that PM2 runs."""

from __future__ import annotations

import calendar
import re
import time
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_host import last_line
from ansible_collections.plugspace.titan.plugins.module_utils._finding import (
    CERTAIN,
    LIKELY,
    POSSIBLE,
    Finding,
    finding,
)
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen
from ansible_collections.plugspace.titan.plugins.module_utils._words import plural


class Symptom(t.NamedTuple):
    """What an application's last words mean: the pattern, and the finding that it makes."""

    pattern: t.Pattern[str]
    cause: str
    confidence: str
    rung: str
    advice: str = ""


ROLL_BACK = "go back with playbooks/rollback.yml, or deploy again with playbooks/deploy.yml"
_MORE_FILES = "find what keeps files open, or raise LimitNOFILE of the unit that runs PM2"
# Node.js and Linux say these themselves, so they mean the same in every application.
LAST_WORDS = (
    Symptom(
        re.compile(r"EMFILE|ENFILE|too many open files", re.I),
        "too_many_open_files",
        CERTAIN,
        "restart",
        _MORE_FILES,
    ),
    Symptom(re.compile(r"heap out of memory", re.I), "heap_exhausted", CERTAIN, "restart"),
    Symptom(
        re.compile(r"Cannot find (?:module|package)|ERR_MODULE_NOT_FOUND"),
        "broken_release",
        LIKELY,
        "",
        ROLL_BACK,
    ),
    # Whoever held it is gone, or it would have been found at the port.
    Symptom(re.compile(r"EADDRINUSE"), "port_was_taken", LIKELY, "restart"),
    Symptom(re.compile(r"EACCES|EPERM"), "not_permitted", POSSIBLE, "restart"),
)
# What Node.js and console.error() print of an error is followed by lines that begin with space, by
# a bracket, and by the version of Node.js.
_WORDS = re.compile(r"(?!Node\.js v\d)\S.*\w")
# Restarted as often as this and up no longer than this, it is between two crashes.
_MANY_RESTARTS, _YOUNG_S = 3, 10.0
# What service_probe says of an attempt.
_NO_ANSWER = re.compile(r"gave no answer within|was cut off")
_NO_CONNECTION = re.compile(r"got no connection")
_NO_HANDSHAKE = re.compile(r"did not become a WebSocket|answered the handshake of somebody else")
_DEAD_SOCKET = re.compile(
    r"closed the WebSocket|instead of a pong|sent no pong|closed the connection without"
)
# Once may be chance.
_TWICE = 2


def is_online(instance: Seen) -> bool:
    """Whether PM2 says that an instance runs."""
    return instance.text("status") == "online" and instance.whole("pid") > 0


def stopped_by_signal(host: Seen) -> set[int]:
    """The processes that a signal or a debugger has stopped."""
    kept = host.part("processes").rows("kept")
    return {one.whole("pid") for one in kept if one.text("state") in ("T", "t")} - {0}


class InstanceDiagnosis:
    """The instances of one application.

    seen: what ServiceDiagnosis documents. app: the application as pm2_info tells it.
    """

    def __init__(self, seen: Seen, app: Seen) -> None:
        self._name = seen.part("service").text("name")
        self._daemon = seen.part("pm2").part("daemon")
        self._host = seen.part("host")
        self._answer = seen.part("answer")
        self._measured = seen.part("instances")
        self._instances = app.rows("instances")
        self._log = app.part("logs").texts("err")

    def findings(self) -> list[Finding]:
        """What is wrong with the processes of a service that does not answer."""
        if not self._instances:
            why = "PM2 runs, and knows no application of this name"
            return [finding("not_started", self._name, why, rung="start")]
        # Who was stopped was not killed, whatever the kernel did before.
        if all(one.text("status") == "stopped" for one in self._instances):
            count = plural(len(self._instances), "instance")
            why = f"{count}, stopped in PM2: somebody stopped it, or it was never started again"
            return [finding("stopped", self._name, why, rung="start")]
        if not any(is_online(one) for one in self._instances) or self._keeps_crashing():
            return [*self._killed(self._last_start() - _YOUNG_S), *self._crashed()]
        bad = self.some()
        if bad:
            return [*bad, *self._killed(self._last_start() - _YOUNG_S)]
        # What it says itself tells more than a kill that may have been long ago.
        return [*self.out_of_files()] or [*self._silent(), *self._killed()]

    def some(self) -> list[Finding]:
        """What is wrong with some of the instances, while the others are well."""
        return [*self._different()] or [*self._unwell()]

    def _killed(self, since: float = 0.0) -> t.Iterator[Finding]:
        """Kills by the kernel; the process is gone, so its name and unit have to do.

        since: seconds since 1970; what was killed before then has run again.
        """
        kills = [one for one in self._host.rows("oom_kills") if self._may_be_own(one, since)]
        if not kills:
            return
        kill, unit = kills[0], kills[0].text("unit")
        killed = f"{kill.text('name') or 'a process'} (pid {kill.whole('pid')})"
        where = f" of {unit}" if unit else ""
        limit = unit if kill.text("scope") == "cgroup" else ""
        why = "at its limit of memory" if limit else "for want of memory"
        often = f", the last of {len(kills)} such kills" if len(kills) > 1 else ""
        advice = f"raise MemoryMax (systemctl edit {limit}), or " if limit else ""
        yield finding(
            "out_of_memory",
            self._name,
            f"the kernel killed {killed}{where} {why}, at {kill.text('time') or '?'}{often}",
            LIKELY,
            rung="restart",
            advice=f"{advice}see playbooks/high_memory.yml for what needs the memory",
        )

    def _may_be_own(self, kill: Seen, since: float) -> bool:
        """Whether a kill may have been of this service, by its unit or else its name."""
        kept = self._host.part("processes").rows("kept")
        daemon = self._daemon.whole("pid")
        own = next((one.text("unit") for one in kept if daemon and one.whole("pid") == daemon), "")
        unit = kill.text("unit")
        if _moment(kill.text("time"), since) < since or (own and unit and own != unit):
            return False
        # PM2 may run in a unit that is not its own, such as that of a login.
        return any(word in f"{kill.text('name')} {unit}".lower() for word in ("node", "pm2"))

    def _last_start(self) -> float:
        """When PM2 started one of the instances last."""
        return max(_moment(one.text("started")) for one in self._instances)

    def _keeps_crashing(self) -> bool:
        """PM2 gives up only on what dies at once, soon after it was created: the rest is online."""
        return bool(_NO_CONNECTION.search(self._answer.text("reason"))) and all(
            (one.whole("restarts") >= _MANY_RESTARTS and one.number("uptime_s") < _YOUNG_S)
            or not is_online(one)
            for one in self._instances
        )

    def _crashed(self) -> list[Finding]:
        restarts = max(one.whole("restarts") for one in self._instances)
        states = ", ".join(sorted({one.text("status") or "gone" for one in self._instances}))
        head = f"{states} after {plural(restarts, 'restart')}"
        for symptom in LAST_WORDS:
            said = last_line(self._log, symptom.pattern)
            if said:
                return [
                    finding(
                        symptom.cause,
                        self._name,
                        f"{head}; its log: {said}",
                        symptom.confidence,
                        symptom.rung,
                        advice=symptom.advice,
                    )
                ]
        last = _last_words(self._log)
        said = f"; its last words: {last}" if last else ""
        return [finding("crashing", self._name, head + said, LIKELY, rung="restart")]

    def _different(self) -> t.Iterator[Finding]:
        """Instances that are not as their siblings are."""
        paused = self._paused()
        bad = [one for one in self._instances if not is_online(one)]
        ids = [*bad, *paused]
        if not ids or len(bad) == len(self._instances):
            return
        told = [f"instance {one.whole('id')} is {one.text('status') or 'gone'}" for one in bad]
        told += [f"instance {one.whole('id')} is stopped by a signal" for one in paused]
        yield finding(
            "degraded" if bad else "paused",
            self._name,
            f"{'; '.join(told)}, {len(ids)} of {plural(len(self._instances), 'instance')}",
            rung="restart_instances" if bad else "continue_processes",
            target=",".join(str(one.whole("id" if bad else "pid")) for one in (*bad, *paused)),
        )

    def _unwell(self) -> t.Iterator[Finding]:
        """Instances that are online for PM2 and answer badly or never, while others answer well."""
        rows = {one.whole("pid"): one for one in self._measured.rows("answers")}
        good = {pid for pid, one in rows.items() if one.whole("failures") < one.whole("count")}
        ill = {pid for pid, one in rows.items() if one.whole("failures") >= _TWICE} - good
        ill |= set(self._measured.wholes("silent"))
        bad = [one for one in self._instances if one.whole("pid") in ill]
        if not good or not bad:
            return
        told = ", ".join(str(one.whole("id")) for one in bad)
        reason = self._measured.text("reason") or "it takes no connection"
        yield finding(
            "bad_instance",
            self._name,
            f"instance {told} of {plural(len(self._instances), 'instance')}, online for PM2:"
            f" {reason}; the others answer",
            rung="restart_instances",
            target=",".join(str(one.whole("id")) for one in bad),
            advice="what made it bad stands in its log",
        )

    def _paused(self) -> list[Seen]:
        """PM2 calls a process online that a signal stopped."""
        stopped = stopped_by_signal(self._host)
        return [one for one in self._instances if is_online(one) and one.whole("pid") in stopped]

    def out_of_files(self) -> t.Iterator[Finding]:
        """Instances that may open hardly another file or connection."""
        numbers = {one.whole("pid"): one.whole("id") for one in self._instances}
        full: dict[int, str] = {}
        for one in self._host.part("processes").rows("kept"):
            limit, opened = one.whole("open_files_limit"), one.whole("open_files")
            number = numbers.get(one.whole("pid"))
            if number is not None and limit and opened >= 0.95 * limit:
                full[number] = f"instance {number} has {opened} of {limit} files open"
        if full:
            yield finding(
                "too_many_open_files",
                self._name,
                "; ".join(full[number] for number in sorted(full)),
                rung="restart_instances",
                target=",".join(map(str, sorted(full))),
                advice=_MORE_FILES,
            )

    def _silent(self) -> list[Finding]:
        """All instances are online for PM2, and the service does not answer as it should."""
        reason = self._answer.text("reason")
        kinds: tuple[tuple[t.Pattern[str], str, str], ...] = (
            (_NO_HANDSHAKE, "handshake_refused", "reload"),
            (_DEAD_SOCKET, "handshake_dead", "restart"),
            (_NO_ANSWER, "hung", "restart"),
            (_NO_CONNECTION, "not_listening", "restart"),
        )
        for pattern, cause, rung in kinds:
            if pattern.search(reason):
                return [finding(cause, self._name, f"online for PM2, but {reason}", rung=rung)]
        if not reason:
            return []
        return [finding("unhealthy", self._name, reason, LIKELY, rung="reload")]


def _moment(text: str, default: float = 0.0) -> float:
    """The seconds since 1970 of a time as the modules tell it."""
    try:
        return float(calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")))
    except ValueError:
        return default


def _last_words(log: t.Sequence[str]) -> str:
    """The newest line that says something: below it stand its stack, and the parts of the error."""
    lines = [line.rstrip() for line in log if line.strip()]
    telling = [line for line in lines if _WORDS.match(line)]
    return (telling or lines or [""])[-1].strip()
