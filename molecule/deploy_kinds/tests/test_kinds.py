"""What a ref can be, and what a good release can bring: all of it arrives, and no visitor notices.

The tests follow each other: each deploys over what the one before it left.
"""

from __future__ import annotations

from typing import Any

import pytest
from support.deployment import assert_live, deploy

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
