# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host on which a service is well, as it was observed, and parts to change it."""

from __future__ import annotations

from typing import Any

from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_service import (
    diagnose_service,
)

APP = "/home/plugspace/plugspace"
ROOT = "/home/plugspace/deploy"


def instance(number: int, pid: int, **facts: Any) -> dict[str, Any]:
    return {"id": number, "pid": pid, "status": "online", "restarts": 0, **facts}


def well() -> dict[str, Any]:
    """A host on which all is well."""
    return {
        "service": {
            "name": "api",
            "port": 4000,
            "depends_on": ["redis", "mongodb"],
            "path": APP,
            "root": ROOT,
        },
        "answer": {"name": "api", "ok": True, "reason": ""},
        "site": {"name": "site", "ok": True, "reason": ""},
        "pm2": {
            "daemon": {"state": "running", "reason": None, "pid": 800},
            "apps": [
                {
                    "name": "api",
                    "verdict": "online",
                    "instances": [instance(0, 901), instance(1, 902)],
                    "logs": {"out": [], "err": []},
                },
                {"name": "voice", "verdict": "online", "instances": [instance(2, 903)]},
            ],
        },
        "release": {"live": "link", "current": {"name": "r1", "complete": True}},
        "host": {
            "file_systems": [
                {"mount": "/", "size_bytes": 1e10, "available_bytes": 4e9},
                {"mount": "/backups", "size_bytes": 1e10, "available_bytes": 4e9},
            ],
            "units": [
                {"name": "nginx", "load": "loaded", "active": "active"},
                {"name": "redis-server", "load": "loaded", "active": "active"},
            ],
            "listeners": [{"port": 4000, "protocol": "tcp", "pid": 800, "name": "PM2"}],
            "processes": {"kept": [{"pid": 901, "state": "S"}, {"pid": 902, "state": "S"}]},
            "oom_kills": [],
        },
        "redis": {"state": "ok", "error": ""},
        "mongodb": {"state": "ok", "error": ""},
        "dependency_units": {"redis": "redis-server", "mongodb": "mongod"},
        "dependency_hosts": {"redis": "127.0.0.1", "mongodb": "127.0.0.1"},
        "own_names": ["app1", "192.0.2.11"],
        "nginx": {"unit": "nginx", "ok": True, "output": ""},
        "edge": ["app1", "app2"],
    }


def sick(reason: str = "GET http://127.0.0.1:4000/ got no connection: refused") -> dict[str, Any]:
    """The same, and the service does not answer."""
    seen = well()
    seen["answer"] = {"name": "api", "ok": False, "reason": reason}
    seen["site"] = {"name": "site", "ok": False, "reason": "answered 502"}
    return seen


def api(seen: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = seen["pm2"]["apps"][0]
    return found


def told(seen: object) -> list[tuple[str, str, str]]:
    return [(one["cause"], one["rung"], one["target"]) for one in diagnose_service(seen)]
