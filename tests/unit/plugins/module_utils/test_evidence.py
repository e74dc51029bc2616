# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All the evidence of a host in one call, with stand-ins for who reads it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils import _evidence, _probe
from ansible_collections.plugspace.titan.plugins.module_utils._attempts import AttemptsError
from ansible_collections.plugspace.titan.plugins.module_utils._evidence import (
    read_check,
    read_healed,
    read_host,
    read_logs,
    read_mongodb,
    read_paths,
    read_release,
    take,
)
from ansible_collections.plugspace.titan.plugins.module_utils._process import Finished

PM2 = {
    "daemon": {"pid": 8},
    "apps": [{"instances": [{"pid": 11}, {"pid": 0}]}, {"instances": [{"pid": 12}]}],
}
CLOSED = _probe.parse({"type": "tcp", "port": 1, "successes": 1, "within": 0.2, "timeout": 0.2})


class Readers:
    """Return what they were asked for, and remember the order."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def host(self, params: Any) -> Any:
        self.asked.append("host")
        return {"pids": list(params.get("pids", []))}

    def pm2(self, params: Any) -> Any:
        self.asked.append("pm2")
        return PM2

    def broken(self, params: Any) -> Any:
        raise OSError("it is broken")

    def table(self) -> dict[str, Any]:
        return {"host": self.host, "pm2": self.pm2, "redis": self.broken}


def test_the_processes_of_pm2_are_among_those_that_are_looked_at() -> None:
    wanted: dict[str, Any] = {"host": {"pids": [5]}, "pm2": {}, "redis": {}}
    report = take(wanted, [], 2, readers=Readers().table())
    assert report["host"] == {"pids": [5, 11, 12, 8]}
    assert (report["redis"], report["errors"]) == (None, {"redis": "it is broken"})
    assert report["probes"] == []


def test_each_instance_is_asked_and_their_daemon_is_not() -> None:
    seen: dict[str, Any] = {}
    table = {**Readers().table(), "instances": seen.update}
    take({"instances": {"probe": {}}, "pm2": {}}, [], 2, readers=table)
    assert seen == {"probe": {}, "pids": [11, 12]}


def test_a_pm2_that_cannot_be_asked_leaves_the_host_to_be_seen() -> None:
    readers = Readers()
    table = {**readers.table(), "pm2": readers.broken}
    report = take({"host": {}, "pm2": {}}, [], 2, readers=table)
    assert (report["host"], report["pm2"]) == ({"pids": []}, None)
    assert report["errors"] == {"pm2": "it is broken"}


def healing(ago_s: float | None) -> dict[str, Any]:
    """What is read of logs when something was healed so long ago: the options they were given."""
    healed = {} if ago_s is None else {"procedure": "high_cpu the CPU", "ago_s": ago_s}
    return {
        "healed": lambda params: healed,
        "access_log": lambda params: params["since"],
        "slow_queries": lambda params: params["since"],
    }


@pytest.mark.parametrize(
    ("since", "ago_s", "read"),
    [(300, None, 300), (300, 41.8, 41), (300, 0.2, 1), (30, 41.8, 30), (0, 41.8, 41), (0, None, 0)],
)
def test_logs_are_read_from_when_something_was_healed(
    since: int, ago_s: float | None, read: int
) -> None:
    wanted: dict[str, Any] = {part: {"since": since} for part in ("access_log", "slow_queries")}
    report = take({**wanted, "healed": {}}, [], 2, readers=healing(ago_s))
    assert (report["access_log"], report["slow_queries"]) == (read, read)
    assert report["healed"].get("ago_s") == ago_s


def test_without_what_was_tried_the_logs_are_read_as_they_are() -> None:
    readers = {**healing(None), "healed": Readers().broken}
    report = take({"access_log": {"since": 300}, "healed": {}}, [], 2, readers=readers)
    assert (report["access_log"], report["healed"]) == (300, None)
    assert report["errors"] == {"healed": "it is broken"}


def test_what_was_healed_last_is_read_from_the_attempts(tmp_path: Path) -> None:
    path = tmp_path / "attempts.json"
    assert read_healed({"path": str(path)}) == {}
    tried = {"cause": "slow", "run": "r", "by": "me", "began": 1.0}
    rows = [
        {**tried, "procedure": "high_cpu the CPU", "ended": time.time() - 40, "outcome": "healed"},
        {**tried, "procedure": "redis_down redis", "ended": time.time() - 9, "outcome": "unhealed"},
        {**tried, "procedure": "api_down api", "ended": time.time() - 90, "outcome": "healed"},
    ]
    path.write_text(json.dumps({"version": 1, "attempts": rows}))
    found = read_healed({"path": str(path)})
    assert found["procedure"] == "high_cpu the CPU"
    assert 40 <= found["ago_s"] < 50
    # By a clock that was set back it is yet to come.
    later = {**rows[0], "ended": time.time() + 999}
    path.write_text(json.dumps({"version": 1, "attempts": [later, rows[2]]}))
    assert read_healed({"path": str(path)})["procedure"] == "api_down api"
    path.write_text("nonsense")
    with pytest.raises(AttemptsError, match="is damaged"):
        read_healed({"path": str(path)})


@pytest.mark.parametrize("settle", [True, False])
def test_probes_have_their_rows(settle: bool) -> None:
    report = take({"host": {}}, [CLOSED], 2, settle, Readers().table())
    (row,) = report["probes"]
    assert row["ok"] is False
    assert "got no connection" in row["reason"]
    assert report["host"] == {"pids": []}


def test_what_settles_is_looked_at_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    readers = Readers()
    monkeypatch.setattr(_evidence, "probe_all", lambda probes: readers.asked.append("probe"))
    take({"host": {}}, [CLOSED], 2, True, readers.table())
    assert readers.asked == ["probe", "host"]


def test_logs_and_paths_of_this_machine(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("one\ntwo\nthree\n")
    assert read_logs({"files": [str(log)], "units": [], "lines": 2}) == {str(log): ["two", "three"]}
    log.chmod(0o640)
    seen = read_paths({"paths": [str(log), str(tmp_path / "none")]})
    assert seen[str(tmp_path / "none")] == {"exists": False}
    assert (seen[str(log)]["exists"], seen[str(log)]["mode"]) == (True, "0640")
    assert seen[str(log)]["size_bytes"] == 14


def test_a_change_of_a_file_is_one_of_its_folder_and_of_what_links_to_it(tmp_path: Path) -> None:
    file, link, empty = tmp_path / "folder" / "x.conf", tmp_path / "link", tmp_path / "empty"
    file.parent.mkdir()
    empty.mkdir()
    link.symlink_to(file)
    file.write_text("one\n")
    # Neither is told by the time of the content, which a copy may bring along.
    os.utime(file, (1, 1))
    file.chmod(0o600)
    paths = [str(one) for one in (file, file.parent, link, empty)]
    seen = [one["changed_at"] for one in read_paths({"paths": paths}).values()]
    assert seen[:3] == [round(file.stat().st_ctime, 3)] * 3
    assert seen[3] == round(empty.stat().st_ctime, 3)


def test_an_owner_without_a_name_is_a_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.lstat(tmp_path)
    fields = list(real[:10])
    fields[4], fields[5] = 54321, 54322
    monkeypatch.setattr(_evidence.os, "lstat", lambda path: os.stat_result(fields))
    seen = read_paths({"paths": ["/x"]})["/x"]
    assert (seen["owner"], seen["group"]) == ("54321", "54322")


def test_the_journal_of_a_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def capture(argv: list[str], *_rest: Any) -> Finished:
        asked.append(argv)
        return Finished(0, "a\nb\n")

    monkeypatch.setattr(_evidence, "capture", capture)
    assert read_logs({"files": [], "units": ["redis"], "lines": 9}) == {"redis": ["a", "b"]}
    assert asked[0][-4:] == ["-n", "9", "-u", "redis"]


@pytest.mark.parametrize(("program", "ok"), [("true", True), ("false", False)])
def test_a_configuration_is_checked_by_its_program(program: str, ok: bool) -> None:
    assert read_check({"unit": "nginx", "command": [program]}) == {
        "unit": "nginx",
        "ok": ok,
        "output": "",
    }


def test_a_mongodb_needs_pymongo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_evidence._mongodb_report, "HAS_PYMONGO", False)
    with pytest.raises(OSError, match="python3-pymongo"):
        read_mongodb({})


def test_a_host_without_a_release(tmp_path: Path) -> None:
    params = {
        "root": str(tmp_path / "deploy"),
        "path": str(tmp_path / "app"),
        "strategy": "releases",
        "shared_paths": [],
        "volatile_paths": [],
    }
    assert read_release(params) == {"live": "absent", "current": {}}


def test_the_host_itself() -> None:
    spec, _reader = _evidence.PARTS["host"]
    defaults = {name: option.get("default") for name, option in spec.items()}
    assert read_host(defaults)["memory"]["total_bytes"] > 0
