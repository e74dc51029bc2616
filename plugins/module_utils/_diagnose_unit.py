# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a server under systemd does not run or does not answer, whatever kind of server it is."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_host import (
    EMPTY,
    find_unit,
    last_line,
    tcp_listeners,
    who,
    words_of,
)
from ansible_collections.plugspace.titan.plugins.module_utils._finding import (
    CERTAIN,
    LIKELY,
    Finding,
    finding,
)
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen

# How systemd says that a unit ended (its property Result), for a person.
_ENDED = {
    "signal": ("killed", "a signal ended it"),
    "oom-kill": ("out_of_memory", "the kernel killed it for want of memory"),
    "core-dump": ("crashed", "it crashed"),
    "watchdog": ("crashed", "it did not tell systemd any more that it lives"),
}
# After these, what the log says of starting is of an older start.
_WAS_RUNNING = ("success", "signal", "oom-kill", "watchdog")
_START_TOO_LONG = re.compile(r"start operation timed out", re.I)
_MAIN_PROCESS = re.compile(r"Main process exited")
_FILES = re.compile(r"Too many open files", re.I)
_MEMORY_ADVICE = "see playbooks/high_memory.yml for what needs the memory"
_BUSY_PERCENT = 90


class Symptom(t.NamedTuple):
    """What the words of a server that could not start mean.

    healed: what it says once it has started, so that older words are over. places: what a person
    changes to cure it; once one was changed, a start is worth a try.
    """

    cause: str
    pattern: t.Pattern[str]
    advice: str
    rung: str = ""
    healed: str = ""
    places: t.Sequence[str] = ()


def once_cured(unit: str) -> str:
    """What follows a cure that no look at the host shows: systemd forgets the start that failed."""
    return f"then systemctl reset-failed {unit}, and run this again"


def put_right(file: str, unit: str) -> str:
    """How a configuration is cured: by a change of its file, which a look shows, or otherwise."""
    return (
        f"put {file} right, then run this again; if something else was changed, first systemctl"
        f" reset-failed {unit}"
    )


class UnitDiagnosis:
    """A server's unit on its host.

    name: of the server, for a person. service: its unit and port. log: the newest line last, with
    nothing secret in it. paths: when the places of its symptoms were changed.
    """

    def __init__(
        self, name: str, service: Seen, host: Seen, log: t.Sequence[str], paths: Seen = EMPTY
    ) -> None:
        self._name = name
        self._unit_name = service.text("unit")
        self._port = service.whole("port")
        self._host = host
        self._log = log
        self._paths = paths
        self._unit = find_unit(host, self._unit_name)
        names = {self._unit_name, f"{self._unit_name}.service", self._unit.text("id")}
        self._names = names - {"", ".service"}
        self._result = self._unit.text("result") or "success"

    @property
    def is_down(self) -> bool:
        """Whether systemd says that it does not run."""
        active, sub = self._unit.text("active"), self._unit.text("sub")
        return active in ("inactive", "failed") or (active, sub) == ("activating", "auto-restart")

    @property
    def failed_at_start(self) -> bool:
        """Whether the log may tell why: it went down, and not by being stopped or killed."""
        return self.is_down and self._result not in _WAS_RUNNING

    def unusable(self) -> list[Finding]:
        """A unit that systemd cannot start at all."""
        load = self._unit.text("load") or "loaded"
        if load == "loaded":
            return []
        advice = f"install it, or name the right unit in the inventory; it is {self._unit_name}"
        if load == "masked":
            advice = (
                f"somebody forbade to start it; if that is over: systemctl unmask {self._unit_name}"
            )
        said = f"the unit {self._unit_name} is {load} for systemd"
        return [finding("unit_unusable", self._name, said, advice=advice)]

    def strangers(self, doubted: bool = False) -> list[Finding]:
        """Whoever holds the port without being of the unit.

        doubted: something answers there, but not as this server would.
        """
        found = []
        for listener in tcp_listeners(self._host, self._port):
            pid = listener.whole("pid")
            own = listener.text("unit") in self._names
            if own or not (self.is_down or (doubted and pid and self._names)):
                continue
            holder = who(listener)
            found.append(
                finding(
                    "port_held_by_stranger",
                    self._name,
                    f"port {self._port} is held by {holder}, which is not of {self._unit_name}",
                    CERTAIN if pid else LIKELY,
                    advice=f"end {holder} or give one of them another port; a start cannot help",
                )
            )
        return found

    def refused_to_start(
        self, symptoms: t.Iterable[Symptom], crashes: bool = False
    ) -> list[Finding]:
        """What the log says of a start that failed, in the order of the symptoms, each cause once.

        crashes: it may end itself by a signal when it cannot start.
        """
        found: list[Finding] = []
        counts = self.failed_at_start or (crashes and self._result == "signal")
        for symptom in symptoms if counts else ():
            said = last_line(self._log, symptom.pattern, symptom.healed)
            if said:
                one = self._complaint(symptom, said)
                if one["cause"] not in (known["cause"] for known in found):
                    found.append(one)
        return found

    def _complaint(self, symptom: Symptom, said: str) -> Finding:
        changed = self.changed_since(symptom.places)
        if changed:
            return self.worth_a_start(changed)
        return finding(
            symptom.cause,
            self._name,
            f"{self._state()}; its log: {words_of(said)}",
            LIKELY if symptom.rung else CERTAIN,
            symptom.rung,
            self._unit_name if symptom.rung else "",
            symptom.advice,
        )

    def changed_since(self, places: t.Iterable[str]) -> str:
        """The first of the places that was changed after its last process ended, or empty."""
        ended = self._unit.number("ended_at")
        for place in places if ended else ():
            if self._paths.part(place).number("changed_at") > ended:
                return place
        return ""

    def worth_a_start(self, changed: str) -> Finding:
        """It failed over a place that was changed since, so what its log says may be over."""
        why = f"{self._state()}: it failed over {changed}, which was changed since"
        return finding("failed", self._name, why, LIKELY, "start_unit", self._unit_name)

    def down(self, last_words: str = "") -> list[Finding]:
        """How one that is down ended, as nothing else explains it; a start is worth a try."""
        start = {"rung": "start_unit", "target": self._unit_name}
        if self._result == "success":
            why = f"{self._state()}: somebody stopped it, or it was never started"
            return [finding("stopped", self._name, why, **start)]
        kills = [one for one in self._host.rows("oom_kills") if one.text("unit") in self._names]
        if kills and self._result in ("signal", "oom-kill"):
            kill = kills[0]
            killed = f"{kill.text('name') or self._name} (pid {kill.whole('pid')})"
            why = f"the kernel killed {killed} for want of memory, at {kill.text('time') or '?'}"
            return [finding("out_of_memory", self._name, why, advice=_MEMORY_ADVICE, **start)]
        slow = last_line(self._log, _START_TOO_LONG)
        if self._result == "timeout" and slow:
            return [
                finding(
                    "start_too_slow",
                    self._name,
                    f"{self._state()}: systemd gave up waiting for it to start",
                    advice=f"raise TimeoutStartSec (systemctl edit {self._unit_name}),"
                    f" {once_cured(self._unit_name)}",
                )
            ]
        cause, why = _ENDED.get(self._result, ("failed", f"systemd says {self._result}"))
        told = words_of(last_words or last_line(self._log, _MAIN_PROCESS))
        said = f"; its last words: {told}" if told else ""
        advice = _MEMORY_ADVICE if cause == "out_of_memory" else ""
        return [
            finding(cause, self._name, f"{self._state()}: {why}{said}", advice=advice, **start),
        ]

    def silent(self, reason: str) -> list[Finding]:
        """Its unit runs, and it does not answer: what its processes look like."""
        states = {one.whole("pid"): one.text("state") for one in self._processes()}
        paused = [str(pid) for pid, state in states.items() if state == "T"]
        if paused:
            pids = ",".join(paused)
            why = f"{self._unit_name} runs, but a signal (SIGSTOP) has stopped process {pids}"
            return [finding("paused", self._name, why, rung="continue_processes", target=pids)]
        for state, cause, what, advice in (
            ("t", "traced", "is held by a debugger", "end the debugger"),
            ("D", "waits_for_disk", "waits for a disk", "look at the disk: dmesg, iostat -x 1"),
        ):
            held = [str(pid) for pid, one in states.items() if one == state]
            if held:
                why = f"{self._unit_name} runs, but process {held[0]} {what}; {reason}"
                advice += "; a restart cannot end such a process"
                return [finding(cause, self._name, why, LIKELY, advice=advice)]
        return []

    def hung(self, reason: str, cause: str = "hung") -> list[Finding]:
        """Nothing is known but that it runs and does not answer."""
        if not self._unit:
            return []
        why = f"{self._unit_name} runs, but {reason}"
        return [finding(cause, self._name, why, LIKELY, "restart_unit", self._unit_name)]

    def starting(self) -> list[Finding]:
        """Systemd waits for it to say that it is ready."""
        if self._unit.text("active") != "activating" or self.is_down:
            return []
        why = f"{self._unit_name} is starting, for {self._unit.whole('since_s')} s"
        return [finding("starting", self._name, why, rung="wait")]

    def files(self) -> list[Finding]:
        """Whether it has as many files and sockets open as it may."""
        advice = f"raise LimitNOFILE (systemctl edit {self._unit_name}) or end clients, restart it"
        known = False
        for one in self._processes():
            limit, used = one.whole("open_files_limit"), one.whole("open_files")
            known = known or (limit > 0 and used > 0)
            # A few are kept back for its own files.
            if limit and used >= limit * 0.98:
                why = f"process {one.whole('pid')} has {used} files open, of {limit} it may have"
                return [finding("too_many_open_files", self._name, why, advice=advice)]
        said = "" if known else last_line(self._log, _FILES)
        if not said:
            return []
        why = f"its log: {words_of(said)}"
        return [finding("too_many_open_files", self._name, why, LIKELY, advice=advice)]

    def busy_percent(self) -> float:
        """What its busiest process uses of a processor, or 0 when that is not much."""
        most = max((one.number("cpu_percent") for one in self._processes()), default=0.0)
        return most if most >= _BUSY_PERCENT else 0.0

    def _processes(self) -> list[Seen]:
        rows = self._host.part("processes").rows("kept")
        return [one for one in rows if one.text("unit") in self._names]

    def _state(self) -> str:
        active = self._unit.text("active")
        result = "" if self._result == "success" else f" ({self._result})"
        return f"{self._unit_name} is {active}{result}"
