"""Wrong inputs: one clear sentence each, and nothing is touched."""

from __future__ import annotations

from typing import Any

import pytest
from support.incidents import refused

CASES: dict[str, tuple[dict[str, Any], str]] = {
    "no host": ({"hosts": "nosuch"}, "nosuch names no host of this inventory"),
    "no such service": (
        {"service": "nosuch"},
        "nosuch is none of the services in titan_services",
    ),
    "percent is text": ({"busy_percent": "few"}, "scale_back_busy_percent is 'few'"),
    "severity": ({"severity": "bad"}, "value of scale_back_severity must be one of"),
    "several at once": ({"window": "x", "interval": 0}, "scale_back_window is 'x'"),
}


@pytest.mark.parametrize(("inputs", "sentence"), CASES.values(), ids=CASES.keys())
def test_bad_input(inputs: dict[str, Any], sentence: str) -> None:
    refused("scale_back", sentence, **{"hosts": "titan1", **inputs})
