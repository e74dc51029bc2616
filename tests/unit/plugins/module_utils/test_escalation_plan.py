# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One incident is one page: what is sent of results, and what is remembered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.plugspace.titan.plugins.filter.escalation_outcome import (
    FilterModule as OutcomeModule,
)
from ansible_collections.plugspace.titan.plugins.filter.escalation_plan import (
    FilterModule as PlanModule,
)
from ansible_collections.plugspace.titan.plugins.module_utils._escalation import moment
from ansible_collections.plugspace.titan.plugins.module_utils._escalation_plan import incident_key

LEVEL = {"response_minutes": 15, "chain": ["On-call", "CTO"]}
LOW = {"response_minutes": 1440, "chain": ["On-call"], "business_days": True}
MATRIX = {**dict.fromkeys(("critical", "high", "medium"), LEVEL), "low": LOW}
ROUTING_KEY = "0123456789abcdef0123456789abcdef"
CHANNELS = [
    {"name": "pd", "type": "pagerduty", "routing_key": ROUTING_KEY},
    {"name": "hook", "type": "webhook", "url": "https://h/x", "severities": ["critical"]},
    {"name": "slack", "type": "slack", "url": "https://s/x"},
]
START = moment("2026-01-05T03:00:00Z", "start")
KEY = "site/service_down/api/titan1"
Known = dict[str, Any]


def result(outcome: str = "unhealed", **facts: Any) -> dict[str, Any]:
    return {
        "procedure": "service_down",
        "subject": "api",
        "host": "titan1",
        "outcome": outcome,
        "severity": "high",
        "began": START.isoformat(),
        "summary": "api is down",
        **facts,
    }


def plan(*results: Any, known: Known | None = None, minutes: float = 0, **options: Any) -> Any:
    options.setdefault("channels", CHANNELS)
    now = (START + timedelta(minutes=minutes)).isoformat()
    planned = PlanModule().filters()["escalation_plan"]
    return planned(
        list(results),
        MATRIX,
        {},
        incidents=known,
        now=now,
        site="site",
        **options,
    )


def told(planned: Any, failing: tuple[str, ...] = (), **options: Any) -> Any:
    """The outcome when some of the channels fail."""
    deliveries = [
        {**sent, "ok": sent["channel"] not in failing, "error": ""} for sent in planned["sends"]
    ]
    for one in deliveries:
        one["error"] = "" if one["ok"] else "refused"
    deliveries = [] if options.get("check_mode") else deliveries
    return OutcomeModule().filters()["escalation_outcome"](planned, deliveries, **options)


def run(
    known: Known, *results: Any, failing: tuple[str, ...] = (), minutes: float = 0
) -> list[str]:
    """One run, as the role does it: the channels that got something; updates what is known."""
    planned = plan(*results, known=known, minutes=minutes)
    for key, note in told(planned, failing)["notes"].items():
        if note is None:
            known.pop(key, None)
        else:
            known[key] = note
    return [f"{one['action']} {one['channel']}" for one in planned["sends"]]


def test_a_whole_incident() -> None:
    known: Known = {}
    assert run(known, result()) == ["trigger pd", "trigger slack"]
    assert known[KEY]["told"] == {"pd": 1, "slack": 1}
    assert run(known, result(), minutes=5) == []
    # The next step, counted from the start of the incident and not of this run.
    later = (START + timedelta(minutes=15)).isoformat()
    assert run(known, result(began=later), minutes=15) == ["trigger pd", "trigger slack"]
    assert run(known, result(), minutes=29) == []
    # After the end of the chain there is nobody further.
    assert run(known, result(), minutes=31) == []
    assert run(known, result("healed"), minutes=32) == ["resolve pd", "resolve slack"]
    assert known == {}
    assert run(known, result("healed"), minutes=33) == []
    assert run(known, result("well"), minutes=33) == []


def test_the_time_runs_since_the_incident_and_not_since_the_procedure() -> None:
    later = (START + timedelta(minutes=20)).isoformat()
    matrix = {**MATRIX, "critical": {"response_minutes": 15, "chain": ["On-call", "Team Lead"]}}
    planned = PlanModule().filters()["escalation_plan"](
        [result(severity="critical", began=later, incident_began=START.isoformat())],
        matrix,
        {},
        CHANNELS,
        incidents={},
        now=later,
        site="site",
    )
    (decision,) = planned["decisions"]
    assert decision["chain"]["began"] == "2026-01-05T03:00:00Z"
    assert "Call: Team Lead" in decision["message"]["text"]


def test_failed_deliveries_are_tried_again_alone() -> None:
    known: Known = {}
    run(known, result(), failing=("slack",))
    assert run(known, result(), minutes=1) == ["trigger slack"]
    assert run(known, result("well"), failing=("pd",), minutes=2) == ["resolve pd", "resolve slack"]
    assert known[KEY]["healed"]
    assert run(known, result("well"), minutes=3) == ["resolve pd"]
    assert known == {}


def test_new_incident_after_one_that_was_not_resolved_everywhere() -> None:
    known: Known = {}
    run(known, result())
    run(known, result("healed"), failing=("pd",), minutes=1)
    assert run(known, result(), minutes=2) == ["trigger pd", "trigger slack"]
    assert not known[KEY]["healed"]


def test_incident_that_is_seen_rarely_reaches_everybody_once() -> None:
    known: Known = {}
    run(known, result())
    # Alertmanager repeats what lasts every four hours, and the chain is over long before.
    four_hours = 4 * 60
    later = (START + timedelta(minutes=four_hours)).isoformat()
    assert run(known, result(began=later), minutes=four_hours) == ["trigger pd", "trigger slack"]
    assert known[KEY]["began"] == "2026-01-05T03:00:00Z"
    assert known[KEY]["told"] == {"pd": 2, "slack": 2}
    planned = plan(result(), known=known, minutes=2 * four_hours)
    assert planned["sends"] == []
    said = "everybody was told, and it was never resolved since 2026-01-05 03:00 UTC"
    assert f"nothing new to tell: {said}." in told(planned)["text"]


def test_incident_that_nobody_saw_for_a_day_is_a_new_one() -> None:
    known: Known = {}
    run(known, result())
    run(known, result(), minutes=60)
    day = 60 + 24 * 60
    assert run(known, result(), minutes=day) == []
    run(known, result(), minutes=60)
    later = (START + timedelta(minutes=day + 1)).isoformat()
    assert run(known, result(began=later), minutes=day + 1) == ["trigger pd", "trigger slack"]
    assert known[KEY]["began"] == "2026-01-06T04:01:00Z"
    assert known[KEY]["told"] == {"pd": 1, "slack": 1}


def follow_up(known: Known, minutes: float, **options: Any) -> Any:
    """The plan for what is remembered, and the notes that come of it, as the role does it."""
    planned = plan(known=known, minutes=minutes, follow_up=True, **options)
    for key, note in told(planned)["notes"].items():
        if note is None:
            known.pop(key)
        else:
            known[key] = note
    return planned


def test_follow_up_tells_who_has_become_due_once() -> None:
    known: Known = {}
    run(known, result(advice="end nc", record="/r/1.json", before={"PM2": "0 of 2"}))
    assert known[KEY]["about"] == {
        "procedure": "service_down",
        "subject": "api",
        "host": "titan1",
        "summary": "api is down",
        "advice": "end nc",
        "record": "/r/1.json",
    }
    before = dict(known[KEY])
    assert follow_up(known, 14)["sends"] == []
    assert known[KEY] == before
    planned = follow_up(known, 15)
    assert [one["channel"] for one in planned["sends"]] == ["pd", "slack"]
    (decision,) = planned["decisions"]
    for line in (
        "HIGH: service_down: api on titan1 (site)",
        "api is down",
        "Since: 2026-01-05 03:00 UTC",
        "Seen: last report: 2026-01-05 03:00 UTC",
        "To do: end nc",
        "Record: /r/1.json",
    ):
        assert line in decision["message"]["text"].splitlines()
    # Nobody has looked at it again.
    assert known[KEY] == {**before, "told": {"pd": 2, "slack": 2}}
    again = follow_up(known, 16)
    assert again["sends"] == []
    assert "everybody was told" in told(again)["text"]
    assert follow_up(known, 24 * 60 + 1)["decisions"] == []


def test_follow_up_tries_again_what_failed() -> None:
    known: Known = {}
    run(known, result(), failing=("slack",))
    assert [one["channel"] for one in follow_up(known, 1)["sends"]] == ["slack"]
    run(known, result("healed"), failing=("pd",), minutes=2)
    (send,) = follow_up(known, 3)["sends"]
    assert (send["action"], send["channel"]) == ("resolve", "pd")
    assert known == {}


def test_follow_up_of_what_an_older_release_noted() -> None:
    known: Known = {}
    run(known, result())
    known[KEY]["about"] = {}
    planned = follow_up(known, 15)
    assert [one["key"] for one in planned["sends"]] == [KEY, KEY]
    assert KEY in planned["decisions"][0]["message"]["subject"]
    assert known[KEY]["about"] == {}
    assert run(known, result(), minutes=16) == []
    assert known[KEY]["about"]["subject"] == "api"


def test_follow_up_leaves_another_site_alone() -> None:
    known: Known = {}
    run(known, result())
    elsewhere = {key.replace("site/", "staging/"): one for key, one in known.items()}
    assert follow_up(elsewhere, 15)["decisions"] == []
    # Without a memory there is nothing to follow up.
    assert plan(known=None, follow_up=True)["decisions"] == []


def test_what_is_remembered_holds_no_secret() -> None:
    known: Known = {}
    planned = plan(result(summary=f"key {ROUTING_KEY}"), known=known, record="/r/run.json")
    about = planned["decisions"][0]["incident"]["about"]
    assert about["summary"] == "key ********"
    assert about["record"] == "/r/run.json"


def test_worse_is_told_again_and_better_is_not() -> None:
    known: Known = {}
    run(known, result())
    worse = result(severity="critical")
    assert run(known, worse, failing=("pd",), minutes=1) == [
        "trigger pd",
        "trigger hook",
        "trigger slack",
    ]
    assert known[KEY]["told"] == {"pd": 0, "hook": 1, "slack": 1}
    assert run(known, result(), minutes=2) == ["trigger pd"]
    assert known[KEY]["severity"] == "critical"
    # Who was told at first and missed the rest hears of the end as well.
    known[KEY]["told"]["pd"] = 0
    assert len(run(known, result("healed"), minutes=3)) == 3


def test_memory_that_cannot_be_read() -> None:
    assert [one["channel"] for one in plan(result())["sends"]] == ["pd", "slack"]
    assert [one["channel"] for one in plan(result("healed"))["sends"]] == ["pd"]
    assert plan(result("well"))["sends"] == []
    text = told(plan(result()), problems=["it is damaged", "it is damaged"])["text"]
    assert text.count("Nobody can tell what was sent before: it is damaged") == 1


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"outcome": "planned"}, "it is only planned"),
        ({"escalation": {"page": False}}, "the procedure asks for nobody"),
        ({"outcome": "well"}, "nobody was told of it before"),
    ],
)
def test_what_is_sent_to_nobody(facts: dict[str, Any], reason: str) -> None:
    planned = plan(result(**facts), known={})
    assert planned["sends"] == []
    outcome = told(planned)
    said = f"{KEY}: nothing to tell: {reason}."
    # What is well is told to nobody but whoever asks.
    well = facts.get("outcome") == "well"
    assert (outcome["text"], outcome["silent"]) == (("", said) if well else (said, ""))
    assert (outcome["notes"], outcome["failed"]) == ({}, [])
    assert outcome["results"][0]["escalation"]["page"] is False


def test_people_are_called_once_for_what_each_member_tells_of_one() -> None:
    sees = {"cause": "member_down", "subject": "titan3:27017", "evidence": "it is silent"}
    member = result(host="titan1", cause="member_down", findings=[sees])
    assert plan(member, known={})["decisions"][0]["page"] is True
    planned = plan(member, result("unreachable", host="titan3"), known={})
    assert [one["page"] for one in planned["decisions"]] == [False, True]
    assert "nothing to tell: it is the outage of titan3." in told(planned)["text"]
    # What it was told of itself before is over.
    known: Known = {}
    run(known, result(host="titan1"))
    over = plan(member, result("unreachable", host="titan3"), known=known)["decisions"][0]
    assert (over["action"], over["incident"]["healed"]) == ("resolve", True)
    assert over["message"]["subject"].startswith("[RESOLVED]")
    # One that is well again, or of another service, is none.
    for other in (result("healed", host="titan3"), result(host="titan3", subject="voice")):
        assert plan(member, other, known={})["decisions"][0]["page"] is True


def test_of_some_who_blame_each_other_somebody_calls() -> None:
    def blames(host: str, other: str) -> dict[str, Any]:
        sees = {"cause": "keyfile_mismatch", "subject": f"{other}:27017", "evidence": "refused"}
        return result(host=host, cause="keyfile_mismatch", findings=[sees])

    circle = [blames("titan1", "titan2"), blames("titan2", "titan1"), blames("titan3", "titan2")]
    for some in (
        circle,
        circle[1:],
        [*circle[:1], blames("titan2", "titan3"), blames("titan3", "titan1")],
    ):
        pages = [one["page"] for one in plan(*some, known={})["decisions"]]
        assert True in pages, some


def test_who_is_reached_by_no_channel_is_named() -> None:
    planned = plan(result(), known={}, channels=[])
    assert told(planned)["unreached"] == [KEY]
    assert told(plan(result(), known={}))["unreached"] == []


@pytest.mark.parametrize("outcome", ["unhealed", "refused", "unreachable"])
def test_what_needs_a_person(outcome: str) -> None:
    planned = plan(result(outcome, severity="", began="", escalation={}), known={}, minutes=3)
    (decision,) = planned["decisions"]
    assert (decision["action"], decision["page"]) == ("trigger", True)
    assert decision["chain"]["severity"] == "high"
    assert decision["chain"]["began"] == "2026-01-05T03:03:00Z"


def test_every_channel_of_a_test() -> None:
    planned = plan(result(severity="low"), known={}, every_channel=True)
    assert [one["channel"] for one in planned["sends"]] == ["pd", "hook", "slack"]


def at_the_weekend(**facts: Any) -> dict[str, Any]:
    """Of Saturday at three in the night, two days before the start."""
    return result(severity="low", began=(START - timedelta(days=2)).isoformat(), **facts)


SATURDAY, SUNDAY, MONDAY = (60 * hours for hours in (-48, -24, -3))


def test_low_severity_wakes_nobody_at_the_weekend() -> None:
    known: Known = {}
    planned = plan(at_the_weekend(), known=known, minutes=SATURDAY)
    assert [one["channel"] for one in planned["sends"]] == ["slack"]
    assert "Not by pd before the business day: 2026-01-05 00:00 UTC." in told(planned)["text"]
    run(known, at_the_weekend(), minutes=SATURDAY)
    assert run(known, at_the_weekend(), minutes=SUNDAY) == []
    text = told(plan(at_the_weekend(), known=known, minutes=SUNDAY))["text"]
    assert "nothing new to tell: On-call is called from 2026-01-05 00:00 UTC." in text
    # Longer than a day, and nobody forgot it.
    assert follow_up(known, MONDAY - 1)["sends"] == []
    (send,) = follow_up(known, MONDAY)["sends"]
    assert send["channel"] == "pd"
    assert follow_up(known, MONDAY + 1)["sends"] == []
    assert run(known, result("healed"), minutes=MONDAY + 2) == ["resolve pd", "resolve slack"]


def test_low_severity_that_heals_at_the_weekend_pages_nobody() -> None:
    known: Known = {}
    run(known, at_the_weekend(), minutes=SATURDAY)
    assert run(known, at_the_weekend(outcome="healed"), minutes=SUNDAY) == ["resolve slack"]
    assert known == {}


def test_low_severity_with_a_channel_alone_that_wakes_people() -> None:
    by = CHANNELS[:1]
    planned = plan(at_the_weekend(), known={}, minutes=SATURDAY, channels=by)
    text = told(planned)["text"]
    assert text.endswith("Not by pd before the business day: 2026-01-05 00:00 UTC.")
    # A page has nothing to do with the weekend when it is worse, and neither has a test.
    worse = {**at_the_weekend(), "severity": "high"}
    assert len(plan(worse, known={}, minutes=SATURDAY, channels=by)["sends"]) == 1
    test = plan(at_the_weekend(), known={}, minutes=SATURDAY, channels=by, every_channel=True)
    assert len(test["sends"]) == 1


def test_texts_of_an_outcome() -> None:
    planned = plan(result(), known={})
    good = told(planned)
    assert good["text"].endswith("Sent by pd, slack (trigger).")
    assert good["results"][0]["escalation"]["deliveries"] == [
        {"channel": "pd", "ok": True, "error": ""},
        {"channel": "slack", "ok": True, "error": ""},
    ]
    partly = told(planned, ("pd",))
    assert partly["failed"] == ["pd"]
    assert partly["text"].endswith("Sent by slack (trigger).\nNOT sent by pd: refused")
    assert told(planned, ("pd", "slack"))["text"].endswith("It reached nobody. Call them.")
    checked = told(planned, check_mode=True)
    assert checked["text"].endswith("Would be sent by pd, slack (trigger).")
    assert checked["notes"] == {}
    short = told(planned, unusable=["channel 9: its type is none"])
    assert short["text"].endswith("Left out: channel 9: its type is none.")
    assert short["unusable"] == ["channel 9: its type is none"]
    remarked = told(planned, remarks=["mail does not reach CTO"])
    assert remarked["text"].endswith("Look at the settings: mail does not reach CTO.")
    assert remarked["unusable"] == []
    nobody = told(plan(result(), known={}, channels=[]))
    assert "no channel of titan_escalation_channels takes it" in nobody["text"]
    assert nobody["notes"][KEY]["told"] == {}


def test_what_was_told_says_who_is_next() -> None:
    known: Known = {}
    run(known, result())
    text = told(plan(result(), known=known, minutes=1))["text"]
    assert "nothing new to tell: it was told; CTO is next, at 2026-01-05 03:15 UTC." in text
    assert "Call: On-call" in text
    run(known, result(), minutes=15)
    text = told(plan(result(), known=known, minutes=16))["text"]
    assert "everybody was told, and there is nobody further" in text


def test_secrets_never_leave() -> None:
    leaking = result(summary=f"{ROUTING_KEY} pass-word1", findings=[{"evidence": "pass-word1"}])
    planned = plan(leaking, known={}, secrets=["pass-word1", ""])
    for shown in (str(planned), str(told(planned))):
        assert ROUTING_KEY not in shown
        assert "pass-word1" not in shown


def test_key_is_stable_and_short_enough() -> None:
    assert incident_key(result(cause="a"), "site") == incident_key(result(cause="b"), "site") == KEY
    assert incident_key(result(), "") == "titan/service_down/api/titan1"
    long, longer = (incident_key(result(subject="x" * n), "s") for n in (300, 301))
    assert len(long) == len(longer) == 255
    assert long != longer


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"host": " "}, "result 1 does not name its host"),
        ({"procedure": None, "subject": ""}, "result 1 does not name its procedure, subject"),
        ({"outcome": "fine"}, "result 1: its outcome is none of well, healed, planned"),
        ({"began": "soon"}, "result 1: began is no time"),
        ({"severity": "bad"}, "severity 'bad' is none of"),
    ],
)
def test_result_that_cannot_be_used_is_one_sentence(given: dict[str, Any], said: str) -> None:
    known = {KEY: {**plan(result(), known={})["decisions"][0]["incident"]}}
    with pytest.raises(AnsibleFilterError, match=said):
        plan({**result(), **given}, known=known)
