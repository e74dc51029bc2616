# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Node.js is asked for little, cleanly, and never for long; a small program stands in for it."""

from __future__ import annotations

import json
import os
import stat
import typing as t
from pathlib import Path

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils._pm2_cli import Cli
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_client import Pm2Error
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_definition import Definition
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_home import Site

# Answers on the descriptor named in the script, with what stands in the file `answer`, and keeps
# what it was given in `seen`.
NODE = r"""#!/usr/bin/env python3
import json, os, re, sys, time
home = os.environ["HOME"]
answer = open(home + "/answer").read()
json.dump({"job": json.load(sys.stdin), "env": dict(os.environ), "cwd": os.getcwd()},
          open(home + "/seen", "w"))
print("an ecosystem file may print anything")
if answer == "sleep":
    time.sleep(30)
if answer == "fail":
    sys.exit("SyntaxError: Unexpected token")
os.write(int(re.search(r"writeSync\((\d+),", sys.argv[2])[1]), answer.encode())
"""


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """A Cli with the stand-in."""
    root = tmp_path / "lib" / "pm2"
    (root / "bin").mkdir(parents=True)
    (root / "package.json").write_text('{"name": "pm2", "version": "7.0.4"}')
    for path, content in ((root / "bin" / "pm2", ""), (tmp_path / "node", NODE)):
        path.write_text(content)
        path.chmod(0o755)
    (tmp_path / "pm2").symlink_to(root / "bin" / "pm2")
    site = Site("app", 1, str(tmp_path), str(tmp_path / ".pm2"), str(tmp_path / "pm2"))
    return Cli(site, timeout=5)


def answering(cli: Cli, answer: t.Any) -> Path:
    """Tell the stand-in what to answer."""
    home = Path(cli.site.user_home)
    (home / "answer").write_text(answer if isinstance(answer, str) else json.dumps(answer))
    return home


def seen(cli: Cli) -> dict[str, t.Any]:
    """What the stand-in was given."""
    content = json.loads((Path(cli.site.user_home) / "seen").read_text())
    return t.cast("dict[str, t.Any]", content)


def test_reads_an_ecosystem_file(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAKED", "from the caller")
    home = answering(cli, {"apps": [{"name": "api"}]})
    folder = home / "app"
    folder.mkdir()
    path = str(folder / "ecosystem.config.cjs")
    with pytest.raises(Pm2Error, match="there is no ecosystem file"):
        cli.read(path)
    Path(path).write_text("")
    assert cli.read(path) == [{"name": "api"}]
    found = seen(cli)
    assert found["job"] == {"task": "read", "file": path, "root": cli.site.root}
    assert found["cwd"] == str(folder)
    assert set(found["env"]) - {"LC_CTYPE"} == {"PATH", "HOME", "USER", "LANG", "PM2_HOME"}


@pytest.mark.parametrize("answer", [{"apps": []}, {"apps": ["x"]}, {"apps": {}}, {}])
def test_a_file_without_applications(cli: Cli, answer: t.Any) -> None:
    home = answering(cli, answer)
    (home / "e.json").write_text("")
    with pytest.raises(Pm2Error, match="describes no applications"):
        cli.read(str(home / "e.json"))


def test_starts_instances(cli: Cli) -> None:
    answering(cli, {"ids": [0, 1]})
    one = Definition("api", "/a", "/a/s.js", "cluster_mode", 2, {"S": "1"}, conf={"name": "api"})
    cli.start([(one, 0), (one, 1)])
    assert seen(cli)["job"]["apps"] == [
        {"conf": {"name": "api"}, "env": {"S": "1"}, "number": number} for number in (0, 1)
    ]


def test_saves_for_the_owner_alone(cli: Cli) -> None:
    answering(cli, {"saved": True})
    os.mkdir(cli.site.home)
    dump = Path(cli.site.home) / "dump.pm2"
    dump.write_text("[]")
    dump.chmod(0o644)
    cli.save(force=True)
    assert stat.S_IMODE(dump.stat().st_mode) == 0o600
    assert seen(cli)["job"]["force"] is True


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"error": "Script not found"}, "saving the list of processes failed: Script not found"),
        ("fail", "ended with code 1: SyntaxError"),
        ("[]", "gave no result"),
        ("", "ended with code 0: no message"),
    ],
)
def test_failures_are_sentences(cli: Cli, answer: t.Any, message: str) -> None:
    answering(cli, answer)
    with pytest.raises(Pm2Error, match=message):
        cli.save(force=False)


def test_a_hard_limit(cli: Cli) -> None:
    answering(cli, "sleep")
    cli.timeout = 0.3
    with pytest.raises(Pm2Error, match=r"did not end within 0\.3 s"):
        cli.save(force=False)


def test_what_is_missing_is_said(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    (Path(cli.site.user_home) / "node").unlink()
    monkeypatch.setattr("shutil.which", lambda *_a, **_k: None)
    with pytest.raises(Pm2Error, match=r"needs Node\.js"):
        cli.save(force=False)
    site = Site("app", 1, "/h", "/h/.pm2")
    with pytest.raises(Pm2Error, match="needs PM2"):
        Cli(site).save(force=False)
