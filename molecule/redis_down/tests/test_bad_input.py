"""Wrong inputs: one clear sentence each, and nothing is touched."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future

import pytest
from support.incidents import Cases, Seen, all_begun, refused

CASES: Cases = {
    "no host": ({"hosts": "nosuch"}, "nosuch names no host of this inventory"),
    "host of no group": ({"hosts": "localhost"}, "localhost is not in the group titan_redis"),
    "one host of two": ({"hosts": "titan1,titan9"}, "titan9 is no host and no group"),
    "hosts are empty": ({"hosts": ""}, "The hosts to look at are given and empty"),
    "an input misspelled": (
        {"maxinum": 1},
        "redis_down_maxinum is not known (did you mean redis_down_maximum?)",
    ),
    "override is no answer": ({"override": "perhaps"}, "redis_down_override"),
    "cooldown is text": ({"cooldown": "soon"}, "redis_down_cooldown is 'soon'"),
    "maximum is negative": ({"maximum": -3}, "redis_down_maximum is -3"),
    "port is a word": ({"port": "redis"}, "redis_down_port is 'redis'"),
    "port is nothing": ({"port": 0}, "redis_down_port is 0"),
    "severity": ({"severity": "bad"}, "value of redis_down_severity must be one of"),
    "several at once": (
        {"window": "x", "lock_wait": -1},
        "redis_down_window is 'x'",
    ),
}


@pytest.fixture(scope="module")
def runs() -> Iterator[dict[str, Future[Seen]]]:
    with all_begun("redis_down", CASES, hosts="titan1") as started:
        yield started


@pytest.mark.parametrize("case", CASES)
def test_bad_input(case: str, runs: dict[str, Future[Seen]]) -> None:
    _inputs, sentence = CASES[case]
    refused(runs[case], sentence)
