# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate: a new process passes when it stays up and answers itself, several times in a row."""

from __future__ import annotations

import math
import time
import typing as t
from dataclasses import dataclass, field

from ansible_collections.plugspace.titan.plugins.module_utils import _probe
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_process import (
    Instance,
    read_instance,
)
from ansible_collections.plugspace.titan.plugins.module_utils._probe import Answer, Probe

Records = list[dict[str, t.Any]]

_WITHIN_WITHOUT_PROBE = 30.0
_POLL = 0.1
_LATER = 20


@dataclass
class Clock:
    """Time, as something that a test can hold in its hand."""

    monotonic: t.Callable[[], float] = time.monotonic
    wall: t.Callable[[], float] = time.time
    sleep: t.Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Task:
    """One process that has to prove itself.

    floor: its restart counter as the action left it. old_pid: the process that it replaces.
    uptime: how long it has to be up. steady: how long it has to be well without a break, which is
    what tells a release that crashes a moment after its start.
    """

    name: str
    number: int
    floor: int
    old_pid: int = -1
    uptime: float = 0.0
    steady: float = 0.0
    probe: Probe | None = None


class GateError(Exception):
    """A process did not pass; cause is a word for programs."""

    def __init__(self, task: Task, cause: str, reason: str) -> None:
        super().__init__(reason)
        self.task = task
        self.cause = cause


@dataclass
class _Watch:
    """What has been seen of one process so far."""

    task: Task
    started: float
    pid: int = 0
    well_since: float = math.inf
    row: int = 0
    reason: str = ""
    answered: bool = False
    blind: bool = False
    strangers: set[int] = field(default_factory=set)

    @property
    def within(self) -> float:
        """Seconds that the process has."""
        probe = self.task.probe
        return (probe.within if probe else _WITHIN_WITHOUT_PROBE) + self.task.steady

    @property
    def deadline(self) -> float:
        """When its time is over."""
        return self.started + max(self.within, self.task.uptime + 1)

    @property
    def pause(self) -> float:
        """Seconds until the next look."""
        return self.task.probe.interval if self.task.probe and self.pid else _POLL


class Gate:
    """Watches processes through the daemon's list and through probes."""

    def __init__(
        self,
        records: t.Callable[[], Records],
        clock: Clock,
        trial: t.Callable[[Probe, t.Collection[int]], Answer] = _probe.attempt,
        tick: t.Callable[[], None] = lambda: None,
    ) -> None:
        self._records = records
        self._clock = clock
        self._trial = trial
        self._tick = tick
        self.seconds = 0.0

    def instances(self, name: str) -> list[Instance]:
        """The instances of an application now."""
        now = self._clock.wall()
        found = [read_instance(one, now) for one in self._records() if one.get("name") == name]
        return sorted(found, key=lambda one: one.id)

    def wait(self, *tasks: Task) -> None:
        """Wait until every process is up and answers; GateError at the first that does not."""
        started = self._clock.monotonic()
        try:
            self._wait([_Watch(task, started) for task in tasks])
        finally:
            self.seconds += self._clock.monotonic() - started

    def _wait(self, watches: list[_Watch]) -> None:
        while True:
            self._tick()
            watches = [watch for watch in watches if not self._step(watch)]
            if not watches:
                return
            self._clock.sleep(min(watch.pause for watch in watches))

    def _step(self, watch: _Watch) -> bool:
        """Look once; whether the process has proven itself."""
        task, probe = watch.task, watch.task.probe
        everyone = self.instances(task.name)
        found = next((each for each in everyone if each.id == task.number), None)
        one = _checked(found, task, watch.pid)
        if one.online and one.pid != task.old_pid:
            watch.pid = one.pid
            if probe is not None:
                self._ask(probe, one, everyone, watch)
            now = self._clock.monotonic()
            well = _passed(probe, everyone, watch)
            watch.well_since = min(watch.well_since, now) if well else math.inf
            if now - watch.well_since >= task.steady and one.uptime_s >= task.uptime:
                return True
        if self._clock.monotonic() >= watch.deadline:
            raise _late(one, watch)
        return False

    def _ask(
        self,
        probe: Probe,
        one: Instance,
        everyone: list[Instance],
        seen: _Watch,
    ) -> None:
        """Connect anew until this process answers; what the others answer does not count."""
        pids = [each.pid for each in everyone if each.pid]
        for _connection in range(4 * len(pids) + 4):
            if self._clock.monotonic() >= seen.deadline:
                return
            answer = self._trial(probe, pids)
            if answer.pid is not None and answer.pid != one.pid:
                if answer.pid not in pids:
                    seen.strangers.add(answer.pid)
                continue
            seen.answered = seen.answered or answer.connected
            seen.row = seen.row + 1 if answer.ok else 0
            seen.reason = "" if answer.ok else answer.reason
            seen.blind = answer.pid is None
            return

    def proven(self, name: str, probe: Probe) -> set[int]:
        """The instances that already answer as the probe wants, by their ids."""
        everyone = [one for one in self.instances(name) if one.settled]
        pids = {one.pid: one.id for one in everyone}
        good: set[int] = set()
        bad: set[int] = set()
        unknown = 0
        at_once = 5 * len(pids) + 5
        for connection in range(at_once + _LATER):
            if connection >= at_once:
                if unknown:
                    break
                # A worker that is short of CPU gets no connection for a while.
                self._clock.sleep(_POLL)
            answer = self._trial(probe, list(pids))
            if answer.pid in pids:
                (good if answer.ok else bad).add(pids[answer.pid])
            elif answer.pid is None and answer.ok:
                unknown += 1
            else:
                return set()
            if len(good | bad) == len(pids):
                break
        if not good and not bad and unknown:
            return set(pids.values())
        return good - bad


def _passed(probe: Probe | None, everyone: list[Instance], seen: _Watch) -> bool:
    if probe is None:
        return True
    # When nobody can tell who answered, each of the instances has to be hit.
    return seen.row >= probe.successes * (len(everyone) if seen.blind else 1)


def _checked(one: Instance | None, task: Task, pid: int) -> Instance:
    if one is None:
        raise GateError(task, "vanished", "is not in PM2's list any more: somebody deleted it")
    # PM2 has code 0 for a worker that threw, too.
    code = f" with code {one.exit_code}" if one.exit_code else ""
    if one.status in ("errored", "stopped", "stopping", "waiting restart"):
        raise GateError(task, "exited", f"exited{code} and is {one.status}")
    if one.restarts > task.floor or (pid and one.pid and one.pid != pid):
        raise GateError(task, "exited", f"exited{code} soon after its start")
    return one


def _late(one: Instance, seen: _Watch) -> GateError:
    task, pid, within = seen.task, seen.pid, f"within {seen.within:g} s"
    if not pid:
        return GateError(task, "timeout", f"is {one.status} after {seen.within:g} s, not online")
    if task.probe is None:
        return GateError(task, "timeout", f"was not up long enough {within}")
    if seen.answered:
        reason = seen.reason or "it was not well for long enough without a break"
        return GateError(task, "unhealthy", f"(pid {pid}) is up, but {within}: {reason}")
    if seen.strangers:
        others = ", ".join(map(str, sorted(seen.strangers)))
        return GateError(
            task,
            "foreign",
            f"(pid {pid}) never answered {task.probe.shown} {within}, process {others} did:"
            " something else holds the port",
        )
    reason = f": {seen.reason}" if seen.reason else ""
    return GateError(task, "hung", f"(pid {pid}) is up, but never answered {within}{reason}")
