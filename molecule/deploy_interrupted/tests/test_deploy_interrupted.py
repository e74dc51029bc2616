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
from support.deployment import AT_ONCE, NOT_PREPARED, assert_live, visitors
from support.hosts import cut_off, ssh
from support.playbooks import kill, play, start, wait_for

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
        pytest.param("v5", ONE, RELOAD, always, id="switched"),
        pytest.param("v6", ONE, RELOAD, canary(FIRST), id="gate"),
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
        wait_for(killed, log, marker, condition)
        kill(killed)
        held = any(map(locked, hosts))
        assert held or marker == CONFIRM, log.read_text()
        run = play("deploy", deploy_ref=ref, deploy_hosts=chosen, **AT_ONCE)
    assert run.code == 0, run.output
    taken_over = "the lock was taken over from" in " ".join(run.output.split())
    # The module that gives the lock back last of all may end its work without the controller.
    assert taken_over is held or (marker == CONFIRM and not taken_over)
    assert_live(ref, *hosts)


@pytest.mark.parametrize(
    ("marker", "condition", "sentence"),
    [
        pytest.param(
            BUILD,
            lambda: bool(named(FIRST, "v10")),
            f"was not put live: {FIRST} stopped answering.",
            id="building",
        ),
        pytest.param(
            RELOAD,
            canary(FIRST),
            f"{FIRST} stopped answering. The way back failed too: {FIRST} does not answer",
            id="gate",
        ),
    ],
)
def test_a_host_that_is_lost_stops_the_run_and_frees_the_other(
    marker: str, condition: Callable[[], bool], sentence: str, tmp_path: Path
) -> None:
    log = tmp_path / "lost.log"
    with visitors("v10", hosts=PAIR):
        run = start("deploy", log, deploy_ref="v10", deploy_hosts=",".join(PAIR))
        try:
            wait_for(run, log, marker, condition)
            with cut_off(FIRST):
                assert run.wait(timeout=300) != 0
        finally:
            if run.poll() is None:
                kill(run)
        assert sentence in " ".join(log.read_text().split()), log.read_text()
        assert not locked(SECOND)
        assert_live("v9", SECOND)
        if marker == RELOAD:
            assert f"Not touched: {SECOND}." in " ".join(log.read_text().split())
            again = play("deploy", deploy_ref="v10", deploy_hosts=",".join(PAIR), **AT_ONCE)
            assert again.code == 0, again.output
            assert_live("v10", *PAIR)


def test_two_at_once(tmp_path: Path) -> None:
    """The second is refused and names the first, or waits for it if asked to. So is a rollback."""
    # None of them is live at first, so that each of the runs has something to do whenever it looks.
    log, waiting_log, back_log = (tmp_path / name for name in ("first", "waiting", "back"))
    with visitors("v1", "v9", hosts=ONE):
        first = start("deploy", log, deploy_ref="v1", deploy_hosts=FIRST)
        while not locked(FIRST):
            assert first.poll() is None, log.read_text()
        waiting = start(
            "deploy", waiting_log, deploy_ref="v9", deploy_hosts=FIRST, deploy_lock_wait=300
        )
        back = start("rollback", back_log, rollback_hosts=FIRST)
        refused = play("deploy", deploy_ref="v9", deploy_hosts=FIRST)
        wait_for(waiting, waiting_log, BUILD)
        assert back.wait() != 0, back_log.read_text()
        assert first.poll() is None, "the first one was too fast to meet"
        assert first.wait() == 0, log.read_text()
        assert waiting.wait() == 0, waiting_log.read_text()
    assert refused.code != 0
    told = refused.result(NOT_PREPARED, FIRST)["msg"]
    holder = r"\w+ on \S+ \(procedure deploy, since [\d-]+ [\d:]+ UTC, \d+ s ago\)"
    for refusal in (told, " ".join(back_log.read_text().split())):
        assert re.search(rf"lock\.json is held by {holder}", refusal), refusal
    assert_live("v9", *ONE)
