# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rung is climbed next, and when the ladder ends."""

from __future__ import annotations

import shlex

import pytest
from ansible.errors import AnsibleFilterError
from ansible.parsing.splitter import parse_kv

from ansible_collections.plugspace.titan.plugins.filter.next_rung import FilterModule
from ansible_collections.plugspace.titan.plugins.module_utils._finding import (
    CERTAIN,
    POSSIBLE,
    Finding,
    finding,
)
from ansible_collections.plugspace.titan.plugins.module_utils._ladder import (
    LadderError,
    Rung,
    Taken,
    next_step,
)

LADDER: list[Rung] = [
    {"name": "reload", "next": "restart"},
    {"name": "restart_instances", "next": "restart"},
    {"name": "restart"},
    {"name": "end_stranger", "destructive": True},
]


def ill(cause: str, rung: str = "", target: str = "", confidence: str = CERTAIN) -> Finding:
    return finding(cause, "api", "it is ill", confidence, rung, target, "free the disk")


def took(rung: str, target: str = "", cause: str = "unhealthy") -> Taken:
    return {"rung": rung, "target": target, "cause": cause}


def test_nothing_wrong_is_the_end() -> None:
    step = next_step([], LADDER)
    assert step == {"rung": "", "target": "", "finding": {}, "reason": "nothing is wrong"}


def test_the_first_finding_decides() -> None:
    step = next_step([ill("degraded", "restart_instances", "1"), ill("x", "restart")], LADDER)
    assert (step["rung"], step["target"], step["reason"]) == ("restart_instances", "1", "")
    assert step["finding"]["cause"] == "degraded"


def test_a_cause_for_a_person_ends_it_whatever_else_could_be_done() -> None:
    step = next_step([ill("disk_full"), ill("crashing", "restart")], LADDER)
    assert (step["rung"], step["reason"]) == ("", "a person must: free the disk")
    assert step["finding"]["cause"] == "disk_full"


def test_what_is_only_possible_is_passed_over_for_what_can_be_helped() -> None:
    vague = ill("unknown", confidence=POSSIBLE)
    assert next_step([vague, ill("crashing", "restart")], LADDER)["rung"] == "restart"
    assert next_step([vague], LADDER)["finding"]["cause"] == "unknown"
    # Of many that nobody can help the first decides, and one that can be helped is not passed over.
    also = ill("odd", confidence=POSSIBLE)
    assert next_step([vague, also], LADDER)["finding"]["cause"] == "unknown"
    helped = ill("crashing", "restart", confidence=POSSIBLE)
    assert next_step([helped, ill("disk_full")], LADDER)["rung"] == "restart"


@pytest.mark.parametrize(
    ("taken", "rung", "target"),
    [
        ([], "restart_instances", "1"),
        ([took("restart_instances", "1")], "restart", ""),
        # For another instance, or against another cause, it has not been tried yet.
        ([took("restart_instances", "0")], "restart_instances", "1"),
        ([took("restart_instances", "1", "hung")], "restart_instances", "1"),
    ],
)
def test_what_did_not_help_is_followed_by_its_successor(
    taken: list[Taken], rung: str, target: str
) -> None:
    step = next_step([ill("unhealthy", "restart_instances", "1")], LADDER, taken)
    assert (step["rung"], step["target"]) == (rung, target)


def test_what_comes_again_with_another_number_ends_too() -> None:
    """As a process does that something else starts anew each time."""
    found = [ill("unhealthy", "restart_instances", "9")]
    taken = [took("restart_instances", number) for number in "12"]
    assert next_step(found, LADDER, taken)["rung"] == "restart_instances"
    assert next_step(found, LADDER, [*taken, took("restart_instances", "3")])["rung"] == "restart"


def test_it_ends_when_all_was_tried() -> None:
    taken = [took("restart_instances", "1"), took("restart")]
    step = next_step([ill("unhealthy", "restart_instances", "1")], LADDER, taken)
    assert step["rung"] == ""
    said = "what was tried did not help, and nothing else is left to try"
    assert step["reason"] == said


@pytest.mark.parametrize("confirmed", ["", "78", "api"])
def test_a_destructive_rung_wants_its_target_named(confirmed: str) -> None:
    found = [ill("held", "end_stranger", "77")]
    rungs = [{"name": "end_stranger", "says": "end the stranger", "destructive": True}]
    step = next_step(found, rungs, confirmed=confirmed, option="x_confirm")
    assert step["rung"] == ""
    said = "to end the stranger (77), a person has to name it: -e x_confirm=77"
    assert step["reason"] == (f"it is not {confirmed}; {said}" if confirmed else said)
    assert next_step(found, LADDER)["reason"] == "to end_stranger (77), a person has to name it"


def test_what_was_named_and_done_is_not_called_wrong() -> None:
    done: list[Taken] = [{"rung": "end_stranger", "target": "77", "cause": "held"}]
    step = next_step([ill("next", "end_stranger", "78")], LADDER, done, confirmed="77")
    assert step["reason"] == "to end_stranger (78), a person has to name it"


def test_what_has_to_be_typed_is_taken_as_one_value() -> None:
    step = next_step([ill("held", "end_stranger", "Web Content:7")], LADDER, option="x_confirm")
    words = shlex.split(step["reason"].partition(": ")[2])
    assert words[0] == "-e"
    assert parse_kv(words[1]) == {"x_confirm": "Web Content:7"}


@pytest.mark.parametrize(("target", "named"), [("77", "77"), ("", "api")])
def test_a_destructive_rung_is_climbed_for_what_was_named(target: str, named: str) -> None:
    step = next_step([ill("held", "end_stranger", target)], LADDER, confirmed=named)
    assert (step["rung"], step["target"]) == ("end_stranger", target)


def test_a_ladder_that_does_not_fit_is_told() -> None:
    with pytest.raises(LadderError, match="no rung fly; it has reload, restart_instances"):
        next_step([ill("x", "fly")], LADDER)
    with pytest.raises(AnsibleFilterError, match=r"next_rung: .* it has none"):
        FilterModule().filters()["next_rung"]([ill("x", "fly")], [])


def test_a_ladder_that_leads_back_to_itself_ends() -> None:
    circle: list[Rung] = [{"name": "a", "next": "b"}, {"name": "b", "next": "a"}]
    assert next_step([ill("unhealthy", "a")], circle, [took("a"), took("b")])["rung"] == ""
