"""A service that is down: the real fault, the least that helps, and the proof by a visitor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.application import health
from support.hosts import NAMES, ssh
from support.incidents import EAGER, Fault, Seen, on_each, procedure, state
from support.service_faults import API, API_FAULTS, VOICE, VOICE_FAULTS

BATCHES = [(API, "api_down", batch) for batch in API_FAULTS]
BATCHES += [(VOICE, "voice_down", batch) for batch in VOICE_FAULTS]


def down(playbook: str, *arguments: str, **options: Any) -> Seen:
    return procedure(playbook, "service_down", *arguments, **{**EAGER, **options})


def visited(host: str, service: str) -> None:
    """A visitor is served: by the site, or over a WebSocket through nginx."""
    if service == API:
        assert health(host)["status"] == "ok"
        return
    upgrade = (
        "curl -s -o /dev/null -w '%{http_code}' --max-time 3 --http1.1 -H 'Connection: Upgrade'"
        " -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13'"
        " -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='"
        " --resolve plugspace.test:443:127.0.0.1 https://plugspace.test/voice || true"
    )
    assert ssh(host, upgrade) == "101"


def outcomes(seen: Seen) -> dict[str, str]:
    return {host: result["outcome"] for host, result in seen.results.items()}


@pytest.fixture
def mended() -> Iterator[None]:
    """What a test that failed leaves broken does not break the next one."""
    yield
    cures = [fault.cure for _service, _playbook, batch in BATCHES for fault in batch if fault.cure]
    everything = "; ".join(["pkill -CONT -u plugspace -f 'PM2 v|node'", *cures, "true"])
    on_each(dict.fromkeys(NAMES, f"{{ {everything}; }} >/dev/null 2>&1; true"))


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize(
    ("service", "playbook", "batch"),
    BATCHES,
    ids=[" / ".join(fault.name for fault in batch) for _service, _playbook, batch in BATCHES],
)
def test_faults(service: str, playbook: str, batch: tuple[Fault, ...]) -> None:
    faults = dict(zip(NAMES, batch, strict=False))
    on_each({host: fault.inject for host, fault in faults.items()})
    before = {host: state(host) for host in faults}

    planned = down(playbook, "--check")
    assert planned.run.changed == 0
    assert {host: state(host) for host in faults} == before, "--check touched something"

    healed = down(playbook)
    for host, fault in faults.items():
        for seen in (planned, healed):
            result = seen.results[host]
            assert result["cause"] == fault.cause, (fault.name, result)
            assert fault.evidence in result["summary"], (fault.name, result)
        plan, result = planned.results[host], healed.results[host]
        assert plan["outcome"] == "planned", (fault.name, plan)
        climbed = tuple(rung["rung"] for rung in result["rungs"])
        assert climbed == fault.rungs, (fault.name, result)
        assert tuple(rung["rung"] for rung in plan["rungs"])[: len(climbed)] == climbed
        assert result["outcome"] == ("healed" if fault.rungs else "unhealed"), (fault.name, result)
        ssh(host, fault.after)
    assert (healed.run.code == 0) is all(fault.rungs for fault in batch)
    # What was only told is left as it was, for a person.
    told = [host for host, fault in faults.items() if not fault.rungs]
    for host in told:
        assert state(host) == before[host], faults[host].name
    on_each({host: faults[host].cure for host in told})

    again = down(playbook)
    assert again.run.code == 0, again.run.output
    expected = {host: "well" if fault.rungs else "healed" for host, fault in faults.items()}
    # A cure may be all that it takes.
    assert {host: seen for host, seen in outcomes(again).items() if host not in told} == {
        host: seen for host, seen in expected.items() if host not in told
    }
    if not told:
        assert again.run.changed == 0
    for host in faults:
        visited(host, service)
