"""A host that goes down comes back by itself, its applications included."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import testinfra
from support.hosts import container, ssh
from support.incidents import EAGER, procedure
from testinfra.host import Host

INVENTORY = Path(__file__).parents[3] / "inventories" / "local"
DUMP = "/home/plugspace/.pm2/dump.pm2"
SLEEPER = "reboot-check"
STOP_REDIS = "sudo systemctl stop redis-server"
PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def host() -> Host:
    return testinfra.get_host(f"ansible://titan2?ansible_inventory={INVENTORY}")


@pytest.fixture(scope="module")
def sleeper(host: Host) -> Iterator[str]:
    """Let PM2 keep a process, beside those that it has, and leave no trace of it."""
    nothing_saved = not host.file(DUMP).exists
    start = f"pm2 start -s --name {SLEEPER} --interpreter none /bin/sleep -- infinity"
    host.check_output(f"{start} && pm2 save -s")
    # A daemon that a login started is ended by the shutdown's signal to all processes, and then
    # saves as stopped whatever that signal reached first. Its unit ends it in order.
    host.check_output("pm2 kill -s && sudo systemctl restart pm2-plugspace")
    yield SLEEPER
    host.run(f"pm2 delete -s {SLEEPER}; pm2 save -s --force")
    if nothing_saved:
        host.check_output("sudo systemctl stop pm2-plugspace; pm2 kill -s")
        host.check_output(f"rm -f {DUMP} {DUMP}.bak")


def wait_for(wanted: str, what: str, look: Callable[[], str | None]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while (seen := look()) != wanted:
        assert time.monotonic() < end, f"{what} is {seen} after {PATIENCE_SECONDS} s, not {wanted}"
        time.sleep(1)


def system_state() -> str:
    """Ask by way of the engine: SSH is not there yet when the boot begins."""
    command = ["docker", "exec", container("titan2"), "systemctl", "is-system-running"]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip()


def pm2_processes(host: Host) -> dict[str, str]:
    apps = json.loads(host.check_output("pm2 jlist -s"))
    return {app["name"]: app["pm2_env"]["status"] for app in apps}


def member_state(host: Host) -> str:
    program = (
        "from pymongo import MongoClient;"
        "hello = MongoClient('127.0.0.1', directConnection=True).admin.command('isMaster');"
        "print('up' if hello['ismaster'] or hello['secondary'] else 'down')"
    )
    return host.run("python3 -c %s", program).stdout.strip()


@pytest.fixture(scope="module", autouse=True)
def _restarted(sleeper: str) -> None:
    """A host on which PM2 keeps a process, and a procedure has tried something, restarts."""
    del sleeper
    ssh("titan2", STOP_REDIS)
    tried = procedure("redis_down", "redis_down", hosts="titan2", **EAGER).results["titan2"]
    assert [one["rung"] for one in tried["rungs"]] == ["start_unit"], tried
    subprocess.run(
        ["docker", "restart", container("titan2")], check=True, capture_output=True, timeout=60
    )
    wait_for("running", "the system", system_state)


def test_a_restarted_host_runs_everything_again(host: Host) -> None:
    wait_for("online", f"{SLEEPER} in PM2", lambda: pm2_processes(host).get(SLEEPER))
    wait_for("up", "the member of the replica set", lambda: member_state(host))


def test_a_restarted_host_remembers_what_was_tried() -> None:
    ssh("titan2", STOP_REDIS)
    try:
        eager = {**EAGER, "cooldown": 3600}
        refused = procedure("redis_down", "redis_down", hosts="titan2", **eager).results["titan2"]
        assert (refused["outcome"], refused["rungs"]) == ("refused", []), refused
        assert "ago because of stopped" in refused["summary"], refused
    finally:
        ssh("titan2", "sudo systemctl start redis-server")
