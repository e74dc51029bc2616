# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one line of mongod's configuration, and everything around it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_config import (
    ConfigError,
    LocalServer,
    apply,
    changed_text,
    look,
    plan,
    size_in,
)

FILE = """\
# The site's MongoDB.
storage:
  dbPath: /var/lib/mongodb
  wiredTiger:
    engineConfig:
      cacheSizeGB: 30  # much
net:
  port: 27017
"""
WITHOUT = "storage:\n    # where\n    dbPath: /data\nnet:\n  port: 1\n"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (FILE, 30.0),
        (FILE.replace("30", '".5"'), 0.5),
        ("storage.wiredTiger.engineConfig.cacheSizeGB: 3\n", 3.0),
        ("storage.wiredTiger:\n   'engineConfig':\n     cacheSizeGB : 2.25", 2.25),
        (WITHOUT, None),
        ("", None),
        ("# storage.wiredTiger.engineConfig.cacheSizeGB: 3\n", None),
        # Another engine's, and a key of the same name elsewhere.
        ("storage:\n  inMemory:\n    engineConfig:\n      cacheSizeGB: 3\n", None),
    ],
)
def test_the_size_is_read(text: str, size: float | None) -> None:
    assert size_in(text) == size


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (FILE + FILE, "2 times"),
        ("storage:\n  wiredTiger: {engineConfig: {cacheSizeGB: 3}}\n", "in one line"),
        ("storage.wiredTiger.engineConfig.cacheSizeGB: much\n", "'much', which is no number"),
    ],
)
def test_what_is_not_clear_is_told(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        size_in(text)
    with pytest.raises(ConfigError, match=sentence):
        changed_text(text, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (FILE, FILE.replace("30 ", "3.5 ")),
        (
            WITHOUT,
            "storage:\n    wiredTiger:\n      engineConfig:\n        cacheSizeGB: 3.5\n"
            + WITHOUT.partition("\n")[2],
        ),
        (
            "storage:\n  wiredTiger:\n    engineConfig:",
            "storage:\n  wiredTiger:\n    engineConfig:\n      cacheSizeGB: 3.5\n",
        ),
        (
            "net:\n  port: 1",
            "net:\n  port: 1\nstorage:\n  wiredTiger:\n    engineConfig:\n      cacheSizeGB: 3.5\n",
        ),
        ("", "storage:\n  wiredTiger:\n    engineConfig:\n      cacheSizeGB: 3.5\n"),
        (
            "storage.wiredTiger.engineConfig.cacheSizeGB: '30'\r\nnet.port: 1\r\n",
            "storage.wiredTiger.engineConfig.cacheSizeGB: 3.5\r\nnet.port: 1\r\n",
        ),
    ],
)
def test_nothing_else_is_changed(text: str, expected: str) -> None:
    assert changed_text(text, 3.5) == expected
    assert size_in(expected) == 3.5
    assert changed_text(expected, 3.5) == expected


@given(st.text(alphabet="storage.wiredTiger:\n #'30\tcacheSizeGB", max_size=80))
def test_any_text_is_changed_or_refused(text: str) -> None:
    try:
        changed = changed_text(text, 3.5)
    except ConfigError:
        return
    assert size_in(changed) == 3.5


class FakeServer:
    """A configuration in memory. understands: what its mongod makes of a text."""

    def __init__(self, text: str = FILE) -> None:
        self.text = text
        self.writes: list[str] = []
        self.seen: list[str] = []
        self.more = ""

    def read(self) -> str:
        return self.text

    def understood(self, text: str) -> str:
        self.seen.append(text)
        more = self.more if len(self.seen) > 1 else ""
        return f"config: /x/{len(self.seen)}\noutputConfig: true\n{text}{more}"

    def replace(self, text: str) -> str:
        self.writes.append(text)
        self.text = text
        return "/x/old"


def test_a_second_time_changes_nothing() -> None:
    server = FakeServer()
    first = plan(server, 3.5)
    assert (first.before, first.after, first.changed, server.writes) == (30.0, 3.5, True, [])
    assert apply(server, first) == "/x/old"
    assert server.text == FILE.replace("30 ", "3.5 ")
    second = plan(server, 3.5)
    assert (second.before, second.changed, apply(server, second)) == (3.5, False, "")
    assert len(server.writes) == 1


@pytest.mark.parametrize("size", [0, 0.2, 10001, -3])
def test_a_size_that_mongod_would_refuse(size: float) -> None:
    with pytest.raises(ConfigError, match=r"it is 0\.25 to 10000"):
        plan(FakeServer(), size)


@pytest.mark.parametrize(
    ("more", "name"), [("security: none\n", "security"), ("- 27018\n", "line 1")]
)
def test_a_file_that_would_mean_something_else_is_refused(more: str, name: str) -> None:
    server = FakeServer()
    server.more = more
    with pytest.raises(ConfigError, match=f"would understand {name} in another way"):
        plan(server, 3.5)
    assert server.writes == []


def test_a_size_that_mongod_does_not_see_is_refused() -> None:
    class Blind(FakeServer):
        def understood(self, text: str) -> str:
            return "net:\n  port: 1\n"

    with pytest.raises(ConfigError, match="cacheSizeGB by hand"):
        plan(Blind(), 3.5)


def mongod(folder: Path, program: str) -> str:
    path = folder / "mongod"
    path.write_text(f"#!/bin/sh\n{program}\n")
    path.chmod(0o755)
    return str(path)


def test_the_file_on_this_machine(tmp_path: Path) -> None:
    real, link = tmp_path / "real.conf", tmp_path / "mongod.conf"
    real.write_text(FILE)
    real.chmod(0o640)
    link.symlink_to(real)
    server = LocalServer(str(link), mongod(tmp_path, 'cat "$2"'))
    before = sorted(os.listdir(tmp_path))
    planned = plan(server, 3.5)
    assert sorted(os.listdir(tmp_path)) == before, "a plan writes nothing"
    backup = Path(apply(server, planned))
    assert link.is_symlink()
    assert real.read_text() == FILE.replace("30 ", "3.5 ")
    assert backup.read_text() == FILE
    assert {one.stat().st_mode & 0o777 for one in (real, backup)} == {0o640}
    assert sorted(os.listdir(tmp_path)) == sorted([*before, backup.name])
    assert look(str(link)) == {"path": str(link), "cache_size_gb": 3.5}


def test_a_refusal_of_mongod_has_its_words(tmp_path: Path) -> None:
    file = tmp_path / "mongod.conf"
    file.write_text(FILE)
    for program, said in (
        ("echo no such option >&2; exit 2", "refuses the configuration: no such option"),
        ("exit 2", "no reason"),
        ("sleep 5", "mongod"),
    ):
        server = LocalServer(str(file), mongod(tmp_path, program), timeout=0.5)
        with pytest.raises(ConfigError, match=said):
            plan(server, 3.5)
    assert file.read_text() == FILE


def test_a_file_that_cannot_be_written_is_left(tmp_path: Path) -> None:
    file = tmp_path / "mongod.conf"
    file.write_text(FILE)
    server = LocalServer(str(file), "mongod")
    file.unlink()
    file.mkdir()
    with pytest.raises(OSError, match="mongod"):
        server.replace("net:\n")
    assert os.listdir(tmp_path) == ["mongod.conf"]


def test_what_is_no_configuration_is_told(tmp_path: Path) -> None:
    file = tmp_path / "mongod.conf"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(OSError, match="is no text"):
        look(str(file))
    with pytest.raises(FileNotFoundError):
        look(str(tmp_path / "none"))
