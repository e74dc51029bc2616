# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory lacks for a service, and its state in a few lines."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from ansible_collections.plugspace.titan.plugins.filter import (
    service_evidence,
    service_others,
    service_problems,
)

from .strange import ANYTHING

problems = service_problems.FilterModule().filters()["service_problems"]
others = service_others.FilterModule().filters()["service_others"]
shown = service_evidence.FilterModule().filters()["service_evidence"]

API = {"name": "api", "port": 4000, "probe": {"url": "http://127.0.0.1:4000/"}}


@pytest.mark.parametrize(
    ("services", "name", "told"),
    [
        ([], "api", "titan_services names no service"),
        ("api", "api", "titan_services names no service"),
        (
            [API, {}],
            "web",
            "web is none of the services in titan_services (api, one without a name)",
        ),
        ([API], "", "no service was named, say one of the services in titan_services (api)"),
        ([{**API, "port": 0}], "api", "api has no port"),
        ([{**API, "port": 65536}], "api", "api has no port"),
        ([{**API, "probe": None}], "api", "api has no probe"),
        (
            [{**API, "probe": {"url": "ftp://x"}}],
            "api",
            "the probe of api in titan_services: a http probe needs a url",
        ),
        (
            [{**API, "depends_on": ["mysql", "redis"]}],
            "api",
            "api depends on mysql in titan_services",
        ),
    ],
)
def test_what_is_missing_is_named(services: Any, name: str, told: str) -> None:
    (sentence,) = problems(services, name)
    assert sentence.startswith(told)


def test_all_problems_are_told_together() -> None:
    assert problems([API], "api") == []
    assert problems([{**API, "probe": {"type": "mongodb", "port": 1}}], "api") == []
    assert len(problems([{"name": "api", "depends_on": ["x"]}], "api")) == 3


def test_the_probes_of_the_others_are_those_that_can_be_sent() -> None:
    voice = {"name": "voice", "probe": {"type": "websocket", "url": "ws://127.0.0.1:4001/"}}
    bad = [
        {"name": "mailer"},
        {"name": "web", "probe": {"url": "ftp://x"}},
        {"name": "store", "probe": {"type": "mongodb", "port": 1}},
        {"probe": voice["probe"]},
    ]
    assert others([API, voice, *bad], "api") == [
        {"type": "websocket", "url": "ws://127.0.0.1:4001/", "name": "voice"}
    ]


def observed() -> dict[str, Any]:
    online = {"status": "online", "pid": 1}
    return {
        "service": {"name": "api"},
        "answer": {"ok": False, "reason": "got no connection"},
        "site": {"ok": True},
        "pm2": {
            "daemon": {"state": "running"},
            "apps": [{"name": "api", "instances": [online, {"status": "errored", "pid": 0}]}],
        },
        "host": {
            "memory": {"available_bytes": 5 * 1024**3},
            "file_systems": [{"mount": "/", "used_percent": 31.4}],
        },
    }


def test_the_state_in_a_few_lines() -> None:
    assert shown(observed()) == {
        "answer": "got no connection",
        "site": "good",
        "PM2": "1 of 2 instances online",
        "memory": "5.0 GB available",
        "fullest disk": "/ 31 %",
    }


def test_what_was_not_seen_is_left_out() -> None:
    assert shown({}) == {}
    assert shown({"answer": {"ok": False, "msg": "no answer"}}) == {"answer": "no answer"}
    assert shown({"answer": {"ok": False}}) == {"answer": "bad"}


@pytest.mark.parametrize(
    ("pm2", "line"),
    [
        ({"daemon": {"state": "hung"}}, "daemon hung"),
        ({"daemon": {"state": "running"}, "apps": []}, "no application api"),
    ],
)
def test_a_pm2_without_the_service(pm2: dict[str, Any], line: str) -> None:
    assert shown({**observed(), "pm2": pm2})["PM2"] == line


MEMBERS = [{"role": "PRIMARY"}, {"role": "SECONDARY"}, {"role": ""}]


@pytest.mark.parametrize(
    ("database", "line"),
    [
        ({"redis": {"state": "refused"}}, {"Redis": "refused"}),
        (
            {"redis": {"state": "ok", "memory": {"used_bytes": 2 * 1024**2, "max_bytes": 0}}},
            {"Redis": "ok, 2.0 MB in use"},
        ),
        (
            {"redis": {"state": "oom", "memory": {"used_bytes": 2**21, "max_bytes": 2**20}}},
            {"Redis": "oom, 2.0 MB of 1.0 MB in use"},
        ),
        ({"mongodb": {"state": "hung"}}, {"MongoDB": "hung"}),
        (
            {"mongodb": {"state": "ok", "role": "PRIMARY", "members": MEMBERS}},
            {"MongoDB": "PRIMARY, 2 of 3 members answer"},
        ),
    ],
)
def test_a_database(database: dict[str, Any], line: dict[str, str]) -> None:
    assert shown(database) == line


@given(ANYTHING)
def test_nothing_that_is_observed_breaks_it(value: object) -> None:
    assert isinstance(shown(value), dict)
    assert isinstance(problems(value, "api"), list)
    assert isinstance(others(value, "api"), list)
