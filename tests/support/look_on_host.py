"""Prints as JSON what a host runs and keeps. Sent to a host by SSH; knows nothing of the others."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import time
from typing import Any

HOME = pathlib.Path("/home/plugspace")
DEPLOY = HOME / "deploy"
SITE = "https://plugspace.test/api/health"
EXPECTED = ("PM2 v", "sshd:", "(sd-pam)", "/lib/systemd/systemd")


def output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def instances() -> list[dict[str, Any]]:
    """What PM2 runs, with the directory that each process really works in."""
    found = []
    for process in json.loads((output("pm2", "jlist", "-s").splitlines() or ["[]"])[-1]):
        pid = process["pid"]
        cwd = os.readlink(f"/proc/{pid}/cwd") if os.path.exists(f"/proc/{pid}/cwd") else ""
        status = process["pm2_env"]["status"]
        found.append({"name": process["name"], "pid": pid, "status": status, "cwd": cwd})
    return found


def strays(known: set[int]) -> list[str]:
    """The user's processes that nothing accounts for; who is about to end has ten seconds."""
    deadline = time.monotonic() + 10
    while (found := unaccounted(known)) and time.monotonic() < deadline:
        time.sleep(0.5)
    return found


def unaccounted(known: set[int]) -> list[str]:
    """The user's processes that neither PM2 nor a log-in accounts for."""
    mine = {os.getpid(), os.getppid()}
    found = []
    for line in output("ps", "-u", "plugspace", "-o", "pid=,ppid=,stat=,args=").splitlines():
        pid, parent, state, arguments = line.split(None, 3)
        if {int(pid), int(parent)} & mine or int(pid) in known or state.startswith("Z"):
            continue
        if not arguments.startswith(EXPECTED):
            found.append(f"{pid} {arguments}")
    return found


def report(*arguments: str) -> dict[str, Any]:
    """A health report; empty when there is none."""
    text = output("curl", "--silent", "--max-time", "10", *arguments)
    return dict(json.loads(text)) if text.startswith("{") else {}


def main() -> None:
    running = instances()
    live = HOME / "plugspace"
    releases = [json.loads(file.read_text()) for file in (DEPLOY / "metadata").glob("*.json")]
    kept = (DEPLOY / "releases").glob("*")
    state = {
        "current": live.resolve().name if live.is_symlink() else "",
        "releases": {release["name"]: release for release in releases},
        "directories": sorted(directory.name for directory in kept),
        "locked": (DEPLOY / "lock.json").exists(),
        "instances": running,
        "strays": strays({int(one["pid"]) for one in running}),
        "health": {
            "plugspace-api": report("--resolve", "plugspace.test:443:127.0.0.1", SITE),
            "plugspace-voice": report("http://127.0.0.1:4001/health"),
        },
    }
    print(json.dumps(state))


main()
