# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs: tails, marks, folding, emptying, masking."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

from ansible_collections.plugspace.titan.plugins.module_utils import _pm2_logs as logs


def record(folder: Path, number: int = 0, **env: t.Any) -> dict[str, t.Any]:
    """A record with its two log files."""
    return {
        "pm2_env": {
            "pm_id": number,
            "pm_out_log_path": str(folder / f"api-out-{number}.log"),
            "pm_err_log_path": str(folder / f"api-error-{number}.log"),
            "env": env,
        }
    }


def test_paths_once(tmp_path: Path) -> None:
    one = record(tmp_path)
    null = {"pm2_env": {"pm_out_log_path": "/dev/null"}}
    assert logs.paths([one, one, null, {}], "out") == [str(tmp_path / "api-out-0.log")]


def test_tail(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("one\n\x1b[31mtwo\x1b[0m\nthree\n")
    assert logs.tail(str(log), 2) == ["two", "three"]
    assert logs.tail(str(log), 0) == []
    assert logs.tail(str(tmp_path / "none"), 5) == []


def test_a_large_file_is_not_read_whole(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(b"x" * 100 + b"\n" + b"y" * (logs.MAX_TAIL - 3) + b"\nz\n")
    assert logs.tail(str(log), 5)[-1] == "z"
    assert not any("x" in line for line in logs.tail(str(log), 5))


def test_only_new_lines(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("old\n")
    mark = logs.mark(str(log))
    with log.open("a") as target:
        target.write("new\n")
    assert logs.tail(str(log), 5, mark) == ["new"]
    log.write_text("x\n")
    assert logs.tail(str(log), 5, mark) == ["x"]
    assert logs.mark(str(tmp_path / "none")) == (0, 0)


def test_links_pipes_and_folders_are_not_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    (tmp_path / "link").symlink_to(secret)
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe", ""):
        path = str(tmp_path / name)
        assert logs.tail(path, 5) == []
        assert not logs.empty(path, dry=False)
    assert secret.read_text() == "hunter2\n"


def test_watch_knows_the_files_of_earlier_processes(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "api-error-2.log").write_text("from last year\n")
    watch = logs.Watch(str(tmp_path), [record(folder)])
    (folder / "api-error-2.log").write_text("from last year\nnow\n")
    (folder / "api-out-2.log").write_text("hello\n")
    assert watch.new_lines([record(folder, 2)], 20) == ["hello", "now"]
    assert logs.Watch(str(tmp_path / "none"), []).new_lines([], 5) == []


def test_empty(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("x")
    assert logs.empty(str(log), dry=True)
    assert log.read_text() == "x"
    assert logs.empty(str(log), dry=False)
    assert not logs.empty(str(log), dry=False)


def test_fold(tmp_path: Path) -> None:
    (tmp_path / "api-out-0.log").write_text("a\n")
    (tmp_path / "api-out-2.log").write_text("b\n")
    logs.fold(record(tmp_path, 2), record(tmp_path, 0))
    assert (tmp_path / "api-out-0.log").read_text() == "a\nb\n"
    assert not (tmp_path / "api-out-2.log").exists()
    shared = record(tmp_path, 3)
    shared["pm2_env"]["pm_out_log_path"] = str(tmp_path / "api-out-0.log")
    logs.fold(shared, record(tmp_path, 1))
    logs.fold(record(tmp_path, 0), record(tmp_path, 0))
    logs.fold({}, record(tmp_path, 0))
    assert (tmp_path / "api-out-0.log").exists()


def test_secrets_are_masked(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("PASSWORD=from-the-file\n")
    one = record(tmp_path, API_TOKEN="from-the-process", PORT="4000", SHORT_KEY="ab")
    masker = logs.redactor([one], [str(env), str(tmp_path / "none")], ["from-the-caller", ""])
    text = masker.text("from-the-file from-the-process from-the-caller 4000 redis://u:p@h ab")
    assert text == "******** ******** ******** 4000 redis://********@h ab"
