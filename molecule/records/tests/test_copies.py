"""Copies of records on a monitoring host: real runs of the engine, looked at from outside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.hosts import ssh
from support.playbooks import Run, play

KEEPER = "titan1"
COPIES = "/var/lib/titan/records-of-the-test"
# Nothing listens there.
SILENT = "127.0.0.9"
SECRET = "hunter2-is-long"


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The controller's own records of one test; the copies are gone before and after it."""
    folder = tmp_path / "records"
    monkeypatch.setenv("TITAN_RECORD_DIRECTORY", str(folder))
    ssh(KEEPER, f"sudo rm -rf {COPIES}")
    yield folder
    ssh(KEEPER, f"sudo rm -rf {COPIES}")


def work(tmp_path: Path, *arguments: str, **variables: Any) -> Run:
    options = {
        "titan_records_copy_path": COPIES,
        "titan_incidents_path": str(tmp_path / "incidents.json"),
        **variables,
    }
    return play("../molecule/records/procedure", *arguments, **options)


def results(run: Run) -> list[dict[str, Any]]:
    """What AWX gets, in the order of the hosts."""
    (stats,) = [each for each in run.events if each["event"] == "playbook_on_stats"]
    handed: list[dict[str, Any]] = stats["event_data"]["artifact_data"]["titan_results"]
    return sorted(handed, key=lambda one: str(one["host"]))


def copies() -> dict[str, str]:
    """The content of each file, by its name."""
    names = ssh(KEEPER, f"sudo ls {COPIES} 2>/dev/null; true").split()
    return {name: ssh(KEEPER, f"sudo cat {COPIES}/{name}") for name in names}


def shown(**variables: Any) -> str:
    run = play("records", records_from="monitoring", titan_records_copy_path=COPIES, **variables)
    assert (run.code, run.changed) == (0, 0), run.output
    return str(run.result("Show the records", "localhost")["msg"])


def where(run: Run, host: str = "titan1") -> str:
    return str(run.result("Say where the copy is", host)["msg"])


def test_each_run_leaves_one_more_and_changes_none(directory: Path, tmp_path: Path) -> None:
    planned = work(tmp_path, "--check", fixture_evidence="it is cold")
    assert planned.code == 0, planned.output
    assert ssh(KEEPER, f"sudo ls -d {COPIES} 2>/dev/null || echo none") == "none\n"

    evidence = f"it is cold {SECRET}"
    ill = work(tmp_path, fixture_evidence=evidence, titan_test_password=SECRET)
    assert ill.code != 0
    ((name, first),) = copies().items()
    assert where(ill) == f"A copy of the record is at {KEEPER}:{COPIES}/{name}"
    assert ssh(KEEPER, f"sudo stat -c '%U %a' {COPIES} {COPIES}/{name}") == "root 700\nroot 600\n"
    assert ssh(KEEPER, f"cat {COPIES}/{name} 2>/dev/null || echo denied") == "denied\n"
    copy = json.loads(first)
    assert (copy["procedure"], copy["outcome"]) == ("records_fixture", "unhealed")
    # Neither what is kept, nor what is printed, nor what AWX gets.
    handed = results(ill)
    for told in (first, ill.output, json.dumps(handed)):
        assert SECRET not in told
        assert "it is cold ********" in told
    # And who was told, of every host.
    assert copy["results"] == handed
    assert [one["escalation"]["page"] for one in handed] == [True, True]
    assert min(one["began"] for one in handed) == copy["began"]

    well = work(tmp_path)
    assert (well.code, well.changed) == (0, 0)
    both = copies()
    assert list(both) == sorted(both)
    assert len(both) == 2
    assert both[name] == first

    lines = shown().splitlines()
    assert [line.split()[1:3] for line in lines[1:]] == [
        ["records_fixture", "well"],
        ["records_fixture", "unhealed"],
    ]
    assert lines[2].endswith(f"{KEEPER}:{COPIES}/{name}")
    asked = {"records_outcome": "unhealed", "records_procedure": "records_fixture"}
    told = json.loads(shown(records_format="json", records_last=5, **asked))
    assert [one["record"] for one in told] == [copy]
    # The controller has its own, the plan's among them.
    assert len(list(directory.glob("*.json"))) == 3


def test_a_host_that_gives_no_answer_is_told_and_changes_no_outcome(tmp_path: Path) -> None:
    well = work(tmp_path, fixture_hosts="titan2", common_records_hosts=[SILENT])
    assert well.code == 0, well.output
    assert where(well, "titan2") == f"No copy of the record was kept: {SILENT} gave no answer."
    assert [one["outcome"] for one in results(well)] == ["well"]

    ill = work(
        tmp_path,
        fixture_hosts="titan2",
        fixture_evidence="it is cold",
        common_records_hosts=[SILENT, KEEPER],
    )
    assert ill.code != 0
    assert [one["outcome"] for one in results(ill)] == ["unhealed"]
    assert ill.failure == results(ill)[0]["summary"]
    # The next one has it.
    assert f" {KEEPER}:{COPIES}/" in where(ill, "titan2")
    assert len(copies()) == 1

    assert shown(records_hosts=KEEPER, records_host="titan9") == "no record of titan9"
    lines = shown(records_hosts=[SILENT, KEEPER]).splitlines()
    assert lines[1].split()[2] == "unhealed"
    assert lines[2] == f"{SILENT} gave no answer"


def test_a_copy_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    run = work(tmp_path, fixture_hosts="titan2", titan_records_copy_path="/proc/records")
    assert run.code == 0, run.output
    assert where(run, "titan2") == (
        "No copy of the record was kept: titan1: cannot write records in /proc/records:"
        " No such file or directory."
    )
    assert run.failure == ""


def test_copies_that_nobody_keeps_are_told() -> None:
    run = play("records", records_from="monitoring")
    assert run.code != 0
    assert run.failure.startswith("There are no copies to read: set titan_records_copy_path")
    wrong = play("records", records_from="the moon")
    assert wrong.code != 0
    assert "records_from" in wrong.failure
