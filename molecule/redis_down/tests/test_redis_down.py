"""A Redis that does not serve: the real fault, the least that helps, and the proof by a client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.adhoc import by_hand
from support.hosts import NAMES, ssh
from support.incidents import (
    EAGER,
    Fault,
    Seen,
    cure_all,
    heal,
    nothing_left,
    on_each,
    procedure,
    units,
)
from support.redis_faults import CLI, CONFIG, DROP_IN, FAULTS, START


def down(*arguments: str, **options: Any) -> Seen:
    return procedure("redis_down", "redis_down", *arguments, **{**EAGER, **options})


def served(host: str) -> None:
    """A client writes, and reads it back."""
    assert ssh(host, f"{CLI} set titan-visitor here >/dev/null; redis-cli get titan-visitor") == (
        "here\n"
    )


@pytest.fixture
def mended() -> Iterator[None]:
    """What a test that failed leaves broken does not break the next one."""
    yield
    cure_all(
        [fault for batch in FAULTS for fault in batch],
        # With it, Redis would be started without its data.
        f"if [ -e {DROP_IN} ]; then sudo rm -r {DROP_IN}; sudo systemctl daemon-reload; fi",
        "sudo systemctl kill -s CONT redis-server; sudo systemctl start redis-server",
        # Nothing else is answered while a script runs.
        f"{CLI} script kill",
    )
    # Of some faults the cure takes away the reason alone.
    on_each(dict.fromkeys(NAMES, START))


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize(
    "batch", FAULTS, ids=[" / ".join(fault.name for fault in batch) for batch in FAULTS]
)
def test_faults(batch: tuple[Fault, ...]) -> None:
    heal(down, batch, served, units)


@pytest.mark.usefixtures("mended")
def test_more_memory_is_given_when_it_is_named() -> None:
    full = FAULTS[0][2]
    try:
        ssh("titan1", full.inject)
        asked = down("--check", hosts="titan1")
        # The plan says what has to be named.
        assert (
            "a person has to name it: -e redis_down_confirm=6mb"
            in (asked.results["titan1"]["summary"])
        ), asked.results
        given = down(hosts="titan1", confirm="6mb")
        assert [rung["rung"] for rung in given.results["titan1"]["rungs"]] == ["raise_maxmemory"]
        assert given.results["titan1"]["outcome"] == "healed", given.results
        served("titan1")
        nothing_left(down(hosts="titan1", confirm="6mb"))
    finally:
        ssh("titan1", full.cure)


def test_a_user_of_an_access_list_is_enough() -> None:
    login = {"username": "titan-watch", "password": "only-for-this-test"}
    may = "+ping +info '+slowlog|get' '+latency|latest' '+config|get'"
    host = "titan1"
    try:
        ssh(host, f"{CLI} acl setuser {login['username']} on '>{login['password']}' {may}")
        seen = by_hand("redis_info", host, slowlog=1, **login)
        assert (seen["state"], seen["errors"]) == ("ok", []), seen
        wrong = by_hand("redis_info", host, username=login["username"], password="x")
        assert wrong["state"] == "auth", wrong
        given = {f"titan_redis_{name}": value for name, value in login.items()}
        run = down(hosts=host, **given)
        assert run.results[host]["outcome"] == "well", run.results
        assert run.run.changed == 0
        assert login["password"] not in run.run.output
    finally:
        ssh(host, f"{CLI} acl deluser {login['username']}")


@pytest.mark.usefixtures("mended")
def test_a_correction_that_was_none_is_told_after_one_start() -> None:
    wrong = FAULTS[1][2]
    ssh("titan1", f"{wrong.inject}; echo '# titan-nonsense' | sudo tee -a {CONFIG} >/dev/null")
    tried = down(hosts="titan1").results["titan1"]
    assert [rung["rung"] for rung in tried["rungs"]] == ["start_unit"], tried
    assert tried["outcome"] == "unhealed", tried
    # It has complained again since.
    assert ">>> titan-nonsense" in tried["summary"], tried
    assert "put /etc/redis/redis.conf right, then run this again" in tried["summary"], tried
