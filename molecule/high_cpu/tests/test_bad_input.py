"""Wrong inputs: one clear sentence each, and nothing is touched."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future

import pytest
from support.incidents import Cases, Seen, all_begun, refused

CASES: Cases = {
    "no host": ({"hosts": "nosuch"}, "nosuch names no host of this inventory"),
    "host of no group": ({"hosts": "localhost"}, "localhost is not in the group all"),
    "percent is text": (
        {"process_percent": "much"},
        "high_cpu_process_percent is 'much'",
    ),
    "age is negative": ({"min_age": -1}, "high_cpu_min_age is -1"),
    "severity": ({"severity": "bad"}, "value of high_cpu_severity must be one of"),
    "several at once": ({"window": "x", "interval": 0}, "high_cpu_window is 'x'"),
}


@pytest.fixture(scope="module")
def runs() -> Iterator[dict[str, Future[Seen]]]:
    with all_begun("high_cpu", CASES, hosts="titan1") as started:
        yield started


@pytest.mark.parametrize("case", CASES)
def test_bad_input(case: str, runs: dict[str, Future[Seen]]) -> None:
    _inputs, sentence = CASES[case]
    refused(runs[case], sentence)
