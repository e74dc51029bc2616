# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is called and until when, and matrices that cannot be used."""

from __future__ import annotations

import copy
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.plugspace.titan.plugins.filter.escalation_settings import FilterModule
from ansible_collections.plugspace.titan.plugins.module_utils._escalation import (
    RUNBOOK,
    EscalationError,
    chain_of,
    moment,
)

MATRIX: dict[str, Any] = dict(RUNBOOK)
CONTACTS = {"On-call": {"pagerduty": "the schedule", "phone": ""}}
settings = FilterModule().filters()["escalation_settings"]


def at(text: str) -> datetime:
    return moment(text, "test")


def chain(severity: str, began: str, now: str) -> dict[str, Any]:
    return dict(chain_of(severity, at(began), at(now), MATRIX, CONTACTS))


def test_the_matrix_of_a_site_that_has_none_is_the_runbooks() -> None:
    found = settings([], {}, CONTACTS)
    assert found == {
        "matrix": MATRIX,
        "contacts": CONTACTS,
        "channels": [],
        "problems": [],
        "remarks": [],
    }
    assert {
        name: (level["response_minutes"], level["chain"]) for name, level in MATRIX.items()
    } == {
        "critical": (15, ["On-call", "Team Lead", "CTO"]),
        "high": (60, ["On-call", "Team Lead"]),
        "medium": (240, ["On-call"]),
        "low": (1440, ["On-call"]),
    }


@pytest.mark.parametrize(
    ("severity", "now", "call", "until", "overdue"),
    [
        ("critical", "03:00:00", "On-call", "03:15:00", False),
        ("critical", "03:14:59", "On-call", "03:15:00", False),
        ("critical", "03:15:00", "Team Lead", "03:30:00", False),
        ("critical", "03:30:00", "CTO", "03:45:00", False),
        ("critical", "03:45:00", "CTO", "03:45:00", True),
        ("critical", "23:45:00", "CTO", "03:45:00", True),
        # A clock that is behind.
        ("critical", "02:00:00", "On-call", "03:15:00", False),
        ("high", "03:59:00", "On-call", "04:00:00", False),
        ("high", "04:00:00", "Team Lead", "05:00:00", False),
        ("medium", "06:59:00", "On-call", "07:00:00", False),
        ("medium", "07:00:00", "On-call", "07:00:00", True),
    ],
)
def test_chain_by_the_minute(severity: str, now: str, call: str, until: str, overdue: bool) -> None:
    # A Saturday: an outage knows no weekend.
    found = chain(severity, "2026-01-03T03:00:00Z", f"2026-01-03T{now}Z")
    assert (found["call"], found["until"], found["overdue"]) == (
        call,
        f"2026-01-03T{until}Z",
        overdue,
    )


@pytest.mark.parametrize(
    ("began", "begins", "until"),
    [
        # Wednesday, Thursday, Friday, Saturday, Sunday of the first weeks of January 2026.
        ("2026-01-07T10:00:00Z", "2026-01-07T10:00:00Z", "2026-01-08T10:00:00Z"),
        ("2026-01-08T00:00:00Z", "2026-01-08T00:00:00Z", "2026-01-09T00:00:00Z"),
        ("2026-01-09T00:00:00Z", "2026-01-09T00:00:00Z", "2026-01-10T00:00:00Z"),
        ("2026-01-09T15:00:00Z", "2026-01-09T15:00:00Z", "2026-01-12T15:00:00Z"),
        ("2026-01-10T11:00:00Z", "2026-01-12T00:00:00Z", "2026-01-13T00:00:00Z"),
        ("2026-01-11T23:59:59Z", "2026-01-12T00:00:00Z", "2026-01-13T00:00:00Z"),
        # Another zone: Sunday in UTC.
        ("2026-01-12T01:00:00+02:00", "2026-01-12T00:00:00Z", "2026-01-13T00:00:00Z"),
    ],
)
def test_next_business_day(began: str, begins: str, until: str) -> None:
    found = chain("low", began, began)
    assert (found["steps"][0]["begins"], found["until"]) == (begins, until)
    assert found["due"] == (begins <= found["began"])
    assert not found["overdue"]
    assert chain("low", began, until)["overdue"]


def test_the_first_is_called_before_the_business_day_begins() -> None:
    low = {"response_minutes": 60, "chain": ["On-call", "CTO"], "business_days": True}
    saturday = at("2026-01-03T03:00:00Z")
    found = chain_of("low", saturday, saturday, {**MATRIX, "low": low}, {})
    assert (found["due"], found["call"], found["until"]) == (0, "On-call", "2026-01-05T01:00:00Z")


def test_contacts_are_named_where_they_are_known() -> None:
    steps = chain("high", "2026-01-03T03:00:00Z", "2026-01-03T03:00:00Z")["steps"]
    assert [step["contact"] for step in steps] == ["pagerduty: the schedule", ""]


@given(
    st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1)),
    st.integers(min_value=1, max_value=30 * 24 * 60),
)
def test_business_time_never_ends_at_a_weekend_nor_early(began: datetime, minutes: int) -> None:
    level = {"response_minutes": minutes, "chain": ["a", "b"], "business_days": True}
    start = began.replace(tzinfo=timezone.utc, microsecond=0)
    found = chain_of("low", start, start, {**MATRIX, "low": level}, {})
    for step in found["steps"]:
        begins, ends = at(step["begins"]), at(step["until"])
        assert begins.weekday() < 5
        assert (ends - timedelta(seconds=1)).weekday() < 5
        assert ends - begins >= timedelta(minutes=minutes)
    assert found["steps"][1]["begins"] >= found["steps"][0]["until"]


def wrong(**changes: Any) -> dict[str, Any]:
    matrix = copy.deepcopy(MATRIX)
    matrix["high"].update(changes)
    return matrix


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        ([], "the escalation matrix is no mapping"),
        ({**MATRIX, "urgent": {}}, "severity urgent: the severities are critical, high"),
        ({**MATRIX, "high": 5}, "severity high: it is no mapping"),
        ({"high": MATRIX["high"]}, "has no severity critical"),
        (wrong(minutes=5), "severity high: minutes is not known"),
        (wrong(response_minutes="60"), "severity high: response_minutes is no number"),
        (wrong(response_minutes=True), "response_minutes is no number"),
        (wrong(response_minutes=0), "response_minutes is no number"),
        (wrong(response_minutes=1e9), "response_minutes is no number"),
        (wrong(response_minutes=float("nan")), "response_minutes is no number"),
        (wrong(chain=[]), "severity high: chain is no list"),
        (wrong(chain="On-call"), "chain is no list"),
        (wrong(chain=["On-call", " "]), "severity high: chain[1] is no name"),
        (wrong(chain=[None]), "chain[0] is no name"),
        (wrong(business_days="yes"), "business_days is neither true nor false"),
    ],
)
def test_bad_matrix_is_told_with_its_place_and_another_counts(matrix: Any, said: str) -> None:
    found = settings([], matrix)
    assert said in "\n".join(found["problems"])
    assert found["matrix"] == MATRIX
    now = at("2026-01-03T03:00:00Z")
    with pytest.raises(EscalationError, match="escalation matrix"):
        chain_of("high", now, now, matrix, {})


@pytest.mark.parametrize("contacts", [[], {"CTO": "x"}, {"CTO": {"mail": 5}}, {"CTO": {5: "x"}}])
def test_bad_contacts_are_told_and_left_out(contacts: Any) -> None:
    found = settings([], MATRIX, contacts)
    (said,) = found["problems"]
    assert said.startswith("the contacts")
    assert found["contacts"] == {}


def test_what_a_site_does_not_set_is_no_problem() -> None:
    found = settings(None, {}, None)
    assert found == {
        "matrix": MATRIX,
        "contacts": {},
        "channels": [],
        "problems": [],
        "remarks": [],
    }


MAIL = {"name": "mail", "type": "mail", "host": "smtp", "from": "titan@x"}


def test_whom_a_mail_does_not_reach_is_told() -> None:
    (said,) = settings([MAIL], {}, {"On-call": {"mail": "on@x"}, "CTO": {"phone": "1"}})["remarks"]
    assert said.startswith(
        "escalation channel mail does not reach Team Lead, CTO; give them a mail"
    )
    # Only who is called for what the channel wants.
    wants = {**MAIL, "severities": ["high", "low"]}
    (said,) = settings([wants], {}, {"On-call": {"mail": "on@x"}})["remarks"]
    assert "does not reach Team Lead;" in said
    assert (
        settings([{**MAIL, "severities": ["low"]}], {}, {"On-call": {"mail": "a"}})["remarks"] == []
    )
    # An address of its own needs nobody's, and others reach whoever looks at them.
    others = [{**MAIL, "to": "ops@x"}, {"name": "s", "type": "slack", "url": "https://s/x"}]
    assert settings(others, {}, {})["remarks"] == []
    # A contact that cannot be used is none.
    found = settings([MAIL], {"high": {}}, {"On-call": {"mail": "on@x"}, "Team Lead": 1})
    assert "does not reach Team Lead, CTO" in found["remarks"][0]


def test_one_bad_contact_costs_no_other() -> None:
    assert settings([], MATRIX, {**CONTACTS, "CTO": 1})["contacts"] == CONTACTS


def test_unknown_severity_and_time_are_refused() -> None:
    with pytest.raises(EscalationError, match="'bad' is none of critical, high, medium, low"):
        chain("bad", "2026-01-03T03:00:00Z", "2026-01-03T03:00:00Z")
    for text in ("yesterday", "", "0001-01-01T00:00:00+23:00"):
        with pytest.raises(EscalationError, match="began is no time"):
            moment(text, "began")
