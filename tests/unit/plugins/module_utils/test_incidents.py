# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Incidents that are remembered in a file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils._incidents import (
    CLAIM_SECONDS,
    MALFORMED,
    Incidents,
    IncidentsError,
)


def incident(seen: str = "2026-01-05T03:00:00Z", **facts: Any) -> dict[str, Any]:
    began = "2026-01-05T03:00:00Z"
    known = {"severity": "high", "began": began, "seen": seen, "told": {"pd": 1}, "healed": False}
    return {**known, "about": {"subject": "api"}, **facts}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "incidents.json"


def test_noted_seen_again_told_further_and_over(place: Path) -> None:
    incidents = Incidents(str(place))
    assert incidents.read() == {}
    assert incidents.note({"a": incident()})
    assert incidents.note({"b": incident()})
    assert place.stat().st_mode & 0o777 == 0o600
    # Each run has a record of its own.
    later = incident("2026-01-05T03:20:00Z", about={"subject": "api", "record": "2.json"})
    assert not incidents.note({"a": later})
    assert incidents.read() == {"a": later, "b": incident()}
    assert incidents.note({"a": incident(told={"pd": 2})})
    assert incidents.note({"a": None, "c": None})
    assert incidents.read() == {"b": incident()}
    assert not incidents.note({"a": None})


def test_only_the_newest_are_kept(place: Path) -> None:
    many = {str(n): incident(f"2026-01-05T{n // 60:02}:{n % 60:02}:00Z") for n in range(510)}
    Incidents(str(place)).note(many)
    assert sorted(map(int, Incidents(str(place)).read())) == list(range(10, 510))


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "{}",
        '{"incidents": []}',
        '{"incidents": {"a": 1}}',
        json.dumps({"incidents": {"a": incident("x")}}),
        json.dumps({"incidents": {"a": incident(severity="urgent")}}),
    ],
)
def test_damaged_file_is_told(place: Path, content: str) -> None:
    place.parent.mkdir()
    place.write_text(content)
    with pytest.raises(IncidentsError, match="is damaged, so nobody knows who was told"):
        Incidents(str(place)).read()
    with pytest.raises(IncidentsError):
        Incidents(str(place)).note({"a": incident()})
    assert place.read_text() == content


def test_unreadable_file_is_told(place: Path) -> None:
    os.makedirs(place)
    with pytest.raises(IncidentsError, match="cannot be read: Is a directory"):
        Incidents(str(place)).read()


def test_note_that_is_none_is_refused(place: Path) -> None:
    with pytest.raises(MALFORMED):
        Incidents(str(place)).note({"a": {"severity": "high"}})


def test_entry_of_an_older_release_still_counts(place: Path) -> None:
    older = {name: value for name, value in incident().items() if name != "about"}
    place.parent.mkdir()
    place.write_text(json.dumps({"version": 1, "incidents": {"a": older}}))
    assert Incidents(str(place)).read() == {"a": incident(about={})}


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_one_run_at_a_time_tells_an_incident(place: Path) -> None:
    incidents = Incidents(str(place))
    assert incidents.claim(["a", "b"], "one") == ({}, [])
    # All or nothing: who waits for one keeps no other from being told.
    assert incidents.claim(["c", "a"], "two") == ({}, ["a"])
    assert incidents.claim(["c"], "three") == ({}, [])
    # A run that was cut short before it noted anything does not wait for itself.
    assert incidents.claim(["a", "b"], "one") == ({}, [])
    # What one has told is known when the other one's turn comes, in one step.
    assert incidents.note({"a": incident()}, "one")
    assert incidents.claim(["a", "b"], "two") == ({"a": incident()}, [])
    assert incidents.claim(["c"], "two")[1] == ["c"]


def test_a_delivery_that_failed_gives_the_claim_back(place: Path) -> None:
    incidents = Incidents(str(place))
    incidents.claim(["a"], "one")
    assert incidents.note({"a": incident(told={})}, "one")
    assert incidents.claim(["a"], "two") == ({"a": incident(told={})}, [])
    # Also when there is nothing to note after all.
    assert not incidents.note({}, "two")
    assert incidents.claim(["a"], "three")[1] == []


@pytest.mark.parametrize("seconds", [CLAIM_SECONDS, -CLAIM_SECONDS])
def test_a_claim_keeps_no_page_back_for_good(place: Path, seconds: float) -> None:
    clock = Clock()
    incidents = Incidents(str(place), clock)
    incidents.claim(["a"], "killed")
    clock.now += seconds - 1 if seconds > 0 else seconds + 1
    assert incidents.claim(["a"], "next")[1] == ["a"]
    clock.now = 1000.0 + seconds
    assert incidents.claim(["a"], "next")[1] == []
    # Who was slow, and not killed, takes nothing from the one after it.
    incidents.note({}, "killed")
    assert incidents.claim(["a"], "third")[1] == ["a"]


def test_damaged_file_refuses_a_claim(place: Path) -> None:
    place.parent.mkdir()
    place.write_text('{"incidents": {}, "claims": {"a": {}}}')
    with pytest.raises(IncidentsError, match="is damaged"):
        Incidents(str(place)).claim(["a"], "one")
