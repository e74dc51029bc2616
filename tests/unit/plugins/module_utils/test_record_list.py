# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of records."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from record_samples import record, result

from ansible_collections.plugspace.titan.plugins.filter.records_table import FilterModule
from ansible_collections.plugspace.titan.plugins.module_utils._identity import machine, process_key
from ansible_collections.plugspace.titan.plugins.module_utils._record import OUTCOMES
from ansible_collections.plugspace.titan.plugins.module_utils._record_list import (
    listed,
    names_of,
    standing,
)
from ansible_collections.plugspace.titan.plugins.module_utils._record_store import (
    RecordError,
    Store,
)
from ansible_collections.plugspace.titan.plugins.module_utils._record_text import state
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen

records_table = FilterModule().filters()["records_table"]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Three runs, the newest of them interrupted, and a file that is damaged."""
    for number, content in enumerate(
        (
            record(result(), began="2026-11-24T03:15:00Z", playbook="playbooks/api_down.yml"),
            record(
                result(host="titan2", outcome="unhealed"),
                procedure="mongodb_down",
                playbook="/titan/playbooks/mongodb_down.yml",
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
        ({"procedure": ["mongodb_down"]}, ["unhealed", ""]),
        ({"procedure": ["api_down"]}, ["healed", ""]),
        ({"procedure": ["service_down plugspace-api", "other"]}, ["unhealed", "healed", ""]),
        ({"procedure": ["other"]}, [""]),
        ({"outcome": "healed"}, ["healed", ""]),
        ({"outcome": "interrupted"}, ["interrupted", ""]),
        ({"outcome": "finished"}, ["unhealed", "healed", ""]),
        ({"outcome": "refused"}, [""]),
    ],
)
def test_what_is_asked_for(directory: Path, wanted: dict[str, Any], found: list[str]) -> None:
    assert states(directory, **wanted) == found


def test_a_run_goes_by_what_it_ran_as_well() -> None:
    names = names_of(Seen(record(result(procedure="redis_down"), procedure="triage")))
    assert {"triage", "redis_down", "redis_down plugspace-api"} <= names


def test_the_table(directory: Path) -> None:
    lines = records_table(listed(str(directory))).splitlines()
    assert lines[0].split() == [
        *("began", "procedure", "state", "subject", "hosts", "cause", "recovery", "by", "record"),
    ]
    assert lines[3].split()[:-1] == [
        *("2026-11-24T03:15:00Z", "service_down", "healed", "plugspace-api", "titan1"),
        *("port_taken", "6.2", "s", "ann"),
    ]
    assert lines[3].endswith(".json")
    assert {line.index(word) for line, word in zip(lines, ("by  ", "ann", "ann", "ann"))} == {
        lines[0].index("by  ")
    }
    assert lines[4].endswith("aaaaaa.json is damaged: it holds no JSON")


def test_no_record(tmp_path: Path) -> None:
    assert records_table(listed(str(tmp_path / "none"))) == "no record"


def test_what_there_is_no_record_of_is_told_with_where_was_looked(directory: Path) -> None:
    every = listed(str(directory))
    none = listed(str(directory), host="titan9", outcome="healed")
    first, second = records_table(none, ["titan9", "healed"], every).splitlines()
    assert first == f"no record of titan9, healed among 3 records in {directory}"
    assert second.endswith("it holds no JSON")
    assert records_table([], ["titan9"]) == "no record of titan9"


def test_an_outcome_that_no_run_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="outcome is 'great', which no run has; there are unheal"):
        listed(str(tmp_path), outcome="great")


def test_every_state_can_be_asked_for(tmp_path: Path) -> None:
    states = {state(Seen(record(status=status))) for status in ("finished", "failed", "running")}
    for known in {*states, *OUTCOMES, "interrupted", "killed", "end not told", "finished"}:
        assert listed(str(tmp_path), outcome=known) == []


def cells(**content: Any) -> list[str]:
    """The line of a record, cell by cell."""
    row = {"path": "/x", "state": "healed", "problem": "", "record": content}
    return re.split(r" {2,}", records_table([row]).splitlines()[1])


def test_the_controller_counts_only_without_another_host() -> None:
    on = {name: [] for name in ("localhost", "titan1", "titan2", "titan3")}
    assert cells(**record(result(), timeline=on))[4] == "titan1, titan2, titan3"
    assert cells(**record(result(host="localhost"), timeline={}, hosts={}))[4] == "localhost"


def test_many_subjects_are_counted() -> None:
    subjects = ("redis", "mongodb", "cpu", "memory", "cpu")
    many = record(*(result(subject=subject) for subject in subjects))
    assert cells(**many)[3] == "4 subjects"


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
