"""A host's memory: who has it, the least that gives it back, and nothing lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support import incidents
from support.clients import VISITOR, Client
from support.hosts import NAMES, inventory, ssh
from support.incidents import EAGER, Seen, cure_all, heal, nothing_left, on_each, procedure
from support.memory_faults import CURES, FAULTS, HOG, LIMIT_MB, TOO_LARGE, WRITER
from support.mongodb_faults import CONFIG, START, hello, until
from support.service_faults import serves

MB = 1024
DROP_IN = "/run/systemd/system/mongod.service.d"


def services() -> list[dict[str, Any]]:
    """Those of the site, each with a limit."""
    known = inventory()["titan1"]["titan_services"]
    return [
        {"name": one["name"], "probe": one["probe"], "memory_limit_mb": LIMIT_MB} for one in known
    ]


def memory(*arguments: str, **options: Any) -> Seen:
    return procedure("high_memory", "high_memory", *arguments, **{**EAGER, **options})


def limited(*arguments: str) -> Seen:
    return memory(*arguments, services=services())


def meminfo(name: str) -> int:
    """A line of /proc/meminfo, in MB."""
    return int(ssh("titan1", f"awk '/^{name}:/ {{print $2}}' /proc/meminfo")) // MB


def served(host: str) -> None:
    """The member serves, the set has a primary, and both services call themselves well.

    One that was the primary takes its time to go down.
    """
    member = hello("'primary' in h and (h['isWritablePrimary'] or h['secondary'])")
    ssh(host, until(member, 80), timeout=90)
    for port in (4000, 4001):
        ssh(host, until(serves(port), 20), timeout=30)


def state(host: str) -> str:
    """What --check leaves as it is."""
    return incidents.state(host) + ssh(host, f"cat {CONFIG}; ls /etc/mongod.conf*")


@pytest.fixture
def mended() -> Iterator[None]:
    """What a test that failed leaves broken does not break the next one."""
    yield
    cure_all([], *CURES, f"sudo rm -rf {DROP_IN}; sudo systemctl daemon-reload", START)
    for host in NAMES:
        served(host)


@pytest.mark.usefixtures("mended")
def test_faults() -> None:
    # One instance after the other, so that the service answers all the time.
    with Client("visitor", "titan1", VISITOR, "http://127.0.0.1:4000/api/health") as visitor:
        heal(limited, FAULTS, served, state)
    assert visitor.told["told"] > 100, visitor.told
    assert visitor.told["failed"] == [], visitor.told


@pytest.mark.usefixtures("mended")
def test_one_member_after_the_other_gets_a_cache_that_fits_and_no_write_is_lost() -> None:
    on_each(dict.fromkeys(NAMES, TOO_LARGE))
    for host in NAMES:
        served(host)
    before = {host: state(host) for host in NAMES}
    planned = memory("--check")
    assert {host: state(host) for host in NAMES} == before, "--check touched something"
    assert planned.run.changed == 0
    summary = planned.results["titan1"]["summary"]
    assert "Would be done: restart MongoDB with a cache that fits (" in summary

    database = inventory()["titan2"]["titan_app_env"]["MONGODB_URL"]
    with Client("writer", "titan2", WRITER, database) as writer:
        healed = memory()
    for host, result in healed.results.items():
        assert result["cause"] == "mongodb_cache_too_large", result
        assert [rung["rung"] for rung in result["rungs"]] == ["shrink_cache"], result
        assert result["outcome"] == "healed", (host, result)
        size = result["rungs"][0]["target"].removesuffix(" GB")
        said = ssh(host, f"cat {CONFIG}")
        assert f"      cacheSizeGB: {size}  # much helps much\n" in said
        assert 0.25 <= float(size) < 30
        # The old file is kept, and nothing else was changed.
        assert said == ssh(host, "cat /etc/mongod.conf.2*").replace(": 30 ", f": {size} ")
    assert writer.told["told"] > 20, writer.told
    assert writer.told["lost"] == [], writer.told
    assert writer.told["failed"] == [], writer.told
    # Whoever was primary gave it up before it went down.
    handed = [healed.run.result("Hand over when the set is healthy", host) for host in NAMES]
    assert [one["actions"] for one in handed if one["changed"]], handed

    nothing_left(memory())


@pytest.mark.usefixtures("mended")
def test_a_member_that_does_not_start_with_it_gets_its_old_configuration_back() -> None:
    picky = f"[Service]\\nRestart=no\\nExecStartPre=/bin/grep -q cacheSizeGB:.30 {CONFIG}\\n"
    ssh(
        "titan3",
        f"{TOO_LARGE}; sudo mkdir -p {DROP_IN}; printf '{picky}'"
        f" | sudo tee {DROP_IN}/picky.conf >/dev/null; sudo systemctl daemon-reload",
    )
    served("titan3")
    before = ssh("titan3", f"cat {CONFIG}")
    seen = memory(hosts="titan3")
    result = seen.results["titan3"]
    assert (result["outcome"], seen.run.code != 0) == ("unhealed", True), result
    assert "the old configuration is in place" in result["rungs"][0]["error"], result
    assert ssh("titan3", f"cat {CONFIG}") == before
    served("titan3")


@pytest.mark.usefixtures("mended")
def test_a_foreign_process_is_ended_when_it_is_named() -> None:
    ssh("titan1", HOG)
    # Without it, enough is available.
    wanted = {"hosts": "titan1", "available_mb": meminfo("MemAvailable") + 700}
    pid = ssh("titan1", "systemctl show -p MainPID --value titan-hog").strip()
    for check, outcome in ((["--check"], "planned"), ([], "unhealed")):
        told = memory(*check, **wanted)
        result = told.results["titan1"]
        assert (result["cause"], result["outcome"]) == ("foreign", outcome), result
        assert f"-e high_memory_confirm=python3:{pid}" in result["summary"]
        assert "titan-hog.service" in result["summary"]
        assert (result["rungs"], told.run.changed) == ([], 0), told.run.output
        assert ssh("titan1", "systemctl is-active titan-hog") == "active\n"
    ended = memory(**wanted, confirm=f"python3:{pid}").results["titan1"]
    assert [rung["rung"] for rung in ended["rungs"]] == ["end_process"], ended
    assert ended["outcome"] == "healed", ended
    assert ssh("titan1", "systemctl is-active titan-hog || true") == "inactive\n"
    nothing_left(memory(**wanted))


def test_page_cache_alone_is_no_illness() -> None:
    free, available = meminfo("MemFree"), meminfo("MemAvailable")
    assert available - free > 400, "there is no page cache to speak of"
    wanted = {"hosts": "titan1", "available_mb": (free + available) // 2, "available_percent": 1}
    for check in (["--check"], []):
        seen = memory(*check, **wanted)
        result = seen.results["titan1"]
        assert (result["outcome"], seen.run.changed) == ("well", 0), result
        assert "page cache are given back when a program needs them" in result["summary"]
