# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A record gathered from events, on a clock that the test turns."""

from __future__ import annotations

from typing import Any

import pytest
from record_samples import result

from ansible_collections.plugspace.titan.plugins.module_utils._record import (
    Recorder,
    native,
    phase_of,
    who,
)

BEGAN = 1795490100.0  # 2026-11-24T03:15:00Z


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recorder(clock: Clock) -> Recorder:
    made = Recorder({"by": "ann"}, BEGAN, clock)
    made.play_started("Bring it back", "service_down")
    return made


def test_a_run_from_its_begin_to_its_end(recorder: Recorder, clock: Clock) -> None:
    begun = recorder.to_dict()
    assert (begun["status"], begun["ended"], begun["outcome"]) == ("running", "", "")
    assert begun["procedure"] == "service_down"
    recorder.task_started("titan1", "observe | Look")
    clock.now += 2
    recorder.task_ended("titan1", "observe | Look", "ok")
    assert recorder.add_result(result())
    clock.now += 1
    recorder.add_hosts({"titan1": {"ok": 1, "failures": 0}})
    recorder.end()
    ended = recorder.to_dict()
    assert (ended["status"], ended["outcome"], ended["recovery_seconds"]) == (
        "finished",
        "healed",
        6.2,
    )
    assert (ended["began"], ended["ended"]) == ("2026-11-24T03:15:00Z", "2026-11-24T03:15:03Z")
    assert (ended["seconds"], ended["by"], ended["procedure"]) == (3.0, "ann", "service_down")
    # What comes later does not change how it ended.
    recorder.end("interrupted", "SIGINT")
    assert recorder.to_dict()["status"] == "finished"


def test_tasks_of_a_phase_are_one_span_while_they_end_alike(
    recorder: Recorder, clock: Clock
) -> None:
    for task, state in (
        ("observe | One", "ok"),
        ("observe | Two", "ok"),
        ("act | Three", "changed"),
        ("act | Four", "skipped"),
        ("act | Five", "failed"),
    ):
        recorder.task_started("titan1", task)
        clock.now += 1
        recorder.task_ended("titan1", task, state, message="no\nluck")
    spans = recorder.to_dict()["timeline"]["titan1"]
    assert [(one["phase"], one["state"], one["seconds"], one["tasks"]) for one in spans] == [
        ("observe", "ok", 2.0, 2),
        ("act", "changed", 1.0, 1),
        ("act", "failed", 1.0, 1),
    ]
    (failure,) = recorder.to_dict()["failures"]
    assert failure == {
        "host": "titan1",
        "task": "act | Five",
        "state": "failed",
        "at": 5.0,
        "message": "no luck",
    }


def test_spans_are_bounded(recorder: Recorder) -> None:
    for number in range(1000):
        recorder.task_ended("titan1", f"p{number} | x", "ok")
    assert len(recorder.to_dict()["timeline"]["titan1"]) == 300


def test_an_interruption_cuts_what_is_at_work(recorder: Recorder, clock: Clock) -> None:
    recorder.task_started("titan1", "act | Restart")
    clock.now += 3
    assert recorder.to_dict()["timeline"]["titan1"][0]["state"] == "at_work"
    recorder.end("interrupted", "SIGTERM")
    (one,) = recorder.to_dict()["timeline"]["titan1"]
    assert (one["state"], one["seconds"]) == ("cut", 3.0)
    assert (recorder.to_dict()["status"], recorder.to_dict()["signal"]) == (
        "interrupted",
        "SIGTERM",
    )


@pytest.mark.parametrize("count", ["failures", "unreachable"])
def test_a_host_that_failed_fails_the_run(recorder: Recorder, count: str) -> None:
    recorder.add_hosts({"titan1": {count: 1}})
    recorder.end()
    assert recorder.to_dict()["status"] == "failed"


def test_a_later_result_of_the_same_subject_replaces_it(recorder: Recorder) -> None:
    recorder.add_result(result(outcome="unhealed"))
    recorder.add_result(result(outcome="healed"))
    recorder.add_result(result(outcome="well", host="titan2"))
    assert [one["outcome"] for one in recorder.to_dict()["results"]] == ["healed", "well"]


def test_the_worst_outcome_is_the_runs(recorder: Recorder) -> None:
    for host, outcome in enumerate(("well", "healed", "unhealed", "refused")):
        recorder.add_result(result(outcome=outcome, host=str(host)))
    assert recorder.to_dict()["outcome"] == "unhealed"


@pytest.mark.parametrize("value", [None, "healed", [], {}, {"outcome": 5}])
def test_what_is_no_result_is_not_taken(recorder: Recorder, value: Any) -> None:
    assert not recorder.add_result(value)
    assert recorder.to_dict()["results"] == []


def test_the_first_result_names_a_run_that_has_no_name() -> None:
    recorder = Recorder({}, BEGAN)
    assert recorder.procedure == ""
    recorder.add_result(result())
    recorder.add_result(result(procedure="redis_down"))
    recorder.play_started("Another", "mongodb_down")
    assert recorder.procedure == "service_down"


def test_a_run_is_back_when_the_last_is(recorder: Recorder) -> None:
    for host, outcome, seconds in (("1", "healed", 3), ("2", "healed", 8), ("3", "unhealed", 9)):
        recorder.add_result(result(outcome=outcome, host=host, seconds=seconds))
    assert recorder.to_dict()["recovery_seconds"] == 8


def test_a_remark_is_kept_in_one_line(recorder: Recorder) -> None:
    recorder.note("no\nroom")
    assert recorder.to_dict()["notes"] == ["no room"]


@pytest.mark.parametrize(
    ("task", "role", "phase"),
    [
        ("observe | Look", "plugspace.titan.common", "observe"),
        ("plugspace.titan.common : observe | Look", "", "observe"),
        ("Look", "plugspace.titan.service_down", "service_down"),
        ("Look", "", "tasks"),
    ],
)
def test_the_phase_of_a_task(task: str, role: str, phase: str) -> None:
    assert phase_of(task, role) == phase


def test_who_ran_it() -> None:
    assert who("ann", {}, {}) == "ann"
    assert who("root", {}, {"SUDO_USER": "ann"}) == "ann as root"
    assert who("root", {}, {"SUDO_USER": "root"}) == "root"
    awx = {"awx_user_name": "bob", "awx_job_id": 12}
    assert who("awx", awx, {}) == "bob by way of AWX, job 12"
    assert who("awx", {"tower_user_name": "bob"}, {}) == "bob by way of AWX"


def test_values_of_any_type_become_json() -> None:
    class Odd:
        def __str__(self) -> str:
            return "odd"

    assert native({1: (Odd(), {"a"}), "b": None}) == {"1": ["odd", ["a"]], "b": None}
    deep: list[Any] = []
    deep.append(deep)
    assert "..." in str(native(deep))
    circle: dict[str, Any] = {}
    circle["x"] = circle
    assert "..." in str(native(circle))
