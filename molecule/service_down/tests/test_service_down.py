"""A service that is down: the real fault, the least that helps, and the proof by a visitor."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from support.application import health
from support.hosts import ssh
from support.incidents import EAGER, Fault, Seen, cure_all, heal, procedure
from support.service_faults import API, API_FAULTS, VOICE, VOICE_FAULTS, all_are

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


@pytest.fixture
def mended() -> Iterator[None]:
    """What a test that failed leaves broken does not break the next one."""
    yield
    faults = [fault for _service, _playbook, batch in BATCHES for fault in batch]
    cure_all(faults, "pkill -CONT -u plugspace -f 'PM2 v|node'")


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize(
    ("service", "playbook", "batch"),
    BATCHES,
    ids=[" / ".join(fault.name for fault in batch) for _service, _playbook, batch in BATCHES],
)
def test_faults(service: str, playbook: str, batch: tuple[Fault, ...]) -> None:
    heal(partial(down, playbook), batch, partial(visited, service=service))


@pytest.mark.usefixtures("mended")
def test_looking_acts_on_nothing_whatever_else_is_among_the_tags() -> None:
    try:
        ssh("titan1", f"pm2 -s stop {API}")
        seen = down("api_down", "--tags", "service_down,observe", hosts="titan1")
        assert seen.results["titan1"]["outcome"] == "planned", seen.run.output
        assert seen.run.changed == 0
        ssh("titan1", all_are("stopped"))
    finally:
        ssh("titan1", f"pm2 -s start {API}")
