# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible starts it, with a program that says what mongod would."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import started_module

from ansible_collections.plugspace.titan.plugins.modules import mongodb_config

SECRET = "hunter2-hunter2"
FILE = f"""\
net:
  tls:
    certificateKeyFilePassword: {SECRET}
storage.wiredTiger.engineConfig.cacheSizeGB: 30  # much
"""


@pytest.fixture
def site(tmp_path: Path) -> dict[str, str]:
    """A configuration, and a mongod that understands it."""
    path, program = tmp_path / "mongod.conf", tmp_path / "mongod"
    path.write_text(FILE)
    program.write_text('#!/bin/sh\ngrep -q nonsense "$2" && exit 2\ncat "$2"\n')
    program.chmod(0o755)
    return {"path": str(path), "mongod": str(program)}


def test_the_size_is_changed_once(site: dict[str, str]) -> None:
    told = started_module.result(mongodb_config, **site, cache_size_gb=3.5)
    assert (told["changed"], told["before"], told["after"]) == (True, 30.0, 3.5)
    assert told["diff"]["before"] == "storage.wiredTiger.engineConfig.cacheSizeGB: 30\n"
    assert told["diff"]["after"] == "storage.wiredTiger.engineConfig.cacheSizeGB: 3.5\n"
    assert Path(told["backup_file"]).read_text() == FILE
    assert Path(site["path"]).read_text() == FILE.replace("30 ", "3.5 ")
    again = started_module.result(mongodb_config, **site, cache_size_gb=3.5)
    assert (again["changed"], again["backup_file"]) == (False, "")
    assert again["diff"]["before"] == again["diff"]["after"]


def test_no_size_in_the_file_is_none_in_the_difference(site: dict[str, str]) -> None:
    Path(site["path"]).write_text("net:\n  port: 1\n")
    told = started_module.result(mongodb_config, check_mode=True, **site, cache_size_gb=3.5)
    assert (told["changed"], told["before"], told["diff"]["before"]) == (True, None, "")


def test_check_mode_writes_nothing(site: dict[str, str]) -> None:
    folder = os.path.dirname(site["path"])
    before = sorted(os.listdir(folder))
    told = started_module.result(mongodb_config, check_mode=True, **site, cache_size_gb=3.5)
    assert (told["changed"], told["backup_file"]) == (True, "")
    assert (sorted(os.listdir(folder)), Path(site["path"]).read_text()) == (before, FILE)


@pytest.mark.parametrize(
    ("text", "options", "sentence"),
    [
        (FILE, {"cache_size_gb": 0.1}, "0.1 GB is no size for the cache"),
        (FILE + "nonsense: 1\n", {}, "mongod refuses the configuration"),
        (FILE, {"mongod": "no-such-program"}, "no-such-program"),
        (FILE, {"path": "/nowhere/mongod.conf"}, "No such file"),
    ],
)
def test_what_cannot_be_done_is_told(
    site: dict[str, str], text: str, options: dict[str, object], sentence: str
) -> None:
    Path(site["path"]).write_text(text)
    told = started_module.result(mongodb_config, **{**site, "cache_size_gb": 3.5, **options})
    assert told["failed"] is True
    assert sentence in told["msg"]
    assert Path(site["path"]).read_text() == text


def test_no_secret_of_the_file_is_shown(site: dict[str, str]) -> None:
    for check in (True, False):
        output, failed = started_module.started(
            mongodb_config, check, **site, cache_size_gb=3.5, _ansible_diff=True
        )
        assert not failed
        assert SECRET not in output
