# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real processes of a parent that stands for PM2's daemon."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils import _pm2_forgotten

DAEMON = """
import json, subprocess, sys
children = [subprocess.Popen(["sleep", "60"], env=env) for env in json.loads(sys.argv[1])]
print(json.dumps([child.pid for child in children]), flush=True)
sys.stdin.read()
for child in children:
    child.kill()
"""
SAME = ({"pm_id": "3"}, {"pm2_env": json.dumps({"pm_id": 3, "name": "api"})})
OTHER = (
    {"pm_id": "4"},
    {"pm2_env": json.dumps({"pm_id": 33})},
    {"pm2_env": json.dumps({"pm_id": "_old_3"})},
    {"pm2_env": "{"},
    {"pm2_env": "[]"},
    {"pm2_env": "{}"},
    {"pm_id": "three"},
    {},
)


@pytest.fixture
def daemon() -> t.Iterator[tuple[int, list[int]]]:
    """A parent, and its children in the order of SAME and OTHER."""
    command = [sys.executable, "-c", DAEMON, json.dumps([*SAME, *OTHER])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        yield parent.pid, json.loads(parent.stdout.readline())


def test_only_its_own_id_is_meant(daemon: tuple[int, list[int]]) -> None:
    parent, children = daemon
    assert sorted(_pm2_forgotten.forgotten(parent, 3, ())) == sorted(children[: len(SAME)])
    assert _pm2_forgotten.forgotten(parent, 5, ()) == []


def test_what_pm2_lists_is_not_forgotten(daemon: tuple[int, list[int]]) -> None:
    parent, children = daemon
    assert _pm2_forgotten.forgotten(parent, 3, {children[0]}) == [children[1]]


def test_the_children_of_somebody_else_are_left_alone(daemon: tuple[int, list[int]]) -> None:
    assert _pm2_forgotten.forgotten(os.getpid(), 3, ()) == []
    assert _pm2_forgotten.forgotten(2**22 + 1, 3, ()) == []


def test_they_are_ended(daemon: tuple[int, list[int]]) -> None:
    parent, children = daemon
    _pm2_forgotten.end(_pm2_forgotten.forgotten(parent, 3, ()))
    assert _pm2_forgotten.forgotten(parent, 3, ()) == []
    # The others are there.
    assert _pm2_forgotten.forgotten(parent, 4, ()) == [children[len(SAME)]]
