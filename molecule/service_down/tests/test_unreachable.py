"""A host that gives no answer: the others are helped all the same, and somebody is told of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from support.hosts import cut_off, ssh
from support.incidents import EAGER, on_each, procedure
from support.latency_faults import QUIET
from support.mongodb_faults import HAS_PRIMARY
from support.service_faults import API, VOICE, serves

LOST = "titan3"
# Playbook, its role, what breaks on titan1, what a person does about it, and what is true once it
# is healed. Where nothing breaks, titan1 is well.
PROCEDURES: list[tuple[str, str, str, str, str]] = [
    (
        "mongodb_down",
        "mongodb_down",
        "sudo systemctl stop mongod",
        "sudo systemctl start mongod",
        HAS_PRIMARY,
    ),
    (
        "redis_down",
        "redis_down",
        "sudo systemctl stop redis-server",
        "sudo systemctl start redis-server",
        "systemctl is-active redis-server",
    ),
    ("api_down", "service_down", f"pm2 -s stop {API}", f"pm2 -s start {API}", serves(4000)),
    ("voice_down", "service_down", f"pm2 -s stop {VOICE}", f"pm2 -s start {VOICE}", serves(4001)),
    ("high_cpu", "high_cpu", "", "", ""),
    ("high_memory", "high_memory", "", "", ""),
    ("high_response_time", "high_response_time", "", "", ""),
    ("scale_back", "scale_back", "", "", ""),
]


@pytest.fixture(scope="module", autouse=True)
def _lost() -> Iterator[None]:
    with cut_off(LOST):
        yield


@pytest.mark.parametrize(
    ("playbook", "role", "fault", "cure", "healed"), PROCEDURES, ids=[row[0] for row in PROCEDURES]
)
def test_a_host_that_gives_no_answer_is_told_and_keeps_no_other_waiting(
    playbook: str, role: str, fault: str, cure: str, healed: str
) -> None:
    with contextlib.ExitStack() as mended:
        mended.callback(ssh, "titan1", cure or "true")
        # What the faults before this one made visitors wait for is in the log for five minutes.
        on_each(dict.fromkeys(("titan1", "titan2"), QUIET))
        ssh("titan1", fault or "true")
        seen = procedure(playbook, role, **EAGER)
        assert set(seen.results) == {"titan1", "titan2", LOST}, seen.run.output
        outcomes = {host: result["outcome"] for host, result in seen.results.items()}
        assert outcomes["titan1"] == ("healed" if fault else "well"), seen.results["titan1"]
        # Whoever waits for a member on titan1 is healed with it.
        assert outcomes["titan2"] in ("well", "healed"), seen.results["titan2"]
        assert outcomes[LOST] == "unreachable", seen.results[LOST]
        assert seen.run.code != 0
        # Somebody is to be told of it, and nobody of the others.
        assert seen.results[LOST]["escalation"]["page"] is True
        for host in ("titan1", "titan2"):
            assert not seen.results[host].get("escalation", {}).get("page"), seen.results[host]
        ssh("titan1", healed or "true")
        # Nothing is left to be mended.
        mended.pop_all()
