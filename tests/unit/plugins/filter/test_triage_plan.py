# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alerts, as Prometheus 2.42 and Alertmanager 0.25 tell them, and the plan that is made of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.plugspace.titan.plugins.filter.triage_plan import FilterModule

HOSTS = {"titan1": "10.0.0.1", "titan2": "10.0.0.2", "titan3": "10.0.0.3"}
GROUPS = {"titan_app": ["titan1", "titan2"], "titan_redis": ["titan1", "titan2", "titan3"]}
REDIS = {
    "procedure": "redis_down",
    "group": "titan_redis",
    "alerts": ["RedisDown", "RedisFull"],
    "severity": "critical",
    "playbook": "redis_down.yml",
    "destructive": True,
}
API = {
    "procedure": "api_down",
    "group": "titan_app",
    "alerts": ["ApiDown"],
    "severity": "critical",
    "playbook": "api_down.yml",
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def planned(answer: object) -> dict[str, Any]:
    triage_plan = FilterModule().filters()["triage_plan"]
    found: dict[str, Any] = triage_plan(answer, [REDIS, API], HOSTS, GROUPS)
    return found


def alert(name: str, state: str = "firing", since: str = "", **labels: str) -> dict[str, Any]:
    told = {"labels": {"alertname": name, **labels}, "annotations": {}, "state": state}
    return {**told, "activeAt": since, "value": "1e+00"}


def prometheus(*alerts: dict[str, Any]) -> dict[str, Any]:
    return {"status": "success", "data": {"alerts": list(alerts)}}


def brief(found: dict[str, Any]) -> list[tuple[str, str, list[str]]]:
    return [(one["severity"], one["procedure"], one["hosts"]) for one in found["procedures"]]


def test_the_most_severe_comes_first_and_each_once() -> None:
    found = planned(
        prometheus(
            alert("RedisFull", severity="warning", instance="titan2:9121", since="2026-11-24T04"),
            alert("ApiDown", severity="high", instance="10.0.0.1:4000"),
            alert("RedisFull", severity="medium", instance="titan1", since="2026-11-24T03"),
        )
    )
    assert brief(found) == [
        ("high", "api_down", ["titan1"]),
        ("medium", "redis_down", ["titan1", "titan2"]),
    ]
    assert found["problem"] == ""
    assert found["lines"] == [
        "high     api_down on titan1 (ApiDown): playbooks/api_down.yml",
        "medium   redis_down on titan1, titan2 (RedisFull since 2026-11-24T03):"
        " playbooks/redis_down.yml; has steps that a person has to name",
        "2 procedures to run, in this order.",
    ]


@pytest.mark.parametrize(
    ("labels", "hosts"),
    [
        ({}, ["titan1", "titan2", "titan3"]),
        ({"instance": "titan3:9121"}, ["titan3"]),
        ({"instance": "10.0.0.2:9121"}, ["titan2"]),
        ({"instance": "exporter:9121", "host": "titan1"}, ["titan1"]),
        ({"nodename": "titan2"}, ["titan2"]),
    ],
)
def test_where_an_alert_is(labels: dict[str, str], hosts: list[str]) -> None:
    assert brief(planned(prometheus(alert("RedisDown", **labels)))) == [
        ("critical", "redis_down", hosts)
    ]


@pytest.mark.parametrize(
    ("label", "severity"),
    [("page", "critical"), ("warning", "medium"), ("INFO", "low"), ("low", "low"), ("?", "high")],
)
def test_severities_are_those_of_the_matrix(label: str, severity: str) -> None:
    entry = {**API, "severity": ""}
    found = FilterModule().filters()["triage_plan"](
        alert("ApiDown", severity=label), [entry], HOSTS, GROUPS
    )
    assert found["procedures"][0]["severity"] == severity


def test_what_belongs_to_no_procedure_is_told() -> None:
    found = planned(
        prometheus(
            alert("Strange"),
            alert("ApiDown", instance="titan3"),
            alert("RedisDown", state="pending"),
        )
    )
    assert found["procedures"] == []
    assert found["lines"] == [
        "unknown  Strange: no procedure of the catalogue is about it",
        "unplaced ApiDown: titan3 is no host of this inventory that api_down is for",
        "pending  RedisDown does not fire",
    ]


def test_a_group_without_hosts_is_told() -> None:
    found = FilterModule().filters()["triage_plan"](alert("ApiDown"), [API], {}, {})
    assert found["unplaced"] == [
        "ApiDown: titan_app is no host of this inventory that api_down is for"
    ]


@pytest.mark.parametrize("answer", [prometheus(), [], {"alerts": []}])
def test_nothing_is_firing(answer: object) -> None:
    assert planned(answer)["lines"] == ["Nothing is firing."]


@pytest.mark.parametrize(
    "answer",
    [
        {"alertname": "ApiDown", "instance": "titan1"},
        json.dumps({"alertname": "ApiDown", "instance": "titan1"}),
        {"labels": {"alertname": "ApiDown", "instance": "titan1"}, "status": "firing"},
        {"labels": {"alertname": "ApiDown", "instance": "titan1"}, "status": {"state": "active"}},
        {"version": "4", "status": "firing", "alerts": [alert("ApiDown", instance="titan1")]},
    ],
    ids=["by hand", "text", "webhook's alert", "API's alert", "webhook"],
)
def test_an_alert_may_come_in_many_ways(answer: object) -> None:
    assert brief(planned(answer)) == [("critical", "api_down", ["titan1"])]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("<html><body>502</body></html>", "'<html><body>502</body></html>' is no JSON"),
        ("", "'' is no JSON"),
        ({"status": "error", "error": "bad query"}, "it answered with an error: bad query"),
        ({"status": "error"}, "it answered with an error: no reason"),
        ({"data": {"alerts": "none"}}, "it has no list of alerts"),
        (7, "it has no list of alerts"),
        (None, "it has no list of alerts"),
        ({"severity": "high"}, "an alert has no alertname: {'severity': 'high'}"),
        ([{"labels": {"alertname": 3}}], "an alert has no alertname"),
        (["RedisDown"], "an alert has no alertname: RedisDown"),
    ],
)
def test_what_is_no_alert_is_told(answer: object, problem: str) -> None:
    found = planned(answer)
    assert found["problem"].startswith(problem)
    assert (found["procedures"], found["lines"]) == ([], [])


@given(ANYTHING)
def test_nothing_that_is_answered_breaks_it(answer: object) -> None:
    assert set(planned(answer)) >= {"procedures", "lines", "problem"}
