"""Runs that are killed, and runs that meet: the next one needs no hand to put things right.

The tests follow each other: each deploys over what the one before it left, on one host alone where
two would show no more.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from support.application import HOME, locked, named, processes
from support.deployment import AT_ONCE, assert_live, visitors
from support.hosts import ssh
from support.playbooks import kill_at, play, start

PAIR = ("titan2", "titan3")
FIRST, SECOND = PAIR
ONE = (FIRST,)
BUILD = "build | Build the release beside the running one]"
CONFIRM = "Confirm the release and remove old ones]"
RELOAD = "Reload every service behind its gate]"


def always() -> bool:
    return True


def building() -> bool:
    return bool(named(FIRST, "v2"))


def migrating() -> bool:
    return bool(ssh(FIRST, "pgrep -u plugspace -f 'migrate [d]eploy' || true").strip())


def canary(host: str) -> Callable[[], bool]:
    """A fourth process runs beside the three of the release before."""
    return lambda: len(processes(host)) > 3


@pytest.mark.parametrize(
    ("ref", "hosts", "marker", "condition"),
    [
        pytest.param("v2", ONE, BUILD, building, id="building"),
        pytest.param("v3", ONE, "Back up, migrate, and see", migrating, id="migrating"),
        pytest.param("v4", PAIR, "Switch to the release]", always, id="prepared"),
        pytest.param("v5", ONE, RELOAD, always, id="switched"),
        pytest.param("v6", ONE, RELOAD, canary(FIRST), id="gate"),
        pytest.param("v7", ONE, "reload | Look at the site from outside]", always, id="reloaded"),
        pytest.param("v8", ONE, CONFIRM, always, id="verified"),
        pytest.param("v9", PAIR, RELOAD, canary(SECOND), id="second-batch"),
    ],
)
def test_killed_run_is_taken_up_by_the_next(
    ref: str, hosts: tuple[str, ...], marker: str, condition: Callable[[], bool], tmp_path: Path
) -> None:
    if condition is migrating:
        ssh(FIRST, f"rm -f {HOME}/data/*.db*")
    chosen = ",".join(hosts)
    with visitors(ref, hosts=hosts):
        log = tmp_path / "killed.log"
        killed = start("deploy", log, deploy_ref=ref, deploy_hosts=chosen)
        kill_at(killed, log, marker, condition)
        held = any(map(locked, hosts))
        # The module that gives the lock back last of all may end its work without the controller.
        assert held or marker == CONFIRM, log.read_text()
        run = play("deploy", deploy_ref=ref, deploy_hosts=chosen, **AT_ONCE)
    assert run.code == 0, run.output
    assert held is ("the lock was taken over from" in " ".join(run.output.split()))
    assert_live(ref, *hosts)


def test_two_at_once(tmp_path: Path) -> None:
    """The second is refused and names the first, or waits for it if asked to."""
    log, waiting_log = tmp_path / "first.log", tmp_path / "waiting.log"
    with visitors("v1", "v10", hosts=ONE):
        first = start("deploy", log, deploy_ref="v1", deploy_hosts=FIRST)
        while not locked(FIRST):
            assert first.poll() is None, log.read_text()
        waiting = start(
            "deploy", waiting_log, deploy_ref="v10", deploy_hosts=FIRST, deploy_lock_wait=300
        )
        refused = play("deploy", deploy_ref="v10", deploy_hosts=FIRST)
        assert BUILD in waiting_log.read_text()
        assert first.poll() is None, "the first one was too fast to meet"
        assert first.wait() == 0, log.read_text()
        assert waiting.wait() == 0, waiting_log.read_text()
    assert refused.code != 0
    told = refused.result("Stop with the reason, the running release untouched", FIRST)["msg"]
    holder = r"\w+ on \S+ \(procedure deploy, since [\d-]+ [\d:]+ UTC, \d+ s ago\)"
    assert re.search(rf"lock\.json is held by {holder}", told), told
    assert_live("v10", *ONE)
