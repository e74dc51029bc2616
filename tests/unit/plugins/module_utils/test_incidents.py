# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Incidents that are remembered in a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils._incidents import (
    MALFORMED,
    Incidents,
    IncidentsError,
)


def incident(seen: str = "2026-01-05T03:00:00Z", **facts: Any) -> dict[str, Any]:
    began = "2026-01-05T03:00:00Z"
    known = {"severity": "high", "began": began, "seen": seen, "told": {"pd": 1}, "healed": False}
    return {**known, **facts}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "incidents.json"


def test_noted_seen_again_told_further_and_over(place: Path) -> None:
    incidents = Incidents(str(place))
    assert incidents.read() == {}
    assert incidents.note({"a": incident()})
    assert incidents.note({"b": incident()})
    assert place.stat().st_mode & 0o777 == 0o600
    later = incident("2026-01-05T03:20:00Z")
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
        '{"incidents": {"a": {"severity": "urgent"}}}',
        '{"incidents": {"a": {"severity": "high", "began": "x", "seen": "x", "told": {}}}}',
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
