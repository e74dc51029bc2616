# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the evidence of one host to why its service does not answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.plugspace.titan.plugins.filter import service_remark
from ansible_collections.plugspace.titan.plugins.filter.diagnose_service import FilterModule
from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_service import (
    diagnose_service,
)

from .service_samples import ROOT, api, instance, sick, told, well
from .strange import ANYTHING, parts, replaced


def test_nothing_is_found_where_all_is_well() -> None:
    assert diagnose_service(well()) == []


def test_the_filter_is_the_diagnosis() -> None:
    assert FilterModule().filters()["diagnose_service"](well()) == []


def test_a_service_that_is_called_well_and_not_asked_is_not_called_well() -> None:
    seen = well()
    del seen["answer"]
    assert told(seen) == [("unknown", "", "")]
    assert "nobody could look" in diagnose_service(seen)[0]["evidence"]
    seen["answer"] = {"ok": False}
    assert "nothing that was seen says why" in diagnose_service(seen)[0]["evidence"]


@pytest.mark.parametrize("reason", [" ", "\u00e4", "\x00"])
def test_a_reason_that_cannot_be_shown_leaves_no_finding_without_evidence(reason: str) -> None:
    assert diagnose_service(sick(reason))[0]["evidence"] == "what was told of it cannot be shown"


@pytest.mark.parametrize(
    ("state", "finding"),
    [
        ("absent", ("pm2_absent", "start_pm2", "")),
        ("stale", ("pm2_dead", "start_pm2", "")),
        ("hung", ("pm2_hung", "replace_pm2", "")),
        ("foreign", ("pm2_foreign", "", "")),
    ],
)
def test_a_daemon_that_cannot_be_asked_says_nothing_of_its_processes(
    state: str, finding: tuple[str, str, str]
) -> None:
    seen = sick()
    seen["pm2"] = {"daemon": {"state": state, "reason": "it is ill", "pid": None}, "apps": []}
    seen["host"]["listeners"] = []
    assert told(seen) == [finding]
    first = diagnose_service(seen)[0]
    assert first["evidence"] == "it is ill"
    assert ("titan_pm2_home" in first["advice"]) is (state == "foreign")
    del seen["pm2"]["daemon"]["reason"]
    assert "daemon" in diagnose_service(seen)[0]["evidence"]


@pytest.mark.parametrize("live", ["absent", "dangling", "foreign_link", "other"])
def test_a_release_that_is_gone_needs_a_person(live: str) -> None:
    seen = sick()
    seen["release"] = {"live": live, "current": {}}
    api(seen)["instances"] = [instance(0, 0, status="errored", restarts=16)]
    found = diagnose_service(seen)
    assert [one["cause"] for one in found] == ["release_gone", "crashing"]
    assert "rollback" in found[0]["advice"]


def test_a_damaged_release_comes_before_the_crash_that_it_explains() -> None:
    seen = sick()
    seen["release"]["current"] = {"name": "r1", "complete": False, "reason": "dist is missing"}
    api(seen)["instances"] = [instance(0, 0, status="errored", restarts=16)]
    found = diagnose_service(seen)
    assert [one["cause"] for one in found] == ["release_damaged", "crashing"]
    assert "dist is missing" in found[0]["evidence"]


@pytest.mark.parametrize(
    ("state", "facts", "remark"),
    [
        ("ok", {}, ""),
        (
            "refused",
            {"error": "127.0.0.1:6379 refused the connection"},
            "but api needs redis, and 127.0.0.1:6379 refused the connection; redis-server is"
            " inactive: run playbooks/redis_down.yml",
        ),
        ("oom", {}, "but api needs redis, and redis is oom; redis-server is inactive: run "),
    ],
)
def test_a_service_that_answers_is_well_and_what_it_needs_is_told(
    state: str, facts: dict[str, Any], remark: str
) -> None:
    seen = well()
    seen["redis"] = {"state": state, **facts}
    seen["host"]["units"][1]["active"] = "inactive"
    assert told(seen) == []
    said = service_remark.FilterModule().filters()["service_remark"](seen)
    assert said.startswith(remark)
    assert bool(said) is bool(remark)


def test_of_two_that_are_down_the_one_that_is_needed_first_is_told() -> None:
    seen = well()
    seen["redis"]["state"] = seen["mongodb"]["state"] = "refused"
    said = service_remark.FilterModule().filters()["service_remark"](seen)
    assert said.startswith("but api needs redis")


def test_another_application_of_pm2_says_nothing_of_this_one() -> None:
    seen = sick()
    seen["pm2"]["apps"].reverse()
    api(seen)["instances"] = [instance(2, 0, status="stopped")]
    assert told(seen) == [("not_listening", "restart", "")]


def full(mount: str, **numbers: Any) -> dict[str, Any]:
    return {"mount": mount, "size_bytes": 1e10, "available_bytes": 0, **numbers}


@pytest.mark.parametrize(
    ("systems", "log", "expected"),
    [
        ([full("/")], [], [("/", "certain")]),
        ([full("/"), {"mount": "/home", "available_bytes": 1e9}], [], []),
        ([full("/home")], [], [("/home", "certain")]),
        # Full, and the application says so, though its files are elsewhere.
        ([full("/var")], ["Error: ENOSPC: no space left on device, write"], [("/var", "likely")]),
        ([full("/var")], ["Error: ENOSPC, write"], [("/var", "likely")]),
        ([full("/var")], [], []),
        # So little is nothing.
        ([full("/", available_bytes=1e6)], [], [("/", "certain")]),
        ([full("/", available_bytes=2e6)], [], []),
        (
            [full("/", available_bytes=1e9, inodes_used_percent=100)],
            [],
            [("/", "certain")],
        ),
    ],
)
def test_a_full_disk_counts_where_the_application_writes(
    systems: list[dict[str, Any]], log: list[str], expected: list[tuple[str, str]]
) -> None:
    seen = sick()
    seen["host"]["file_systems"] = systems
    api(seen)["logs"]["err"] = log
    found = [one for one in diagnose_service(seen) if one["cause"] == "disk_full"]
    assert [(one["subject"], one["confidence"]) for one in found] == expected
    assert all(one["rung"] == "" and one["advice"] for one in found)


def test_a_daemon_that_a_signal_stopped_is_let_go_on() -> None:
    seen = sick()
    seen["pm2"] = {"daemon": {"state": "hung", "reason": "no answer", "pid": 800}, "apps": []}
    seen["host"]["processes"]["kept"].append({"pid": 800, "state": "T"})
    assert told(seen) == [("pm2_hung", "continue_processes", "800")]
    # Another user's is that user's.
    seen["pm2"]["daemon"]["state"] = "foreign"
    assert told(seen) == [("pm2_foreign", "", "")]


HANGS = "the PM2 daemon did not answer"
OTHERS = [
    # The others answer, or nobody could see it; a name that is none of them says nothing.
    ({"voice": True, "mailer": True}, "", "", f"voice, mailer still answer, but {HANGS}"),
    ({"voice": True, "mailer": False}, "", "", f"voice still answers, but {HANGS}"),
    (
        {"voice": None, "mailer": False},
        "",
        "",
        f"nobody could see whether voice still serves, but {HANGS}",
    ),
    ({"voice": True}, "api", "", f"voice still answers, but {HANGS}"),
    ({"voice": False, "mailer": False}, "", "replace_pm2", HANGS),
    ({}, "", "replace_pm2", HANGS),
    ({"voice": True, "mailer": True}, "PM2", "replace_pm2", HANGS),
]


@pytest.mark.parametrize(("others", "named", "rung", "evidence"), OTHERS)
def test_a_daemon_that_hangs_is_ended_when_nothing_is_lost_with_it_or_a_person_says_so(
    others: dict[str, bool | None], named: str, rung: str, evidence: str
) -> None:
    seen = sick("GET http://x gave no answer within 2 s")
    seen["pm2"] = {"daemon": {"state": "hung", "reason": HANGS, "pid": 800}, "apps": []}
    seen["others"], seen["named"] = list(others), named
    seen["other_answers"] = [
        {"name": name, "ok": ok} for name, ok in others.items() if ok is not None
    ]
    first = diagnose_service(seen)[0]
    assert (first["cause"], first["rung"], first["evidence"]) == ("pm2_hung", rung, evidence)
    assert rung or "-e service_down_confirm=PM2" in first["advice"]


@pytest.mark.parametrize(("state", "cause"), [("absent", "pm2_absent"), ("stale", "pm2_dead")])
@pytest.mark.parametrize(
    ("others", "more"),
    [
        ({}, ""),
        ({"voice": True}, "voice still answers, and will be gone for a moment when PM2 starts; "),
        # Who was not seen cannot count.
        ({"voice": None, "mailer": False}, ""),
    ],
)
def test_a_start_of_pm2_says_who_is_cut_off_by_it(
    others: dict[str, bool | None], more: str, state: str, cause: str
) -> None:
    seen = sick()
    seen["pm2"] = {"daemon": {"state": state, "reason": "no daemon runs"}, "apps": []}
    seen["host"]["listeners"] = []
    seen["others"] = list(others)
    seen["other_answers"] = [
        {"name": name, "ok": ok} for name, ok in others.items() if ok is not None
    ]
    assert told(seen) == [(cause, "start_pm2", "")]
    assert diagnose_service(seen)[0]["evidence"] == f"{more}no daemon runs"


def test_a_full_disk_that_the_link_leads_to_is_the_applications() -> None:
    seen = sick()
    seen["release"]["current"]["directory"] = f"{ROOT}/releases/r1"
    full = {"mount": f"{ROOT}/releases/r1", "size_bytes": 1e8, "available_bytes": 0}
    seen["host"]["file_systems"].append(full)
    assert told(seen)[0] == ("disk_full", "", "")


@given(data=st.data(), seen=st.sampled_from([well(), sick()]), value=ANYTHING)
def test_no_observation_is_too_strange(data: Any, seen: dict[str, Any], value: object) -> None:
    path = data.draw(st.sampled_from(parts(seen)))
    for one in diagnose_service(replaced(seen, path, value)):
        assert one["cause"]
        assert one["evidence"]
        assert one["rung"] or one["advice"]
