"""Wrong inputs: one clear sentence each, and nothing is touched."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future

import pytest
from support.incidents import Cases, Seen, all_begun, refused

CASES: Cases = {
    "no host": ({"hosts": "nosuch"}, "nosuch names no host of this inventory"),
    "host of no group": ({"hosts": "localhost"}, "localhost is not in the group all"),
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


@pytest.fixture(scope="module")
def runs() -> Iterator[dict[str, Future[Seen]]]:
    with all_begun("high_memory", CASES, hosts="titan1") as started:
        yield started


@pytest.mark.parametrize("case", CASES)
def test_bad_input(case: str, runs: dict[str, Future[Seen]]) -> None:
    _inputs, sentence = CASES[case]
    refused(runs[case], sentence)
