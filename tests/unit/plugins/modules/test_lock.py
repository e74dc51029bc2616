# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible starts it; the lock itself is tested with its own code."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import started_module

from ansible_collections.plugspace.titan.plugins.modules import lock

ALICE = {"id": "ctl:10:100", "controller": "ctl", "host": "bastion", "user": "alice"}
BOB = {"id": "ctl:20:200", "controller": "ctl", "host": "bastion", "user": "bob"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock.json"


def run(path: Path, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    """Run the module and return its result."""
    return started_module.result(lock, check_mode, path=str(path), **options)


def test_taken_once_and_given_back_once(path: Path) -> None:
    assert run(path, run=ALICE)["changed"]
    assert not run(path, run=ALICE)["changed"]
    assert run(path, run=ALICE)["holder"]["user"] == "alice"
    assert run(path, run=ALICE, state="absent")["changed"]
    assert not run(path, run=ALICE, state="absent")["changed"]
    assert not path.exists()


def test_check_mode_tells_and_touches_nothing(path: Path) -> None:
    assert run(path, check_mode=True, run=ALICE)["changed"]
    assert os.listdir(path.parent) == []
    run(path, run=ALICE)
    held = path.read_text()
    assert not run(path, check_mode=True, run=ALICE)["changed"]
    assert run(path, check_mode=True, run=ALICE, state="absent")["changed"]
    assert run(path, check_mode=True, run=BOB)["failed"]
    assert run(path, check_mode=True, run=BOB, state="absent")["failed"]
    assert path.read_text() == held


def test_the_holder_is_named(path: Path) -> None:
    run(path, run=ALICE, procedure="deploy")
    refused = run(path, run=BOB)
    assert refused["failed"]
    assert "alice on bastion (procedure deploy" in refused["msg"]
    assert refused["holder"]["user"] == "alice"
    assert run(path, run=BOB, state="absent")["failed"]
    assert run(path, run=BOB, state="absent", force=True)["changed"]


def test_a_run_without_an_identity_is_refused(path: Path) -> None:
    assert "run_identity" in run(path, run={"user": "x"})["msg"]
