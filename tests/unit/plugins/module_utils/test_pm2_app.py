# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan and apply over a PM2 in memory."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils import _pm2_app, _pm2_process
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_app import (
    FailedError,
    Manager,
    Wanted,
)
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_client import (
    HungError,
    Pm2Error,
)
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_definition import Definition
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_gate import Clock, Gate
from ansible_collections.plugspace.titan.plugins.module_utils._probe import Probe

from .fake_pm2 import FakeClock, FakePm2

PROBE = Probe(url="http://127.0.0.1/", pid_field="pid", within=5.0)


@pytest.fixture
def pm2(monkeypatch: pytest.MonkeyPatch) -> FakePm2:
    """An empty PM2; its processes exist, although only in memory."""
    monkeypatch.setattr(_pm2_process.os.path, "exists", lambda _path: True)
    monkeypatch.setattr(_pm2_process, "real_directory", lambda _pid: "/r/releases/2")
    return FakePm2(FakeClock())


def manager_of(pm2: FakePm2) -> Manager:
    """A manager of it."""
    clock = Clock(pm2.clock.monotonic, pm2.clock.wall, pm2.clock.sleep)
    return Manager(pm2, pm2, Gate(pm2.processes, clock, pm2.ask))


def definition(**changes: t.Any) -> Definition:
    """What should run."""
    values: dict[str, t.Any] = {
        "name": "api",
        "cwd": "/app",
        "script": "/app/server.js",
        "exec_mode": "cluster_mode",
        "instances": 2,
        "env": {"A": "1"},
    }
    return Definition(**{**values, **changes})


def running(pm2: FakePm2, count: int = 2, **env: t.Any) -> None:
    """Processes that match the definition."""
    for _one in range(count):
        values = {"pm_cwd": "/app", "pm_exec_path": "/app/server.js", "env": {"A": "1"}}
        pm2.add(**{**values, **env})


def wanted(state: str = "reloaded", **options: t.Any) -> Wanted:
    """The application in a state, with a probe."""
    return Wanted("api", state, **{"probe": PROBE, **options})


def do(pm2: FakePm2, *wants: Wanted) -> Manager:
    """Plan and apply."""
    manager = manager_of(pm2)
    plans = [manager.plan(one, pm2.processes()) for one in wants]
    before = list(pm2.calls)
    assert before == pm2.calls
    manager.apply(*plans)
    manager.settle()
    return manager


def turn_bad(pm2: FakePm2, action: str, number: int, behaviour: str) -> t.Any:
    """What this action on this process starts behaves badly; PM2's own way to act, to put back."""
    act = pm2.act

    def turned(done: str, on: int, timeout: float) -> None:
        pm2.behaviour = behaviour if (done, on) == (action, number) else "well"
        act(done, on, timeout)

    pm2.act = turned  # type: ignore[method-assign]
    return act


def ids(pm2: FakePm2) -> list[int]:
    """The ids that there are."""
    return [one["pm2_env"]["pm_id"] for one in pm2.records]


def test_planning_does_nothing(pm2: FakePm2) -> None:
    running(pm2)
    for state in _pm2_app.STATES:
        manager_of(pm2).plan(wanted(state, definition=definition(cwd="/x")), pm2.processes())
    assert pm2.calls == []


def test_reload_tries_a_further_instance_first(pm2: FakePm2) -> None:
    running(pm2)
    manager = do(pm2, wanted())
    assert pm2.calls == [("duplicate", 0), ("reload", 0), ("reload", 1), ("delete", 2)]
    assert ids(pm2) == [0, 1]
    assert manager.actions[0] == "Tried api in a further instance 2: it passed"


@pytest.mark.parametrize(
    ("behaviour", "cause"),
    [
        ("crash", "exited"),
        ("crash_later", "exited"),
        ("hang", "hung"),
        ("unhealthy", "unhealthy"),
        ("launching", "timeout"),
        ("errored", "exited"),
        ("vanish", "vanished"),
    ],
)
def test_a_bad_version_touches_nothing(pm2: FakePm2, behaviour: str, cause: str) -> None:
    running(pm2)
    before = [one["pid"] for one in pm2.records]
    pm2.behaviour = behaviour
    with pytest.raises(FailedError) as failure:
        do(pm2, wanted())
    assert failure.value.cause == cause
    assert [one["pid"] for one in pm2.records] == before
    assert not [call for call in pm2.calls if call[0] == "reload"]


def test_one_bad_application_keeps_the_release_from_all(pm2: FakePm2) -> None:
    running(pm2)
    pm2.add(name="voice")
    before = [one["pid"] for one in pm2.records]
    turn_bad(pm2, "duplicate", 2, "crash_later")
    with pytest.raises(FailedError, match="voice: instance 4 exited"):
        do(pm2, wanted(), replace(wanted(), name="voice"))
    assert [one["pid"] for one in pm2.records] == before
    assert not [call for call in pm2.calls if call[0] == "reload"]


def test_all_applications_are_tried_at_the_same_time(pm2: FakePm2) -> None:
    running(pm2)
    pm2.add(name="voice")
    started = pm2.clock.now
    wants = [replace(wanted(min_uptime=30.0), name=name) for name in ("api", "voice")]
    manager_of(pm2).apply(*(manager_of(pm2).plan(one, pm2.processes()) for one in wants))
    assert [call[0] for call in pm2.calls[:3]] == ["duplicate", "duplicate", "reload"]
    assert 30 <= pm2.clock.now - started < 40


def test_a_wrong_commit_is_unhealthy(pm2: FakePm2) -> None:
    running(pm2)
    pm2.commit = "other"
    probe = PROBE.expecting({"commit": "new"})
    with pytest.raises(FailedError, match="commit=other"):
        do(pm2, wanted(probe=probe, expect={"commit": "new"}))


def test_what_answers_as_expected_is_left_alone(pm2: FakePm2) -> None:
    running(pm2)
    probe = PROBE.expecting({"commit": "old"})
    assert do(pm2, wanted(probe=probe, expect={"commit": "old"})).actions == []
    pm2.commit = "new"
    probe = PROBE.expecting({"commit": "new"})
    do(pm2, wanted(probe=probe, expect={"commit": "new"}))
    assert do(pm2, wanted(probe=probe, expect={"commit": "new"})).actions == []


def test_only_the_broken_slot_is_replaced(pm2: FakePm2) -> None:
    running(pm2)
    pm2.commit = "old"
    pm2.act("stop", 1, 10)
    pm2.calls.clear()
    probe = PROBE.expecting({"commit": "old"})
    do(pm2, wanted(probe=probe, expect={"commit": "old"}))
    assert ("reload", 0) not in pm2.calls
    assert [call for call in pm2.calls if call[1] == 1] == [("stop", 1), ("restart", 1)]
    assert ids(pm2) == [0, 1]


def test_a_failure_half_way_stops_the_slot_and_keeps_the_canary(pm2: FakePm2) -> None:
    running(pm2)
    manager = manager_of(pm2)
    plan = manager.plan(wanted(), pm2.processes())
    act = turn_bad(pm2, "reload", 1, "hang")
    with pytest.raises(FailedError, match="the canary serves in its place"):
        manager.apply(plan)
    assert [one["pm2_env"]["status"] for one in pm2.records] == ["online", "stopped", "online"]
    pm2.act = act  # type: ignore[method-assign]
    pm2.behaviour = "well"
    do(pm2, wanted(count="2"))
    assert ids(pm2) == [0, 1]


def test_a_failure_half_way_leaves_no_canary_of_an_application_not_begun_with(
    pm2: FakePm2,
) -> None:
    running(pm2)
    pm2.add(name="voice")
    manager = manager_of(pm2)
    wants = (wanted(), replace(wanted(), name="voice"))
    plans = [manager.plan(one, pm2.processes()) for one in wants]
    turn_bad(pm2, "reload", 1, "hang")
    with pytest.raises(FailedError, match="the canary serves in its place"):
        manager.apply(*plans)
    assert ids(pm2) == [0, 1, 2, 3]
    assert set(manager.touched) == {"api"}


def test_a_canary_that_cannot_be_removed_does_not_keep_the_others(pm2: FakePm2) -> None:
    running(pm2)
    pm2.add(name="voice")
    act = pm2.act

    def fail(action: str, number: int, timeout: float) -> None:
        if (action, number) == ("delete", 3):
            raise Pm2Error("refused")
        pm2.behaviour = "crash"
        act(action, number, timeout)

    pm2.act = fail  # type: ignore[method-assign]
    with pytest.raises(FailedError, match="api: instance 3 exited"):
        do(pm2, wanted(), replace(wanted(), name="voice"))
    assert ids(pm2) == [0, 1, 2, 3]


def test_missing_instances_are_restored(pm2: FakePm2) -> None:
    running(pm2, 1)
    do(pm2, wanted(definition=definition(instances=3)))
    assert len(pm2.records) == 3
    assert not [call for call in pm2.calls if call[0] == "delete"]


def test_drift_is_replaced_one_by_one(pm2: FakePm2) -> None:
    running(pm2, pm_cwd="/r/releases/1")
    manager = do(pm2, wanted("started", definition=definition(instances=3)))
    assert pm2.calls == [("start", 0), ("delete", 0), ("start", 1), ("delete", 1), ("start", 2)]
    assert "cwd is /r/releases/1 (wanted /app)" in manager.actions[0]
    assert do(pm2, wanted("started", definition=definition(instances=3))).actions == []


def test_drift_with_a_bad_version_keeps_the_old_ones(pm2: FakePm2) -> None:
    running(pm2, pm_cwd="/r/releases/1")
    pm2.behaviour = "unhealthy"
    with pytest.raises(FailedError):
        do(pm2, wanted(definition=definition()))
    assert ids(pm2) == [0, 1]


def test_drift_towards_fewer_instances(pm2: FakePm2) -> None:
    running(pm2, 3, env={"A": "2"})
    do(pm2, wanted("restarted", definition=definition(instances=1)))
    assert ids(pm2) == [3]


def test_drift_of_the_mode_is_an_interruption_and_said(pm2: FakePm2) -> None:
    running(pm2, 1)
    fork = definition(exec_mode="fork_mode", instances=1)
    manager = do(pm2, wanted("started", definition=fork))
    assert "with an interruption" in " ".join(manager.actions)
    assert pm2.calls == [("delete", 0), ("start", 0)]


def test_fork_mode_is_restarted(pm2: FakePm2) -> None:
    running(pm2, 1, mode="fork_mode")
    assert do(pm2, wanted()).actions == ["Restarted api instance 0"]


@pytest.mark.parametrize(
    ("state", "done"),
    [
        ("restarted", ["Restarted api instance 1"]),
        (
            "reloaded",
            [
                "Tried api in a further instance 3: it passed",
                "Reloaded api instance 1",
                "Deleted api instance 3",
            ],
        ),
    ],
)
def test_the_named_instances_alone(pm2: FakePm2, state: str, done: list[str]) -> None:
    running(pm2, 3)
    assert do(pm2, wanted(state, only=[1, 9])).actions == done


def test_first_start(pm2: FakePm2) -> None:
    manager = do(pm2, wanted("started", definition=definition()))
    assert manager.actions == ["Started 2 of api (cluster_mode)"]
    assert do(pm2, wanted("started", definition=definition())).actions == []


def test_a_failed_first_reload_is_removed_again(pm2: FakePm2) -> None:
    pm2.behaviour = "crash"
    with pytest.raises(FailedError, match="removed again"):
        do(pm2, wanted(definition=definition()))
    assert pm2.records == []


def test_a_failed_first_start_is_left_to_pm2(pm2: FakePm2) -> None:
    pm2.behaviour = "unhealthy"
    with pytest.raises(FailedError, match="PM2 keeps trying"):
        do(pm2, wanted("started", definition=definition()))
    assert len(pm2.records) == 2


def test_a_start_that_starts_nothing(pm2: FakePm2) -> None:
    pm2.behaviour = "vanish"
    with pytest.raises(FailedError, match="was not started"):
        do(pm2, wanted("started", definition=definition()))


def test_an_unknown_name(pm2: FakePm2) -> None:
    running(pm2)
    with pytest.raises(Pm2Error, match=r"no application typo \(it has: api\)"):
        manager_of(pm2).plan(Wanted("typo", "restarted"), pm2.processes())


def test_stop_and_delete_and_again(pm2: FakePm2) -> None:
    running(pm2)
    assert len(do(pm2, wanted("stopped")).actions) == 2
    assert do(pm2, wanted("stopped")).actions == []
    assert do(pm2, wanted("started")).actions == [
        "Restarted api instance 0",
        "Restarted api instance 1",
    ]
    assert len(do(pm2, wanted("absent")).actions) == 2
    assert do(pm2, wanted("absent")).actions == []


def test_restart_is_one_at_a_time_and_stops_at_the_first_failure(pm2: FakePm2) -> None:
    running(pm2, 3)
    pm2.behaviour = "crash"
    with pytest.raises(FailedError, match="instance 0 exited with code 1"):
        do(pm2, wanted("restarted", probe=None))
    assert pm2.calls == [("restart", 0)]


@pytest.mark.parametrize(
    ("count", "expected"), [("2", [0, 1]), ("+1", [0, 1, 2]), ("-1", [0]), ("3", [0, 1, 2])]
)
def test_counts(pm2: FakePm2, count: str, expected: list[int]) -> None:
    running(pm2)
    do(pm2, wanted("started", count=count))
    assert ids(pm2) == expected


@pytest.mark.parametrize("state", ["started", "restarted", "reloaded"])
@pytest.mark.parametrize(("present", "kept"), [(4, 4), (2, 2), (1, 2)])
def test_what_was_scaled_up_stays_so(pm2: FakePm2, state: str, present: int, kept: int) -> None:
    running(pm2, present)
    do(pm2, wanted(state, definition=definition(instances=2), count="keep"))
    assert len(ids(pm2)) == kept


def test_an_unknown_definition_keeps_what_runs(pm2: FakePm2) -> None:
    running(pm2, 3)
    do(pm2, wanted("restarted", count="keep"))
    assert ids(pm2) == [0, 1, 2]


def test_of_nothing_what_the_definition_says_is_started(pm2: FakePm2) -> None:
    do(pm2, wanted("restarted", definition=definition(instances=2), count="keep"))
    assert ids(pm2) == [0, 1]


@pytest.mark.parametrize("count", ["-2", "-5", "0x", "many"])
def test_bad_counts(pm2: FakePm2, count: str) -> None:
    running(pm2)
    with pytest.raises(Pm2Error):
        manager_of(pm2).plan(wanted("started", count=count), pm2.processes())


def test_fork_mode_is_not_scaled_unasked(pm2: FakePm2) -> None:
    running(pm2, 1, mode="fork_mode")
    with pytest.raises(Pm2Error, match="fork mode"):
        do(pm2, wanted("started", count="2"))


def test_a_failed_addition_is_removed(pm2: FakePm2) -> None:
    running(pm2)
    pm2.behaviour = "hang"
    with pytest.raises(FailedError, match="removed again"):
        do(pm2, wanted("started", count="+1"))
    assert ids(pm2) == [0, 1]


def test_a_lost_answer_is_looked_up_and_not_repeated(pm2: FakePm2) -> None:
    running(pm2)
    pm2.lose_answer_of = "duplicate"
    do(pm2, wanted())
    assert [call[0] for call in pm2.calls].count("duplicate") == 1


def test_a_daemon_that_hangs_for_good_is_told(pm2: FakePm2) -> None:
    running(pm2)
    manager = manager_of(pm2)
    plan = manager.plan(wanted(), pm2.processes())
    pm2.lose_answer_of = "duplicate"
    answers = iter([pm2.processes(), pm2.processes()])

    def processes() -> list[dict[str, t.Any]]:
        for answer in answers:
            return answer
        raise HungError("no answer")

    pm2.processes = processes  # type: ignore[method-assign]
    with pytest.raises(HungError):
        manager.apply(plan)


def test_the_first_application_must_still_be_well_at_the_end(pm2: FakePm2) -> None:
    running(pm2)
    pm2.add(name="voice")
    manager = manager_of(pm2)
    wants = [wanted(), Wanted("voice", "restarted", probe=PROBE)]
    for plan in [manager.plan(one, pm2.processes()) for one in wants]:
        manager.apply(plan)
    pm2.records[0]["_behaviour"] = "crash"
    with pytest.raises(FailedError, match="api: instance 0 exited"):
        manager.settle()


def test_a_worker_that_is_short_of_cpu_is_waited_for(pm2: FakePm2) -> None:
    running(pm2)
    pm2.starved_until = pm2.clock.now + 1
    probe = PROBE.expecting({"commit": "old"})
    assert do(pm2, wanted(probe=probe, expect={"commit": "old"})).actions == []


def test_without_an_answer_the_directory_shows_the_release(
    pm2: FakePm2, monkeypatch: pytest.MonkeyPatch
) -> None:
    running(pm2)
    monkeypatch.setattr(_pm2_app.os.path, "realpath", lambda _path: "/r/releases/2")
    probe = Probe(type="websocket", url="ws://127.0.0.1/", within=5.0)
    assert do(pm2, wanted(probe=probe, expect={"commit": "2"})).actions == []
    monkeypatch.setattr(_pm2_app.os.path, "realpath", lambda _path: "/r/releases/3")
    assert do(pm2, wanted(probe=probe, expect={"commit": "3"})).actions != []
    monkeypatch.setattr(_pm2_app.os.path, "realpath", lambda path: path)
    assert do(pm2, wanted(probe=probe, expect={"commit": "3"})).actions != []


@pytest.mark.parametrize(
    ("path", "sealed", "actions"),
    [("/r/releases/2", True, 0), ("/r/releases/2", False, 2), ("/r/releases/3", True, 2)],
)
def test_a_sealed_directory_shows_the_release_without_a_link(
    pm2: FakePm2, path: str, sealed: bool, actions: int
) -> None:
    running(pm2, pm_cwd=path)
    probe = Probe(type="websocket", url="ws://127.0.0.1/", within=5.0)
    wants = wanted(probe=probe, expect={"commit": "2"}, sealed=sealed)
    assert len(manager_of(pm2).plan(wants, pm2.processes()).actions) == actions


def test_the_same_commit_in_another_directory_is_another_release(
    pm2: FakePm2, monkeypatch: pytest.MonkeyPatch
) -> None:
    running(pm2)
    wants = wanted(probe=PROBE.expecting({"commit": "old"}), expect={"commit": "old"})
    for directory, actions in (("/r/releases/2", 0), ("/r/releases/3", 2)):
        monkeypatch.setattr(_pm2_app.os.path, "realpath", lambda _path, to=directory: to)
        assert len(manager_of(pm2).plan(wants, pm2.processes()).actions) == actions


def test_a_stranger_on_the_port_is_named(pm2: FakePm2) -> None:
    running(pm2)
    pm2.stranger = 77
    with pytest.raises(FailedError, match="process 77 did: something else holds the port"):
        do(pm2, wanted())


def test_when_nobody_can_tell_who_answers_everyone_is_hit(pm2: FakePm2) -> None:
    running(pm2)
    pm2.blind = True
    do(pm2, wanted())
    assert ids(pm2) == [0, 1]
    probe = PROBE.expecting({"commit": "new"})
    assert do(pm2, wanted(probe=probe, expect={"commit": "new"})).actions == []
