"""What a ref can be, and what a good release can bring: all of it arrives, and no visitor notices.

The tests follow each other: each deploys over what the one before it left.
"""

from __future__ import annotations

from typing import Any

import pytest
from support.deployment import assert_live, deploy, live, look, visitors
from support.hosts import inventory, ssh
from support.playbooks import play

ONE = ("titan1",)


@pytest.mark.parametrize(
    ("ref", "tag", "effect"),
    [
        pytest.param("feature/greeting", "feature/greeting", {}, id="branch"),
        pytest.param("release-2026.01", "v3", {}, id="annotated-tag"),
        pytest.param("slow-start", "slow-start", {}, id="slow-start"),
        pytest.param("more-instances", "more-instances", {"api": 4}, id="more-instances"),
        pytest.param("fewer-instances", "fewer-instances", {"api": 1}, id="fewer-instances"),
        pytest.param(
            "new-ecosystem-env",
            "new-ecosystem-env",
            {"flags": {"FEATURE_BANNER", "FEATURE_ROOMS", "FEATURE_GREETING"}},
            id="new-ecosystem-env",
        ),
        pytest.param("removed-env", "removed-env", {"flags": {"FEATURE_ROOMS"}}, id="removed-env"),
    ],
)
def test_releases_of_every_kind(ref: str, tag: str, effect: dict[str, Any]) -> None:
    run = deploy(ref, answers=tag, hosts=ONE)
    assert run.code == 0, run.output
    states = assert_live(tag, *ONE, api=effect.get("api", 2))
    flags = effect.get("flags", {"FEATURE_BANNER", "FEATURE_ROOMS"})
    for state in states.values():
        assert set(state["health"]["plugspace-api"]["flags"]) == flags


def test_a_service_comes_and_goes_with_its_release() -> None:
    """The site lists it all the time; the release before it has none to go on with."""
    before = live(*ONE)
    echo = {"name": "plugspace-echo", "probe": {"type": "websocket", "url": "ws://127.0.0.1:4002/"}}
    services = [*inventory()["titan1"]["titan_services"], echo]
    run = deploy("new-service", hosts=ONE, titan_services=services)
    assert run.code == 0, run.output
    assert_live("new-service", *ONE, echo=1)
    with visitors(before, hosts=ONE):
        back = play("rollback", rollback_hosts="titan1", titan_services=services)
    assert back.code == 0, back.output
    assert_live(before, *ONE)


def test_a_process_that_is_left_behind_would_be_seen() -> None:
    """Or the look for strays after each deployment could not fail."""
    ssh("titan1", "setsid --fork sleep 61 >/dev/null 2>&1 </dev/null")
    try:
        assert any(stray.endswith("sleep 61") for stray in look("titan1")["titan1"]["strays"])
    finally:
        ssh("titan1", "pkill -u plugspace -f '^sleep 61'")
