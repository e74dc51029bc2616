# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person reads of an incident, in each form."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.receivers import PAGERDUTY_EVENT

from ansible_collections.plugspace.titan.plugins.module_utils._escalation import chain_of, moment
from ansible_collections.plugspace.titan.plugins.module_utils._escalation_message import (
    Message,
    masked,
    message,
    who,
)
from ansible_collections.plugspace.titan.plugins.module_utils._redact import Redactor

NOW = moment("2026-01-03T03:20:00Z", "now")
BEGAN = moment("2026-01-03T03:00:00Z", "began")
LEVEL = {"response_minutes": 15, "chain": ["On-call", "Team Lead", "CTO"]}
MATRIX: dict[str, Any] = {
    "critical": LEVEL,
    "high": LEVEL,
    "medium": LEVEL,
    "low": {**LEVEL, "business_days": True},
}
CONTACTS = {"Team Lead": {"mail": "lead@x"}}
RESULT = {
    "procedure": "service_down",
    "subject": "api",
    "host": "titan1",
    "outcome": "unhealed",
    "summary": "api does not answer",
    "cause": "port_taken",
    "advice": "end nc",
    "findings": [
        {"cause": "slow", "evidence": "it is slow"},
        {"cause": "port_taken", "evidence": "nc has port 4000"},
    ],
    "rungs": [
        {"rung": "reload", "target": "1", "helped": False, "seconds": 5, "error": "exit 1"},
        {"rung": "restart", "helped": True, "seconds": 65.2},
    ],
    "before": {"PM2": "0 of 2 online"},
    "after": {"PM2": "2 of 2 online", "answer": "200"},
}


def composed(action: str = "trigger", severity: str = "critical", **facts: Any) -> Message:
    chain = chain_of(severity, BEGAN, NOW, MATRIX, CONTACTS)
    return message(action, "k", {**RESULT, **facts}, chain, NOW.isoformat(), "site", "/rec")


def event(sent: Message) -> dict[str, Any]:
    """The event as it is sent; it fits what PagerDuty publishes."""
    full = {**sent["pagerduty"], "routing_key": "k" * 32}
    jsonschema.validate(full, PAGERDUTY_EVENT)
    return full


def test_trigger_says_all_that_is_known() -> None:
    sent = composed()
    assert sent["subject"] == "[CRITICAL] api on titan1: api does not answer"
    assert sent["text"].splitlines() == [
        "CRITICAL: service_down: api on titan1 (site)",
        "api does not answer",
        "Since: 2026-01-03 03:00 UTC",
        "Cause: port_taken: nc has port 4000",
        "Seen: PM2: 2 of 2 online; answer: 200",
        "Tried: reload of 1 did not help after 5 s (exit 1); restart helped after 1 min",
        "To do: end nc",
        "Record: /rec",
        "Call: Team Lead (mail: lead@x), to answer by 2026-01-03 03:30 UTC",
        "Then: CTO (no contact is written down) from 2026-01-03 03:30 UTC",
    ]
    assert sent["slack"] == {"text": sent["text"]}
    assert sent["webhook"]["findings"] == RESULT["findings"]
    assert sent["webhook"]["escalation"]["call"] == "Team Lead"
    payload = event(sent)["payload"]
    assert payload["class"] == "port_taken"
    assert payload["custom_details"]["to_do"] == "end nc"
    assert payload["timestamp"] == "2026-01-03T03:20:00+00:00"


@pytest.mark.parametrize(
    ("severity", "mapped"),
    [("critical", "critical"), ("high", "error"), ("medium", "warning"), ("low", "info")],
)
def test_pagerduty_severities(severity: str, mapped: str) -> None:
    assert event(composed(severity=severity))["payload"]["severity"] == mapped


@pytest.mark.parametrize("outcome", ["healed", "well"])
def test_resolve_is_short(outcome: str) -> None:
    sent = composed("resolve", outcome=outcome, summary="restart helped", record="/own")
    assert sent["subject"] == "[RESOLVED] api on titan1: restart helped"
    assert "Record: /own" in sent["text"]
    assert "To do" not in sent["text"]
    assert "Call" not in sent["text"]
    assert set(event(sent)) == {"routing_key", "event_action", "dedup_key"}


def test_result_with_little_in_it() -> None:
    little = {"procedure": "by_hand", "subject": "Voice", "host": "t", "outcome": "unhealed"}
    chain = chain_of("low", BEGAN, NOW, MATRIX, {})
    sent = message("trigger", "k", {**little, "summary": "Voice"}, chain, NOW.isoformat())
    assert sent["subject"] == "[LOW] Voice on t"
    assert sent["text"].splitlines()[:3] == [
        "LOW: by_hand: Voice on t",
        "Since: 2026-01-03 03:00 UTC",
        "Call: On-call (no contact is written down), from 2026-01-05 00:00 UTC, "
        "to answer by 2026-01-05 00:15 UTC",
    ]
    assert event(sent)["payload"]["class"] == "by_hand"
    assert "group" not in event(sent)["payload"]
    tried = message("trigger", "k", {**little, "rungs": []}, chain, NOW.isoformat())
    assert "Tried: nothing" in tried["text"]
    seen = {"findings": [{"evidence": "e"}]}
    for facts, said in (({"cause": "c"}, "c"), (seen, "e"), ({"cause": "c", **seen}, "c: e")):
        blind = message("trigger", "k", {**little, "after": "?", **facts}, chain, NOW.isoformat())
        assert f"Cause: {said}" in blind["text"].splitlines()


def test_what_is_too_long_is_cut() -> None:
    sent = composed(summary="x" * 3000)
    assert (len(sent["subject"]), sent["subject"][-4:]) == (200, "x...")
    assert max(map(len, sent["text"].splitlines())) == 500


def test_overdue_is_said() -> None:
    late = chain_of("high", BEGAN, moment("2026-01-03T04:00:00Z", "now"), MATRIX, CONTACTS)
    assert who(late) == [
        "Call: CTO (no contact is written down), who had to answer by 2026-01-03 03:45 UTC"
    ]


def test_slack_cannot_be_made_to_call_everybody() -> None:
    sent = composed(summary="<!channel> & <https://evil|ok>")
    assert "&lt;!channel&gt; &amp; &lt;https://evil|ok&gt;" in sent["slack"]["text"]


def test_secrets_are_masked_at_any_depth() -> None:
    nested = {"a": ["x secret1", ("secret1",)], "secret1": {"b": 5, "c": None, "d": True}}
    assert masked(nested, Redactor(["secret1"])) == {
        "a": ["x ********", ["********"]],
        "********": {"b": 5, "c": None, "d": True},
    }


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.text(max_size=3000), _ANYTHING, _ANYTHING, _ANYTHING, _ANYTHING)
def test_whatever_a_result_says_fits(
    summary: str, findings: Any, rungs: Any, after: Any, advice: Any
) -> None:
    sent = composed(
        summary=summary, findings=findings, rungs=rungs, after=after, advice=advice, cause=summary
    )
    event(sent)
    assert len(sent["subject"]) <= 200
    assert "\n" not in sent["subject"]
    assert all(line.isprintable() for line in sent["text"].splitlines())
    assert len(sent["text"]) < 8000
