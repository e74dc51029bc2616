"""Runs of the collection's playbooks, as a person or AWX starts them, with their events at hand."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ansible_runner
import yaml

ROOT = Path(__file__).resolve().parents[2]
INVENTORY = ROOT / "inventories" / "local"
VARIABLES = Path("group_vars") / "all"


@dataclass
class Run:
    """How a playbook run ended, and what it told."""

    code: int
    output: str
    seconds: float
    events: list[dict[str, Any]] = field(default_factory=list)
    stats: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def changed(self) -> int:
        """The tasks that changed something, on all hosts together."""
        return sum(self.stats.get("changed", {}).values())

    @property
    def failure(self) -> str:
        """The messages of the tasks that failed for good, in order."""
        messages = [
            str(event["event_data"]["res"].get("msg", ""))
            for event in self.events
            if event["event"] == "runner_on_failed" and not event["event_data"]["ignore_errors"]
        ]
        return "\n".join(messages)

    def result(self, task: str, host: str) -> dict[str, Any]:
        """What the last task whose name ends like this returned on a host."""
        for event in reversed(self.events):
            data = event["event_data"]
            if "res" in data and data.get("host") == host and data["task"].endswith(task):
                found: dict[str, Any] = data["res"]
                return found
        raise AssertionError(f"no task {task!r} ran on {host}\n{self.output}")


def play(
    playbook: str,
    *arguments: str,
    verbosity: int = 0,
    inventory: Path = INVENTORY,
    records: str = "",
    **extra_vars: Any,
) -> Run:
    """Run a playbook to its end by ansible-runner. Does not fail when the playbook does.

    records: the directory that its record goes to; that of the environment without it.
    """
    started = time.monotonic()
    runner = ansible_runner.run(
        project_dir=str(ROOT),
        playbook=f"playbooks/{playbook}.yml",
        inventory=str(inventory),
        extravars=extra_vars,
        cmdline=" ".join(arguments),
        verbosity=verbosity or None,
        quiet=True,
        # Its own control sockets go away with its directory, ours stay warm.
        settings={"suppress_env_files": True},
        envvars=environment() | ({"TITAN_RECORD_DIRECTORY": records} if records else {}),
        timeout=600,
    )
    stdout = runner.stdout.read()
    return Run(
        code=runner.rc,
        output=stdout,
        seconds=time.monotonic() - started,
        events=list(runner.events),
        stats=runner.stats or {},
    )


def site_without(folder: Path, *names: str) -> Path:
    """A copy of the inventory in a folder, whose site does not define these variables."""
    (folder / VARIABLES).mkdir(parents=True)
    (folder / "hosts.yml").symlink_to(INVENTORY / "hosts.yml")
    for file in (INVENTORY / VARIABLES).iterdir():
        kept = yaml.safe_load(file.read_text())
        for name in names:
            kept.pop(name, None)
        (folder / VARIABLES / file.name).write_text(yaml.safe_dump(kept))
    return folder


def environment() -> dict[str, str]:
    """The environment of every run: the collection's own configuration, no colours."""
    path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1", "PATH": path}


def start(playbook: str, log: Path, **extra_vars: Any) -> subprocess.Popen[bytes]:
    """Start a playbook in the background, in a process group of its own, its output in a file."""
    arguments = [f"-e{name}={value}" for name, value in extra_vars.items()]
    with log.open("wb") as output:
        return subprocess.Popen(
            ["ansible-playbook", "-i", str(INVENTORY), f"playbooks/{playbook}.yml", *arguments],
            cwd=ROOT,
            env=os.environ | environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def wait_for(
    process: subprocess.Popen[bytes],
    log: Path,
    marker: str,
    condition: Callable[[], bool] = lambda: True,
    limit: float = 180,
) -> None:
    """Wait until the output of a run shows the marker and the condition holds."""
    deadline = time.monotonic() + limit
    while marker not in log.read_text(errors="replace") or not condition():
        assert process.poll() is None, f"it ended before {marker!r}:\n{log.read_text()}"
        assert time.monotonic() < deadline, f"{marker!r} never came:\n{log.read_text()}"
        time.sleep(0.02)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a run with SIGKILL, and all that it forked: workers have sessions of their own."""
    pairs = subprocess.check_output(["ps", "-eo", "pid=,ppid="], text=True).split()
    parents = dict(zip(map(int, pairs[::2]), map(int, pairs[1::2]), strict=True))
    doomed = [process.pid]
    for pid in doomed:
        doomed += [child for child, parent in parents.items() if parent == pid]
    for pid in doomed:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()
