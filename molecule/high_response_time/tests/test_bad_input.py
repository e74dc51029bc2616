"""Wrong inputs: one clear sentence each, and nothing is touched."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future

import pytest
from support.incidents import Cases, Seen, all_begun, refused

SERVICE = {"name": "plugspace-api", "port": 4000, "probe": {"url": "http://127.0.0.1:4000/"}}
CASES: Cases = {
    "no host": ({"hosts": "nosuch"}, "nosuch names no host of this inventory"),
    "host of no group": ({"hosts": "localhost"}, "localhost is not in the group titan_app"),
    "unknown service": ({"service": "nosuch"}, "nosuch is none of the services in titan_services"),
    "no probe": ({"services": [{**SERVICE, "probe": {}}]}, "plugspace-api has no probe"),
    "no limit": ({"answer_ms": 0}, "high_response_time_answer_ms is 0"),
    "limit is text": ({"answer_ms": "slow"}, "high_response_time_answer_ms is 'slow'"),
    "no time": ({"since": 0}, "high_response_time_since is 0"),
    "severity": ({"severity": "bad"}, "value of high_response_time_severity must be one of"),
    "several at once": (
        {"operation_s": -1, "maximum": 0},
        "high_response_time_operation_s is -1",
    ),
}


@pytest.fixture(scope="module")
def runs() -> Iterator[dict[str, Future[Seen]]]:
    with all_begun("high_response_time", CASES, hosts="titan1") as started:
        yield started


@pytest.mark.parametrize("case", CASES)
def test_bad_input(case: str, runs: dict[str, Future[Seen]]) -> None:
    _inputs, sentence = CASES[case]
    refused(runs[case], sentence)
