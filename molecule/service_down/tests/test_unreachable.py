"""A host that gives no answer: the others are helped all the same, and somebody is told of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.cpu_faults import EQUAL, LOAD, RUNAWAY, SOON
from support.hosts import cut_off, ssh
from support.incidents import EAGER, Fault, Seen, on_each, procedure
from support.latency_faults import AS_BEFORE, QUIET, SLOW_INSTANCE
from support.memory_faults import LEAKING, LIMIT_MB
from support.mongodb_faults import HAS_PRIMARY
from support.mongodb_faults import START as START_MONGODB
from support.receivers import Received, Receivers, receivers
from support.redis_faults import START as START_REDIS
from support.redis_faults import STOPPED as REDIS_STOPPED
from support.service_faults import API, BOTH_AGAIN, BOTH_SERVE, VOICE, stopped, until

# What breaks is on the one, who is told on the other.
ILL, RECEIVER, LOST = "titan1", "titan2", "titan3"
MONGODB_STOPPED = Fault(
    "stopped", "sudo systemctl stop mongod", "stopped", ("start_unit",), after=HAS_PRIMARY
)
ONE_MORE = Fault("an instance more than it needs", f"pm2 -s scale {API} 3", "scaled_up", ("scale",))
# Each playbook with its role, what breaks, and the inputs by which that is seen at once.
PROCEDURES: dict[str, tuple[str, Fault, dict[str, Any]]] = {
    "mongodb_down": ("mongodb_down", MONGODB_STOPPED, EAGER),
    "redis_down": ("redis_down", REDIS_STOPPED, EAGER),
    "api_down": ("service_down", stopped(API), EAGER),
    "voice_down": ("service_down", stopped(VOICE), EAGER),
    "high_cpu": ("high_cpu", RUNAWAY, SOON),
    "high_memory": (
        "high_memory",
        LEAKING,
        {**EAGER, "services": [{"name": VOICE, "memory_limit_mb": LIMIT_MB}]},
    ),
    "high_response_time": ("high_response_time", SLOW_INSTANCE, EAGER),
    "scale_back": ("scale_back", ONE_MORE, EAGER),
}


@pytest.fixture(scope="module")
def servers() -> Iterator[Receivers]:
    with receivers(RECEIVER) as running, cut_off(LOST):
        yield running


@pytest.fixture
def told_by(servers: Receivers, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """The settings of a site that tells somebody, who has been told nothing so far.

    Nothing that a test leaves broken is in the way of the next one.
    """
    servers.received = Received()
    # What is of low severity waits for a business day where it would wake somebody.
    hook = {"name": "hook", "type": "webhook", "url": f"{servers.http}/hook"}
    # What the faults before this one made visitors wait for is in the log for five minutes.
    on_each(dict.fromkeys((ILL, RECEIVER), QUIET))
    yield {
        "titan_escalation_channels": [hook],
        "titan_incidents_path": str(tmp_path / "incidents.json"),
    }
    ssh(
        ILL,
        f"rm -f {LOAD}; {EQUAL}; {START_MONGODB}; {START_REDIS}; {AS_BEFORE}; {BOTH_AGAIN}",
        timeout=120,
    )


def told(to: Receivers) -> list[str]:
    """What somebody was called for: the incident of each page, and each is about the lost host."""
    pages = to.received.at("/hook")
    for page in pages:
        assert (page["host"], page["outcome"]) == (LOST, "unreachable"), page
        assert page["summary"].startswith(f"{LOST} gave no answer"), page
        assert page["escalation"]["action"] == "trigger", page
    return [page["escalation"]["key"] for page in pages]


def nothing_was_done(again: Seen) -> None:
    """The lost host is told as before, and the others are well and left alone."""
    for one in again.record["results"]:
        assert one["outcome"] == ("unreachable" if one["host"] == LOST else "well"), one
    assert again.run.code != 0
    assert again.run.changed == 0, again.run.output


@pytest.mark.parametrize("playbook", PROCEDURES)
def test_a_host_that_gives_no_answer_is_told_and_keeps_no_other_waiting(
    playbook: str, servers: Receivers, told_by: dict[str, Any]
) -> None:
    role, fault, inputs = PROCEDURES[playbook]
    ssh(ILL, fault.inject)
    seen = procedure(playbook, role, **inputs, **told_by)
    assert set(seen.results) == {ILL, RECEIVER, LOST}, seen.run.output
    healed, lost = seen.results[ILL], seen.results[LOST]
    assert (healed["cause"], healed["outcome"]) == (fault.cause, "healed"), healed
    assert tuple(rung["rung"] for rung in healed["rungs"]) == fault.rungs, healed
    # Whoever waits for a member on the other one is healed with it.
    assert seen.results[RECEIVER]["outcome"] in ("well", "healed"), seen.results[RECEIVER]
    assert lost["outcome"] == "unreachable", lost
    assert seen.run.code != 0
    ssh(ILL, fault.after)
    ssh(ILL, until(BOTH_SERVE))
    # Somebody is told of it, and of none of the others.
    key = f"plugspace.test/{lost['procedure']}/{lost['subject']}/{LOST}"
    assert told(servers) == [key]
    pages = {host: one["escalation"]["page"] for host, one in seen.results.items()}
    assert pages == {ILL: False, RECEIVER: False, LOST: True}
    nothing_was_done(procedure(playbook, role, **inputs, **told_by))
    # The same incident calls nobody twice.
    assert told(servers) == [key]


def test_triage_goes_on_with_the_others(servers: Receivers, told_by: dict[str, Any]) -> None:
    """An alert that names no host is about every host of its procedure."""
    alerts = [{"alertname": "RedisDown"}, {"alertname": "ApiDown"}]
    eager = {f"titan_attempt_{name}": value for name, value in EAGER.items()}
    inputs = {"run": True, "alert": alerts, **eager, **told_by}
    ssh(ILL, f"{REDIS_STOPPED.inject}; {stopped(API).inject}")
    seen = procedure("triage", "triage", **inputs)
    ends = {(one["procedure"], one["host"]): one["outcome"] for one in seen.record["results"]}
    assert ends == {
        (name, host): outcome
        for name in ("redis_down", "service_down")
        for host, outcome in ((ILL, "healed"), (RECEIVER, "well"), (LOST, "unreachable"))
    }, seen.run.output
    assert seen.run.code != 0
    ssh(ILL, until(BOTH_SERVE))
    # The one that is lost to the first procedure is tried by the second one as well.
    keys = [f"plugspace.test/{name}/{LOST}" for name in ("redis_down/redis", f"service_down/{API}")]
    assert told(servers) == keys
    nothing_was_done(procedure("triage", "triage", **inputs))
    assert told(servers) == keys
