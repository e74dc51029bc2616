# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health probes: one attempt of any type, and attempts until several in a row succeeded.

Every attempt is a new connection with a time limit. What a type needs is imported when a probe of
it is made, because http.client, ssl and bson cost more than a TCP probe takes.
"""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field

from ansible_collections.plugspace.titan.plugins.module_utils._probe_connection import (
    UnhealthyError,
)
from ansible_collections.plugspace.titan.plugins.module_utils._probe_options import (
    ARGUMENT_SPEC,
    Probe,
    ProbeError,
    parse,
    secrets_of,
)

__all__ = [
    "ARGUMENT_SPEC",
    "Answer",
    "Outcome",
    "Probe",
    "ProbeError",
    "attempt",
    "parse",
    "persist",
    "secrets_of",
]

# Tries once: the process that answered, if that can be known, or UnhealthyError.
Trial = t.Callable[[Probe, t.Collection[int]], t.Optional[int]]


@dataclass(frozen=True)
class Answer:
    """How one attempt went, and which process answered when that can be known."""

    ok: bool
    seconds: float
    reason: str = ""
    pid: int | None = None
    connected: bool = True


def attempt(probe: Probe, candidates: t.Collection[int] = ()) -> Answer:
    """Try once. candidates: local processes, one of which may turn out to have answered."""
    trial = _trial(probe.type)
    started = time.monotonic()
    try:
        pid = trial(probe, candidates)
    except UnhealthyError as error:
        return Answer(
            False,
            time.monotonic() - started,
            f"{probe.shown} {error}",
            error.pid,
            error.connected,
        )
    return Answer(True, time.monotonic() - started, pid=pid)


def _trial(kind: str) -> Trial:
    # Written out, because Ansible sends a host only the files whose import it can read here.
    if kind == "http":
        from ansible_collections.plugspace.titan.plugins.module_utils import _probe_http

        return _probe_http.attempt
    if kind == "websocket":
        from ansible_collections.plugspace.titan.plugins.module_utils import _probe_websocket

        return _probe_websocket.attempt
    if kind == "redis":
        from ansible_collections.plugspace.titan.plugins.module_utils import _probe_redis

        return _probe_redis.attempt
    if kind == "mongodb":
        from ansible_collections.plugspace.titan.plugins.module_utils import _probe_mongodb

        return _probe_mongodb.attempt
    from ansible_collections.plugspace.titan.plugins.module_utils import _probe_tcp

    return _probe_tcp.attempt


@dataclass
class Outcome:
    """What a series of attempts showed."""

    ok: bool = False
    reason: str = ""
    attempts: int = 0
    failures: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    def as_result(self, probe: Probe) -> dict[str, t.Any]:
        """As plain data for a module's result."""
        row = sorted(self.latencies)
        return {
            "name": probe.name or probe.shown,
            "ok": self.ok,
            "reason": self.reason,
            "attempts": self.attempts,
            "failures": self.failures,
            "seconds": round(self.seconds, 3),
            "latency_ms": {
                "p50": _percentile(row, 50),
                "p95": _percentile(row, 95),
                "p99": _percentile(row, 99),
                "max": _percentile(row, 100),
            }
            if row
            else None,
        }


def _percentile(row: t.Sequence[float], percent: int) -> float:
    """Milliseconds that this share of the sorted attempts took at most."""
    rank = -(-len(row) * percent // 100)
    return round(row[rank - 1] * 1000, 1)


def persist(
    probe: Probe,
    trial: t.Callable[[Probe], Answer] = attempt,
    clock: t.Callable[[], float] = time.monotonic,
    sleep: t.Callable[[float], None] = time.sleep,
) -> Outcome:
    """Probe until it succeeded often enough in a row, or the time is over."""
    outcome, row, started = Outcome(), 0, clock()
    while True:
        answer = trial(probe)
        outcome.attempts += 1
        if answer.ok:
            row += 1
            outcome.latencies.append(answer.seconds)
        else:
            row, outcome.failures, outcome.reason = 0, outcome.failures + 1, answer.reason
        outcome.seconds = clock() - started
        outcome.ok = row >= probe.successes
        if outcome.ok or outcome.seconds + probe.interval >= probe.within:
            return outcome
        sleep(probe.interval)
