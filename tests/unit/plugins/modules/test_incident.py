# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible starts it; what is remembered is tested with its own code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import started_module

from ansible_collections.plugspace.titan.plugins.modules import incident

NOTE = {
    "severity": "high",
    "began": "2026-01-05T03:00:00Z",
    "seen": "2026-01-05T03:00:00Z",
    "told": {"pd": 1},
    "healed": False,
    "about": {"subject": "api"},
}


def run(path: Path, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    return started_module.result(incident, check_mode, path=str(path), **options)


def test_notes_and_reads(tmp_path: Path) -> None:
    path = tmp_path / "state" / "incidents.json"
    first = run(path, notes={"k": NOTE})
    assert (first["changed"], first["incidents"]) == (True, {})
    second = run(path, notes={"k": NOTE})
    assert (second["changed"], second["incidents"]) == (False, {"k": NOTE})
    assert run(path)["incidents"] == {"k": NOTE}
    assert run(path, notes={"k": None})["changed"]
    assert run(path)["incidents"] == {}


def test_a_claim_lasts_until_the_note_and_is_no_change(tmp_path: Path) -> None:
    path = tmp_path / "state" / "incidents.json"
    first = run(path, claims=["k"], run="one")
    assert (first["changed"], first["incidents"], first["held"]) == (False, {}, [])
    assert run(path, claims=["k"], run="two")["held"] == ["k"]
    assert run(path, notes={"k": NOTE}, run="one")["changed"]
    second = run(path, claims=["k"], run="two")
    assert (second["changed"], second["incidents"], second["held"]) == (False, {"k": NOTE}, [])
    assert run(path, notes={}, run="two")["changed"] is False
    assert run(path, claims=["k"], run="three")["held"] == []


def test_claims_and_notes_are_two_steps(tmp_path: Path) -> None:
    failed = run(tmp_path / "incidents.json", claims=["k"], notes={})
    assert "mutually exclusive" in failed["msg"]


@pytest.mark.parametrize("what", [{"notes": {"k": NOTE}}, {"claims": ["k"]}])
def test_check_mode_touches_nothing(tmp_path: Path, what: dict[str, Any]) -> None:
    told = run(tmp_path / "state" / "incidents.json", True, **what)
    assert (told["changed"], told["held"]) == (False, [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "notes", "said"),
    [
        ("{", {}, "is damaged"),
        ("{", {"k": NOTE}, "is damaged"),
        ('{"incidents": {}}', {"k": {}}, "notes hold what is no incident"),
        ('{"incidents": {}}', {"k": 1}, "notes hold what is no incident"),
        ('{"incidents": {}}', {"k": {**NOTE, "about": 1}}, "notes hold what is no incident"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    tmp_path: Path, content: str, notes: dict[str, Any], said: str
) -> None:
    path = tmp_path / "incidents.json"
    path.write_text(content)
    failed = run(path, notes=notes)
    assert failed["failed"]
    assert said in failed["msg"]


def test_place_that_cannot_be_written(tmp_path: Path) -> None:
    failed = run(Path("/proc/nowhere/incidents.json"), notes={"k": NOTE})
    assert failed["failed"]
    assert "/proc/nowhere" in failed["msg"]
