"""Processors that are really busy: who it is, the least that helps, and the proof."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.application import health
from support.cpu_faults import DAEMON, EQUAL, FAULTS, LOAD, STRANGER, cpu, instances
from support.hosts import ssh
from support.incidents import Fault, cure_all, heal, nothing_left
from support.service_faults import PM2


def visited(host: str) -> None:
    """A visitor is served."""
    assert health(host)["status"] == "ok"


@pytest.fixture
def mended() -> Iterator[None]:
    """What a test that failed leaves busy does not disturb the next one."""
    yield
    cure_all([fault for batch in FAULTS for fault in batch], EQUAL, f"rm -f {LOAD}")


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize(
    "batch", FAULTS, ids=[" / ".join(fault.name for fault in batch) for batch in FAULTS]
)
def test_faults(batch: tuple[Fault, ...]) -> None:
    heal(cpu, batch, visited)


@pytest.mark.usefixtures("mended")
def test_what_is_destructive_is_done_when_it_is_named() -> None:
    ssh("titan1", STRANGER.inject)
    pid = ssh("titan1", "systemctl show -p MainPID --value titan-stranger").strip()
    wrong = cpu(hosts="titan1", confirm="python3:1").results["titan1"]
    assert (wrong["outcome"], wrong["rungs"]) == ("unhealed", [])
    # The plan says what has to be named.
    assert f"It is not python3:1; to end the process (python3:{pid})" in wrong["summary"]
    assert f"-e high_cpu_confirm=python3:{pid}" in wrong["summary"]
    assert ssh("titan1", STRANGER.after) == "active\n"
    ended = cpu(hosts="titan1", confirm=f"python3:{pid}").results["titan1"]
    assert [rung["rung"] for rung in ended["rungs"]] == ["end_process"]
    assert ended["outcome"] == "healed", ended
    assert ssh("titan1", f"ls /proc/{pid} 2>/dev/null; true") == ""
    nothing_left(cpu(hosts="titan1", confirm=f"python3:{pid}"))


@pytest.mark.usefixtures("mended")
def test_pm2_is_replaced_when_it_is_named() -> None:
    ssh("titan1", DAEMON.inject)
    before = ssh("titan1", f"echo {PM2}")
    replaced = cpu(hosts="titan1", confirm="PM2").results["titan1"]
    assert [rung["rung"] for rung in replaced["rungs"]] == ["replace_pm2"], replaced
    assert replaced["outcome"] == "healed", replaced
    assert ssh("titan1", f"echo {PM2}") != before
    assert instances() == 2
    visited("titan1")
    nothing_left(cpu(hosts="titan1", confirm="PM2"))
