# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who answers how quickly, with workers that take their turns."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils._instance_answers import (
    look,
    measure,
)
from ansible_collections.plugspace.titan.plugins.module_utils._probe import (
    Answer,
    Probe,
    ProbeError,
)

URL = {"url": "http://127.0.0.1:4000/api/health"}


class Workers:
    """Answer in turns, and take the time that each of them takes."""

    def __init__(self, *answers: Answer) -> None:
        self._turns = itertools.cycle(answers)
        self.now = 0.0
        self.asked: list[Collection[int]] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def clock(self) -> float:
        return self.now

    def trial(self, probe: Probe, pids: Collection[int]) -> Answer:
        self.asked.append(pids)
        answer = next(self._turns)
        self.now += answer.seconds
        return answer

    def measure(self, pids: list[int], proc: str = "/nonexistent") -> dict[str, Any]:
        return measure(Probe(**URL), pids, 2, 4, 1.0, self.trial, self.clock, self.sleep, proc)


QUICK, SLOW = Answer(True, 0.004, pid=11), Answer(True, 1.5, pid=12)
REFUSED = Answer(False, 0.002, "answered 503 (wanted 200)", 12)
SILENT = Answer(False, 3.0, "gave no answer within 3 s")
ABSENT = Answer(False, 0.001, "got no connection", None, False)


def test_each_gets_its_turns_and_no_more() -> None:
    workers = Workers(QUICK, SLOW)
    assert workers.measure([11, 12]) == {
        "attempts": 4,
        "failures": 0,
        "reason": "",
        "answers": [
            {"pid": 11, "count": 2, "failures": 0, "least_ms": 4.0, "most_ms": 4.0},
            {"pid": 12, "count": 2, "failures": 0, "least_ms": 1500.0, "most_ms": 1500.0},
        ],
        "silent": [],
        "busy": [],
    }
    assert workers.asked == [[11, 12]] * 4


def test_who_is_not_known_is_found() -> None:
    assert [one["pid"] for one in Workers(QUICK).measure([])["answers"]] == [11]


def test_one_that_never_answers_does_not_keep_it_for_ever() -> None:
    seen = Workers(QUICK, SILENT).measure([11, 12])
    assert (seen["attempts"], seen["failures"]) == (4, 2)
    assert seen["reason"] == "gave no answer within 3 s"
    assert ([one["pid"] for one in seen["answers"]], seen["silent"]) == ([11], [12])
    # One that takes no connection: the others get them all, and it has until the end.
    patient = Workers(QUICK)
    seen = patient.measure([11, 12])
    assert (seen["failures"], [one["pid"] for one in seen["answers"]]) == (0, [11])
    assert seen["silent"] == [12]
    assert 4 <= patient.now < 4.5
    # Nor does one that had no turn, since the other is slow, say anything by it.
    assert Workers(Answer(True, 1.5, pid=11)).measure([11, 12])["silent"] == []
    # Nobody is there at all, which is told at once, so the number of attempts ends it.
    nobody = Workers(ABSENT).measure([11, 12])
    assert (nobody["attempts"], nobody["silent"]) == (12, [])
    assert Workers(ABSENT).measure([])["answers"] == []


def test_who_had_no_turn_is_not_called_silent() -> None:
    # One of eight hangs, and keeps the last one from its turn.
    hung = Answer(False, 2.0, "gave no answer within 2 s")
    eight = Workers(hung, *(Answer(True, 0.35, pid=pid) for pid in range(12, 19)))
    seen = eight.measure(list(range(11, 19)))
    assert (seen["attempts"], seen["failures"], seen["silent"]) == (7, 1, [])
    # One connection of four was broken off, and the time is over before its worker's next turn.
    cut = Answer(False, 0.01, "was cut off")
    times = ((13, 1.3), (14, 1.5))
    four = Workers(
        Answer(True, 1.1, pid=11), cut, *(Answer(True, seconds, pid=pid) for pid, seconds in times)
    )
    seen = four.measure([11, 12, 13, 14])
    assert (seen["attempts"], seen["failures"], seen["silent"]) == (5, 1, [])
    # When it hangs, Node.js gives it no other connection, and its siblings get the rest.
    one_hung = Workers(Answer(False, 3.0, "gave no answer within 3 s"), *[QUICK] * 99)
    seen = one_hung.measure([11, 12])
    assert (seen["failures"], seen["silent"]) == (1, [12])


def test_what_a_process_has_started_answers_in_its_place() -> None:
    # PM2 runs npm, and knows its number alone.
    npm = Workers(Answer(True, 0.004, pid=101))
    seen = npm.measure([100])
    assert (seen["attempts"] > 2, [one["pid"] for one in seen["answers"]]) == (True, [101])
    assert seen["silent"] == []


def test_who_does_not_ask_how_busy_they_are_does_not_wait_for_it() -> None:
    workers = Workers(QUICK)
    seen = measure(Probe(**URL), [1], 1, 0, 0, workers.trial, workers.clock, workers.sleep, "/proc")
    assert (workers.now, seen["busy"]) == (0.0, [])


def test_a_bad_answer_is_an_answer() -> None:
    seen = Workers(QUICK, REFUSED).measure([11, 12])
    assert (seen["failures"], [one["count"] for one in seen["answers"]]) == (2, [2, 2])
    assert [one["failures"] for one in seen["answers"]] == [0, 2]


class Busy(Workers):
    """A worker of which the kernel tells how long it ran and waited."""

    def __init__(self, proc: Path) -> None:
        super().__init__(QUICK, Answer(True, 0.004, pid=12))
        self.file = proc / "11" / "schedstat"
        self.file.parent.mkdir()
        self.file.write_text("5000000000 100000000 77\n")

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.file.write_text("5700000000 300000000 99\n")


def test_how_busy_each_was_for_a_second(tmp_path: Path) -> None:
    seen = Busy(tmp_path).measure([11, 12], str(tmp_path))
    assert seen["busy"] == [{"pid": 11, "busy_percent": 90.0, "waited_percent": 20.0}]


def test_a_wrong_probe_is_told() -> None:
    with pytest.raises(ProbeError, match="needs a url"):
        look({"probe": {"url": "ftp://x"}, "pids": [], "each": 1, "within": 1, "busy_s": 1.0})


def test_a_port_that_nobody_listens_on() -> None:
    options = {"type": "tcp", "port": 1, "timeout": 0.2}
    seen = look({"probe": options, "pids": [], "each": 1, "within": 1, "busy_s": 1.0})
    assert (seen["attempts"], seen["failures"]) == (3, 3)
