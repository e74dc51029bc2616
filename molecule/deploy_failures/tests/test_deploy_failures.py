"""Bad releases: each is refused or taken back with its cause, and no visitor notices."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from support.application import ROOT_ON_HOST, commits, named
from support.deployment import AT_ONCE, assert_live, deploy, live, look
from support.hosts import NAMES, ssh
from support.playbooks import Run, play

REFUSED = "Refuse with every problem at once"
NOT_PREPARED = "Stop with the reason, the running release untouched"
NOT_KEPT = "Stop here, with the reason"


@dataclass(frozen=True)
class Bad:
    """A release that must not stay: where it is stopped, what is told, what it said itself."""

    ref: str
    stopped: str
    cause: str
    said: str = ""


BAD = [
    Bad("no-such-ref", REFUSED, r"no-such-ref"),
    Bad("new-env", REFUSED, r"every host: the release needs GREETING .*shared/\.env"),
    Bad("unsatisfiable-lock", NOT_PREPARED, r"install failed: npm ci", "npm ci"),
    Bad("failing-build", NOT_PREPARED, r"build failed: npm run build", "sessions.js"),
    Bad(
        "crash-at-start",
        NOT_KEPT,
        r"plugspace-api: instance \d+ exited",
        "crash-at-start: the banner service is not configured",
    ),
    Bad("hang-at-start", NOT_KEPT, r"plugspace-api: instance \d+ .*never answered"),
    Bad(
        "crash-later",
        NOT_KEPT,
        r"plugspace-api: instance \d+ exited",
        "crash-later: the banner cache is corrupt",
    ),
    Bad(
        "failing-health",
        NOT_KEPT,
        r"plugspace-api: instance \d+ .*answered 503 \(wanted 200\)",
        "failing-health",
    ),
    Bad(
        "voice-crash",
        NOT_KEPT,
        r"plugspace-voice: instance \d+ exited",
        "voice-crash: no codec",
    ),
]


def told(run: Run, task: str, host: str = "titan1") -> tuple[str, str]:
    """The one sentence that a person reads first, and the lines below it."""
    assert run.code != 0, run.output
    first, _, rest = run.result(task, host)["msg"].partition("\n")
    return (rest, "") if task == REFUSED else (first, rest)


def assert_no_target(ref: str) -> None:
    """No host has a release of this tag that was ever live, or holds one half made."""
    for host, state in look().items():
        for release in state["releases"].values():
            if release["commit"] == commits().get(ref):
                assert release["status"] in ("failed", "prepared"), host
                assert release["activated"] == "", host


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.ref)
def test_bad_release(bad: Bad) -> None:
    before = live()
    run = deploy(bad.ref)
    sentence, lines = told(run, bad.stopped)
    assert re.search(bad.cause, sentence), sentence
    assert bad.said in lines, lines
    assert_live(before)
    assert_no_target(bad.ref)
    if bad.stopped == NOT_KEPT:
        assert f"titan1 is back on release {look('titan1')['titan1']['current']}" in sentence
        assert "Not touched: titan2, titan3." in sentence
        assert look("titan1")["titan1"]["releases"][named("titan1", bad.ref)]["reason"]
    else:
        assert named("titan1", bad.ref) == ""


@pytest.mark.parametrize("host", ["titan1", "titan2"])
def test_release_that_was_never_good_is_no_rollback_target(host: str) -> None:
    """On titan1 voice-crash was tried and marked; on titan2 it was prepared and never live."""
    before, name = live(), named(host, "voice-crash")
    run = play("rollback", rollback_hosts=host, rollback_target=name, rollback_confirm=name)
    assert run.code != 0, run.output
    assert re.search(
        rf"release {name} (is marked as failed|was never live)", told(run, REFUSED, host)[0]
    )
    assert_live(before)


def test_failing_migration() -> None:
    """The database has recorded the failure; the fixture's README tells how to settle it."""
    before = live()
    run = deploy("failing-migration")
    sentence, lines = told(run, NOT_PREPARED)
    assert "titan1: npx prisma migrate deploy failed with exit code 1" in sentence
    assert "a backup was made just before" in sentence
    assert "no such table: FeatureFlags" in lines
    assert_live(before)
    assert_no_target("failing-migration")
    name = named("titan1", "failing-migration")
    assert {s["releases"][name]["status"] for s in look().values()} == {"failed"}

    ssh(
        "titan1",
        f"cd {ROOT_ON_HOST}/releases/{name}"
        " && npx prisma migrate resolve --rolled-back 20260302090000_add_feature_owner",
    )
    run = deploy("v9", deploy_migrate="always", **AT_ONCE)
    assert run.code == 0, run.output
    assert_live("v9")


@pytest.fixture
def greeting() -> Iterator[None]:
    """A value for new-env's key on every host but titan2, where it is empty."""
    environment = f"{ROOT_ON_HOST}/shared/.env"
    for host, value in zip(NAMES, ("hello", "", "hello"), strict=True):
        ssh(host, f"echo GREETING={value} >> {environment}")
    yield
    for host in NAMES:
        ssh(host, f"sed -i /^GREETING=/d {environment}")


@pytest.mark.usefixtures("greeting")
def test_failure_on_the_second_host_tells_where_each_host_stands() -> None:
    before = live()
    run = deploy("new-env", deploy_serial=1)
    sentence, lines = told(run, NOT_KEPT, "titan2")
    assert re.search(r"plugspace-api: instance \d+ exited", sentence), sentence
    assert "lacks GREETING" in lines
    assert "titan2 is back on release" in sentence
    assert "The release is live on titan1." in sentence
    assert "Not touched: titan3." in sentence
    assert_live("new-env", "titan1")
    assert_live(before, "titan2", "titan3")

    run = deploy("v10")
    assert run.code == 0, run.output
    assert_live("v10")
