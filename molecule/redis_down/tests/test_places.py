"""Hosts that differ from the others: one without applications, and one that falls silent."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support.application import ROOT_ON_HOST
from support.hosts import NAMES, cut_off, inventory, paused, ssh
from support.incidents import EAGER, WAITS_FOR_LOCK, eventually, on_each, procedure
from support.playbooks import play

DROP_IN = "/run/systemd/system/redis-server.service.d"
STATE = "systemctl show -p ActiveState redis-server"
STOP = "sudo systemctl stop redis-server"


def test_a_host_without_applications_has_a_lock_of_its_own(tmp_path: Path) -> None:
    known = {
        name: value
        for name, value in inventory()["titan3"].items()
        if name.startswith(("titan_", "ansible_"))
    }
    alone = {**known, "titan_app_user": "nosuch", "titan_deploy_root": "/nonexistent"}
    where = tmp_path / "alone.json"
    where.write_text(
        json.dumps({"titan_redis": {"hosts": {"titan3": alone}}, "titan_app": {"hosts": {}}})
    )
    ssh("titan3", STOP)
    try:
        run = play("redis_down", inventory=where, redis_down_cooldown=0, redis_down_maximum=1000)
        assert run.code == 0, run.output
        assert "redis on titan3 is well again after" in run.output
        assert ssh("titan3", "systemctl is-active redis-server") == "active\n"
        # It was taken there, and given back.
        assert run.result("act | Take the lock", "titan3")["holder"]["procedure"] == ("redis_down")
        assert ssh("titan3", "sudo ls /var/lib/titan/lock.json || true") == ""
    finally:
        ssh("titan3", "sudo systemctl start redis-server")


def test_the_first_host_that_is_lost_keeps_no_other_from_being_helped() -> None:
    ssh("titan2", STOP)
    try:
        with cut_off("titan1"):
            seen = procedure("redis_down", "redis_down", **EAGER)
    finally:
        ssh("titan2", "sudo systemctl start redis-server")
    outcomes = {host: seen.results[host]["outcome"] for host in NAMES}
    assert outcomes == {"titan1": "unreachable", "titan2": "healed", "titan3": "well"}, (
        seen.run.output
    )
    pages = {host: seen.results[host].get("escalation", {}).get("page") for host in NAMES}
    assert pages == {"titan1": True, "titan2": False, "titan3": False}, seen.results


def test_a_host_that_falls_silent_at_work_keeps_nobody_waiting() -> None:
    slow = "[Service]\\nExecStartPre=/bin/sleep 20\\n"
    ssh(
        "titan3",
        f"sudo mkdir -p {DROP_IN}; printf '{slow}' | sudo tee {DROP_IN}/slow.conf >/dev/null;"
        " sudo systemctl daemon-reload",
    )
    on_each(dict.fromkeys(("titan1", "titan3"), STOP))
    try:
        with ThreadPoolExecutor(max_workers=1) as pool:
            begun = pool.submit(procedure, "redis_down", "redis_down", **EAGER)
            eventually(lambda: "activating" in ssh("titan3", STATE), pause=0.2)
            with paused("titan3"):
                seen = begun.result()
    finally:
        ssh("titan3", f"sudo rm -r {DROP_IN}; sudo systemctl daemon-reload")
        on_each(dict.fromkeys(("titan1", "titan3"), "sudo systemctl restart redis-server"))
        ssh("titan3", f"rm -f {ROOT_ON_HOST}/lock.json")
    outcomes = {host: seen.results[host]["outcome"] for host in NAMES}
    assert outcomes == {"titan1": "healed", "titan2": "well", "titan3": "unreachable"}, (
        seen.run.output
    )
    lost = seen.results["titan3"]
    assert "titan3 gave no answer after start the unit" in lost["summary"], lost
    assert lost["escalation"]["page"] is True


def test_without_a_lock_that_is_certain_nothing_is_done() -> None:
    lock = f"{ROOT_ON_HOST}/lock.json"
    # Whoever has it does not give it back, so the run waits for it, and then hears nothing more.
    ssh("titan3", f"{STOP}; echo broken > {lock}")
    try:
        with ThreadPoolExecutor(max_workers=1) as pool:
            begun = pool.submit(
                procedure, "redis_down", "redis_down", **EAGER, hosts="titan3", lock_wait=90
            )
            eventually(lambda: ssh("titan3", WAITS_FOR_LOCK) != "", pause=0.2)
            with paused("titan3"):
                seen = begun.result()
        lost = seen.results["titan3"]
        assert (lost["outcome"], lost["rungs"]) == ("refused", []), lost
        assert "the host gave no answer when its lock was taken" in lost["summary"], lost
        assert ssh("titan3", "systemctl is-active redis-server || true") == "inactive\n"
        assert ssh("titan3", f"cat {lock}") == "broken\n"
    finally:
        # Or the module that still waits there would take the lock.
        end = "pkill -u plugspace -x python3"
        ssh("titan3", f"{end}; rm -f {lock}; sudo systemctl start redis-server")
