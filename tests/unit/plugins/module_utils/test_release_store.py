# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every step is killed once; the live release never suffers, and the next call recovers."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from release_site import SECRET, Site

from ansible_collections.plugspace.titan.plugins.module_utils import _files, _process
from ansible_collections.plugspace.titan.plugins.module_utils._release_store import end_processes_in

FIRST, SECOND = (f"20260101T00000{n}Z-aaaaaaa" for n in (1, 2))
STRATEGIES = ("releases", "in_place")
MOST_STEPS = 200


def killed_before(step: int, action: Callable[[], Any]) -> bool:
    """Do it in a process that is killed before its n-th change; whether it came that far."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        left = [step]

        def counting(function: Callable[..., Any]) -> Callable[..., Any]:
            def counted(*args: Any, **kwargs: Any) -> Any:
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return function(*args, **kwargs)

            return counted

        for name in ("replace", "rename", "symlink", "unlink", "mkdir", "rmdir", "link"):
            setattr(os, name, counting(getattr(os, name)))
        _files._exchange = counting(_files._exchange)
        _process._start = counting(_process._start)
        try:
            action()
            os._exit(0)
        except BaseException as error:
            print(repr(error))
            os._exit(1)
    _pid, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def assert_alive(site: Site, versions: set[str]) -> None:
    assert site.live_version in versions
    assert SECRET in (site.path / ".env").read_text()
    assert (site.path / "uploads" / "cat.png").read_text() == "cat"


def assert_tidy(site: Site, name: str) -> None:
    info = site.info()
    assert info["current"]["name"] == name
    assert all(r["complete"] for r in info["releases"]), info["releases"]
    assert info["lock"] == {}
    left = [p for d in ("releases", "shared") for p in os.listdir(site.root / d)]
    assert not [p for p in left if p.startswith(".") and p != ".env"], left
    worktrees = site.git("worktree", "list", "--porcelain", at=site.root / "repository.git")
    assert "prunable" not in worktrees, worktrees


@pytest.mark.parametrize(
    ("state", "start", "strategy"),
    [
        # Preparing and confirming is the same for both strategies.
        ("prepared", "checkout", "releases"),
        ("confirmed", "release", "releases"),
        *((s, "release", strategy) for s in ("current", "failed") for strategy in STRATEGIES),
        *(("current", "checkout", strategy) for strategy in STRATEGIES),
    ],
)
def test_kill_at_every_step(tmp_path: Path, state: str, start: str, strategy: str) -> None:
    site = Site(tmp_path / "site", strategy)
    site.commit("v1")
    site.plain_checkout()
    (site.path / "dist").mkdir()
    (site.path / "dist" / "app.js").write_text("v1\n")
    if start == "release":
        site.commit("v1b")
        site.deploy("v1b", FIRST)
    commit = site.commit("v2")
    before = {"v1", "v1b"}
    for step in ("prepared", "current", "confirmed", "failed"):
        if step == state or (state == "failed" and step == "confirmed"):
            break
        site.act(step, SECOND, commit=commit)

    def act() -> dict[str, Any]:
        return site.act(state, SECOND, commit=commit, keep=2)

    template = tmp_path / "template"
    subprocess.run(["cp", "-a", site.base, template], check=True)
    # A preparation has three times the steps, and none of them is near the live release.
    for step in range(1, MOST_STEPS, 3 if state == "prepared" else 1):
        shutil.rmtree(site.base)
        subprocess.run(["cp", "-a", template, site.base], check=True)
        came_so_far = killed_before(step, act)
        assert_alive(site, before if state == "prepared" else {*before, "v2"})
        if not came_so_far:
            break
        act()
        assert_alive(site, before if state in ("prepared", "failed") else {"v2"})
        if state == "current" or (state != "failed" and step % 5 == 1):
            site.act("current", SECOND)
            site.act("confirmed", SECOND, keep=2)
            assert_tidy(site, SECOND)
    else:
        pytest.fail("the action never came to its end")


def test_without_an_atomic_exchange_it_works_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_first: str, _second: str) -> None:
        raise OSError(errno.EINVAL, "not here")

    monkeypatch.setattr(_files, "_exchange", refuse)
    site = Site(tmp_path, "in_place")
    site.commit("v1")
    site.plain_checkout()
    site.commit("v2")
    site.deploy("v2", SECOND)
    assert_alive(site, {"v2"})
    os.rename(site.path, site.layout.swap)
    site.act("pruned")
    assert_alive(site, {"v2"})


def test_a_killed_preparation_is_ended_and_never_counted(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.commit("v1")
    site.deploy("v1", FIRST)
    commit = site.commit("v2", **{"build.sh": "echo $$ > pid; exec sleep 60"})
    pid = os.fork()
    if pid == 0:
        os.setsid()
        site.act("prepared", SECOND, commit=commit)
        os._exit(0)
    build = site.root / "releases" / SECOND / "pid"
    deadline = time.monotonic() + 20
    while not (build.exists() and build.read_text().strip()) and time.monotonic() < deadline:
        time.sleep(0.02)
    child = int(build.read_text())
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    listed = {r["name"]: (r["status"], r["complete"]) for r in site.info()["releases"]}
    assert listed[SECOND] == ("preparing", False)
    assert site.info("v2")["plan"]["name"] != SECOND
    result = site.act("pruned")
    assert any("preparation was not finished" in note for note in result["notes"])
    assert any("taken over from" in note for note in result["notes"])
    assert [r["name"] for r in site.info()["releases"]] == [FIRST]
    assert not os.path.exists(f"/proc/{child}/fd") or child_is_gone(child)


def child_is_gone(pid: int) -> bool:
    """An orphan of a test may wait for init as a zombie."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as source:
        return source.read().rpartition(")")[2].split()[0] == "Z"


def test_processes_elsewhere_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "half").mkdir()
    (tmp_path / "half-other").mkdir()
    inside, outside = (
        subprocess.Popen(["sleep", "60"], cwd=tmp_path / place) for place in ("half", "half-other")
    )
    try:
        assert end_processes_in([str(tmp_path / "half")]) == 1
        assert inside.wait(5) == -signal.SIGTERM
        assert outside.poll() is None
    finally:
        outside.kill()
        outside.wait()
