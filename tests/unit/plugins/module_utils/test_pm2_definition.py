# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Definitions and drift."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils._pm2_client import Pm2Error
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_definition import (
    Definition,
    count_instances,
    define,
    drift,
    text_of,
)

BASE = {"PATH": "/bin", "HOME": "/h", "PM2_HOME": "/h/.pm2"}


def make(folder: str = "/app", **conf: t.Any) -> Definition:
    """A definition from a section with the usual fields."""
    return define({"name": "api", "script": "./server.js", **conf}, folder, BASE, 4)


def held(**changes: t.Any) -> dict[str, t.Any]:
    """What PM2 holds for make()."""
    env = {
        "pm_cwd": "/app",
        "pm_exec_path": "/app/server.js",
        "exec_mode": "fork_mode",
        "node_args": [],
        "env": {**BASE, "unique_id": "x"},
    }
    return {"pm2_env": {**env, **changes}}


def test_paths_are_absolute() -> None:
    one = make(cwd="sub", script="dist/a.js")
    assert (one.cwd, one.script) == ("/app/sub", "/app/sub/dist/a.js")
    assert make(cwd="/else", script="/x/a.js").script == "/x/a.js"
    assert define({"script": "dist/worker.js"}, "/app", BASE, 1).name == "worker"


def test_the_link_is_kept(tmp_path: Path) -> None:
    root = Path(os.path.realpath(tmp_path))
    (root / "r1").mkdir()
    link = root / "current"
    link.symlink_to(root / "r1")
    one = make(str(link), cwd=str(root / "r1"))
    assert one.cwd == str(link)
    assert one.script == f"{link}/server.js"
    assert make(str(link), cwd=str(root / "r10")).cwd == str(root / "r10")


@pytest.mark.parametrize(
    ("conf", "mode"),
    [
        ({}, "fork_mode"),
        ({"instances": 2}, "cluster_mode"),
        ({"instances": 2, "exec_mode": "fork"}, "fork_mode"),
        ({"exec_mode": "cluster"}, "cluster_mode"),
        ({"exec_mode": "cluster_mode"}, "cluster_mode"),
        ({"instances": 2, "script": "a.py"}, "fork_mode"),
        ({"instances": 2, "interpreter": "/usr/bin/node"}, "cluster_mode"),
        ({"instances": 2, "interpreter": "bash"}, "fork_mode"),
    ],
)
def test_mode(conf: dict[str, t.Any], mode: str) -> None:
    assert make(**conf).exec_mode == mode


@pytest.mark.parametrize(
    ("wanted", "count"),
    [(None, 1), (3, 3), ("3", 3), ("max", 4), (0, 4), (-1, 3), (-9, 1)],
)
def test_instances(wanted: t.Any, count: int) -> None:
    assert count_instances(wanted, 4, "api") == count


def test_environment_is_base_file_and_extra() -> None:
    conf = {
        "script": "a.js",
        "port": 4000,
        "env": {"A": 1, "B": True, "C": {"x": [1]}, "D": None, "E": 1.5, "F": 2.0},
        "env_production": {"A": "2"},
    }
    one = define(conf, "/app", BASE, 1, "production", {"E": "extra"})
    assert one.env == {
        **BASE, "A": "2", "B": "true", "C": '{"x":[1]}', "D": "null", "E": "extra", "F": "2",
        "PORT": "4000",
    }  # fmt: skip
    assert not [key for key in one.conf if key.startswith("env")]
    with pytest.raises(Pm2Error, match="no env_staging"):
        define(conf, "/app", BASE, 1, "staging")


@pytest.mark.parametrize("name", ["name", "status", "instances", "pm_id"])
def test_reserved_variables_are_refused(name: str) -> None:
    with pytest.raises(Pm2Error, match="rename it"):
        make(env={name: "x"})


@pytest.mark.parametrize("conf", [{"script": None}, {"script": "node a.js"}, {"env": ["A=1"]}])
def test_bad_sections(conf: dict[str, t.Any]) -> None:
    with pytest.raises(Pm2Error):
        make(**conf)


def test_no_drift() -> None:
    assert drift(held(), make()) == []
    session = {"SSH_CLIENT": "1", "PWD": "/", "_": "x", "PM2_USAGE": "CLI", "LC_ALL": "C"}
    assert drift(held(env={**BASE, **session, "PATH": "/other"}), make()) == []


@pytest.mark.parametrize(
    ("changes", "conf", "word"),
    [
        ({"pm_cwd": "/r/1"}, {}, "cwd is /r/1 (wanted /app)"),
        ({"pm_exec_path": "/r/1/server.js"}, {}, "script is"),
        ({"exec_mode": "cluster_mode"}, {}, "exec_mode is cluster_mode"),
        ({"args": ["a"]}, {}, "args differ"),
        ({}, {"args": "a 'b c'"}, "args differ"),
        ({}, {"node_args": ["--x"]}, "node_args differ"),
        ({"exec_interpreter": "node"}, {"interpreter": "bash"}, "interpreter is node"),
        ({"listen_timeout": 3000}, {"listen_timeout": 5000}, "listen_timeout differs"),
        ({"max_memory_restart": 1024}, {"max_memory_restart": "2K"}, "max_memory_restart"),
        ({}, {"env": {"N": "1"}}, "new variable N"),
        ({"env": {"N": "2"}}, {"env": {"N": "1"}}, "changed variable N"),
        ({"env": {"N": "2", "O": "x"}}, {}, "removed variables N, O"),
        ({"env": None}, {"env": {"N": "1"}}, "new variable N"),
    ],
)
def test_drift(changes: dict[str, t.Any], conf: dict[str, t.Any], word: str) -> None:
    found = drift(held(**changes), make(**conf))
    assert len(found) == 1
    assert word in found[0]


def test_equal_in_another_spelling() -> None:
    record = held(
        args=["a", "b c"],
        exec_interpreter="/usr/bin/node",
        max_memory_restart=314572800,
        min_uptime=10000,
        env={**BASE, "N": 1, "NODE_APP_INSTANCE": 3, "SEED": 7},
        increment_var="SEED",
    )
    conf = {
        "args": "a 'b c'",
        "interpreter": "node",
        "max_memory_restart": "300M",
        "min_uptime": "10s",
        "env": {"N": "1"},
    }
    assert drift(record, make(**conf)) == []


def test_values_of_variables_are_never_named() -> None:
    assert "hunter2" not in str(drift(held(env={"P": "hunter2"}), make(env={"P": "hunter3"})))


def test_text_of() -> None:
    assert [text_of(v) for v in ("a", 1, True, None, 2.0, [1])] == [
        "a", "1", "true", "null", "2", "[1]",
    ]  # fmt: skip
