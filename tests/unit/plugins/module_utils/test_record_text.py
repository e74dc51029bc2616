# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A record in words."""

from __future__ import annotations

from typing import Any

import pytest
from record_samples import escalated, record, result

from ansible_collections.plugspace.titan.plugins.module_utils._incidents import Incident
from ansible_collections.plugspace.titan.plugins.module_utils._record_text import (
    called,
    lines,
    span,
    summary,
    told_by,
)
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (6.24, "6.2 s"),
        (59.6, "60 s"),
        (125, "2 min 5 s"),
        (180, "3 min"),
        (7320, "2 h 2 min"),
    ],
)
def test_a_time_is_said_as_a_person_would(seconds: float, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        ({}, "plugspace-api on titan1 was healed by restart within 6.2 s."),
        ({"rungs": []}, "plugspace-api on titan1 was healed within 6.2 s."),
        (
            {"outcome": "unhealed"},
            "plugspace-api on titan1 is still ill after reload and restart: a person is needed.",
        ),
        (
            {"outcome": "unhealed", "rungs": []},
            "plugspace-api on titan1 is still ill, and nothing could be tried: a person is needed.",
        ),
        (
            {"outcome": "planned"},
            "Check mode: reload and then restart would be tried on plugspace-api on titan1.",
        ),
        (
            {"outcome": "refused"},
            "Nothing was done to plugspace-api on titan1: the procedure refused.",
        ),
        ({"outcome": "unreachable"}, "titan1 gave no answer."),
        ({"outcome": "new_word"}, "plugspace-api on titan1: new_word."),
    ],
)
def test_the_first_sentence(changes: dict[str, Any], first: str) -> None:
    told = summary(record(result(**changes)))
    assert told == f"{first} The cause was port_taken: port 4000 is held by nginx."


def test_a_service_that_was_well() -> None:
    well = result(outcome="well", cause="", findings=[], rungs=[], summary="It answers.")
    told = "Nothing was wrong with plugspace-api on titan1. It answers."
    assert summary(record(well)) == told
    assert summary(record({**well, "summary": ""})).endswith(". Nothing was changed.")


def test_several_results() -> None:
    well = result(host="titan2", outcome="well", cause="")
    assert summary(record(well, result())) == (
        "plugspace-api on titan1 was healed by restart within 6.2 s; besides: 1 well. "
        "The cause was port_taken: port 4000 is held by nginx."
    )
    assert summary(record(well, result(), result(host="titan3"))) == (
        "Of 3 results: 2 healed, 1 well. "
        "The cause on plugspace-api on titan1 was port_taken: port 4000 is held by nginx."
    )
    assert summary(record(well, {**well, "host": "titan3"})).startswith("Results: 2 well. ")


def test_that_a_host_gave_no_answer_is_said_once() -> None:
    lost = result(
        outcome="unreachable",
        cause="",
        summary="titan1 gave no answer, so nobody knows how redis is.",
    )
    well = result(host="titan2", outcome="well", cause="")
    alone = "titan1 gave no answer, so nobody knows how redis is"
    assert summary(record(lost)) == f"{alone}."
    assert summary(record(well, lost)) == f"{alone}; besides: 1 well."
    assert summary(record(lost, {**lost, "host": "titan3"})) == (
        f"Results: 2 unreachable. {alone}."
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"status": "interrupted", "signal": "SIGTERM"},
            "service_down was interrupted by SIGTERM after 9.0 s, at the task "
            "'verify | Probe every instance'. It had no result yet, so look at the hosts before "
            "anything is done again.",
        ),
        (
            {"status": "running", "task": ""},
            "service_down was begun by ann and has not told its end. It is still at work, or it "
            "was killed: look whether its process lives.",
        ),
        (
            {
                "status": "failed",
                "failures": [{"host": "titan2", "task": "act | Restart", "message": "Refused."}],
            },
            "service_down failed on titan2 after 9.0 s, at the task 'act | Restart'. "
            "It said: Refused.",
        ),
        ({"status": "failed"}, "service_down failed after 9.0 s. No task told why."),
        (
            {"notes": ["No host matched."]},
            "service_down ended after 9.0 s without a result. No host matched.",
        ),
        ({}, "service_down ended after 9.0 s without a result. It only looked."),
    ],
)
def test_a_run_without_a_result(changes: dict[str, Any], told: str) -> None:
    assert summary(record(**changes)) == told


def test_an_interruption_after_a_result() -> None:
    told = summary(record(result(), status="interrupted", signal="SIGINT", task=""))
    assert told == (
        "service_down was interrupted by SIGINT after 9.0 s. "
        "plugspace-api on titan1 was healed by restart within 6.2 s."
    )


def test_the_end_on_the_terminal() -> None:
    ill = escalated(
        result(host="titan2", outcome="unhealed", advice="Free port 4000.", rungs=[]), "post"
    )
    well = result(host="titan3", outcome="well", cause="", findings=[], rungs=[])
    assert lines(record(result(), well, ill), "/x/y.html") == [
        "plugspace-api on titan2: unhealed",
        "  cause:     port_taken: port 4000 is held by nginx",
        "  next:      Free port 4000.",
        "  call:      On-call (phone: +1 555 0100), to answer by 2026-11-24 03:30 UTC",
        "  told:      by pd; not by post (no route)",
        "plugspace-api on titan1: healed",
        "  cause:     port_taken: port 4000 is held by nginx",
        "  done:      reload did not help (1.4 s: timed out), restart 2 helped (2.2 s)",
        "  recovered: in 6.2 s",
        "plugspace-api on titan3: well",
        "  cause:     nothing is wrong",
        "record: /x/y.html",
    ]


def test_the_end_of_a_plan_and_of_an_interruption_on_the_terminal() -> None:
    planned = lines(record(result(outcome="planned")), "")
    assert planned[2:] == [
        "  planned:   would reload, would restart 2",
        "record: none could be written",
    ]
    cut = lines(record(status="interrupted", signal="SIGHUP", task=""), "/x")
    assert cut == ["service_down was interrupted by SIGHUP after 9.0 s", "record: /x"]


def test_hosts_are_told_by_their_names_and_not_by_who_was_done_first() -> None:
    hosts = ("titan3", "titan1", "titan2")
    told = lines(record(*(result(host=host) for host in hosts)), "")
    heads = [line for line in told if line.endswith(": healed")]
    assert heads == [f"plugspace-api on titan{n}: healed" for n in (1, 2, 3)]


def test_who_only_waited_for_others_comes_after_them() -> None:
    waited = [{"rung": "wait", "target": "", "helped": True, "seconds": 9.0, "error": ""}]
    told = lines(record(result(host="titan1", rungs=waited), result(host="titan2")), "")
    assert [line for line in told if line.endswith(": healed")] == [
        "plugspace-api on titan2: healed",
        "plugspace-api on titan1: healed",
    ]


def test_the_terminal_gets_no_control_characters() -> None:
    told = "\n".join(lines(record(result(advice="\x1b[31mred\x07", subject="a\nb")), "/x"))
    assert "\x1b" not in told
    assert "\x07" not in told
    assert "a b on titan1: healed" in told


def test_without_a_channel_it_still_says_whom_to_call() -> None:
    alone = Seen(escalated(result(outcome="unhealed"), channels=[]))
    assert called(alone) == "On-call (phone: +1 555 0100), to answer by 2026-11-24 03:30 UTC"
    assert told_by(alone) == "nobody by this run: no message was sent"


def test_the_next_of_the_chain_is_called_in_their_turn() -> None:
    ill = result(outcome="unhealed")
    assert called(Seen(escalated(ill, minutes=16))) == (
        "CTO (no contact is written down), to answer by 2026-11-24 03:45 UTC"
    )
    assert called(Seen(escalated(ill, minutes=31))) == (
        "CTO (no contact is written down), who had to answer by 2026-11-24 03:45 UTC"
    )


def test_the_end_of_an_incident_is_told_and_nobody_is_called() -> None:
    known = Incident(
        severity="critical",
        began="2026-11-24T03:15:01Z",
        seen="2026-11-24T03:15:01Z",
        told={"pd": 1},
        healed=False,
    )
    healed = Seen(escalated(result(), known={"titan/service_down/plugspace-api/titan1": known}))
    assert called(healed) == ""
    assert told_by(healed) == "by pd that it is over"


def test_nobody_was_called() -> None:
    for nobody in (Seen({}), Seen(escalated(result())), Seen({"escalation": {"page": True}})):
        assert called(nobody) == ""
    assert told_by(Seen({})) == told_by(Seen(escalated(result()))) == ""
    odd = {"page": True, "call": "CTO", "until": "", "chain": ["x"], "deliveries": [{}]}
    assert called(Seen({"escalation": odd})).startswith("CTO (no contact is written down)")
    assert told_by(Seen({"escalation": odd})) == "not by  (no reason told)"


@pytest.mark.parametrize("odd", [None, [], "x", {"results": ["x", None, 5]}, {"results": 3}])
def test_anything_can_be_summarized(odd: Any) -> None:
    assert summary(odd).endswith(".")
    assert lines(odd, "/x")[-1] == "record: /x"
