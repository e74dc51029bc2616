# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory of records: whole files, for their owner alone, never another run's."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils import _record_store
from ansible_collections.plugspace.titan.plugins.module_utils._record_store import (
    RecordError,
    Store,
    entries,
)

MOMENT = 1795490100.0


def written(directory: Path, moment: float = MOMENT, procedure: str = "service_down") -> Store:
    store = Store(str(directory), procedure, moment)
    store.write({"procedure": procedure, "status": "finished"})
    store.write_page("<p>page</p>")
    return store


def mode(path: object) -> int:
    return stat.S_IMODE(os.stat(str(path)).st_mode)


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = written(tmp_path / "a" / "records")
    finally:
        os.umask(before)
    assert mode(tmp_path / "a" / "records") == 0o700
    assert (mode(store.json_path), mode(store.page_path)) == (0o600, 0o600)
    assert Path(store.json_path).name.startswith("20261124T031500Z-service_down-")
    assert sorted(os.listdir(tmp_path / "a" / "records")) == [
        f"{store.id}.html",
        f"{store.id}.json",
    ]


def test_two_runs_of_the_same_second_have_a_record_each(tmp_path: Path) -> None:
    one, two = written(tmp_path), written(tmp_path)
    assert one.id != two.id
    assert len(list(entries(str(tmp_path)))) == 2


def test_the_record_of_another_run_is_never_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = iter(["aaaaaa", "aaaaaa", "bbbbbb", *["aaaaaa"] * 20])
    monkeypatch.setattr(_record_store.secrets, "token_hex", lambda size: next(numbers))
    first = written(tmp_path)
    content = Path(first.json_path).read_text()
    assert written(tmp_path).id.endswith("bbbbbb")
    assert Path(first.json_path).read_text() == content
    with pytest.raises(RecordError, match="no free name"):
        written(tmp_path)


def test_a_run_replaces_its_own(tmp_path: Path) -> None:
    store = written(tmp_path)
    store.write({"procedure": "service_down", "status": "failed"})
    (entry,) = entries(str(tmp_path))
    assert entry.record["status"] == "failed"


def test_what_lasts_is_on_the_disk_when_it_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = written(tmp_path)
    synced: list[int] = []
    monkeypatch.setattr(_record_store.os, "fsync", synced.append)
    store.write({"procedure": "service_down", "status": "running"})
    assert synced == []
    store.write({"procedure": "service_down", "status": "finished"})
    assert len(synced) == 1


def test_a_writing_that_fails_leaves_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = written(tmp_path)

    def full(source: str, target: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_record_store.os, "replace", full)
    with pytest.raises(RecordError, match="No space left"):
        store.write({"procedure": "x"})
    assert json.loads(Path(store.json_path).read_text())["status"] == "finished"
    assert len(os.listdir(tmp_path)) == 2


def test_a_name_becomes_a_harmless_one(tmp_path: Path) -> None:
    store = written(tmp_path, procedure="../../Etc; rm")
    assert Path(store.json_path).parent == tmp_path
    assert "-etc-rm-" in store.id
    assert "-run-" in written(tmp_path, procedure="???").id
    assert f"-{'x' * 40}-" in written(tmp_path, procedure="x" * 300).id


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match="cannot write records in"):
        Store(str(tmp_path / "file" / "records"), "x", MOMENT)


def test_the_newest_comes_first_and_nothing_else_is_read(tmp_path: Path) -> None:
    old, new = written(tmp_path, MOMENT), written(tmp_path, MOMENT + 60)
    (tmp_path / "notes.json").write_text("{}")
    (tmp_path / "notes.txt").write_text("")
    assert [entry.path for entry in entries(str(tmp_path))] == [new.json_path, old.json_path]
    assert list(entries(str(tmp_path / "none"))) == []


def test_damaged_files_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_record_store, "MAX_BYTES", 60)
    stamp = "20261124T03150{}Z-x-aaaaaa.json"
    contents = ["", '{"a', "[]", "{}", '{"procedure": 5}', json.dumps({"procedure": "x" * 100})]
    for number, content in enumerate(contents):
        (tmp_path / stamp.format(number)).write_text(content)
    (tmp_path / stamp.format(6)).write_bytes(b"\xff\xfe")
    (tmp_path / stamp.format(7)).symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / stamp.format(8))
    (tmp_path / stamp.format(9)).mkdir()
    problems = [entry.problem for entry in entries(str(tmp_path))]
    assert all(problems)
    assert [one.split(":")[0] for one in problems] == [
        "is no file",
        "is no file",
        "cannot be read",
        "is damaged",
        "is too large for a record",
        *["is damaged"] * 4,
        "is empty",
    ]


def test_a_directory_that_cannot_be_listed_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match="cannot list"):
        list(entries(str(tmp_path / "file")))
