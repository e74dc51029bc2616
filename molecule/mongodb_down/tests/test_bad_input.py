"""Wrong inputs: one clear sentence each, and nothing is touched."""

from __future__ import annotations

from typing import Any

import pytest
from support.incidents import refused

CASES: dict[str, tuple[dict[str, Any], str]] = {
    "no host": ({"hosts": "nosuch"}, "nosuch names no host of this inventory"),
    "cooldown is a list": ({"cooldown": []}, "mongodb_down_cooldown is []"),
    "maximum is nothing": ({"maximum": 0}, "mongodb_down_maximum is 0"),
    "lag is negative": ({"lag_max_s": -1}, "mongodb_down_lag_max_s is -1"),
    "settle is text": ({"settle_s": "long"}, "mongodb_down_settle_s is 'long'"),
    "port is text": ({"port": "x"}, "mongodb_down_port is 'x'"),
    "severity": ({"severity": "bad"}, "value of mongodb_down_severity must be one of"),
}


@pytest.mark.parametrize(("inputs", "sentence"), CASES.values(), ids=CASES.keys())
def test_bad_input(inputs: dict[str, Any], sentence: str) -> None:
    refused("mongodb_down", sentence, **{"hosts": "titan1", **inputs})
