"""Bad releases: each is refused or taken back with its cause, and no visitor notices."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from support.application import ROOT_ON_HOST, commits, named
from support.deployment import (
    AT_ONCE,
    NOT_KEPT,
    NOT_PREPARED,
    REFUSED,
    assert_live,
    deploy,
    live,
    told,
)
from support.hosts import ssh
from support.playbooks import play

PAIR = ("titan2", "titan3")
FIRST, SECOND = PAIR


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


def assert_no_target(ref: str, states: dict[str, dict[str, Any]]) -> None:
    """No host has a release of this tag that was ever live, or holds one half made."""
    for host, state in states.items():
        for release in state["releases"].values():
            if release["commit"] == commits().get(ref):
                assert release["status"] in ("failed", "prepared"), host
                assert release["activated"] == "", host


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.ref)
def test_bad_release(bad: Bad) -> None:
    before = live(FIRST)
    run = deploy(bad.ref, hosts=PAIR)
    sentence, lines = told(run, bad.stopped, FIRST)
    assert re.search(bad.cause, sentence), sentence
    assert bad.said in lines, lines
    states = assert_live(before, *PAIR)
    assert_no_target(bad.ref, states)
    if bad.stopped == NOT_KEPT:
        state = states[FIRST]
        assert f"{FIRST} is back on release {state['current']}" in sentence
        assert f"Not touched: {SECOND}." in sentence
        assert state["releases"][named(FIRST, bad.ref)]["reason"]
    else:
        assert named(FIRST, bad.ref) == ""


@pytest.mark.parametrize("host", PAIR)
def test_release_that_was_never_good_is_no_rollback_target(host: str) -> None:
    """On the first host voice-crash was tried and marked; on the second it was never live."""
    before, name = live(FIRST), named(host, "voice-crash")
    run = play("rollback", rollback_hosts=host, rollback_target=name, rollback_confirm=name)
    assert run.code != 0, run.output
    assert re.search(
        rf"release {name} (is marked as failed|was never live)", told(run, REFUSED, host)[0]
    )
    assert_live(before, *PAIR)


def test_failing_migration() -> None:
    """The database has recorded the failure; the fixture's README tells how to settle it."""
    before = live(FIRST)
    run = deploy("failing-migration", hosts=PAIR)
    sentence, lines = told(run, NOT_PREPARED, FIRST)
    assert f"{FIRST}: npx prisma migrate deploy failed with exit code 1" in sentence
    assert "a backup was made just before" in sentence
    assert "no such table: FeatureFlags" in lines
    states = assert_live(before, *PAIR)
    assert_no_target("failing-migration", states)
    name = named(FIRST, "failing-migration")
    assert {s["releases"][name]["status"] for s in states.values()} == {"failed"}

    ssh(
        FIRST,
        f"cd {ROOT_ON_HOST}/releases/{name}"
        " && npx prisma migrate resolve --rolled-back 20260302090000_add_feature_owner",
    )
    run = deploy("v9", hosts=PAIR, deploy_migrate="always", **AT_ONCE)
    assert run.code == 0, run.output
    assert_live("v9", *PAIR)
