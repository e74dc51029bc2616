"""Processors that are really busy: who it is, the least that helps, and the proof."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.application import health, processes, traffic
from support.cpu_faults import DAEMON, EQUAL, FAULTS, LOAD, PLAIN_LOAD, STRANGER
from support.hosts import ssh
from support.incidents import EAGER, Fault, Seen, cure_all, heal, procedure
from support.service_faults import API, PM2

# Others use the machine too, so a whole processor may be a part of one; who was put in just now
# counts, and so does an instance that was restarted just now.
SOON: dict[str, Any] = {**EAGER, "process_percent": 25, "busy_percent": 99, "min_age": 3}


def cpu(*arguments: str, **options: Any) -> Seen:
    return procedure("high_cpu", "high_cpu", *arguments, **{**SOON, **options})


def scale_back(*arguments: str, **options: Any) -> Seen:
    return procedure(
        "scale_back", "scale_back", *arguments, **{**EAGER, "hosts": "titan1", **options}
    )


def instances() -> int:
    """The instances of the API on the first host that are online."""
    online = [one for one in processes("titan1") if one["status"] == "online"]
    return [one["name"] for one in online].count(API)


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
    assert f"end_process would act on python3:{pid}, which nobody has named" in wrong["summary"]
    assert ssh("titan1", STRANGER.after) == "active\n"
    ended = cpu(hosts="titan1", confirm=f"python3:{pid}").results["titan1"]
    assert [rung["rung"] for rung in ended["rungs"]] == ["end_process"]
    assert ended["outcome"] == "healed", ended
    assert ssh("titan1", f"ls /proc/{pid} 2>/dev/null; true") == ""


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


@pytest.mark.usefixtures("mended")
def test_plain_load_is_scaled_up_for_and_back_afterwards() -> None:
    # So that only instances that have come last are young.
    options = {"hosts": "titan1", "min_age": 20}
    ssh("titan1", f"{PLAIN_LOAD}; sleep 20")
    with traffic("titan1", threads=2) as visitors:
        up = cpu(**options)
        result = up.results["titan1"]
        assert (result["cause"], result["outcome"]) == ("saturated", "healed"), result
        assert [(one["rung"], one["target"]) for one in result["rungs"]] == [("scale", "4")]
        assert "scale_back.yml" in result["advice"]
        assert instances() == 4
        assert ssh("titan1", "jq length ~/.pm2/dump.pm2") == "5\n"

        needed = scale_back(busy_percent=10)
        assert needed.results["titan1"]["outcome"] == "well", needed.results
        assert "plugspace-api needs its 4 instances" in needed.results["titan1"]["summary"]
        assert needed.run.changed == 0

        ssh("titan1", f"rm {LOAD}")
        planned = scale_back("--check", service=API)
        assert planned.results["titan1"]["outcome"] == "planned", planned.results
        assert (planned.run.changed, instances()) == (0, 4)
        back = scale_back()
        assert back.results["titan1"]["outcome"] == "healed", back.results
        assert back.results["titan1"]["cause"] == "scaled_up"
        assert instances() == 2
        assert ssh("titan1", "jq length ~/.pm2/dump.pm2") == "3\n"
    assert visitors.total > 20
    assert visitors.failures == []
    again = scale_back()
    assert again.results["titan1"]["outcome"] == "well", again.results
    assert again.run.changed == 0
