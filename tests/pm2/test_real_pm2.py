# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PM2 modules against a real PM2 of every installed version."""

from __future__ import annotations

import os
import signal
import stat
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest
from real_pm2 import Load, Platform

from ansible_collections.plugspace.titan.plugins.module_utils import _pm2_home, _probe
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_app import FailedError
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_client import (
    AbsentError,
    HungError,
    Pm2Error,
    StaleError,
)

if t.TYPE_CHECKING:
    from collections.abc import Sequence


def actions(result: dict[str, t.Any]) -> Sequence[str]:
    """What was done."""
    return t.cast("list[str]", result["actions"])


def state_of(platform: Platform, timeout: float = 2.0) -> _pm2_home.Daemon:
    """What pm2_info says of the daemon."""
    site = _pm2_home.find(None, platform.home, platform.bin)
    with platform.client(timeout) as client:
        return _pm2_home.look(site, client)[0]


@pytest.fixture
def running(platform: Platform) -> Platform:
    """Release r1 runs in two workers."""
    platform.release("r1", OLD="1")
    platform.app(state="reloaded", expect={"commit": "r1"})
    return platform


def test_check_mode_and_looking_leave_no_trace(platform: Platform) -> None:
    platform.release("r1")
    assert state_of(platform).state == "absent"
    assert platform.app(check=True)["actions"] == ["Start 2 of api"]
    assert not os.path.exists(platform.home)


def test_first_start_then_nothing_to_do(platform: Platform) -> None:
    platform.release("r1")
    os.environ["LEAKED"] = "from the caller"
    try:
        first = platform.app(state="reloaded", expect={"commit": "r1"}, save=True)
    finally:
        del os.environ["LEAKED"]
    assert first["changed"]
    assert first["apps"][0]["after"]["verdict"] == "online"
    env = platform.records()[0]["pm2_env"]["env"]
    assert set(env) - {"unique_id"} == {
        "PATH", "HOME", "USER", "LANG", "PM2_HOME", "PORT", "API_TOKEN"
    }  # fmt: skip
    started = time.monotonic()
    for state in ("reloaded", "started"):
        second = platform.app(state=state, expect={"commit": "r1"}, save=True)
        assert not second["changed"], actions(second)
    assert time.monotonic() - started < 6
    dump = os.path.join(platform.home, "dump.pm2")
    assert stat.S_IMODE(os.stat(dump).st_mode) == 0o600
    assert state_of(platform).version == state_of(platform).installed_version


def test_good_releases_lose_no_request(running: Platform) -> None:
    with Load(running.port) as load:
        for commit in ("r2", "r3"):
            running.release(commit, OLD="1")
            result = running.app(state="reloaded", expect={"commit": commit})
            assert result["changed"]
    assert load.good > 100
    assert load.failures == []
    assert sorted(running.pids()) == [0, 1]
    assert all(one["pm2_env"]["pm_cwd"] == running.link for one in running.records())


@pytest.mark.parametrize(
    ("mode", "cause"),
    [
        ("crash", "exited"),
        ("hang", "hung"),
        ("crash_later", "exited"),
        ("unhealthy", "unhealthy"),
    ],
)
def test_a_bad_release_is_not_let_in(running: Platform, mode: str, cause: str) -> None:
    before = running.pids()
    with Load(running.port) as load:
        running.release("bad", mode, OLD="1")
        probe = running.probe(within=5.0)
        with pytest.raises(FailedError) as failure:
            running.app(name="api", state="reloaded", probe=probe, expect={"commit": "bad"})
        result = running.run_result
        running.switch("r1")
        started = time.monotonic()
        back = running.app(state="reloaded", expect={"commit": "r1"})
        seconds = time.monotonic() - started
    assert result["cause"] == cause, failure.value
    assert result["failed_app"] == "api"
    assert not back["changed"], actions(back)
    assert running.pids() == before, actions(result)
    assert seconds < 6
    if mode == "crash":
        assert any("no configuration" in line for line in result["logs"])
        assert "hunter2" not in str(result) + str(failure.value)
    assert len(load.failures) <= (3 if mode == "crash_later" else 0), load.failures


def test_a_slow_release_passes(running: Platform) -> None:
    with Load(running.port) as load:
        running.release("slow", "slow", OLD="1")
        result = running.app(state="reloaded", expect={"commit": "slow"})
    assert result["apps"][0]["after"]["verdict"] == "online"
    assert load.failures == []


def test_drift_is_seen_and_put_right_without_an_interruption(running: Platform) -> None:
    with Load(running.port) as load:
        running.release("r2", NEW="1", API_TOKEN="another-token-9", instances=3)
        plan = running.app(check=True)
        result = running.app()
        assert len(running.pids()) == 3
        running.release("r3", NEW="1", API_TOKEN="another-token-9", instances=1)
        running.app(state="reloaded", expect={"commit": "r3"})
    assert "new variable NEW; changed variable API_TOKEN; removed variable OLD" in str(plan)
    assert "another-token" not in str(result["actions"])
    for record in running.records():
        assert "OLD" not in record["pm2_env"]["env"]
        assert "OLD" not in record["pm2_env"]
        assert record["pm2_env"]["NODE_APP_INSTANCE"] == 0
    assert len(running.pids()) == 1
    assert load.failures == []


def test_a_process_started_inside_of_a_release_is_moved_to_the_link(platform: Platform) -> None:
    folder = platform.release("r1")
    platform.cli("start", "ecosystem.config.cjs", cwd=folder)
    assert platform.records()[0]["pm2_env"]["pm_cwd"] == folder
    assert _probe.persist(_probe.parse(platform.probe())).ok
    with Load(platform.port) as load:
        result = platform.app(state="reloaded", expect={"commit": "r1"})
        assert "cwd is" in actions(result)[0]
        platform.release("r2")
        platform.app(state="reloaded", expect={"commit": "r2"})
    assert load.failures == []
    assert {one["pm2_env"]["pm_cwd"] for one in platform.records()} == {platform.link}


def test_instances_as_a_number_and_relative(running: Platform) -> None:
    assert not running.app(name="api", instances="2")["changed"]
    running.app(name="api", instances="+1")
    assert sorted(running.pids()) == [0, 1, 2]
    running.app(name="api", instances="-2")
    assert sorted(running.pids()) == [0]
    with pytest.raises(Pm2Error, match="would leave 0"):
        running.app(name="api", instances="-1")


def test_stop_start_restart_and_remove(running: Platform) -> None:
    assert running.app(state="stopped")["changed"]
    assert not running.app(state="stopped")["changed"]
    assert running.app(state="started")["apps"][0]["after"]["verdict"] == "online"
    before = running.pids()
    running.app(state="restarted")
    assert not set(before.values()) & set(running.pids().values())
    running.app(state="absent", save=True)
    assert running.records() == []
    with open(os.path.join(running.home, "dump.pm2"), encoding="utf-8") as dump:
        assert dump.read().strip() == "[]"
    assert not running.app(state="absent", save=True)["changed"]


@pytest.mark.parametrize("exec_mode", ["cluster", "fork"])
def test_what_is_removed_before_it_was_ready_leaves_no_process(
    platform: Platform, exec_mode: str
) -> None:
    """PM2 7 starts a worker again that ends before it is ready, and forgets it."""
    waits = {"wait_ready": True, "listen_timeout": 8000}
    platform.release("r1", "hang", instances=1, exec_mode=exec_mode, options=waits)
    with ThreadPoolExecutor() as pool:
        starting = pool.submit(platform.cli, "start", platform.ecosystem)
        end = time.monotonic() + 20
        while not (os.path.exists(platform.home + "/rpc.sock") and any(platform.pids().values())):
            assert time.monotonic() < end
            time.sleep(0.1)
        # Its own start has to be over, or it would end for want of everything.
        time.sleep(0.5)
        platform.app(state="absent", name="api")
        time.sleep(0.5)
        assert platform.records() == []
        assert platform.children() == []
        starting.result()


def test_lost_workers_come_back(running: Platform) -> None:
    running.cli("stop", "1")
    result = running.app(state="reloaded", expect={"commit": "r1"})
    assert "Restarted api instance 1" in actions(result)
    assert not any("Reloaded api instance 0" in action for action in actions(result))
    running.cli("delete", "1")
    running.app(state="reloaded", expect={"commit": "r1"})
    assert len(running.pids()) == 2


def test_fork_mode_restarts_in_place(platform: Platform) -> None:
    platform.release("r1", exec_mode="fork", instances=1)
    platform.app(state="reloaded", expect={"commit": "r1"})
    platform.release("r2", exec_mode="fork", instances=1)
    result = platform.app(state="reloaded", expect={"commit": "r2"})
    assert "Restarted api instance 0" in actions(result)
    assert not platform.app(state="reloaded", expect={"commit": "r2"})["changed"]


def test_a_killed_daemon_is_told_and_replaced(running: Platform) -> None:
    pid = t.cast(int, state_of(running).pid)
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.5)
    assert state_of(running).state == "stale"
    with pytest.raises(StaleError):
        running.records()
    result = running.app(state="reloaded", expect={"commit": "r1"})
    assert result["apps"][0]["after"]["verdict"] == "online"


def test_a_stopped_daemon_is_told_in_time(running: Platform) -> None:
    pid = t.cast(int, state_of(running).pid)
    os.kill(pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        assert state_of(running).state == "hung"
        with pytest.raises(HungError, match="kill -CONT"):
            running.app(state="reloaded", timeout=2.0)
        assert time.monotonic() - started < 6
    finally:
        os.kill(pid, signal.SIGCONT)
    assert state_of(running).state == "running"


def test_reload_lock_is_honoured_and_given_back(running: Platform) -> None:
    lock = os.path.join(running.home, "reload.lock")
    with open(lock, "w", encoding="utf-8") as held:
        held.write(str(int(time.time() * 1000)))
    with pytest.raises(Pm2Error, match="another reload"):
        running.app(state="restarted", lock_wait=0.5)
    with open(lock, "w", encoding="utf-8") as held:
        held.write(str(int(time.time() * 1000) - 28500))
    running.app(state="restarted", lock_wait=10)
    assert os.path.getsize(lock) == 0


def test_flush_and_log_folding(running: Platform) -> None:
    running.release("r2", OLD="1")
    running.app(state="reloaded", expect={"commit": "r2"})
    logs = os.listdir(os.path.join(running.home, "logs"))
    assert not [name for name in logs if name.endswith("-2.log")], logs
    with open(os.path.join(running.home, "logs", "api-out-0.log"), "a", encoding="utf-8") as log:
        log.write("x\n")
    assert running.app(state="started", flush=True)["changed"]
    assert not running.app(state="started", flush=True)["changed"]


def test_a_variable_that_would_rename_the_process_is_refused(platform: Platform) -> None:
    platform.release("r1", name="surprise")
    with pytest.raises(Pm2Error, match="a variable called name"):
        platform.app()
    with pytest.raises(AbsentError):
        platform.records()
