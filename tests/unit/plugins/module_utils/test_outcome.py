# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last word of a failed procedure: one sentence for the cause, and only what was verified."""

from __future__ import annotations

from ansible_collections.plugspace.titan.plugins.module_utils._outcome import (
    activation_failure,
    failure_cause,
    preparation_failure,
)

CAUSE = failure_cause(
    {"msg": "plugspace-api: instance 0 exited.", "failed_app": "plugspace-api", "logs": ["boom"]},
    "Reload",
)


def test_a_cause_is_one_sentence_without_its_dot() -> None:
    assert failure_cause({"msg": "a\n  b."})["sentence"] == "a b"


def test_a_cause_has_its_word_for_programs() -> None:
    assert failure_cause({"msg": "x", "cause": "no_primary"})["cause"] == "no_primary"
    assert failure_cause({"msg": "x"})["cause"] == ""


def test_lines_of_no_application_are_those_of_the_task() -> None:
    cause = failure_cause({"msg": "x", "logs": ["boom"]}, "Migrate")
    assert activation_failure(cause, {}, "titan1", "r1").splitlines()[1:] == [
        "Last lines of Migrate:",
        "  boom",
    ]


def test_a_result_without_a_message_is_told_as_such() -> None:
    assert failure_cause({"rc": 1})["sentence"] == "it failed and gave no reason"


def test_only_the_last_lines_are_kept() -> None:
    logs = failure_cause({"msg": "x", "logs": [str(n) for n in range(100)]})["logs"]
    assert logs[0] == "80"
    assert logs[-1] == "99"


def test_a_release_that_was_taken_back() -> None:
    back = {"release": {"name": "r1", "ref": "v1"}}
    text = activation_failure(CAUSE, back, "titan2", "r2", done=["titan1"], untouched=["titan3"])
    assert text.splitlines() == [
        "titan2: release r2 was not kept: plugspace-api: instance 0 exited. titan2 is back on "
        "release r1 (v1): every instance and the site answer. The release is live on titan1. "
        "Not touched: titan3.",
        "Last lines of plugspace-api:",
        "  boom",
    ]


def test_a_way_back_that_failed_calls_a_person() -> None:
    back = {"cause": failure_cause({"msg": "the daemon is gone"})}
    text = activation_failure(CAUSE, back, "titan1", "r2")
    assert "The way back failed too: the daemon is gone. A person must look at titan1" in text
    assert "is back on" not in text


def test_a_first_release_has_nothing_to_return_to() -> None:
    assert "nothing is live on titan1" in activation_failure(CAUSE, {"release": {}}, "titan1", "r1")


def test_a_release_that_was_live_before_stays_live() -> None:
    text = activation_failure(CAUSE, {"kept": True}, "titan1", "r1")
    assert "was live before and still is: nothing was switched" in text


def test_a_preparation_names_each_hosts_cause() -> None:
    text = preparation_failure({"titan1": CAUSE}, "r2", ["titan1", "titan2"])
    assert text.splitlines() == [
        "Release r2 was not put live: titan1: plugspace-api: instance 0 exited. "
        "What runs on titan1, titan2 was not touched.",
        "Last lines of plugspace-api:",
        "  boom",
    ]


def test_a_host_that_vanished_is_a_cause_too() -> None:
    text = preparation_failure({}, "r2", ["titan1", "titan2"], lost=["titan2"], left=["disk full"])
    assert text.splitlines() == [
        "Release r2 was not put live: titan2 stopped answering. "
        "What runs on titan1, titan2 was not touched.",
        "Left undone: disk full",
    ]


def test_a_lock_that_stays_is_told() -> None:
    text = activation_failure(CAUSE, {"kept": True}, "titan1", "r2", locked=["titan3"])
    assert "The lock on titan3 could not be given back" in text
