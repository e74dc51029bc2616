# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with two processors on which all is well, as it was observed, and parts to change it."""

from __future__ import annotations

import copy
from typing import Any

API, VOICE, DAEMON = {0: 1850, 1: 1866}, {2: 1930}, 1611
PATH = "/home/plugspace/plugspace"


def process(pid: int, percent: float = 0.0, **changes: Any) -> dict[str, Any]:
    """A process as host_info tells it."""
    values = {
        "pid": pid,
        "ppid": 1,
        "name": "python3",
        "program": "/usr/bin/python3.11",
        "script": None,
        "user": "root",
        "unit": "session-4.scope",
        "state": "S",
        "age_s": 900.0,
        "cpu_percent": percent,
        "rss_bytes": 23490560,
        "pss_bytes": 18646016,
    }
    return {**values, **changes}


def node(pid: int, percent: float = 0.0, **changes: Any) -> dict[str, Any]:
    """One that PM2 has started."""
    values = {"name": "node /home/plug", "user": "plugspace", "unit": "pm2-plugspace.service"}
    return process(pid, percent, **{"ppid": DAEMON, **values, **changes})


def instance(number: int, pid: int, **changes: Any) -> dict[str, Any]:
    """One as pm2_info tells it."""
    values = {"id": number, "pid": pid, "status": "online", "uptime_s": 890.0}
    return {**values, "exec_mode": "cluster_mode", "module": False, **changes}


def well() -> dict[str, Any]:
    """Nothing stands out."""
    kept = [
        process(106, 1.0, name="mongod", user="mongodb", unit="mongod.service"),
        process(109, 0.0, name="redis-server", user="redis", unit="redis-server.service"),
        process(
            DAEMON, 0.0, name="PM2 v7.0.4: God", user="plugspace", unit="pm2-plugspace.service"
        ),
        *(node(pid) for pid in (*API.values(), *VOICE.values())),
    ]
    return copy.deepcopy(
        {
            "limits": {"process_percent": 80, "busy_percent": 80, "min_age_s": 30},
            "run_s": 2.0,
            "services": [
                {"name": "plugspace-api", "max_instances": 4},
                {"name": "plugspace-voice"},
            ],
            "answers": {"plugspace-api": {"ok": True}, "plugspace-voice": {"ok": True}},
            "servers": ["nginx", "redis-server", "mongod"],
            "named": "",
            "errors": {},
            "pm2": {
                "daemon": {"state": "running", "pid": DAEMON},
                "apps": [
                    {
                        "name": "plugspace-api",
                        "instances": [instance(number, pid) for number, pid in API.items()],
                    },
                    {
                        "name": "plugspace-voice",
                        "instances": [instance(number, pid) for number, pid in VOICE.items()],
                    },
                ],
            },
            "host": {
                "load": {
                    "cpus": 2,
                    "cpu": {
                        "user_percent": 3.0,
                        "system_percent": 1.0,
                        "iowait_percent": 0.0,
                        "steal_percent": 0.5,
                        "idle_percent": 95.5,
                    },
                },
                "processes": {
                    "states": {"S": 25},
                    "kept": kept,
                    "by_unit": [{"unit": "mongod.service", "cpu_percent": 1.0}],
                },
                "errors": {},
            },
        }
    )


def use(seen: dict[str, Any], percents: dict[int, float], **changes: Any) -> None:
    """Let processes use so much; the sums by unit agree."""
    kept = seen["host"]["processes"]["kept"]
    for row in kept:
        if row["pid"] in percents:
            row.update(cpu_percent=percents[row["pid"]], **changes)
    add_up(seen)


def add(seen: dict[str, Any], *rows: dict[str, Any]) -> None:
    """Further processes."""
    seen["host"]["processes"]["kept"] += rows
    add_up(seen)


def add_up(seen: dict[str, Any]) -> None:
    """The sums by unit."""
    sums: dict[str, float] = {}
    for row in seen["host"]["processes"]["kept"]:
        sums[row["unit"]] = sums.get(row["unit"], 0.0) + row["cpu_percent"]
    seen["host"]["processes"]["by_unit"] = [
        {"unit": unit, "cpu_percent": percent} for unit, percent in sums.items()
    ]


def scaled(seen: dict[str, Any], percent: float, age_s: float = 900.0, count: int = 2) -> None:
    """Further instances of the API that use so much each."""
    for number in range(count):
        pid = 2000 + number
        seen["pm2"]["apps"][0]["instances"].append(instance(5 + number, pid, uptime_s=age_s))
        add(seen, node(pid, percent, age_s=age_s))
