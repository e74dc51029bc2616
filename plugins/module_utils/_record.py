# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of one run of a procedure, gathered while it goes on."""

from __future__ import annotations

import datetime
import time
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen
from ansible_collections.plugspace.titan.plugins.module_utils._words import plain

SCHEMA = 1
RUNNING, FINISHED, FAILED, INTERRUPTED = "running", "finished", "failed", "interrupted"
# The worst first: the outcome of a run is that of its worst result.
OUTCOMES = ("unhealed", "unreachable", "refused", "planned", "healed", "well")
_MAX_SPANS = 300
_MAX_MESSAGE = 1000
_MAX_DEPTH = 12


class Span(t.TypedDict):
    """What a host was busy with for a while: tasks of the same phase that ended alike.

    began: seconds since the run began. state: V(ok), V(changed), V(failed), V(unreachable), V(cut)
    when the run ended first, or V(at_work) when it had not ended as this was written.
    """

    phase: str
    began: float
    seconds: float
    state: str
    tasks: int


class Started(t.NamedTuple):
    """A task that is at work on a host."""

    phase: str
    task: str
    at: float


def utc(moment: float) -> str:
    """A time as the records write it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def moment(text: str) -> datetime.datetime | None:
    """A time that a record tells; None when it is none."""
    try:
        told = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return told if told.tzinfo else told.replace(tzinfo=datetime.timezone.utc)


def native(value: object, depth: int = 0) -> t.Any:
    """A value as JSON knows it, whatever type Ansible gave it."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if depth > _MAX_DEPTH:
        return "..."
    if isinstance(value, t.Mapping):
        return {str(key): native(one, depth + 1) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [native(one, depth + 1) for one in value]
    return str(value)


def phase_of(task: str, role: str) -> str:
    """The phase that a task belongs to: its file's name, which its own begins with, or its role."""
    name, split, _rest = task.rpartition(" : ")[2].partition(" | ")
    return plain(name if split else role.rpartition(".")[2] or "tasks", 30)


def who(login: str, extra_vars: t.Mapping[str, t.Any], environment: t.Mapping[str, str]) -> str:
    """Who asked for the run: AWX tells it as a variable, sudo in the environment."""
    for prefix in ("awx", "tower"):
        name = extra_vars.get(f"{prefix}_user_name")
        if name:
            job = extra_vars.get(f"{prefix}_job_id")
            return f"{name} by way of AWX" + (f", job {job}" if job else "")
    sudo = environment.get("SUDO_USER", "")
    return f"{sudo} as {login}" if sudo and sudo != login else login


class Recorder:
    """One run, from its events. `clock` tells seconds, `moment` is the time when it began."""

    def __init__(
        self,
        about: t.Mapping[str, t.Any],
        moment: float,
        clock: t.Callable[[], float] = time.monotonic,
    ) -> None:
        self._about = dict(about)
        self._moment = moment
        self._clock = clock
        self._start = clock()
        self._procedure = ""
        self._status = RUNNING
        self._signal = ""
        self._ended = 0.0
        self._task = ""
        self._plays: list[str] = []
        self._results: dict[tuple[str, str, str], dict[str, t.Any]] = {}
        self._failures: list[dict[str, t.Any]] = []
        self._timeline: dict[str, list[Span]] = {}
        self._at_work: dict[str, Started] = {}
        self._hosts: dict[str, dict[str, int]] = {}
        self._notes: list[str] = []

    @property
    def procedure(self) -> str:
        """The procedure that the run is named after; empty when it is none so far."""
        return self._procedure

    @property
    def is_over(self) -> bool:
        """Whether the end was told."""
        return self._status != RUNNING

    def note(self, text: str) -> None:
        """Keep a remark."""
        self._notes.append(plain(text, _MAX_MESSAGE))

    def learn(self, **about: t.Any) -> None:
        """Add what became known of the run."""
        self._about.update(about)

    def play_started(self, name: str, procedure: str = "") -> None:
        """A play begins; the first one that names a procedure names the run."""
        self._plays.append(plain(name))
        self._procedure = self._procedure or plain(procedure, 60)

    def task_started(self, host: str, task: str, role: str = "") -> None:
        """A task begins on a host."""
        self._task = plain(task)
        self._at_work[host] = Started(phase_of(task, role), plain(task), self._now())

    def task_ended(
        self, host: str, task: str, state: str, message: str = "", role: str = ""
    ) -> None:
        """A task ended on a host; one that was skipped leaves no trace."""
        now = self._now()
        started = self._at_work.pop(host, None) or Started(phase_of(task, role), plain(task), now)
        if state == "skipped":
            return
        self._add_span(host, started, now, state)
        if state in ("failed", "unreachable"):
            self._failures.append(
                {
                    "host": host,
                    "task": plain(task),
                    "state": state,
                    "at": round(now, 1),
                    "message": plain(message, _MAX_MESSAGE),
                }
            )

    def add_result(self, value: object) -> bool:
        """Take a procedure's result; a later one on the same subject and host replaces it."""
        seen = Seen(value)
        if not seen or not seen.text("outcome"):
            return False
        key = (seen.text("procedure"), seen.text("subject"), seen.text("host"))
        self._results[key] = native(value)
        self._procedure = self._procedure or plain(key[0], 60)
        return True

    def add_hosts(self, hosts: t.Mapping[str, t.Mapping[str, int]]) -> None:
        """Take Ansible's own counts of tasks for each host."""
        self._hosts = {
            host: {name: int(count) for name, count in counts.items()}
            for host, counts in hosts.items()
        }

    def end(self, status: str = "", signal: str = "") -> None:
        """The run is over; without a status the counts tell how."""
        if self.is_over:
            return
        failed = any(
            counts.get(name)
            for counts in self._hosts.values()
            for name in ("failures", "unreachable")
        )
        self._status = status or (FAILED if failed else FINISHED)
        self._signal = signal
        self._ended = self._now()
        for host, started in list(self._at_work.items()):
            self._add_span(host, started, self._ended, "cut")

    def to_dict(self) -> dict[str, t.Any]:
        """The record as it stands, secrets included."""
        results = list(self._results.values())
        seconds = self._ended if self.is_over else self._now()
        return {
            "schema": SCHEMA,
            "procedure": self._procedure,
            "status": self._status,
            "signal": self._signal,
            "outcome": worst(results),
            "recovery_seconds": recovery(results),
            "began": utc(self._moment),
            "ended": utc(self._moment + seconds) if self.is_over else "",
            "seconds": round(seconds, 1),
            **native(self._about),
            "task": self._task,
            "plays": list(self._plays),
            "hosts": {host: dict(counts) for host, counts in list(self._hosts.items())},
            "results": results,
            "failures": list(self._failures),
            "notes": list(self._notes),
            "timeline": self._spans(seconds),
        }

    def _spans(self, now: float) -> dict[str, list[Span]]:
        spans = {host: [*found] for host, found in list(self._timeline.items())}
        if not self.is_over:
            for host, started in list(self._at_work.items()):
                spans.setdefault(host, []).append(_span(started, now, "at_work"))
        return spans

    def _now(self) -> float:
        return self._clock() - self._start

    def _add_span(self, host: str, started: Started, now: float, state: str) -> None:
        spans = self._timeline.setdefault(host, [])
        last = spans[-1] if spans else None
        if last and (
            (last["phase"], last["state"]) == (started.phase, state) or len(spans) >= _MAX_SPANS
        ):
            last["seconds"] = round(now - last["began"], 2)
            last["tasks"] += 1
            return
        spans.append(_span(started, now, state))


def _span(started: Started, now: float, state: str) -> Span:
    return Span(
        phase=started.phase,
        began=round(started.at, 2),
        seconds=round(now - started.at, 2),
        state=state,
        tasks=1,
    )


def worst(results: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    """The outcome of all results together; empty without any."""
    told = [str(result.get("outcome")) for result in results]
    return next((outcome for outcome in OUTCOMES if outcome in told), told[0] if told else "")


def recovery(results: t.Sequence[t.Mapping[str, t.Any]]) -> float | None:
    """Seconds until the last of those that were healed was back; None when none was."""
    healed = [Seen(one).number("seconds") for one in results if one.get("outcome") == "healed"]
    return max(healed) if healed else None
