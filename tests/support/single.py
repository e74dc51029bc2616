"""Deployments on titan1 alone, where further hosts would prove nothing more."""

from __future__ import annotations

import json
from typing import Any

from support.hosts import ssh
from support.playbooks import Run, play

HOST = "titan1"


def deploy(ref: str, *arguments: str, **variables: str) -> Run:
    return play("deploy", *arguments, deploy_hosts=HOST, deploy_ref=ref, **variables)


def plan(run: Run) -> str:
    return str(run.result("Show the plan", HOST)["msg"])


def paths() -> set[str]:
    """Where PM2 believes its processes to be: the directory and the script of each."""
    listing: list[dict[str, Any]] = json.loads(ssh(HOST, "pm2 jlist -s 2>/dev/null | tail -n 1"))
    return {
        place
        for process in listing
        for place in (process["pm2_env"]["pm_cwd"], process["pm2_env"]["pm_exec_path"])
    }
