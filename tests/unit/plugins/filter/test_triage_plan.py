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

HOSTS = {"titan1": "10.0.0.1", "titan2": "10.0.0.2", "titan3": "10.0.0.3", "titan4": "fd00::2"}
ALL = list(HOSTS)
GROUPS = {"titan_app": ["titan1", "titan2"], "titan_redis": ALL}
REDIS = {
    "procedure": "redis_down",
    "group": "titan_redis",
    "symptoms": ["session errors", "cache misses"],
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
# As Prometheus tells them: with nanoseconds, in the zone of its host.
FOUR = "2026-11-24T04:00:00.123456789Z"
THREE = "2026-11-24T05:00:00.5+02:00"
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def planned(answer: object) -> dict[str, Any]:
    triage_plan = FilterModule().filters()["triage_plan"]
    found: dict[str, Any] = triage_plan(answer, [REDIS, API], HOSTS, GROUPS, "plugspace.io")
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
            alert("RedisFull", severity="warning", instance="titan2:9121", since=FOUR),
            alert("ApiDown", severity="high", instance="10.0.0.1:4000"),
            alert("RedisFull", severity="medium", instance="titan1", since=THREE),
        )
    )
    assert brief(found) == [
        ("high", "api_down", ["titan1"]),
        ("medium", "redis_down", ["titan1", "titan2"]),
    ]
    assert found["problem"] == ""
    assert found["lines"] == [
        "high     api_down on titan1 (ApiDown): playbooks/api_down.yml",
        "medium   redis_down on titan1, titan2 (RedisFull since 2026-11-24T03:00:00Z):"
        " playbooks/redis_down.yml; destructive steps only when named",
        "2 procedures to run, in this order.",
    ]


@pytest.mark.parametrize(
    ("labels", "hosts"),
    [
        ({}, ALL),
        ({"instance": "titan3:9121"}, ["titan3"]),
        ({"instance": "10.0.0.2:9121"}, ["titan2"]),
        ({"instance": "exporter:9121", "host": "titan1"}, ["titan1"]),
        ({"nodename": "titan2"}, ["titan2"]),
        ({"instance": "titan2.plugspace.io:9121"}, ["titan2"]),
        ({"instance": "TITAN2"}, ["titan2"]),
        ({"instance": "http://titan2:4000/health"}, ["titan2"]),
        ({"instance": "http://10.0.0.2/health"}, ["titan2"]),
        ({"instance": "titan2/health"}, ["titan2"]),
        ({"instance": "[fd00::2]:9121"}, ["titan4"]),
        ({"instance": "fd00::2"}, ["titan4"]),
        # The site is on all of them.
        ({"instance": "https://plugspace.io/api/health"}, ALL),
        ({"instance": "Plugspace.io:443"}, ALL),
        ({"instance": "https://plugspace.io/", "host": "titan1"}, ["titan1"]),
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


@pytest.mark.parametrize(
    "place",
    [
        "titan9:9121",
        "10.0.0.9:9121",
        "https://plugspace.example/api/health",
        # Of another domain than the one in the inventory.
        "db1.us.plugspace.io",
        # Two hosts are called so.
        "db2",
        "http://[broken",
    ],
)
def test_what_names_no_host_is_placed_nowhere(place: str) -> None:
    hosts = dict.fromkeys(["db1.eu.plugspace.io", "db2.eu.plugspace.io", "db2.us.plugspace.io"], "")
    found = FilterModule().filters()["triage_plan"](
        alert("RedisDown", instance=place), [REDIS], hosts, {"titan_redis": list(hosts)}
    )
    assert found["procedures"] == []
    assert len(found["by_hand"]) == len(found["unplaced"]) == 1


def test_a_host_may_have_its_domain_in_the_inventory_alone() -> None:
    found = FilterModule().filters()["triage_plan"](
        alert("RedisDown", instance="db1:9121"),
        [REDIS],
        {"db1.eu.plugspace.io": "", "app1": ""},
        {"titan_redis": ["db1.eu.plugspace.io"]},
    )
    assert found["procedures"][0]["hosts"] == ["db1.eu.plugspace.io"]


def test_of_two_names_with_one_address_the_first_counts() -> None:
    hosts = {"titan1": "10.0.0.1", "alias1": "10.0.0.1"}
    found = FilterModule().filters()["triage_plan"](
        alert("RedisDown", instance="10.0.0.1:9121"), [REDIS], hosts, {"titan_redis": list(hosts)}
    )
    assert found["procedures"][0]["hosts"] == ["titan1"]


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
        "No procedure is run for these, so a person has to look: ApiDown on titan3, Strange on"
        " plugspace.io.",
    ]


def test_nobody_is_wanted_for_an_alert_of_no_severity() -> None:
    found = planned(prometheus(alert("Watchdog", severity="none")))
    assert found["by_hand"] == []
    assert found["unknown"] == ["Watchdog: no procedure of the catalogue is about it"]


def test_a_person_is_told_of_what_no_procedure_is_run_for() -> None:
    strange = alert("Strange", severity="page", instance="titan2", since=FOUR)
    strange["annotations"] = {"summary": "The flux is\nlow"}
    found = planned(prometheus(alert("RedisDown"), strange, alert("ApiDown", instance="titan3")))
    assert brief(found) == [("critical", "redis_down", ALL)]
    seen = "Strange fires at titan2 (The flux is low): no procedure of the catalogue is about it"
    first, second = found["by_hand"]
    assert first == {
        "procedure": "triage",
        "subject": "Strange",
        "host": "titan2",
        "severity": "critical",
        "summary": f"{seen}. Nothing was done; a person has to look.",
        "cause": "no_procedure",
        "advice": first["advice"],
        "findings": first["findings"],
        "rungs": [],
        "incident_began": "2026-11-24T04:00:00Z",
    }
    assert first["findings"][0]["evidence"] == seen
    # Without a label it is as bad as the catalogue says.
    assert (second["severity"], second["cause"], second["incident_began"]) == (
        "critical",
        "no_host",
        "",
    )
    assert "playbooks/api_down.yml" in second["advice"]


def test_a_person_is_told_once_of_each_place() -> None:
    found = planned(
        [
            alert("Strange", severity="low", since=THREE),
            alert("Strange", severity="critical", since=FOUR),
            alert("Strange", severity="critical", since=THREE),
            alert("Strange", severity="critical"),
            alert("Strange", host="titan1"),
        ]
    )
    told = [(one["host"], one["severity"], one["incident_began"]) for one in found["by_hand"]]
    assert told == [
        ("plugspace.io", "critical", "2026-11-24T03:00:00Z"),
        ("titan1", "high", ""),
    ]


def test_nobody_has_to_look_where_one_of_two_procedures_is_run() -> None:
    cache = {**REDIS, "procedure": "cache_down", "group": "titan_cache"}
    found = FilterModule().filters()["triage_plan"](
        alert("RedisDown"), [cache, REDIS], HOSTS, GROUPS
    )
    assert [one["procedure"] for one in found["procedures"]] == ["redis_down"]
    assert (found["unplaced"], found["by_hand"]) == ([], [])


def test_a_group_without_hosts_is_told() -> None:
    found = FilterModule().filters()["triage_plan"](alert("ApiDown"), [API], {}, {})
    assert found["unplaced"] == [
        "ApiDown: the group titan_app, which api_down is for, has no host in this inventory"
    ]
    assert found["by_hand"][0]["host"] == "localhost"


def test_each_host_has_its_own_beginning() -> None:
    found = planned(
        [
            alert("RedisDown", instance="titan1", since=FOUR),
            alert("RedisDown", instance="titan1", since=THREE),
            alert("RedisFull", instance="titan2", since=FOUR),
            alert("RedisDown", instance="titan3"),
        ]
    )
    assert found["procedures"][0]["began"] == {
        "titan1": "2026-11-24T03:00:00Z",
        "titan2": "2026-11-24T04:00:00Z",
        "titan3": "",
    }
    assert found["procedures"][0]["since"] == "2026-11-24T03:00:00Z"


@pytest.mark.parametrize(
    "told",
    ["", "yesterday", "2026-13-24T03:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00"],
)
def test_what_is_no_time_is_left_out(told: str) -> None:
    found = planned(alert("RedisDown", instance="titan1", since=told))
    assert found["procedures"][0]["began"] == {"titan1": ""}


@pytest.mark.parametrize("answer", [prometheus(), [], {"alerts": []}])
def test_nothing_is_firing(answer: object) -> None:
    assert planned(answer)["lines"] == ["Nothing is firing."]
    assert planned(answer)["symptoms"] == [
        "Who sees something all the same finds the procedure by it:",
        "playbooks/redis_down.yml: session errors, cache misses",
    ]


def test_symptoms_are_told_where_no_alert_says_what_to_do() -> None:
    assert len(planned(prometheus(alert("ApiDown", state="pending")))["symptoms"]) == 2
    for name in ("ApiDown", "Other"):
        assert planned(prometheus(alert(name)))["symptoms"] == []
    assert planned("no alert")["symptoms"] == []
    # A site may say what it likes of its own entries.
    odd = [API, {**API, "symptoms": "slow"}, {"procedure": "x", "symptoms": ["y"]}]
    assert FilterModule().filters()["triage_plan"]([], odd, HOSTS, GROUPS)["symptoms"] == []


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
        (" ", "it is empty"),
        ("{", "'{' is no JSON"),
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
