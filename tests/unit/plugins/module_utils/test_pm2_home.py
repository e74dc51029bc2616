# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose PM2, which version, which state."""

from __future__ import annotations

import json
import os
import pwd
import typing as t
from pathlib import Path

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils import _pm2_client, _pm2_home
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_home import Site

ME = pwd.getpwuid(os.geteuid())


class Client:
    """Answers, or raises what it is told to."""

    peer_pid: int | None = 7

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def processes(self) -> list[dict[str, t.Any]]:
        if self.error:
            raise self.error
        return [{"name": "api"}]

    def version(self) -> str:
        return "7.0.4"


def install(folder: Path, content: str = '{"name": "pm2", "version": "6.0.14"}') -> str:
    """Something that looks like an installed PM2; its program by way of a link."""
    (folder / "pm2" / "bin").mkdir(parents=True)
    (folder / "pm2" / "package.json").write_text(content)
    program = folder / "pm2" / "bin" / "pm2"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (folder / "pm2-link").symlink_to(program)
    return str(folder / "pm2-link")


def test_find() -> None:
    site = _pm2_home.find(None, None, None)
    assert (site.user, site.home) == (ME.pw_name, os.path.join(ME.pw_dir, ".pm2"))
    assert _pm2_home.find(ME.pw_name, "/x/", None).home == "/x"
    with pytest.raises(_pm2_client.Pm2Error, match="no user nobody-here"):
        _pm2_home.find("nobody-here", None, None)
    with pytest.raises(_pm2_client.Pm2Error, match="pm2_bin"):
        _pm2_home.find(None, None, "/none")


def test_installed_version(tmp_path: Path) -> None:
    site = Site("u", 1, "/u", "/u/.pm2", install(tmp_path))
    assert site.installed_version() == "6.0.14"
    assert site.root == str(tmp_path / "pm2")
    package = tmp_path / "pm2" / "package.json"
    for content in ("{", "[]", '{"name": "else", "version": "1"}'):
        package.write_text(content)
        assert site.installed_version() is None
    package.unlink()
    assert site.installed_version() is None


def test_no_pm2_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pm2_home.shutil, "which", lambda *_a, **_k: None)
    site = Site("u", 1, "/u", "/u/.pm2")
    assert (site.root, site.node, site.installed_version()) == (None, None, None)


def test_node_beside_pm2(tmp_path: Path) -> None:
    program = install(tmp_path)
    node = tmp_path / "node"
    node.write_text("")
    node.chmod(0o755)
    assert Site("u", 1, "/u", "/h", program).node == str(node)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (None, "running"),
        (_pm2_client.AbsentError("a"), "absent"),
        (_pm2_client.StaleError("s"), "stale"),
        (_pm2_client.HungError("h"), "hung"),
        (_pm2_client.ForeignError("f"), "foreign"),
        (_pm2_client.ProtocolError("p"), "hung"),
    ],
)
def test_look(tmp_path: Path, error: Exception | None, state: str) -> None:
    site = Site(ME.pw_name, ME.pw_uid, ME.pw_dir, str(tmp_path), install(tmp_path))
    tmp_path.chmod(0o700)
    daemon, records = _pm2_home.look(site, Client(error))
    assert daemon.state == state
    assert daemon.reason == (str(error) if error else None)
    assert bool(records) == (state == "running")
    assert json.dumps(daemon.as_result())
    assert any("pm2 update" in one for one in daemon.warnings) == (state == "running")
    assert isinstance(_pm2_home.unusable(daemon), _pm2_client.Pm2Error)


def test_an_open_home_is_warned_of(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    site = Site(ME.pw_name, ME.pw_uid, ME.pw_dir, str(tmp_path))
    daemon, _records = _pm2_home.look(site, Client())
    assert "chmod 0700" in daemon.warnings[0]


def test_another_user_is_foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site("other", ME.pw_uid + 1, "/other", str(tmp_path / "none"))
    monkeypatch.setattr(_pm2_home.os, "geteuid", lambda: ME.pw_uid + 2)
    daemon, _records = _pm2_home.look(site, Client())
    assert daemon.state == "foreign"
    monkeypatch.setattr(_pm2_home.os, "geteuid", lambda: 0)
    assert _pm2_home.look(site, Client())[0].state == "running", "root only asks"
    monkeypatch.undo()
    with pytest.raises(_pm2_client.ForeignError, match="become_user"):
        Site("other", ME.pw_uid + 1, "/other", str(tmp_path)).require_owner()
    Site(ME.pw_name, ME.pw_uid, ME.pw_dir, str(tmp_path)).require_owner()
