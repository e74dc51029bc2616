# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The look at PM2 beside the releases: the daemon's state, then what the processes lack."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils import _pm2_home, _pm2_run
from ansible_collections.plugspace.titan.plugins.module_utils._release_processes import look

from .fake_daemon import FakeDaemon, answer

COMMIT = "1" * 40


class Planned:
    """Stands for pm2_app in check mode, which has tests of its own: keeps what it was asked."""

    asked: t.ClassVar[list[tuple[dict[str, t.Any], bool]]] = []

    def __init__(self, params: dict[str, t.Any], check: bool) -> None:
        self.asked.append((params, check))

    def execute(self) -> dict[str, t.Any]:
        return {"actions": ["Reload api instance 1"]}


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A PM2 package on the path."""
    package = tmp_path / "lib/pm2"
    (package / "bin").mkdir(parents=True)
    (package / "package.json").write_text('{"name": "pm2", "version": "7.0.4"}')
    (package / "bin/pm2").touch(0o755)
    monkeypatch.setenv("PATH", str(package / "bin"))
    monkeypatch.setattr(_pm2_home, "SEARCH_PATH", "/nowhere")
    return package


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, t.Any], bool]]:
    """What pm2_app was asked."""
    Planned.asked.clear()
    monkeypatch.setattr(f"{look.__module__}.Run", Planned)
    return Planned.asked


def reply(method: str, _arguments: t.Any, request_id: bytes) -> bytes:
    return answer([] if method == "getMonitorData" else "7.0.4", request_id)


def silent(_method: str, _arguments: t.Any, _request_id: bytes) -> None:
    return None


def options(home: str, field: str = "commit") -> dict[str, t.Any]:
    probes = {"api": {"type": "http", "url": "http://127.0.0.1:1/"}}
    return {
        "pm2_home": home,
        "ecosystem": "/srv/app/ecosystem.config.cjs",
        "probes": probes,
        "commit_field": field,
    }


@pytest.mark.parametrize(("field", "expect"), [("commit", {"commit": COMMIT}), ("", {})])
def test_the_live_release_is_compared_in_check_mode(
    home: str, asked: list[t.Any], field: str, expect: dict[str, str]
) -> None:
    with FakeDaemon(home, reply):
        told = look(options(home, field), COMMIT)
    assert told == {
        "state": "running",
        "workable": True,
        "problem": "",
        "actions": ["Reload api instance 1"],
    }
    [(params, check)] = asked
    assert check
    assert (params["state"], params["sealed"], params["expect"]) == ("reloaded", True, expect)
    assert params["ecosystem"] == "/srv/app/ecosystem.config.cjs"
    assert set(params) == set(_pm2_run.ARGUMENT_SPEC)


def test_without_a_live_release_only_the_daemon_is_looked_at(home: str, asked: list[t.Any]) -> None:
    told = look(options(home), "")
    assert told == {"state": "absent", "workable": True, "problem": "", "actions": []}
    assert asked == []


def test_a_hung_daemon_is_a_problem_and_nothing_more_is_asked(
    home: str, asked: list[t.Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_pm2_run.ARGUMENT_SPEC, "timeout", {"default": 0.2})
    with FakeDaemon(home, silent):
        told = look(options(home), COMMIT)
    assert (told["state"], told["workable"]) == ("hung", False)
    assert "did not answer" in told["problem"]
    assert asked == []


def test_a_plan_that_cannot_be_made_is_a_problem(home: str) -> None:
    with FakeDaemon(home, reply):
        told = look({**options(home), "ecosystem": f"{home}/missing.cjs"}, COMMIT)
    assert (told["state"], told["workable"]) == ("running", True)
    assert "missing.cjs" in told["problem"]
    assert told["actions"] == []


def test_a_host_without_pm2_is_told_before_anything_is_built(home: str, installed: Path) -> None:
    (installed / "bin/pm2").unlink()
    told = look(options(home), "")
    assert (told["state"], told["workable"]) == ("absent", False)
    assert "PM2 is not installed where" in told["problem"]
