# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What PM2 runs for a user: its daemon's state, its applications, and their last log lines."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils import (
    _pm2_home,
    _pm2_logs,
    _pm2_process,
)
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_client import (
    Pm2Client,
    Pm2Error,
)
from ansible_collections.plugspace.titan.plugins.module_utils._redact import Redactor

ARGUMENT_SPEC: dict[str, t.Any] = dict(
    _pm2_home.ARGUMENT_SPEC,
    name={"type": "str"},
    log_lines={"type": "int", "default": 0},
    mask_env_files={"type": "list", "elements": "path", "default": []},
    mask={"type": "list", "elements": "str", "default": [], "no_log": True},
)


def report(params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What pm2_info returns for its parameters; starts nothing. Pm2Error when it cannot be told."""
    if params["log_lines"] > 0 and not params["name"]:
        raise Pm2Error("log_lines needs name: log lines belong to one application")
    site = _pm2_home.find(params["user"], params["pm2_home"], params["pm2_bin"])
    with Pm2Client(site.home, site.uid, params["timeout"]) as client:
        daemon, records = _pm2_home.look(site, client)
    if params["name"]:
        records = [record for record in records if record.get("name") == params["name"]]
    apps = [app.as_result() for app in _pm2_process.group(records, time.time())]
    if params["log_lines"] > 0:
        redactor = _pm2_logs.redactor(records, params["mask_env_files"], params["mask"])
        for app in apps:
            app["logs"] = {
                stream: _last_lines(records, stream, params["log_lines"], redactor)
                for stream in ("out", "err")
            }
    return {"daemon": daemon.as_result(), "apps": apps}


def _last_lines(
    records: list[dict[str, t.Any]], stream: str, count: int, redactor: Redactor
) -> list[str]:
    lines: list[str] = []
    for path in _pm2_logs.paths(records, stream):
        lines += _pm2_logs.tail(path, count)
    return redactor.lines(lines[-count:])
