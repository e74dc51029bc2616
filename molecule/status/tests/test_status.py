"""Real faults on the hosts, and what status makes of them."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from support.hosts import NAMES, inventory, paused, ssh
from support.playbooks import Run, play

# These tell of the machine that carries the hosts, which may really be short of something.
MACHINE = {"alert", "disk", "memory"}
FULL = "/mnt/titan-status-full"


def rows(run: Run) -> list[dict[str, str]]:
    """The rows of a run with status_format=json, as a machine reads them from the terminal."""
    found: list[dict[str, str]] = report(run)["rows"]
    return found


def report(run: Run) -> dict[str, Any]:
    """The printed JSON, taken from the terminal's text."""
    _, _, text = run.output.partition("msg: |-")
    found: dict[str, Any] = json.JSONDecoder().raw_decode(text.lstrip())[0]
    return found


def troubles(run: Run, *left_out: str) -> list[tuple[str, str, str, str]]:
    """State, host, part and detail of what is not well, in the order of the report."""
    return [
        (row["state"], row["host"], row["what"], row["detail"])
        for row in rows(run)
        if row["state"] != "OK" and row["what"] not in left_out
    ]


def status(*arguments: str, verbosity: int = 0, **variables: Any) -> Run:
    """Run the playbook; it never changes anything, whatever the hosts are like."""
    run = play("status", *arguments, verbosity=verbosity, **variables)
    assert run.changed == 0
    return run


def secondaries() -> list[str]:
    """The hosts whose member is no primary."""
    run = status(status_format="json", status_parts="mongodb")
    details = {row["host"]: row["detail"] for row in rows(run)}
    return [host for host in NAMES if details[host].startswith("SECONDARY")]


@contextlib.contextmanager
def fault(host: str, cause: str, cure: str) -> Iterator[None]:
    """Break something on a host for the length of a block."""
    try:
        ssh(host, cause)
        yield
    finally:
        ssh(host, cure)


@contextlib.contextmanager
def stopped(host: str, unit: str) -> Iterator[None]:
    """Stop a unit."""
    with fault(host, f"sudo systemctl stop {unit}", f"sudo systemctl start {unit}"):
        yield


@contextlib.contextmanager
def frozen(host: str, pid_command: str) -> Iterator[None]:
    """Stop a process with a signal: it keeps its sockets and answers nothing."""
    pid = int(ssh(host, pid_command))
    with fault(host, f"sudo kill -STOP {pid}", f"sudo kill -CONT {pid}"):
        yield


def eventually(condition: Any, seconds: float = 60) -> None:
    """Wait for something that the platform notices in its own time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(1)


def targets_down() -> int:
    """How many targets Prometheus knows to be down."""
    answer = json.loads(ssh("titan1", "curl -s localhost:9090/api/v1/targets?state=active"))
    return sum(target["health"] == "down" for target in answer["data"]["activeTargets"])


@pytest.fixture(scope="module", autouse=True)
def monitored() -> None:
    """Monitoring has seen every target, whatever an earlier scenario did."""
    eventually(lambda: targets_down() == 0)


def test_healthy_platform_gives_no_false_alarm_and_no_secret() -> None:
    run = status("--check", status_format="json", verbosity=3)
    password = inventory()["titan1"]["titan_redis_password"]
    assert run.code == 0
    assert password not in run.output
    assert troubles(run, *MACHINE) == []
    seen = {(row["host"], row["what"]) for row in rows(run)}
    every = {"pm2", "units", "redis", "mongodb", "certificate", "release"}
    assert {(host, what) for host in NAMES for what in every} <= seen
    assert ("titan1", "prometheus") in seen


def test_text_is_a_sentence_and_a_few_aligned_lines() -> None:
    run = status()
    lines = run.result("Tell how the platform is", "titan1")["msg"].splitlines()
    assert lines[0].startswith("3 hosts: ")
    assert len([line for line in lines[1:] if line.startswith("OK")]) == len(NAMES)
    assert len({line.index("titan") for line in lines[1:] if "titan" in line[:20]}) == 1


def test_each_of_many_faults_is_named_and_worst_comes_first() -> None:
    secondary = next(host for host in reversed(NAMES) if host in secondaries())
    fill = f"head -c 4M /dev/zero | sudo tee {FULL}/zeros >/dev/null 2>&1 || true"
    mount = f"sudo mkdir -p {FULL} && sudo mount -t tmpfs -o size=1m none {FULL} && {{ {fill}; }}"
    with contextlib.ExitStack() as stack:
        stack.enter_context(stopped("titan2", "redis-server"))
        stack.enter_context(stopped(secondary, "mongod"))
        stack.enter_context(stopped("titan3", "prometheus-node-exporter"))
        stack.enter_context(frozen("titan1", "cat ~/.pm2/pm2.pid"))
        stack.enter_context(fault("titan2", mount, f"sudo umount {FULL}; sudo rmdir {FULL}"))
        eventually(lambda: targets_down() > 0)
        run = status(status_format="json", status_fail="yes", status_timeout="2")

    assert run.code != 0
    assert run.failure == report(run)["summary"]
    assert run.seconds < 60
    found = [(state, host, what) for state, host, what, _ in troubles(run)]
    details = "\n".join(" ".join(row) for row in troubles(run))
    assert ("FAIL", "titan2", "redis") in found
    assert ("FAIL", secondary, "mongodb") in found
    assert ("FAIL", "titan1", "pm2") in found
    assert f"FAIL titan2 disk {FULL} is 100 % full" in details
    assert "FAIL titan2 units redis-server is inactive" in details
    assert f"FAIL {secondary} units mongod is inactive" in details
    assert "FAIL titan3 units prometheus-node-exporter is inactive" in details
    assert "FAIL titan1 prometheus target " in details
    assert " down: titan3" in details
    worst = ["FAIL", "UNKNOWN", "WARN", "OK"]
    order = [worst.index(row["state"]) for row in rows(run)]
    assert order == sorted(order)
    # The one member that is down is told once, by its own host.
    assert [row[1] for row in found if row[2] == "mongodb"] == [secondary]


def test_what_hangs_costs_seconds_and_not_the_rest() -> None:
    redis = "systemctl show --value --property=MainPID redis-server"
    with frozen("titan2", redis), paused("titan3"):
        run = status(
            status_format="json", status_fail="no", status_timeout=2, status_host_timeout=8
        )
    assert run.code == 0
    assert run.seconds < 60
    found = {(state, host, what): detail for state, host, what, detail in troubles(run)}
    assert "did not answer within 2 s" in found["FAIL", "titan2", "redis"]
    assert ("FAIL", "titan3", "host") in found
    assert [key for key in found if key[1] == "titan3"] == [("FAIL", "titan3", "host")]


def test_structured_result_is_handed_over() -> None:
    run = status()
    (stats,) = [event for event in run.events if event["event"] == "playbook_on_stats"]
    result = stats["event_data"]["artifact_data"]["titan_status"]
    assert set(result) == {"summary", "healthy", "counts", "rows"}


def test_everything_is_well_again() -> None:
    eventually(lambda: targets_down() == 0)
    eventually(lambda: troubles(status(status_format="json"), *MACHINE) == [], 120)
