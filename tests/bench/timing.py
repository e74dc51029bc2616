"""Times of whole commands and playbooks, each told apart into what is ours and what is not."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.playbooks import INVENTORY, ROOT, environment

# The timings of our modules that are the application's own time, by the task that they end.
NOT_OURS = {
    "npm": ("install",),
    "build": ("build",),
    "migration": ("backup", "migrate", "status"),
    "gate": ("gate",),
    "PM2": ("pm2",),
}


@dataclass(frozen=True)
class Timed:
    """One playbook run, in seconds: the whole, and the parts that are not ours."""

    total: float
    parts: dict[str, float]

    @property
    def own(self) -> float:
        """All that is not npm, build, migration, PM2 replacing processes or the gate's waiting."""
        return self.total - sum(self.parts.values())


def command(*argv: str, runs: int = 3) -> float:
    """The median of the seconds that a command takes; its first run only warms up."""
    seconds = []
    for _run in range(runs + 1):
        started = time.monotonic()
        subprocess.run(
            argv,
            cwd=ROOT,
            env=os.environ | environment(),
            check=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
        )
        seconds.append(time.monotonic() - started)
    return statistics.median(seconds[1:])


def playbook(path: str, *arguments: str) -> Timed:
    """Run a playbook and tell its time apart."""
    started = time.monotonic()
    process = subprocess.run(
        ["ansible-playbook", "-i", str(INVENTORY), path, *arguments],
        cwd=ROOT,
        env=os.environ | environment() | {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    total = time.monotonic() - started
    if process.returncode != 0:
        raise SystemExit(f"{path} {' '.join(arguments)} failed:\n{process.stdout[-4000:]}")
    return Timed(total, _parts(_played(process.stdout)))


def _played(output: str) -> dict[str, Any]:
    """What the callback told as JSON; the callback for records prints its lines after it."""
    told: dict[str, Any] = json.JSONDecoder().raw_decode(output.lstrip())[0]
    return told


def _parts(output: dict[str, Any]) -> dict[str, float]:
    """Sum up over the tasks; of hosts that worked at the same time the slowest counts.

    No part is longer than the task in which it was measured.
    """
    parts = dict.fromkeys(NOT_OURS, 0.0)
    for play in output["plays"]:
        for task in play["tasks"]:
            left = _seconds(task["task"]["duration"])
            slowest = max(
                map(_timings, task["hosts"].values()),
                key=lambda timings: sum(
                    timings.get(k, 0.0) for ks in NOT_OURS.values() for k in ks
                ),
                default={},
            )
            for part, keys in NOT_OURS.items():
                spent = min(left, sum(slowest.get(key, 0.0) for key in keys))
                parts[part] += spent
                left -= spent
    return parts


def _timings(result: dict[str, Any]) -> dict[str, float]:
    """What a module measured; a probe waits for several good answers, like the gate."""
    timings: dict[str, float] = dict(result.get("timings") or {})
    rows = result.get("results") or result.get("probes") or []
    probed = [one["seconds"] for one in rows if "latency_ms" in one]
    if probed:
        timings["gate"] = max(probed)
    return timings


def _seconds(duration: dict[str, str]) -> float:
    # A task that leaves hosts out of the play has no end of its own.
    if "end" not in duration:
        return 0.0
    start, end = (
        datetime.fromisoformat(duration[key].replace("Z", "+00:00")) for key in ("start", "end")
    )
    return (end - start).total_seconds()
