# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of records."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from record_samples import record, result

from ansible_collections.plugspace.titan.plugins.filter.records_table import FilterModule
from ansible_collections.plugspace.titan.plugins.module_utils._identity import machine, process_key
from ansible_collections.plugspace.titan.plugins.module_utils._record_list import (
    listed,
    standing,
)
from ansible_collections.plugspace.titan.plugins.module_utils._record_store import Store
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen

records_table = FilterModule().filters()["records_table"]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Three runs, the newest of them interrupted, and a file that is damaged."""
    for number, content in enumerate(
        (
            record(result(), began="2026-11-24T03:15:00Z"),
            record(
                result(host="titan2", outcome="unhealed"),
                procedure="mongodb_down",
                hosts={},
                timeline={},
            ),
            record(status="interrupted", hosts={}, timeline={"titan3": []}),
        )
    ):
        Store(str(tmp_path), content["procedure"], 1795490100.0 + number).write(content)
    (tmp_path / "20261124T000000Z-x-aaaaaa.json").write_text("{")
    return tmp_path


def states(directory: Path, **wanted: Any) -> list[str]:
    return [one["state"] for one in listed(str(directory), **wanted)]


def test_the_newest_comes_first_and_the_damaged_one_is_told(directory: Path) -> None:
    assert states(directory) == ["interrupted", "unhealed", "healed", ""]
    assert listed(str(directory))[-1]["problem"].startswith("is damaged")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"last": 1}, ["interrupted"]),
        ({"last": 1, "host": "titan1"}, ["healed"]),
        ({"host": "titan3"}, ["interrupted", ""]),
        ({"procedure": "mongodb_down"}, ["unhealed", ""]),
        ({"outcome": "healed"}, ["healed", ""]),
        ({"outcome": "interrupted"}, ["interrupted", ""]),
        ({"outcome": "finished"}, ["unhealed", "healed", ""]),
        ({"outcome": "refused"}, [""]),
    ],
)
def test_what_is_asked_for(directory: Path, wanted: dict[str, Any], found: list[str]) -> None:
    assert states(directory, **wanted) == found


def test_the_table(directory: Path) -> None:
    lines = records_table(listed(str(directory))).splitlines()
    assert lines[0].split() == [
        *("began", "procedure", "state", "hosts", "cause", "recovery", "by", "record"),
    ]
    assert lines[3].split()[:-1] == [
        *("2026-11-24T03:15:00Z", "service_down", "healed", "titan1", "port_taken"),
        *("6.2", "s", "ann"),
    ]
    assert lines[3].endswith(".json")
    assert lines[4].endswith("aaaaaa.json is damaged: it holds no JSON")


def test_no_record(tmp_path: Path) -> None:
    assert records_table(listed(str(tmp_path / "none"))) == "no record"


def test_check_mode_and_many_hosts_are_told() -> None:
    many = record(
        *(result(host=f"titan{number}") for number in range(5)), check=True, recovery_seconds=None
    )
    table = records_table([{"path": "/x", "state": "healed", "problem": "", "record": many}])
    assert "healed (check)" in table
    assert "5 hosts" in table


def test_a_run_that_never_told_its_end_lives_only_with_its_process() -> None:
    here = f"{machine()}:{process_key(os.getpid())}"
    for run, stands in (
        (here, "running"),
        (f"{machine()}:{os.getpid()}:1", "killed"),
        (f"{machine()}:x", "killed"),
        (f"{machine()}:", "killed"),
        ("elsewhere:1:1", "end not told"),
        ("", "end not told"),
    ):
        assert standing(Seen(record(status="running", run=run))) == stands, run
