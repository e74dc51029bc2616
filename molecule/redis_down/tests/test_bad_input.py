"""Wrong inputs: one clear sentence each, and nothing is touched."""

from __future__ import annotations

from typing import Any

import pytest
from support.incidents import refused

CASES: dict[str, tuple[dict[str, Any], str]] = {
    "no host": ({"hosts": "nosuch"}, "nosuch names no host of this inventory"),
    "cooldown is text": ({"cooldown": "soon"}, "redis_down_cooldown is 'soon'"),
    "maximum is negative": ({"maximum": -3}, "redis_down_maximum is -3"),
    "port is a word": ({"port": "redis"}, "redis_down_port is 'redis'"),
    "port is nothing": ({"port": 0}, "redis_down_port is 0"),
    "severity": ({"severity": "bad"}, "value of redis_down_severity must be one of"),
    "several at once": (
        {"window": "x", "lock_wait": -1},
        "redis_down_window is 'x'",
    ),
}


@pytest.mark.parametrize(("inputs", "sentence"), CASES.values(), ids=CASES.keys())
def test_bad_input(inputs: dict[str, Any], sentence: str) -> None:
    refused("redis_down", sentence, **{"hosts": "titan1", **inputs})
