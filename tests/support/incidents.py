"""Faults that are really there, and what a procedure makes of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from support.application import ROOT_ON_HOST
from support.hosts import ssh
from support.playbooks import Run, play

# Nothing waits for a cooldown but the test of it.
EAGER: dict[str, Any] = {"cooldown": 0, "maximum": 1000}


@dataclass(frozen=True)
class Fault:
    """Something that breaks on a host, and what has to be found and done.

    cause, rungs, target: what the procedure has to say and to climb. cure: what a person does
    where no rung helps; the procedure has to leave it alone then. after: what has to be true on
    the host in the end, as a command that succeeds.
    """

    name: str
    inject: str
    cause: str
    rungs: tuple[str, ...] = ()
    cure: str = ""
    after: str = "true"
    evidence: str = ""


@dataclass
class Seen:
    """What a run told: each host's result, and the run."""

    run: Run
    results: dict[str, dict[str, Any]] = field(default_factory=dict)


def procedure(playbook: str, role: str, *arguments: str, **variables: Any) -> Seen:
    """Run a procedure with the inputs of its role, and read the results that AWX would get."""
    options = {f"{role}_{name}": value for name, value in variables.items()}
    run = play(playbook, *arguments, **options)
    stats = [each for each in run.events if each["event"] == "playbook_on_stats"]
    told = (stats[-1]["event_data"].get("artifact_data") or {}) if stats else {}
    results = {one["host"]: one for one in told.get("titan_results", [])}
    return Seen(run, results)


def on_each(commands: Mapping[str, str]) -> dict[str, str]:
    """Run a command on each host, at the same time."""
    with ThreadPoolExecutor() as pool:
        answers = pool.map(lambda pair: ssh(pair[0], pair[1], timeout=90), commands.items())
        return dict(zip(commands, answers, strict=True))


def state(host: str) -> str:
    """What a procedure that only looks leaves as it is: processes, units, lock and attempts."""
    return ssh(
        host,
        # PM2 itself may be what hangs, so it is not asked.
        "ps -u plugspace -o pid=,args= | grep -E '[P]M2 v|[n]ode ';"
        " systemctl show -p MainPID,ActiveState nginx redis-server mongod pm2-plugspace;"
        f" ls {ROOT_ON_HOST}/lock.json 2>/dev/null; sudo cat /var/lib/titan/attempts.json"
        " 2>/dev/null; true",
    )


def eventually(condition: Callable[[], bool], seconds: float = 60, pause: float = 0.5) -> None:
    """Wait for something that takes its own time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(pause)
