# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible starts it; what is chosen is tested with the list of records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import started_module
from record_samples import record, result

from ansible_collections.plugspace.titan.plugins.module_utils._record_copy import keep
from ansible_collections.plugspace.titan.plugins.modules import record_info


def run(path: Path, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    return started_module.result(record_info, check_mode, path=str(path), **options)


def test_the_newest_comes_first_and_the_damaged_one_is_told(tmp_path: Path) -> None:
    keep(str(tmp_path), record(result()))
    newest = keep(str(tmp_path), record(result(outcome="unhealed"), began="2026-11-25T03:15:00Z"))
    (tmp_path / "20200101T000000Z-x-aaaaaa.json").write_text("{")
    told = run(tmp_path)
    assert told["changed"] is False
    assert [one["state"] for one in told["records"]] == ["unhealed", "healed", ""]
    assert told["records"][0]["path"] == newest
    assert told["records"][2]["problem"] == "is damaged: it holds no JSON"
    assert [one["state"] for one in run(tmp_path, True, last=1)["records"]] == ["unhealed"]
    (one, damaged) = run(tmp_path, outcome="healed", procedure="service_down", host="titan1")[
        "records"
    ]
    assert (one["state"], damaged["record"]) == ("healed", {})


def test_no_directory_is_no_record(tmp_path: Path) -> None:
    assert run(tmp_path / "none")["records"] == []


def test_what_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert run(tmp_path / "file")["msg"].startswith("cannot list the records in")
    assert run(tmp_path, last=-1)["msg"] == "last is -1; it is a number of records, or 0 for all"
