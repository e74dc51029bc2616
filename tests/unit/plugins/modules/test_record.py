# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible starts it."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
import started_module
from record_samples import record, result

from ansible_collections.plugspace.titan.plugins.modules import record as module

RECORD = record(result())


def run(path: Path | str, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    return started_module.result(
        module, check_mode, path=str(path), **{"record": RECORD, **options}
    )


def test_each_call_writes_a_file_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "records"
    paths = [Path(run(folder)["path"]) for _time in range(2)]
    assert sorted(paths) == sorted(folder.iterdir())
    assert len(paths) == 2
    for path in paths:
        assert path.name.startswith("20261124T031500Z-service_down-")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert json.loads(path.read_text())["results"] == RECORD["results"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_check_mode_touches_nothing(tmp_path: Path) -> None:
    told = run(tmp_path / "records", True)
    assert (told["changed"], told["path"]) == (True, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "given", "said"),
    [
        ("records", RECORD, "records is no absolute path; give the whole one"),
        ("/proc/records", RECORD, "cannot write records in /proc/records: No such file"),
        ("/tmp", {}, "is no record: it names no procedure, or no time"),
        ("/tmp", {**RECORD, "began": "at night"}, "is no record"),
    ],
)
def test_what_cannot_be_is_one_sentence(path: str, given: dict[str, Any], said: str) -> None:
    failed = run(path, record=given)
    assert failed["failed"]
    assert said in failed["msg"]
