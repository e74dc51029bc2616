"""The first deployment onto a host that has nothing, and a daemon that one cannot work with."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import pytest
from support import application
from support.deployment import assert_live
from support.hosts import ssh
from support.playbooks import Run, play
from support.single import HOST, deploy, paths, plan

# A run takes its time on a slow machine; what must not happen is a wait for something that hangs.
SECONDS = 120


def test_converge_made_v1_live() -> None:
    assert_live("v1", HOST)
    assert ssh(HOST, f"stat -c %a {application.HOME}/.pm2/dump.pm2").strip() == "600"


def test_a_host_without_its_settings_is_refused() -> None:
    """The settings are all that a site has to bring, so a missing one is named."""
    root = application.ROOT_ON_HOST
    ssh(HOST, f"mv {root}/shared/.env {root}/shared/.away")
    before = application.trace(HOST)
    try:
        run = deploy("v2")
        assert application.trace(HOST) == before
    finally:
        ssh(HOST, f"mv {root}/shared/.away {root}/shared/.env")
    assert run.code != 0
    assert run.failure.splitlines() == [
        "Nothing was touched, because:",
        "- titan1: the release needs MONGODB_URL, REDIS_URL, DATABASE_URL"
        f" (.env.example); set them in {root}/shared/.env",
    ]


def test_check_mode_on_a_host_that_has_only_its_settings() -> None:
    """Nothing but the plan comes of it: no directory is made and no daemon is started."""
    root, path = application.ROOT_ON_HOST, application.PATH
    ssh(
        HOST,
        f"pm2 kill -s; mv {root} {root}.away; mv {path} {root}.link"
        f" && mkdir -p {root}/shared && cp -p {root}.away/shared/.env {root}/shared",
    )
    try:
        run = deploy("v1", "--check", "--diff")
        left = ssh(HOST, f"cd {root}; find . -type f; ls -d {path} 2>/dev/null; true").split()
        daemons = ssh(HOST, "pgrep -fc '[G]od Daemon' || true").strip()
    finally:
        ssh(HOST, f"rm -rf {root}; mv {root}.away {root}; mv {root}.link {path}")
    assert run.code == 0, run.output
    assert "titan1: nothing is live" in plan(run)
    assert left == ["./shared/.env"]
    assert daemons == "0"
    assert deploy("v1").code == 0
    assert_live("v1", HOST)


def test_a_process_started_from_inside_the_release_is_made_anew() -> None:
    """PM2 keeps the real directory then, and a reload would run the old code for ever."""
    inside = ssh(HOST, f"readlink -f {application.PATH}").strip()
    ssh(
        HOST,
        f"pm2 delete -s all; cd {inside} && TITAN_APP_PATH={inside} pm2 start -s"
        " ecosystem.config.cjs",
    )
    assert all(path.startswith(inside) for path in paths())
    run = deploy("v1")
    assert run.code == 0, run.output
    assert_live("v1", HOST)
    # Nothing to do, whether an answer tells its commit or only the directory of a process does.
    for field in ("commit", ""):
        again = deploy("v1", titan_commit_field=field)
        assert (again.code, again.changed) == (0, 0), again.output


def test_a_killed_daemon_with_a_stale_socket_is_started_again() -> None:
    ssh(HOST, f"kill -9 $(cat {application.HOME}/.pm2/pm2.pid)")
    assert ssh(HOST, f"ls {application.HOME}/.pm2/rpc.sock")
    run = deploy("v1")
    assert run.code == 0, run.output
    assert_live("v1", HOST)


@pytest.fixture
def stopped_daemon() -> Iterator[None]:
    """A daemon that hands no connection on to its workers, until it is woken again."""
    pid = ssh(HOST, f"cat {application.HOME}/.pm2/pm2.pid").strip()
    ssh(HOST, f"kill -STOP {pid}")
    yield
    ssh(HOST, f"kill -CONT {pid}")
    assert application.health(HOST)["commit"] == application.commits()["v1"]


def rollback_to_v1() -> Run:
    return play("rollback", rollback_hosts=HOST, rollback_target=application.named(HOST, "v1"))


@pytest.mark.parametrize(
    "procedure",
    [
        pytest.param(functools.partial(deploy, "v2"), id="new-release"),
        # Also where the release is live already, and nothing else is to do.
        pytest.param(functools.partial(deploy, "v1"), id="live-release"),
        pytest.param(rollback_to_v1, id="rollback"),
    ],
)
def test_a_stopped_daemon_is_told_in_seconds(
    stopped_daemon: None, procedure: Callable[[], Run]
) -> None:
    run = procedure()
    assert run.code != 0
    assert run.seconds < SECONDS
    lines = run.failure.splitlines()
    assert lines[0] == "Nothing was touched, because:"
    assert len(lines) == 2
    assert "PM2" in lines[1]
    assert "did not answer" in lines[1]
    assert application.current(HOST) == application.named(HOST, "v1")
    assert application.named(HOST, "v2") == ""
    assert not application.locked(HOST)


@pytest.fixture
def foreign_daemon() -> Iterator[None]:
    home = f"{application.HOME}/.pm2"
    ssh(HOST, "pm2 kill -s")
    ssh(HOST, f"sudo env PM2_HOME={home} pm2 ping -s")
    yield
    ssh(HOST, f"sudo env PM2_HOME={home} pm2 kill -s; sudo chown -R plugspace: {home}")


def test_the_daemon_of_another_user_is_told(foreign_daemon: None) -> None:
    run = deploy("v2")
    assert run.code != 0
    assert run.seconds < SECONDS
    lines = run.failure.splitlines()
    assert lines[0] == "Nothing was touched, because:"
    assert len(lines) == 2
    assert "root" in lines[1]
    assert application.named(HOST, "v2") == ""
    assert not application.locked(HOST)
