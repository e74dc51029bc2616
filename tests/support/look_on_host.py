"""Prints as JSON what a host runs and keeps. Sent to a host by SSH; knows nothing of the others."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import time
from typing import Any

HOME = pathlib.Path("/home/plugspace")
DEPLOY = HOME / "deploy"
SITE = "https://plugspace.test/api/health"
# What the processes of the scenario pm2_app have in their arguments or their environment.
ELSEWHERE = re.compile(rb"HOME=/tmp/|/pm2-scenario|/pm2-tests|TITAN_ELSEWHERE=")
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
    """The user's processes that neither PM2, a log-in nor the scenario pm2_app accounts for."""
    mine = {os.getpid(), os.getppid()}
    found = []
    for line in output("ps", "-u", "plugspace", "-o", "pid=,ppid=,stat=,args=").splitlines():
        pid, parent, state, arguments = line.split(None, 3)
        if {int(pid), int(parent)} & mine or int(pid) in known or state.startswith("Z"):
            continue
        if not arguments.startswith(EXPECTED) and not is_elsewhere(pid):
            found.append(f"{pid} {arguments}")
    return found


def lasting_strays(known: set[int]) -> list[str]:
    """The strays that stay: a command of another scenario ends at once."""
    found = strays(known)
    if found:
        time.sleep(2)
        found = [stray for stray in strays(known) if stray in found]
    return found


def is_elsewhere(pid: str) -> bool:
    """Whether a process belongs to the scenario pm2_app, which may run at the same time."""
    process = pathlib.Path("/proc", pid)
    try:
        told = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        # It has ended meanwhile, so it is not left behind.
        return True
    return bool(ELSEWHERE.search(told))


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
        "strays": lasting_strays({int(one["pid"]) for one in running}),
        "health": {
            "plugspace-api": report("--resolve", "plugspace.test:443:127.0.0.1", SITE),
            "plugspace-voice": report("http://127.0.0.1:4001/health"),
        },
    }
    print(json.dumps(state))


main()
