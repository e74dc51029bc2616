# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How quick each process behind one port answers, measured from beside it.

The workers of a cluster take connections in turn, so some probes reach all of them. PM2's own
figures cannot tell how things are now: they remember many minutes, of a service at rest as well.
"""

from __future__ import annotations

import contextlib
import time
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils import _probe

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "probe": {"type": "dict", "options": _probe.ARGUMENT_SPEC, "required": True},
    "pids": {"type": "list", "elements": "int", "default": []},
    "each": {"type": "int", "default": 2},
    "within": {"type": "float", "default": 4},
    # Over a shorter time, what a process did says nothing.
    "busy_s": {"type": "float", "default": 1.0},
}
# How many times more are asked than would be needed if each process got its turn, when nobody is
# there. While some answer, the others have until the end: Node.js hands no connection to a worker
# that has not taken the one before, which may be one that is busy for a moment, or hangs.
_PATIENCE = 3
_PAUSE_S = 0.15


def look(params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Measure for the options of evidence_info's part C(instances). ProbeError for a wrong one."""
    probe = _probe.parse(params["probe"])
    return measure(probe, params["pids"], params["each"], params["within"], params["busy_s"])


def measure(
    probe: _probe.Probe,
    pids: t.Sequence[int],
    each: int,
    within: float,
    busy_s: float,
    trial: t.Callable[[_probe.Probe, t.Collection[int]], _probe.Answer] = _probe.attempt,
    clock: t.Callable[[], float] = time.monotonic,
    sleep: t.Callable[[float], None] = time.sleep,
    proc: str = "/proc",
) -> dict[str, t.Any]:
    """Probe until every process has answered some times, or the time is over.

    pids: who might answer. each: how many answers of each are enough. within: seconds after which
    no probe is begun. busy_s: seconds that it takes at least, 0 when nobody asks how busy they are.
    C(answers) has a row for each process that answered, well or badly, C(silent) the pids that did
    not while others of them did, though they had their turn. C(busy) has a row for each of pids:
    how much of the time its main thread ran or waited for a processor.
    """
    times: dict[int, list[float]] = {}
    bad: dict[int, int] = {}
    attempts = failures = lost = 0
    reason = ""
    started = clock()
    before = {pid: _spent(proc, pid) for pid in pids}
    turns = each * max(1, len(pids))
    while clock() - started < within and (times or attempts < _PATIENCE * turns):
        if attempts >= turns:
            sleep(_PAUSE_S)
        answer = trial(probe, pids)
        attempts += 1
        if not answer.ok:
            failures, reason = failures + 1, answer.reason
        if answer.pid is not None and (answer.ok or answer.connected):
            times.setdefault(answer.pid, []).append(answer.seconds)
            bad[answer.pid] = bad.get(answer.pid, 0) + (not answer.ok)
        else:
            lost += 1
        if all(len(times.get(pid, ())) >= each for pid in pids or list(times) or [0]):
            break
    sleep(max(0.0, started + busy_s - clock()))
    elapsed = clock() - started if busy_s else 0.0
    busy = {pid: _busy(before[pid], _spent(proc, pid), elapsed) for pid in pids}
    return {
        "attempts": attempts,
        "failures": failures,
        "reason": reason,
        "answers": [
            {
                "pid": pid,
                "count": len(row),
                "failures": bad[pid],
                "least_ms": round(min(row) * 1000, 1),
                "most_ms": round(max(row) * 1000, 1),
            }
            for pid, row in sorted(times.items())
        ],
        "silent": _silent(set(pids), set(times), attempts, lost, turns),
        "busy": [{"pid": pid, **row} for pid, row in busy.items() if row],
    }


def _silent(pids: set[int], answered: set[int], attempts: int, lost: int, turns: int) -> list[int]:
    """Who gave no answer while others of them did, and cannot just have had no turn yet."""
    gone = pids - answered
    # What npm starts answers in its place.
    if not answered or answered - pids:
        return []
    # Where others are slow, the time may be over before one has had its turn, and one probe that
    # came to nothing may be chance.
    had_turns = attempts > turns or (attempts >= len(pids) and lost >= max(2, len(gone)))
    return sorted(gone) if had_turns else []


def _spent(proc: str, pid: int) -> tuple[int, int] | None:
    """For how long the main thread ran and waited to run, in nanoseconds; none when it is gone.

    In Node.js that is the thread of the event loop, and the only one that answers.
    """
    with contextlib.suppress(OSError, ValueError):
        with open(f"{proc}/{pid}/schedstat", encoding="ascii") as source:
            ran, waited, _slices = map(int, source.read().split())
        return ran, waited
    return None


def _busy(
    before: tuple[int, int] | None, after: tuple[int, int] | None, elapsed: float
) -> dict[str, float]:
    if before is None or after is None or elapsed <= 0:
        return {}
    ran, waited = ((new - old) / 1e7 / elapsed for old, new in zip(before, after))
    return {"busy_percent": round(min(100.0, ran + waited), 1), "waited_percent": round(waited, 1)}
