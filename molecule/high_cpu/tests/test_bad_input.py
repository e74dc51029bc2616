"""Wrong inputs: one clear sentence each, and nothing is touched."""

from __future__ import annotations

from typing import Any

import pytest
from support.incidents import refused

CASES: dict[str, tuple[dict[str, Any], str]] = {
    "no host": ({"hosts": "nosuch"}, "nosuch names no host of this inventory"),
    "percent is text": (
        {"process_percent": "much"},
        "high_cpu_process_percent is 'much'",
    ),
    "age is negative": ({"min_age": -1}, "high_cpu_min_age is -1"),
    "severity": ({"severity": "bad"}, "value of high_cpu_severity must be one of"),
    "several at once": ({"window": "x", "interval": 0}, "high_cpu_window is 'x'"),
}


@pytest.mark.parametrize(("inputs", "sentence"), CASES.values(), ids=CASES.keys())
def test_bad_input(inputs: dict[str, Any], sentence: str) -> None:
    refused("high_cpu", sentence, **{"hosts": "titan1", **inputs})
