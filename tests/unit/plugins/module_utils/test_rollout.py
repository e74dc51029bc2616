# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One release for all hosts: every situation in which hosts agree, differ, or say nothing."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils._rollout import (
    decide_deploy,
    decide_rollback,
)

R1 = {"name": "20261101T100000Z-1111111", "commit": "1" * 40, "ref": "v1"}
R2 = {"name": "20261102T100000Z-2222222", "commit": "2" * 40, "ref": "v2"}
R3 = {"name": "20261103T100000Z-3333333", "commit": "3" * 40, "ref": "v3"}
COMMIT = {"commit": R2["commit"], "subject": "Add it", "author": "Ann", "date": "2026-11-02T10:00"}


def kept(release: dict[str, str], **facts: Any) -> dict[str, Any]:
    """A release as release_info lists it: complete and once live, unless told otherwise."""
    return {"status": "active", "complete": True, "migrations": [], **release, **facts}


def info(
    *releases: dict[str, Any], plan: dict[str, Any] | None = None, previous: Any = None
) -> dict[str, Any]:
    """What release_info reports on one host."""
    current = next((r for r in releases if r.get("current")), None)
    return {"releases": list(releases), "current": current, "previous": previous, "plan": plan}


def plan(release: dict[str, str], change: bool = True, **facts: Any) -> dict[str, Any]:
    """The plan of release_info for one host."""
    return {
        **release,
        "subject": "Add it",
        "change": change,
        "commits": [COMMIT],
        "migrations": [],
        "problems": [],
        "warnings": [],
        **facts,
    }


def test_all_hosts_get_the_first_hosts_commit_and_name() -> None:
    """A branch that moved between two looks splits nothing."""
    infos = {
        "titan1": info(plan=plan(R2)),
        "titan2": info(kept(R3, current=True), plan=plan(R3, change=False)),
    }
    rollout = decide_deploy(infos)
    assert (rollout["commit"], rollout["name"]) == (R2["commit"], R2["name"])
    assert rollout["pending"] == ["titan1", "titan2"]


def test_a_release_that_is_live_everywhere_is_no_change() -> None:
    infos = {
        h: info(kept(R2, current=True), plan=plan(R2, change=False)) for h in ("titan1", "titan2")
    }
    rollout = decide_deploy(infos)
    assert not rollout["change"]
    assert rollout["pending"] == []
    assert "is live on titan1, titan2 already" in rollout["text"]


def test_a_run_that_was_cut_off_keeps_its_name() -> None:
    """The hosts that lag behind get the name of the one that was finished."""
    fresh = {**R2, "name": "20261109T000000Z-2222222"}
    infos = {
        "titan1": info(plan=plan(fresh)),
        "titan2": info(kept(R2, current=True), plan=plan(R2, change=False)),
    }
    rollout = decide_deploy(infos)
    assert rollout["name"] == R2["name"]
    assert rollout["pending"] == ["titan1"]


def test_a_marked_or_half_release_lends_no_name() -> None:
    fresh = {**R2, "name": "20261109T000000Z-2222222"}
    infos = {
        "titan1": info(
            kept(R2, status="failed"),
            kept({**R2, "name": "half"}, complete=False, status="preparing"),
            plan=plan(fresh),
        )
    }
    assert decide_deploy(infos)["name"] == fresh["name"]


def test_a_name_that_is_marked_on_one_host_is_used_on_none() -> None:
    fresh = {**R2, "name": "20261109T000000Z-2222222"}
    infos = {
        "titan1": info(kept(R2, status="prepared"), plan=plan(R2)),
        "titan2": info(kept(R2, status="failed"), plan=plan(fresh)),
    }
    assert decide_deploy(infos)["name"] == fresh["name"]


def test_problems_of_all_hosts_come_together_and_once() -> None:
    hung = {"workable": False, "problem": "the daemon does not answer", "actions": []}
    infos = {
        "titan1": info(plan=plan(R2, problems=["disk is full", "no .env key A"])),
        "titan2": {**info(plan=plan(R2, problems=["disk is full"])), "processes": hung},
        "titan3": None,
    }
    assert decide_deploy(infos)["problems"] == [
        "titan1, titan2: disk is full",
        "titan1: no .env key A",
        "titan2: the daemon does not answer",
        "titan3: no answer, so nothing is known about it",
    ]


def test_what_every_host_says_is_said_of_every_host() -> None:
    infos = {h: info(plan=plan(R2, problems=["no such ref"])) for h in ("titan1", "titan2")}
    assert decide_deploy(infos)["problems"] == ["every host: no such ref"]


def test_a_failed_module_is_told_in_its_own_words() -> None:
    infos = {"titan1": {"failed": True, "msg": "run it as plugspace"}}
    rollout = decide_deploy(infos)
    assert rollout["problems"] == ["titan1: run it as plugspace"]
    assert rollout["name"] == ""


def with_processes(change: bool, **processes: Any) -> dict[str, Any]:
    """A host of a deployment, and what its look at PM2 told."""
    told = {"workable": True, "problem": "", "actions": [], **processes}
    live = kept(R2, current=True)
    return {**info(live, plan=plan(R2, change=change)), "processes": told}


@pytest.mark.parametrize(
    ("change", "workable", "problem"),
    [
        # PM2 on a host that has the release already counts like any other.
        (False, False, "it does not answer"),
        (True, False, "it does not answer"),
        # What the live release lacks is of no interest where another one comes, else it is.
        (False, True, "there is no ecosystem file"),
    ],
)
def test_processes_that_cannot_be_worked_with_are_a_problem(
    change: bool, workable: bool, problem: str
) -> None:
    infos = {
        "titan1": with_processes(change),
        "titan2": with_processes(change, workable=workable, problem=problem),
    }
    assert decide_deploy(infos)["problems"] == [f"titan2: {problem}"]
    assert decide_deploy(infos)["text"].splitlines()[0] == "Nothing was touched, because:"


def test_what_the_live_release_lacks_is_no_problem_where_another_one_comes() -> None:
    infos = {"titan1": with_processes(True, problem="no ecosystem file")}
    assert decide_deploy(infos)["problems"] == []


def test_a_host_whose_processes_lack_the_release_is_wanted_and_told() -> None:
    infos = {
        "titan1": with_processes(False),
        "titan2": with_processes(False, actions=["Start api instance 1", "Reload voice"]),
        "titan3": with_processes(True, actions=["of no interest"]),
    }
    rollout = decide_deploy(infos)
    assert (rollout["pending"], rollout["wanted"]) == (["titan3"], ["titan2", "titan3"])
    del infos["titan3"]
    rollout = decide_deploy(infos)
    assert (rollout["change"], rollout["pending"], rollout["wanted"]) == (True, [], ["titan2"])
    assert rollout["text"].splitlines() == [
        f'v2 2222222 "Add it" is live on titan1, titan2 already, as release {R2["name"]}.',
        "  titan2: its processes are not all right; to do: Start api instance 1; Reload voice",
    ]


def test_a_host_that_has_the_commit_under_another_name_is_switched_when_worked_on() -> None:
    """So it has a way back, too; as long as its processes are well it is left alone."""
    older = kept({**R2, "name": "20261101T090000Z-2222222"}, current=True)
    mine = plan({**R2, "name": older["name"]}, change=False)
    processes = {"workable": True, "problem": "", "actions": ["Start api instance 1"]}
    infos = {
        "titan1": {**info(older, plan=mine), "processes": processes},
        "titan2": with_processes(False),
    }
    rollout = decide_deploy(infos)
    assert rollout["name"] == R2["name"]
    assert (rollout["pending"], rollout["wanted"]) == (["titan1"], ["titan1"])
    processes["actions"] = []
    assert decide_deploy(infos)["wanted"] == []


def test_the_plan_names_commits_migrations_and_where_each_host_stands() -> None:
    infos = {
        "titan1": info(kept(R1, current=True), plan=plan(R2, migrations=["002_flags"])),
        "titan2": info(plan=plan(R2, warnings=["no swap"])),
    }
    text = decide_deploy(infos)["text"]
    assert text.splitlines() == [
        f'Deploy v2 2222222 "Add it" as release {R2["name"]} on titan1, titan2',
        f"  titan1: now {R1['name']} (v1)",
        "  titan2: nothing is live",
        "  1 commit:",
        "    2222222 Add it (Ann, 2026-11-02)",
        "  1 migration: 002_flags",
        "  Note: titan2: no swap",
    ]


def test_what_is_worth_knowing_is_told_where_nothing_is_to_do() -> None:
    """That another run is at work may be just what explains the answer."""
    held = "the lock is held by ann on bastion (procedure deploy)"
    mine = plan(R2, change=False, warnings=[held])
    text = decide_deploy({"titan1": info(kept(R2, current=True), plan=mine)})["text"]
    assert text.splitlines()[1:] == [f"  Note: titan1: {held}"]


def test_a_site_that_was_unhealthy_before_is_a_warning() -> None:
    sick = {"results": [{"name": "site", "ok": False, "reason": "answered 502"}]}
    well = {"results": [{"name": "site", "ok": True, "reason": ""}]}
    infos = {
        "titan1": info(kept(R1, current=True), plan=plan(R2)),
        "titan2": info(plan=plan(R2)),
        "titan3": info(kept(R1, current=True), plan=plan(R2)),
    }
    rollout = decide_deploy(infos, {"titan1": sick, "titan2": sick, "titan3": well})
    assert rollout["problems"] == []
    assert rollout["warnings"] == [
        "titan1: the site is unhealthy before the deployment: answered 502"
    ]


def test_a_site_that_nobody_could_ask_is_a_problem_where_something_changes() -> None:
    infos = {
        "titan1": info(plan=plan(R2)),
        "titan2": info(kept(R2, current=True), plan=plan(R2, change=False)),
        "titan3": info(plan=plan(R2)),
    }
    assert decide_deploy(infos, {"titan1": {"msg": "no ca_file"}})["problems"] == [
        "titan1: the site cannot be looked at: no ca_file",
        "titan3: the site cannot be looked at: no answer",
    ]


def standing(**facts: Any) -> dict[str, Any]:
    """A host with three releases, the third live."""
    r1, r2, r3 = kept(R1), kept(R2), kept(R3, current=True, **facts)
    return info(r1, r2, r3, previous=r2)


@pytest.mark.parametrize(
    ("target", "wanted"),
    [("", R2), (R1["name"], R1), ("1111111", R1), ("1" * 40, R1), (R3["name"], R3)],
)
def test_a_rollback_goes_to_the_previous_a_name_or_a_commit(
    target: str, wanted: dict[str, str]
) -> None:
    rollout = decide_rollback({"titan1": standing()}, target=target)
    assert (rollout["name"], rollout["problems"]) == (wanted["name"], [])
    assert rollout["change"] is (wanted is not R3)


@pytest.mark.parametrize(
    ("host", "target", "complaint"),
    [
        (standing(), "nope", f"there is no release nope; kept and complete: {R1['name']}"),
        (standing(), "11111", "there is no release 11111"),
        (info(kept(R1, current=True)), "", "there is no previous release"),
        (
            info(kept(R1, status="failed", reason="it crashed")),
            R1["name"],
            "as failed (it crashed)",
        ),
        (info(kept(R1, complete=False, reason="dist is gone")), R1["name"], "(dist is gone)"),
        (info(kept(R1, status="prepared")), R1["name"], "was never live; deploy it instead"),
        (info(kept(R1, status="prepared")), "nope", "kept and complete: none"),
    ],
)
def test_a_rollback_refuses_what_cannot_run(
    host: dict[str, Any], target: str, complaint: str
) -> None:
    rollout = decide_rollback({"titan1": host}, target=target)
    assert not rollout["change"]
    assert len(rollout["problems"]) == 1
    assert complaint in rollout["problems"][0]


def test_hosts_that_would_go_back_to_different_releases_are_refused() -> None:
    other = info(kept(R1), kept(R3, current=True), previous=kept(R1))
    for host in (standing(), standing(migrations=["002_flags"])):
        problems = decide_rollback({"titan1": host, "titan2": other})["problems"]
        assert len(problems) == 1
        assert "different releases" in problems[0]


@pytest.mark.parametrize(("confirm", "asked"), [("", 1), (R3["name"], 1), (R2["name"], 0)])
def test_migrations_in_between_need_the_targets_name(confirm: str, asked: int) -> None:
    host = standing(migrations=["001", "003_late"])
    rollout = decide_rollback({"titan1": host}, confirm=confirm)
    assert rollout["migrations"] == ["001", "003_late"]
    assert len(rollout["problems"]) == asked
    if asked:
        assert f"rollback_confirm={R2['name']}" in rollout["problems"][0]


def test_a_release_that_was_switched_but_never_confirmed_is_taken_up() -> None:
    host = info(kept(R2, current=True, status="activating"), kept(R1))
    assert decide_rollback({"titan1": host}, target=R2["name"])["pending"] == ["titan1"]


def test_of_several_builds_of_a_commit_the_usable_one_is_meant() -> None:
    host = info(
        kept({**R1, "name": "20261104T100000Z-1111111"}, status="failed"),
        kept(R1),
        kept(R2, current=True),
    )
    assert decide_rollback({"titan1": host}, target="1111111")["name"] == R1["name"]


@pytest.mark.parametrize("target", ["", "9999999"])
def test_a_refusal_tells_each_problem_on_a_line(target: str) -> None:
    infos = {"titan1": info(kept(R2, current=True)), "titan2": None}
    rollout = decide_rollback(infos, target=target)
    assert len(rollout["problems"]) == 2
    assert rollout["text"].splitlines() == [
        "Nothing was touched, because:",
        *(f"- {problem}" for problem in rollout["problems"]),
    ]
