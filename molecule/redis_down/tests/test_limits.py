"""What keeps a procedure from acting, and what it says of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from support.application import ROOT_ON_HOST
from support.hosts import ssh
from support.incidents import EAGER, WAITS_FOR_LOCK, Seen, eventually, procedure

HOST = "titan1"
ATTEMPTS = "/var/lib/titan/attempts.json"
LOCK = f"{ROOT_ON_HOST}/lock.json"
STOP = "sudo systemctl stop redis-server"
DROP_IN = "/run/systemd/system/redis-server.service.d"


def down(*arguments: str, **options: Any) -> Seen:
    return procedure("redis_down", "redis_down", *arguments, **{**EAGER, "hosts": HOST, **options})


def is_active() -> bool:
    return ssh(HOST, "systemctl is-active redis-server || true") == "active\n"


@pytest.fixture(autouse=True)
def mended() -> Iterator[None]:
    """Redis is stopped for each test, and nothing of it was tried before."""
    ssh(HOST, f"{STOP}; sudo rm -f {ATTEMPTS}")
    yield
    ssh(
        HOST,
        f"sudo rm -rf {ATTEMPTS}* {LOCK} {DROP_IN}; sudo systemctl daemon-reload;"
        " sudo systemctl start redis-server",
    )


def refused(seen: Seen, *sentences: str) -> None:
    """Nothing was done, it says why, and a person is to be told."""
    result = seen.results[HOST]
    assert (result["outcome"], result["rungs"]) == ("refused", []), result
    for sentence in sentences:
        assert sentence in result["summary"], result
    assert result["escalation"]["page"] is True
    assert seen.run.code != 0
    assert not is_active()


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        ({"cooldown": 600}, "because of stopped (healed), and 10 min have to pass"),
        ({"maximum": 1}, "was tried 1 time here in the last 1 h, and 1 is the most"),
    ],
)
def test_nothing_is_tried_too_often(limits: dict[str, Any], why: str) -> None:
    assert down(**limits).results[HOST]["outcome"] == "healed"
    ssh(HOST, STOP)
    planned = down("--check", **limits).results[HOST]
    assert planned["outcome"] == "planned"
    assert "Not now, though: " in planned["summary"]
    assert why in planned["summary"]
    # Whoever writes "no" does not mean yes.
    for override in ({}, {"override": "no"}):
        seen = down(**limits, **override)
        refused(seen, why)
        assert seen.run.changed == 0
        assert "-e redis_down_override=true" in seen.results[HOST]["advice"]
    assert down(**limits, override=True).results[HOST]["outcome"] == "healed"
    assert is_active()


def test_what_nobody_can_read_is_a_reason_for_care() -> None:
    ssh(HOST, f"echo '{{' | sudo tee {ATTEMPTS} >/dev/null")
    refused(down(), f"{ATTEMPTS} is damaged, so nobody knows what was tried here before")
    assert down(override=True).results[HOST]["outcome"] == "healed"
    # It is put aside, and the next attempt is remembered.
    assert ssh(HOST, f"cat {ATTEMPTS}.damaged-*") == "{\n"
    (attempt,) = json.loads(ssh(HOST, f"cat {ATTEMPTS}"))["attempts"]
    assert (attempt["cause"], attempt["outcome"]) == ("stopped", "healed")


def test_of_two_at_once_one_acts() -> None:
    with ThreadPoolExecutor(max_workers=2) as pool:
        both = list(pool.map(lambda _nth: down(), range(2)))
    results = [seen.results[HOST] for seen in both]
    assert sorted(len(result["rungs"]) for result in results) == [0, 1], results
    for result in results:
        # The other one met its lock, or came when all was done.
        assert result["outcome"] in ("healed", "well") or "is held by" in result["summary"], result
    assert len(json.loads(ssh(HOST, f"cat {ATTEMPTS}"))["attempts"]) == 1
    assert is_active()


def test_a_lock_that_somebody_has_is_left_alone() -> None:
    ssh(HOST, f"echo broken > {LOCK}")
    refused(down(), f"{LOCK} is held by")
    assert ssh(HOST, f"cat {LOCK}") == "broken\n"


def test_who_waited_for_the_lock_looks_again() -> None:
    ssh(HOST, f"echo broken > {LOCK}")
    with ThreadPoolExecutor(max_workers=1) as pool:
        begun = pool.submit(down, lock_wait=90)
        eventually(lambda: ssh(HOST, WAITS_FOR_LOCK) != "", pause=0.2)
        # It is mended by whoever had the lock.
        ssh(HOST, f"sleep 2; sudo systemctl start redis-server; rm {LOCK}")
        seen = begun.result()
    result = seen.results[HOST]
    assert (result["outcome"], result["rungs"]) == ("well", []), result
    assert seen.run.changed == 0


def test_a_lock_that_was_lost_meanwhile_is_told() -> None:
    # While the rung starts the unit.
    lose = f"[Service]\\nExecStartPre=+/bin/sh -c 'echo broken > {LOCK}'\\n"
    ssh(
        HOST,
        f"sudo mkdir -p {DROP_IN}; printf {json.dumps(lose)} | sudo tee {DROP_IN}/lose.conf"
        " >/dev/null; sudo systemctl daemon-reload",
    )
    result = down().results[HOST]
    assert result["outcome"] == "healed", result
    assert f"Left behind: the lock {LOCK} is not this run's" in result["summary"], result
    assert ssh(HOST, f"cat {LOCK}") == "broken\n"
