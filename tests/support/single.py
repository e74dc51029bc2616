"""What the first deployments share: runs on titan1, and what PM2 knows there."""

from __future__ import annotations

import json
from typing import Any

from support import application
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


def live(ref: str) -> str:
    """See from outside that this is live, on every instance; the name of the release."""
    name = application.named(HOST, ref)
    assert application.metadata(HOST)[name]["status"] == "active"
    assert {p["status"] for p in application.processes(HOST)} == {"online"}
    assert len(application.processes(HOST)) == 3
    report = application.health(HOST)
    assert (report["release"], report["commit"]) == (name, application.commits()[ref])
    assert all(path.startswith(application.PATH) for path in paths())
    assert application.orphans(HOST) == []
    assert not application.locked(HOST)
    return name
