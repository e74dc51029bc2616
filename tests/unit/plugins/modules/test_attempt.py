# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible starts it; what is remembered is tested with its own code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import started_module

from ansible_collections.plugspace.titan.plugins.modules import attempt


def run(place: Path, check_mode: bool = False, by: str = "r1", **options: Any) -> dict[str, Any]:
    """Run the module and return its result."""
    arguments = {
        "path": str(place),
        "procedure": "service_down",
        "run": {"id": by, "user": "ann", "host": "bastion"},
        **options,
    }
    return started_module.result(attempt, check_mode, **arguments)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "attempts.json"


def test_begun_refused_and_ended(path: Path) -> None:
    first = run(path, cause="crashing")
    assert (first["changed"], first["allowed"], first["reason"]) == (True, True, "")
    second = run(path, by="r2")
    assert (second["changed"], second["allowed"]) == (False, False)
    assert "because of crashing" in second["reason"]
    assert 0 < second["wait"] <= 300
    assert run(path, state="ended", outcome="healed")["changed"]
    assert not run(path, state="ended", outcome="healed")["changed"]
    assert run(path, by="r2", cooldown=0)["allowed"]
    kept = json.loads(path.read_text())["attempts"]
    assert [(one["run"], one["by"]) for one in kept] == [
        ("r1", "ann@bastion"),
        ("r2", "ann@bastion"),
    ]


def test_check_mode_judges_and_touches_nothing(path: Path) -> None:
    assert run(path, check_mode=True)["allowed"]
    assert list(path.parent.iterdir()) == []
    run(path)
    before = path.read_text()
    assert not run(path, check_mode=True, by="r2")["allowed"]
    overridden = run(path, check_mode=True, by="r2", override=True)
    assert overridden["allowed"]
    assert overridden["reason"].endswith("; overridden")
    assert not run(path, check_mode=True, state="ended")["changed"]
    assert path.read_text() == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"maximum": 0}, "maximum is at least 1"),
        ({"cooldown": -1}, "not negative"),
        ({"run": {"user": "ann"}}, "run_identity"),
        ({"path": "/proc/nowhere/attempts.json"}, "/proc/nowhere"),
    ],
)
def test_what_cannot_be_is_one_sentence(path: Path, options: dict[str, Any], said: str) -> None:
    refused = run(path, **options)
    assert refused["failed"]
    assert said in refused["msg"]
