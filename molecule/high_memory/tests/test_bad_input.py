"""Wrong inputs: one clear sentence each, and nothing is touched."""

from __future__ import annotations

from typing import Any

import pytest
from support.incidents import refused

CASES: dict[str, tuple[dict[str, Any], str]] = {
    "no host": ({"hosts": "nosuch"}, "nosuch names no host of this inventory"),
    "cooldown is text": ({"cooldown": "soon"}, "high_memory_cooldown is 'soon'"),
    "maximum is negative": ({"maximum": -3}, "high_memory_maximum is -3"),
    "available is a word": ({"available_mb": "much"}, "high_memory_available_mb is 'much'"),
    "available is negative": (
        {"available_percent": -1},
        "high_memory_available_percent is -1",
    ),
    "available is everything": ({"available_percent": 100}, "it has to be less than 100"),
    "a limit is text": (
        {"services": [{"name": "api", "memory_limit_mb": "much"}]},
        "memory_limit_mb of api is 'much'",
    ),
    "lag is a list": ({"lag_max_s": []}, "high_memory_lag_max_s is []"),
    "severity": ({"severity": "bad"}, "value of high_memory_severity must be one of"),
    "several at once": (
        {"window": "x", "lock_wait": -1},
        "high_memory_window is 'x'",
    ),
}


@pytest.mark.parametrize(("inputs", "sentence"), CASES.values(), ids=CASES.keys())
def test_bad_input(inputs: dict[str, Any], sentence: str) -> None:
    refused("high_memory", sentence, **{"hosts": "titan1", **inputs})
