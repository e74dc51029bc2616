# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether PM2 can be worked with, and whether its processes run the live release."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils import _pm2_home
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_client import (
    Pm2Client,
    Pm2Error,
)
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_run import ARGUMENT_SPEC, Run
from ansible_collections.plugspace.titan.plugins.module_utils._probe import ProbeError

Options = t.Mapping[str, t.Any]

OPTIONS: dict[str, dict[str, t.Any]] = {
    "pm2_home": {"type": "path"},
    "ecosystem": {"type": "path", "required": True},
    "probes": {"type": "dict", "default": {}},
    "commit_field": {"type": "str", "default": ""},
}


def look(options: Options, commit: str) -> dict[str, t.Any]:
    """What stands between the processes and the release of this commit; touches nothing.

    commit: the commit of the live release, or empty when only the daemon is of interest.
    Returns state (the daemon's, as pm2_info has it), workable (whether PM2 can bring a release in),
    problem (why not, or why the processes cannot be told; a sentence, or empty) and actions (what
    pm2_app would do to bring the processes to the release).
    """
    told: dict[str, t.Any] = {"state": "", "workable": False, "problem": "", "actions": []}
    try:
        site = _pm2_home.find(None, options["pm2_home"], None)
        timeout = ARGUMENT_SPEC["timeout"]["default"]
        with Pm2Client(site.home, site.uid, timeout) as client:
            daemon, _records = _pm2_home.look(site, client)
        told["state"], told["problem"] = daemon.state, _trouble(site, daemon)
        told["workable"] = not told["problem"]
        if commit and told["workable"]:
            told["actions"] = Run(_arguments(options, commit), check=True).execute()["actions"]
    except (Pm2Error, ProbeError, OSError) as error:
        told["problem"] = str(error)
    return told


def _trouble(site: _pm2_home.Site, daemon: _pm2_home.Daemon) -> str:
    """Why nothing can be done with PM2; a daemon that is absent or stale is simply started."""
    if daemon.state not in ("running", "absent", "stale"):
        return daemon.reason or f"the PM2 daemon is {daemon.state}"
    if site.root is None:
        return f"PM2 is not installed where {site.user} finds it ({site.path}): npm install -g pm2"
    return ""


def _arguments(options: Options, commit: str) -> dict[str, t.Any]:
    """The arguments of pm2_app for a reload that leaves alone what runs the release already."""
    field = options["commit_field"]
    return {name: spec.get("default") for name, spec in ARGUMENT_SPEC.items()} | {
        "pm2_home": options["pm2_home"],
        "ecosystem": options["ecosystem"],
        "probes": options["probes"],
        "expect": {field: commit} if field else {},
        "state": "reloaded",
        "prune": True,
        "sealed": True,
    }
