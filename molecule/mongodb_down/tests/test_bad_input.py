"""Wrong inputs: one clear sentence each, and nothing is touched."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future

import pytest
from support.incidents import Cases, Seen, all_begun, refused

CASES: Cases = {
    "no host": ({"hosts": "nosuch"}, "nosuch names no host of this inventory"),
    "host of no group": ({"hosts": "localhost"}, "localhost is not in the group titan_mongodb"),
    "cooldown is a list": ({"cooldown": []}, "mongodb_down_cooldown is []"),
    "maximum is nothing": ({"maximum": 0}, "mongodb_down_maximum is 0"),
    "lag is negative": ({"lag_max_s": -1}, "mongodb_down_lag_max_s is -1"),
    "settle is text": ({"settle_s": "long"}, "mongodb_down_settle_s is 'long'"),
    "port is text": ({"port": "x"}, "mongodb_down_port is 'x'"),
    "a host has no member": (
        {"members": ["titan1:27017", "titan2:27017"]},
        "mongodb_down_members names 2 members, and titan_mongodb has 3 hosts",
    ),
    "severity": ({"severity": "bad"}, "value of mongodb_down_severity must be one of"),
}


@pytest.fixture(scope="module")
def runs() -> Iterator[dict[str, Future[Seen]]]:
    with all_begun("mongodb_down", CASES, hosts="titan1") as started:
        yield started


@pytest.mark.parametrize("case", CASES)
def test_bad_input(case: str, runs: dict[str, Future[Seen]]) -> None:
    _inputs, sentence = CASES[case]
    refused(runs[case], sentence)
