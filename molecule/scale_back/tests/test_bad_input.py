"""Wrong inputs: one clear sentence each, and nothing is touched."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future

import pytest
from support.incidents import Cases, Seen, all_begun, refused

CASES: Cases = {
    "no host": ({"hosts": "nosuch"}, "nosuch names no host of this inventory"),
    "host of no group": ({"hosts": "localhost"}, "localhost is not in the group titan_app"),
    "no such service": (
        {"service": "nosuch"},
        "nosuch is none of the services in titan_services",
    ),
    "percent is text": ({"busy_percent": "few"}, "scale_back_busy_percent is 'few'"),
    "severity": ({"severity": "bad"}, "value of scale_back_severity must be one of"),
    "several at once": ({"window": "x", "interval": 0}, "scale_back_window is 'x'"),
}


@pytest.fixture(scope="module")
def runs() -> Iterator[dict[str, Future[Seen]]]:
    with all_begun("scale_back", CASES, hosts="titan1") as started:
        yield started


@pytest.mark.parametrize("case", CASES)
def test_bad_input(case: str, runs: dict[str, Future[Seen]]) -> None:
    _inputs, sentence = CASES[case]
    refused(runs[case], sentence)
