"""Wrong inputs: one clear sentence each, and nothing is touched."""

from __future__ import annotations

from typing import Any

import pytest
from support.incidents import refused

CASES: dict[str, tuple[str, dict[str, Any], str]] = {
    "no host": ("high_cpu", {"hosts": "nosuch"}, "nosuch names no host of this inventory"),
    "percent is text": (
        "high_cpu",
        {"process_percent": "much"},
        "high_cpu_process_percent is 'much'",
    ),
    "age is negative": ("high_cpu", {"min_age": -1}, "high_cpu_min_age is -1"),
    "severity": ("high_cpu", {"severity": "bad"}, "value of high_cpu_severity must be one of"),
    "several at once": ("high_cpu", {"window": "x", "interval": 0}, "high_cpu_window is 'x'"),
    "no such service": (
        "scale_back",
        {"service": "nosuch"},
        "nosuch is none of the services in titan_services",
    ),
    "scale back with text": (
        "scale_back",
        {"busy_percent": "few"},
        "scale_back_busy_percent is 'few'",
    ),
}


@pytest.mark.parametrize(("name", "inputs", "sentence"), CASES.values(), ids=CASES.keys())
def test_bad_input(name: str, inputs: dict[str, Any], sentence: str) -> None:
    refused(name, sentence, **{"hosts": "titan1", **inputs})
