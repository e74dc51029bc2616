# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From how a procedure went to what is told of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.plugspace.titan.plugins.filter import procedure_report, procedure_result
from ansible_collections.plugspace.titan.plugins.module_utils._finding import finding

tell = procedure_result.FilterModule().filters()["procedure_result"]
show = procedure_report.FilterModule().filters()["procedure_report"]

STOPPED = finding("stopped", "api", "2 instances, stopped in PM2", rung="start", advice="ask why")
DISK = finding("disk_full", "/", "no space is left on /", advice="free space on /")
RUNGS = [
    {"name": "start", "says": "start it", "next": "restart"},
    {"name": "restart", "says": "restart it"},
]


def step(found: Any = None, rung: str = "", reason: str = "") -> dict[str, Any]:
    return {"rung": rung, "target": "", "finding": found or {}, "reason": reason}


def taken(rung: str, helped: bool, error: str = "", cause: str = "stopped") -> dict[str, Any]:
    return {
        "rung": rung,
        "target": "",
        "cause": cause,
        "says": f"{rung} it",
        "helped": helped,
        "seconds": 2.0,
        "error": error,
        "before": {"answer": "refused"},
        "after": {"answer": "good" if helped else "refused"},
        "left": [] if helped else [cause],
    }


def course(**facts: Any) -> dict[str, Any]:
    base = {
        "procedure": "service_down",
        "subject": "api",
        "host": "titan1",
        "severity": "critical",
        "began": 1_800_000_000.0,
        "ended": 1_800_000_009.24,
        "rungs": RUNGS,
        "before": {"answer": "refused", "disk": "30 %"},
        "after": {"answer": "good", "disk": "30 %"},
    }
    return {**base, **facts}


def test_what_is_left_behind_is_told_whatever_became_of_it() -> None:
    ends = {"unfinished": ["the lock is held by ann.", "no space"]}
    result = tell(course(first=[STOPPED], findings=[], taken=[taken("start", True)], **ends))
    assert result["summary"].endswith(
        "What helped: start it. Left behind: the lock is held by ann. Left behind: no space."
    )


def test_a_clock_that_was_set_back_makes_no_negative_time() -> None:
    assert tell(course(ended=1_799_999_999.0))["seconds"] == 0.0


def test_well_with_a_remark() -> None:
    result = tell(course(first=[], findings=[], step=step(), remark="4 GB are only page cache"))
    assert result["summary"] == (
        "api on titan1 is well; nothing was done. 4 GB are only page cache."
    )


def test_since_when_it_is_ill_is_told_beside_the_beginning_of_the_procedure() -> None:
    result = tell(course(incident_began="2027-01-15T07:40:00Z", step=step()))
    assert (result["began"], result["incident_began"]) == (
        "2027-01-15T08:00:00Z",
        "2027-01-15T07:40:00Z",
    )
    assert tell(course(step=step()))["incident_began"] == ""


def test_well() -> None:
    result = tell(course(first=[], findings=[], step=step(reason="nothing is wrong")))
    assert (result["outcome"], result["cause"], result["rungs"]) == ("well", "", [])
    assert result["summary"] == "api on titan1 is well; nothing was done."
    assert (result["began"], result["seconds"]) == ("2027-01-15T08:00:00Z", 9.2)
    assert show([result]) == "ok   api on titan1 is well; nothing was done."
    assert show([result], failure=True) == ""


def test_healed_by_the_first_rung() -> None:
    result = tell(
        course(first=[STOPPED, DISK], findings=[], taken=[taken("start", True)], step=step())
    )
    assert (result["outcome"], result["cause"], result["advice"]) == (
        "healed",
        "stopped",
        "ask why",
    )
    assert result["summary"] == (
        "api on titan1 is well again after 9 s: 2 instances, stopped in PM2. What helped: start it."
    )
    assert show([result]).splitlines() == [
        "ok   " + result["summary"],
        "     also seen: no space is left on /",
        "     answer: refused -> good",
        "     afterwards: ask why",
    ]


@pytest.mark.parametrize(("said", "told"), [("no.", "no. "), ("no ...", "no ... "), ("no", "no. ")])
@pytest.mark.parametrize(
    "facts",
    [
        {"planning": True},
        {"planning": True, "step": step(reason="x")},
        {"findings": [], "taken": [taken("start", True)]},
        {"refusal": "x"},
        {},
    ],
)
def test_a_sentence_that_was_seen_ends_once(said: str, told: str, facts: dict[str, Any]) -> None:
    seen = {**STOPPED, "evidence": said}
    one = {"first": [seen], "findings": [seen], "step": step(seen, "start"), **facts}
    assert f": {told}" in tell(course(**one))["summary"]


def test_a_plan_says_what_is_to_do_without_a_step_or_to_mind_with_one() -> None:
    result = tell(course(first=[STOPPED], planning=True, step=step(STOPPED, reason="name it")))
    assert show([result]).splitlines()[1:] == ["     to do: ask why"]
    result = tell(course(first=[STOPPED], planning=True, step=step(STOPPED, "start")))
    assert show([result]).splitlines()[1:] == ["     mind: ask why"]


@pytest.mark.parametrize(
    ("proof", "error", "outcome", "said"),
    [
        ({"ok": True}, "", "healed", "What helped: start it."),
        # It answers, whatever the step said of itself.
        ({"ok": True}, "timed out", "healed", "Tried: start it (which failed: timed out)."),
        ({"ok": False, "reason": "refused"}, "", "unhealed", "which is over, but: refused. Done:"),
        ({"ok": False}, "", "unhealed", "but: it does not answer well."),
        # Nobody can ask, so a step that failed is not believed to have helped.
        ({}, "timed out", "unhealed", "but: timed out."),
        ({}, "", "healed", "What helped: start it."),
    ],
)
def test_what_is_found_no_more_has_to_be_proven(
    proof: dict[str, Any], error: str, outcome: str, said: str
) -> None:
    climbed = [taken("start", True, error)]
    result = tell(
        course(
            first=[STOPPED],
            findings=[],
            taken=climbed,
            step=step(reason="nothing is wrong"),
            proof=proof,
        )
    )
    assert result["outcome"] == outcome
    assert said in result["summary"]


def test_what_is_not_proven_is_told_by_the_last_step() -> None:
    climbed = [taken("start", False, "no script"), taken("restart", True, "timed out")]
    summary = tell(course(first=[STOPPED], findings=[], taken=climbed))["summary"]
    assert "which is over, but: timed out. Tried:" in summary


def test_the_cause_is_what_the_ladder_began_with() -> None:
    climbed = [taken("start", False), taken("restart", True, cause="disk_full")]
    result = tell(course(first=[DISK, STOPPED], findings=[], taken=climbed))
    assert result["cause"] == "stopped"
    assert result["rungs"] == climbed
    # A procedure that broke off before its ladder decided anything.
    assert tell(course(first=[STOPPED, DISK], failure="it has no lock"))["cause"] == "stopped"


def test_nothing_helped() -> None:
    climbed = [taken("start", False, "it has no script"), taken("restart", False)]
    result = tell(
        course(
            first=[STOPPED],
            findings=[DISK],
            taken=climbed,
            step=step(DISK, reason="a person must: free space on /"),
        )
    )
    assert result["outcome"] == "unhealed"
    # What was found at first, and what is there now.
    assert (result["findings"], result["left"]) == ([STOPPED], [DISK])
    assert result["summary"] == (
        "api on titan1 needs a person: no space is left on /. Done: start it (which failed: it has"
        " no script), then restart it. A person must: free space on /."
    )
    assert show([result], failure=True) == result["summary"]


@pytest.mark.parametrize(
    ("facts", "still"),
    [
        # What the ladder ended with is not always what stands first.
        ({"step": step(DISK, reason="x")}, "no space is left on /"),
        ({"failure": "x"}, "2 instances, stopped in PM2"),
    ],
)
def test_what_is_still_wrong_is_told(facts: dict[str, Any], still: str) -> None:
    climbed = [taken("start", False)]
    result = tell(course(first=[STOPPED], findings=[STOPPED, DISK], taken=climbed, **facts))
    assert result["summary"] == f"api on titan1 needs a person: {still}. Done: start it. X."


def test_no_rung_helps() -> None:
    result = tell(course(first=[DISK], findings=[DISK], step=step(DISK, reason="a person must: x")))
    assert result["outcome"] == "unhealed"
    assert "Nothing was done. A person must: x." in result["summary"]


@pytest.mark.parametrize("found", [[STOPPED], []])
def test_what_was_refused_was_not_tried(found: list[Any]) -> None:
    facts = {"refusal": "it was tried 3 times"} if found else {"failure": "it has no lock"}
    result = tell(course(first=found, findings=found, step=step(STOPPED, "start"), **facts))
    assert result["outcome"] == "refused"
    seen = "2 instances, stopped in PM2. " if found else ""
    (reason,) = facts.values()
    assert result["summary"] == f"api on titan1: {seen}Nothing was done: {reason}."


def test_a_procedure_that_broke_off_half_way_is_not_healed() -> None:
    result = tell(
        course(first=[STOPPED], findings=[], taken=[taken("start", True)], failure="it broke off")
    )
    assert result["outcome"] == "unhealed"
    assert result["summary"].endswith("Done: start it. It broke off.")


def test_a_host_that_is_lost_is_not_called_anything_else() -> None:
    result = tell(course(first=[], lost=True))
    assert result["outcome"] == "unreachable"
    assert result["summary"] == "titan1 gave no answer, so nobody knows how api is."
    later = tell(course(first=[STOPPED], taken=[taken("start", False)], lost=True))
    assert later["summary"].startswith("titan1 gave no answer after start it, so nobody knows")


def test_check_mode_tells_the_rungs_in_order() -> None:
    result = tell(
        course(first=[STOPPED], findings=[STOPPED], planning=True, step=step(STOPPED, "start"))
    )
    assert result["outcome"] == "planned"
    assert [one["rung"] for one in result["rungs"]] == ["start", "restart"]
    # Nothing was climbed, so there is nothing to show of it.
    nothing = {"helped": False, "seconds": 0.0, "error": "", "before": {}, "after": {}, "left": []}
    for one in result["rungs"]:
        assert one == {**one, **nothing, "target": "", "cause": "stopped"}
    assert result["summary"].endswith("Would be done: start it; if that does not help: restart it.")
    assert show([result]).startswith("plan api on titan1")


def test_check_mode_tells_that_no_rung_helps() -> None:
    planned = course(first=[DISK], findings=[DISK], planning=True, step=step(DISK, reason="ask"))
    result = tell(planned)
    assert (result["outcome"], result["rungs"]) == ("planned", [])
    assert result["summary"].endswith("Nothing would be done: ask.")


def test_a_ladder_in_a_circle_is_told_once() -> None:
    rungs = [{"name": "start", "next": "start"}]
    result = tell(course(first=[STOPPED], planning=True, rungs=rungs, step=step(STOPPED, "start")))
    assert [one["says"] for one in result["rungs"]] == ["start"]


def test_the_worst_comes_first() -> None:
    results = [
        tell(course(host="b", first=[])),
        tell(course(host="a", first=[])),
        tell(course(host="c", first=[STOPPED], taken=[taken("start", True)])),
        tell(course(host="d", first=[STOPPED], planning=True, step=step(STOPPED, "start"))),
        tell(course(host="e", first=[STOPPED], findings=[STOPPED], refusal="x")),
        tell(course(host="f", first=[STOPPED], findings=[STOPPED], step=step(STOPPED))),
        tell(course(host="g", lost=True)),
    ]
    told = [line for line in show(results).splitlines() if not line.startswith(" ")]
    assert [line.split()[0] for line in told] == ["FAIL"] * 3 + ["plan"] + ["ok"] * 3
    assert [line for line in told if "g gave no answer" in line] == told[:1]
    assert re.findall(r"on (\w)\b", show(results)) == ["f", "e", "d", "c", "a", "b"]
    assert show(results, failure=True) == " ".join(results[n]["summary"] for n in (4, 5, 6))


@pytest.mark.parametrize(
    "bad",
    [
        {},
        course(first=[STOPPED], planning=True, step=step(STOPPED, "none_such")),
        course(began="soon"),
    ],
)
def test_what_is_no_course_is_told_as_a_filter_tells_it(bad: dict[str, Any]) -> None:
    with pytest.raises(AnsibleFilterError, match="procedure_result"):
        tell(bad)


def test_each_rung_that_helped_is_named() -> None:
    """Redis was stopped, and so was the service: each rung was needed."""
    climbed = [taken("start_unit", True), taken("start", True)]
    result = tell(course(first=[STOPPED], findings=[], taken=climbed))
    assert result["summary"].endswith("What helped: start_unit it, then start it.")
    climbed[0]["helped"] = False
    result = tell(course(first=[STOPPED], findings=[], taken=climbed))
    assert result["summary"].endswith("What helped: start it.")
    # A step that failed does not hide that another one helped.
    climbed[0]["error"] = "timed out"
    result = tell(course(first=[STOPPED], findings=[], taken=climbed))
    assert (result["outcome"], result["summary"][-22:]) == ("healed", "What helped: start it.")
    # Or it came back by itself, after the last of them.
    climbed = [taken("start", False), taken("restart", False)]
    result = tell(course(first=[STOPPED], findings=[], taken=climbed))
    assert result["summary"].endswith("What helped: restart it.")


def test_a_plan_names_its_target_and_says_when_it_would_be_refused() -> None:
    chosen = {**step(STOPPED, "start"), "target": "2"}
    result = tell(
        course(
            first=[STOPPED],
            planning=True,
            step=chosen,
            refusal="it was tried 2 s ago",
            override="-e x_override=true",
        )
    )
    assert result["outcome"] == "planned"
    assert "Would be done: start it (2); if that does not help: restart it." in result["summary"]
    assert result["summary"].endswith("Not now, though: it was tried 2 s ago.")
    assert result["advice"] == "to have it tried all the same: -e x_override=true"


def test_the_advice_is_about_what_is_left() -> None:
    climbed = course(first=[STOPPED], findings=[DISK], taken=[taken("start", True)])
    result = tell({**climbed, "step": step(DISK)})
    assert (result["cause"], result["outcome"]) == ("stopped", "unhealed")
    assert result["advice"] == "free space on /"
    # A procedure that broke off did not come to what is left.
    broken = tell({**climbed, "step": step(DISK), "failure": "the connection broke"})
    assert broken["advice"] == "ask why"
    assert tell({**climbed, "step": step()})["advice"] == "ask why"


def test_a_refusal_says_how_it_is_overridden() -> None:
    refused = course(first=[STOPPED], findings=[STOPPED], step=step(STOPPED, "start"))
    result = tell({**refused, "refusal": "it was tried 2 s ago", "override": "-e x_override=true"})
    assert result["outcome"] == "refused"
    assert result["advice"] == "to have it tried all the same: -e x_override=true"
    assert "     to do: to have it tried all the same: -e x_override=true" in show([result])


def test_a_host_without_an_answer_says_why_and_what_to_do() -> None:
    result = tell(course(lost=True, silence="Failed to connect:\n timed out"))
    assert result["summary"] == (
        "titan1 gave no answer (Failed to connect: timed out), so nobody knows how api is."
    )
    assert "see whether titan1 runs" in result["advice"]
    refused = "ssh: connect to host 10.0.0.1 port 2222: Connection refused"
    for before in (
        'Task failed: Data could not be sent to remote host "10.0.0.1". Make sure this host can be'
        " reached over ssh: ",
        "Task failed: Failed to connect to the host via ssh: ",
        "Failed to connect to the host via ssh: ",
    ):
        summary = tell(course(lost=True, silence=before + refused))["summary"]
        assert summary.startswith(f"titan1 gave no answer ({refused}), so nobody"), summary
