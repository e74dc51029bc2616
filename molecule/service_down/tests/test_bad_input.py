"""Wrong inputs: one clear sentence each, and nothing is touched."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future

import pytest
from support.incidents import Cases, Seen, all_begun, refused

SERVICE = {"name": "plugspace-api", "port": 4000, "probe": {"url": "http://127.0.0.1:4000/"}}
CASES: Cases = {
    "no service": ({}, "service_down_service is not given"),
    "unknown service": ({"service": "nosuch"}, "nosuch is none of the services in titan_services"),
    "no host": ({"hosts": "nosuch"}, "nosuch names no host of this inventory"),
    "host of no group": ({"hosts": "localhost"}, "localhost is not in the group titan_app"),
    "cooldown is text": ({"cooldown": "soon"}, "service_down_cooldown is 'soon'"),
    "cooldown is a list": ({"cooldown": [1]}, "service_down_cooldown is [1]"),
    "maximum is nothing": ({"maximum": 0}, "service_down_maximum is 0"),
    "window is negative": ({"window": -60}, "service_down_window is -60"),
    "no services at all": ({"services": []}, "titan_services names no service"),
    "no port": ({"services": [{**SERVICE, "port": None}]}, "plugspace-api has no port"),
    "no probe": ({"services": [{**SERVICE, "probe": {}}]}, "plugspace-api has no probe"),
    "strange dependency": (
        {"services": [{**SERVICE, "depends_on": ["mysql"]}]},
        "plugspace-api depends on mysql",
    ),
    "probe that is none": (
        {"services": [{**SERVICE, "probe": {"url": "ftp://x"}}]},
        "a http probe needs a url that begins with http:// or https://",
    ),
    "severity": ({"severity": "awful"}, "value of service_down_severity must be one of"),
    "several at once": (
        {"service": "", "cooldown": -1, "maximum": "x"},
        "service_down_cooldown is -1; it has to be a number that is 0 or more;"
        " service_down_maximum is 'x'",
    ),
}


@pytest.fixture(scope="module")
def runs() -> Iterator[dict[str, Future[Seen]]]:
    with all_begun("service_down", CASES, service="plugspace-api", hosts="titan1") as started:
        yield started


@pytest.mark.parametrize("case", CASES)
def test_bad_input(case: str, runs: dict[str, Future[Seen]]) -> None:
    _inputs, sentence = CASES[case]
    refused(runs[case], sentence)
