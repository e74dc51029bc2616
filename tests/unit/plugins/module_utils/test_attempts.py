# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is remembered of attempts, and when another one is refused."""

from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.plugspace.titan.plugins.module_utils._attempts import (
    Attempts,
    AttemptsError,
    Policy,
    Verdict,
)

POLICY = Policy(cooldown=300, maximum=3, window=3600)
NOON = 1_764_000_000.0


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attempts(tmp_path: Path, clock: Clock) -> Attempts:
    return Attempts(str(tmp_path / "titan" / "attempts.json"), clock)


def begin(attempts: Attempts, run: str = "r1", override: bool = False) -> Verdict:
    return attempts.begin("service_down", "crashing", run, "ann@bastion", POLICY, override)


def test_nothing_is_remembered_before_the_first(attempts: Attempts) -> None:
    assert attempts.read() == []
    assert attempts.judge("service_down", POLICY) == Verdict(True)
    assert not os.path.exists(attempts.path)


def test_an_attempt_and_its_end_are_noted(attempts: Attempts, clock: Clock) -> None:
    assert begin(attempts) == Verdict(True)
    assert attempts.read()[0].outcome == "unknown"
    clock.now += 12
    assert attempts.end("service_down", "r1", "healed")
    one = attempts.read()[0]
    assert (one.outcome, one.began, one.ended) == ("healed", NOON, NOON + 12)
    assert (one.cause, one.by) == ("crashing", "ann@bastion")
    assert not attempts.end("service_down", "r1", "healed")
    assert not attempts.end("service_down", "r2", "healed")
    assert os.stat(attempts.path).st_mode & 0o777 == 0o644


def test_the_cooldown_counts_from_the_end(attempts: Attempts, clock: Clock) -> None:
    begin(attempts)
    clock.now += 100
    attempts.end("service_down", "r1", "not healed")
    clock.now += 299
    refused = begin(attempts, "r2")
    assert refused == Verdict(
        False,
        "service_down was tried 4 min ago because of crashing (not healed), and 5 min have to pass",
        1.0,
    )
    assert len(attempts.read()) == 1
    assert attempts.judge("high_cpu", POLICY).allowed
    clock.now += 1
    assert begin(attempts, "r2").allowed


def test_a_run_that_was_killed_counts_too(attempts: Attempts, clock: Clock) -> None:
    begin(attempts)
    clock.now += 10
    assert "because of crashing (unknown)" in begin(attempts, "r2").reason


def test_the_maximum_counts_within_the_window(attempts: Attempts, clock: Clock) -> None:
    for number in range(3):
        assert begin(attempts, f"r{number}").allowed
        attempts.end("service_down", f"r{number}", "healed")
        clock.now += 600
    refused = begin(attempts, "r3")
    assert (
        refused.reason == "service_down was tried 3 times here in the last 1 h, and 3 is the most"
    )
    assert refused.wait == 1800.0
    clock.now += refused.wait
    assert begin(attempts, "r3").allowed


def test_a_clock_that_was_set_back_forgets_nothing(attempts: Attempts, clock: Clock) -> None:
    begin(attempts)
    clock.now -= 60
    refused = begin(attempts, "r2")
    assert (refused.allowed, refused.wait) == (False, 240.0)


def test_a_clock_that_was_set_back_refuses_nothing_for_ever(
    attempts: Attempts, clock: Clock
) -> None:
    for number in range(3):
        begin(attempts, f"r{number}", override=True)
    clock.now -= 600
    assert begin(attempts, "r3").wait == 3000.0
    clock.now -= 3000
    assert begin(attempts, "r3").allowed


def test_what_ends_is_the_last_attempt_of_the_run(attempts: Attempts, clock: Clock) -> None:
    begin(attempts)
    begin(attempts, override=True)
    clock.now += 12
    assert attempts.end("service_down", "r1", "healed")
    assert [one.outcome for one in attempts.read()] == ["unknown", "healed"]


def test_a_person_may_go_on_and_it_is_noted(attempts: Attempts) -> None:
    begin(attempts)
    verdict = begin(attempts, "r2", override=True)
    assert verdict.allowed
    assert verdict.reason.endswith("; overridden")
    assert [one.run for one in attempts.read()] == ["r1", "r2"]


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"attempts": 3}', '{"attempts": ["x"]}', '{"attempts": [{"began": 1}]}'],
)
def test_a_damaged_file_stops_everything_until_a_person_says_so(
    attempts: Attempts, content: str
) -> None:
    path = Path(attempts.path)
    path.parent.mkdir()
    path.write_text(content)
    refused = begin(attempts)
    assert (refused.allowed, refused.wait) == (False, 0.0)
    assert refused.reason == f"{path} is damaged, so nobody knows what was tried here before"
    assert path.read_text() == content
    with pytest.raises(AttemptsError):
        attempts.end("service_down", "r1", "healed")
    assert begin(attempts, override=True).allowed
    assert path.with_name(f"attempts.json.damaged-{int(NOON)}").read_text() == content
    assert len(attempts.read()) == 1


def test_a_file_that_is_a_directory_is_told(attempts: Attempts) -> None:
    Path(attempts.path).mkdir(parents=True)
    assert "cannot be read: Is a directory" in attempts.judge("service_down", POLICY).reason


def test_only_so_many_are_kept(attempts: Attempts, clock: Clock) -> None:
    for number in range(205):
        attempts.begin("service_down", "x", f"r{number}", "ann", POLICY, True)
        clock.now += 1
    known = attempts.read()
    assert (len(known), known[0].run, known[-1].run) == (200, "r5", "r204")


def begin_often(path: str, name: str) -> None:
    attempts = Attempts(path)
    for number in range(20):
        attempts.begin("service_down", "x", f"{name}{number}", name, POLICY, True)


def test_two_runs_at_once_lose_nothing(attempts: Attempts) -> None:
    workers = [
        multiprocessing.Process(target=begin_often, args=(attempts.path, name)) for name in "ab"
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert {one.run for one in attempts.read()} == {f"{n}{i}" for n in "ab" for i in range(20)}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["attempts", "began", "procedure"]), inner)
        ),
    )
)
def test_no_content_is_too_strange(tmp_path: Path, content: object) -> None:
    path = tmp_path / "attempts.json"
    path.write_text(json.dumps(content))
    verdict = Attempts(str(path)).judge("service_down", POLICY)
    assert verdict.allowed or verdict.reason
