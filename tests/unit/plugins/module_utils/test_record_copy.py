# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of one procedure, its file, and the files of several hosts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from record_samples import record, result

from ansible_collections.plugspace.titan.plugins.filter.records_of_hosts import FilterModule
from ansible_collections.plugspace.titan.plugins.filter.records_table import (
    FilterModule as TableModule,
)
from ansible_collections.plugspace.titan.plugins.module_utils import _record_store
from ansible_collections.plugspace.titan.plugins.module_utils._record_copy import keep, record_of
from ansible_collections.plugspace.titan.plugins.module_utils._record_store import RecordError

from .strange import ANYTHING

records_of_hosts = FilterModule().filters()["records_of_hosts"]
records_table = TableModule().filters()["records_table"]
# 2026-11-24T03:15:10Z
NOW = 1795490110.0


def test_it_has_the_shape_of_a_record_of_a_run() -> None:
    later = result(host="titan2", began="2026-11-24T03:15:04Z", outcome="well")
    made = record_of("service_down", [later, result()], {"by": "ann"}, NOW)
    assert (made["began"], made["ended"], made["seconds"]) == (
        "2026-11-24T03:15:01Z",
        "2026-11-24T03:15:10Z",
        9.0,
    )
    assert (made["status"], made["outcome"], made["recovery_seconds"]) == (
        "finished",
        "healed",
        6.2,
    )
    assert made["results"] == [later, result()]
    assert made["summary"].startswith("plugspace-api on titan1 was healed by restart")
    assert set(made) - set(record()) == {"plays"}


@pytest.mark.parametrize("outcome", ["unhealed", "refused", "unreachable"])
def test_one_that_needs_a_person_failed(outcome: str) -> None:
    made = record_of("service_down", [result(outcome=outcome)], {}, NOW)
    assert (made["status"], made["outcome"]) == ("failed", outcome)
    both = [result(host="titan2"), result(outcome=outcome)]
    assert record_of("service_down", both, {}, NOW)["status"] == "failed"


def test_its_name_is_in_it(tmp_path: Path) -> None:
    path = Path(keep(str(tmp_path), record_of("service_down", [result()], {}, NOW)))
    assert json.loads(path.read_text())["id"] == path.stem


def test_one_without_a_time_began_now() -> None:
    made = record_of("service_down", [result(began="")], {}, NOW)
    assert (made["began"], made["seconds"]) == ("2026-11-24T03:15:10Z", 0.0)


def test_a_file_that_could_not_be_written_is_not_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*paths: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_record_store.os, "replace", full)
    with pytest.raises(RecordError, match="No space left on device"):
        keep(str(tmp_path), record(result()))
    assert list(tmp_path.iterdir()) == []


def row(name: str, state: str = "healed", problem: str = "") -> dict[str, Any]:
    content = {} if problem else record(result())
    return {"path": f"/r/{name}.json", "state": state, "problem": problem, "record": content}


ANSWERS = [
    {"item": "mon1", "records": [row("3", "well"), row("1"), row("0", "", "is damaged")]},
    {"item": "mon2", "unreachable": True, "msg": "Task failed: ssh: refused"},
    {"item": "mon3", "msg": "cannot list the records in /r: Permission denied"},
    {"item": "mon4", "records": [row("2", "unhealed")]},
]


def test_the_newest_of_all_hosts_comes_first() -> None:
    joined = records_of_hosts(ANSWERS)
    assert [one["path"] for one in joined[:3]] == [
        "mon1:/r/3.json",
        "mon4:/r/2.json",
        "mon1:/r/1.json",
    ]
    assert [one["state"] for one in joined[:3]] == ["well", "unhealed", "healed"]
    assert records_table(records_of_hosts(ANSWERS, 1)).splitlines()[2:] == [
        "mon1:/r/0.json is damaged",
        "mon2 gave no answer",
        "mon3 cannot list the records in /r: Permission denied",
    ]


@given(ANYTHING)
def test_no_answer_breaks_the_list(value: object) -> None:
    records_table(records_of_hosts([value, {"records": [value]}, {"records": value}]))
