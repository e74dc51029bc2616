"""Going back: to any complete release, without losing a request, and to nothing else.

The tests follow each other: titan2 has v1, v2 and v3, titan3 has v1 and v2, and both are on v1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support import application
from support.deployment import assert_live, look
from support.hosts import ssh
from support.playbooks import Run, play

BOTH = ("titan2", "titan3")
RELEASES = f"{application.ROOT_ON_HOST}/releases"


def rollback(*hosts: str, check: bool = False, **variables: Any) -> Run:
    arguments = ["--check", "--diff"] if check else []
    return play("rollback", *arguments, rollback_hosts=",".join(hosts), **variables)


def go(host: str, target: str, ref: str, **variables: Any) -> None:
    """Go to a release while the site is used, and see from outside that it is live."""
    with application.traffic(host) as traffic:
        run = rollback(host, rollback_confirm=target, **variables)
    assert run.code == 0, run.output
    assert_live(ref, host)
    assert application.current(host) == target
    assert traffic.failures == []
    assert traffic.releases[application.commits()[ref]] > 0


def refused(run: Run, *sentences: str) -> None:
    """One refusal, which holds these sentences and nothing else."""
    assert run.code != 0, run.output
    assert run.changed == 0
    lines = run.failure.splitlines()
    assert lines[0] == "Nothing was touched, because:"
    assert len(lines) - 1 == len(sentences), run.failure
    for line, sentence in zip(lines[1:], sentences, strict=True):
        assert sentence in line


@pytest.fixture
def untouched() -> Iterator[None]:
    """What the test does leaves both hosts as they were."""
    before = {host: application.trace(host) for host in BOTH}
    yield
    for host in BOTH:
        assert application.trace(host) == before[host]


@pytest.mark.parametrize("host", BOTH)
def test_it_went_back_to_v1(host: str) -> None:
    """This is what converge did, on both hosts at once."""
    assert_live("v1", host)
    assert application.current(host) == application.named("titan2", "v1")


def test_to_v3_by_commit_and_on_to_the_previous_release() -> None:
    v1, v3 = application.named("titan2", "v1"), application.named("titan2", "v3")
    go("titan2", v3, "v3", rollback_target=application.commits()["v3"][:9])
    go("titan2", v1, "v1")


def test_check_mode_shows_the_plan(untouched: None) -> None:
    v2 = application.named("titan2", "v2")
    run = rollback(*BOTH, check=True, rollback_target=v2)
    assert run.code == 0, run.output
    plan = run.result("Show the plan", "titan2")["msg"]
    assert plan.startswith("Go back to v2 ")
    assert f"as release {v2} on titan2, titan3" in plan


def test_the_current_release_is_no_change(untouched: None) -> None:
    run = rollback(*BOTH, rollback_target=application.named("titan2", "v1"))
    assert run.code == 0, run.output
    assert run.changed == 0
    assert "is live on titan2, titan3 already" in run.result("Show the plan", "titan2")["msg"]


def test_hosts_that_would_go_to_different_releases_are_refused(untouched: None) -> None:
    v2, v3 = application.named("titan3", "v2"), application.named("titan2", "v3")
    refused(rollback(*BOTH), f"different releases (titan2: {v3}, titan3: {v2})")


def test_a_release_that_one_host_has_not_is_refused(untouched: None) -> None:
    v3 = application.named("titan2", "v3")
    refused(rollback(*BOTH, rollback_target=v3), f"titan3: there is no release {v3}; kept and")


def test_migrations_in_between_need_the_name_of_the_target() -> None:
    v1, v2 = application.named("titan3", "v1"), application.named("titan3", "v2")
    go("titan3", v2, "v2", rollback_target=v2)
    before = application.trace("titan3")
    for confirmation in ({}, {"rollback_confirm": "yes"}):
        run = rollback("titan3", rollback_target=v1, **confirmation)
        refused(run, f"1 migration (20260119090000_add_audit_detail) came after {v1}")
        assert f"-e rollback_confirm={v1}" in run.failure
    assert application.trace("titan3") == before


@pytest.fixture
def damaged() -> Iterator[Callable[[str, str, str], None]]:
    """Damage a release by a shell command, and take the damage back by another one."""
    repairs: list[tuple[str, str]] = []

    def damage(host: str, command: str, repair: str) -> None:
        repairs.append((host, repair))
        ssh(host, f"cd {RELEASES} && {command}")

    yield damage
    for host, repair in repairs:
        ssh(host, f"cd {RELEASES} && {repair}")


def test_damaged_releases_are_refused(damaged: Callable[[str, str, str], None]) -> None:
    v1, v2 = application.named("titan2", "v1"), application.named("titan2", "v2")
    for host, command, repair in (
        ("titan2", f"mv {v2}/dist {v2}.dist", f"mv {v2}.dist {v2}/dist"),
        ("titan3", f"mv {v1}/node_modules {v1}.away", f"mv {v1}.away {v1}/node_modules"),
    ):
        damaged(host, command, repair)
    before = {host: application.trace(host) for host in BOTH}
    refused(
        rollback("titan2", rollback_target=v2, rollback_confirm=v2),
        f"titan2: release {v2} is not complete (dist/api.js is missing",
    )
    refused(
        rollback("titan3", rollback_target=v1, rollback_confirm=v1),
        f"titan3: release {v1} is not complete (node_modules/",
    )
    assert {host: application.trace(host) for host in BOTH} == before


def test_a_changed_source_file_is_refused(damaged: Callable[[str, str, str], None]) -> None:
    v2 = application.named("titan2", "v2")
    change, back = f"echo // >> {v2}/src/api.js", f"sed -i '$d' {v2}/src/api.js"
    damaged("titan2", change, back)
    before = application.trace("titan2")
    sentence = f"titan2: release {v2} is not complete (src/api.js differs from its commit)"
    refused(rollback("titan2", rollback_target=v2), sentence)
    assert application.trace("titan2") == before


def test_one_lost_file_of_a_package_stops_the_switch(
    damaged: Callable[[str, str, str], None],
) -> None:
    """Counting installed files takes a moment, so only the switch itself does it."""
    v1, v2 = application.named("titan2", "v1"), application.named("titan2", "v2")
    file = f"{v2}/node_modules/ws/index.js"
    damaged("titan2", f"mv {file} {v2}.file", f"mv {v2}.file {file}")
    before = application.trace("titan2")
    run = rollback("titan2", rollback_target=v2)
    assert run.code != 0, run.output
    assert (
        f"titan2: release {v2} was not kept: release {v2} is not complete: files are missing in "
        "node_modules. What is live on titan2 was live before and still is: nothing was switched."
    ) in run.failure
    after = application.trace("titan2")
    assert (after["current"], after["processes"]) == (v1, before["processes"])
    assert application.metadata("titan2")[v2]["status"] == "active"
    assert not application.locked("titan2")


def test_a_marked_and_an_incomplete_release_are_refused() -> None:
    assert play("deploy", deploy_hosts="titan3", deploy_ref="crash-at-start").code != 0
    marked = application.named("titan3", "crash-at-start")
    incomplete = application.kill_preparation("titan3", "v5")
    before = application.trace("titan3")
    refused(
        rollback("titan3", rollback_target=marked), f"titan3: release {marked} is marked as failed"
    )
    refused(
        rollback("titan3", rollback_target=incomplete),
        f"titan3: release {incomplete} is not complete (its preparation was not finished)",
    )
    assert application.trace("titan3") == before
    assert look("titan3")["titan3"]["health"]["plugspace-api"]["release"] == before["current"]
