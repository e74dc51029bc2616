"""Good releases, one after the other, on hosts that are asked for pages all the time.

The tests follow each other: each deploys over what the one before it left. What three hosts show
no better than one is deployed on titan1 alone.
"""

from __future__ import annotations

import pytest
from support import application
from support.application import commits
from support.deployment import AT_ONCE, assert_live, deploy
from support.hosts import NAMES, ssh
from support.playbooks import play

KEEP = 5
GOOD = [f"v{number}" for number in range(1, 11)]
EVERYWHERE = ("v1", "v2", "v10")
ONE = ("titan1",)
MIGRATIONS = ["20260119090000_add_audit_detail", "20260126090000_index_audit_actor"]


def as_given(tag: str) -> str:
    """Most releases are asked for by their tag, some by their commit."""
    return {"v5": commits()["v5"], "v6": commits()["v6"][:9]}.get(tag, tag)


def test_first_deployment_onto_nothing() -> None:
    assert_live("v1")


def test_check_mode_shows_commits_and_migrations_and_touches_nothing() -> None:
    before = {host: application.trace(host) for host in NAMES}
    run = play("deploy", "--check", "--diff", deploy_ref="v3")
    assert run.code == 0, run.output
    plan = run.result("Show the plan", "titan1")["msg"]
    assert plan.startswith(f'Deploy v3 {commits()["v3"][:7]} "Release v3" as release ')
    assert [line.split()[1:3] for line in plan.splitlines() if "(Plugspace, " in line] == [
        ["Release", "v3"],
        ["Release", "v2"],
    ]
    assert "2 migrations: " + ", ".join(MIGRATIONS) in plan
    assert {host: application.trace(host) for host in NAMES} == before


@pytest.mark.parametrize("tag", GOOD[1:])
def test_good_release_after_good_release(tag: str) -> None:
    hosts = NAMES if tag in EVERYWHERE else ONE
    run = deploy(as_given(tag), answers=tag, hosts=hosts)
    assert run.code == 0, run.output
    for host, state in assert_live(tag, *hosts).items():
        had = [one for one in GOOD if host in ONE or one in EVERYWHERE]
        kept = had[: had.index(tag) + 1][-KEEP:]
        assert {r["commit"] for r in state["releases"].values()} == {commits()[k] for k in kept}
        previous = state["releases"][state["current"]]["before"]
        assert state["releases"][previous]["commit"] == commits()[kept[-2]]


def test_second_run_changes_nothing() -> None:
    before = {host: application.trace(host) for host in NAMES}
    run = deploy("v10")
    assert run.code == 0, run.output
    assert run.changed == 0
    plan = run.result("Show the plan", "titan1")["msg"]
    assert "is live on titan1, titan2, titan3 already" in plan
    after = {host: application.trace(host) for host in NAMES}
    assert {h: t["processes"] for h, t in after.items()} == {
        h: t["processes"] for h, t in before.items()
    }


def test_a_stopped_instance_of_the_live_release_is_put_right() -> None:
    """Only where something is wrong, and only what is wrong."""
    before = {host: application.processes(host) for host in NAMES}
    stopped = next(one for one in before["titan2"] if one["name"] == "plugspace-api")
    ssh("titan2", f"pm2 stop -s {stopped['id']}")
    run = deploy("v10")
    assert run.code == 0, run.output
    plan = " ".join(run.result("Show the plan", "titan1")["msg"].split())
    lacking = f"Reload plugspace-api instance {stopped['id']}"
    assert f"titan2: its processes are not all right; to do: {lacking}" in plan
    assert "titan1:" not in plan
    assert_live("v10")
    for host in NAMES:
        left = [one for one in before[host] if host != "titan2" or one != stopped]
        after = application.processes(host)
        assert [one for one in left if one not in after] == [], host


def test_damaged_live_release_is_replaced_by_a_sound_one_of_its_commit() -> None:
    damaged = application.current("titan1")
    for host in NAMES:
        ssh(host, f"rm {application.PATH}/dist/voice.js")
    run = deploy("v10", **AT_ONCE)
    assert run.code == 0, run.output
    assert_live("v10")
    assert application.current("titan1") != damaged
