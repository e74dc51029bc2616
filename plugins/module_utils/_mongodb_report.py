# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a member of a replica set is: what everybody may know of it, and what a login adds."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._mongodb import (
    CONNECTION,
    HAS_PYMONGO,
    REQUIRED_TOGETHER,
    MongoError,
    PyMongoClient,
)
from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_members import observe
from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_server import read_server

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    **CONNECTION,
    "slow_ms": {"type": "int", "default": 1000},
    "settle_s": {"type": "float", "default": 0},
}
_SERVING = ("PRIMARY", "SECONDARY", "ARBITER")
# As in mongodb_replica_set.
_MAX_LAG_S = 10.0
_PAUSE_S = 0.5
__all__ = ["ARGUMENT_SPEC", "HAS_PYMONGO", "REQUIRED_TOGETHER", "PyMongoClient", "look"]


def uninitiated(client: PyMongoClient, address: str) -> dict[str, str]:
    """Tell a member that never was in a set from one that was removed: `hello` says the same."""
    try:
        client.status(address)
    except MongoError as error:
        if error.state == "not_initialized":
            return {
                "state": error.state,
                "error": f"{address} runs for a replica set that was never initiated",
            }
        if error.state == "invalid_config":
            return {
                "state": "removed",
                "error": f"{address} has a configuration in which it is no member any more",
            }
        raise
    return {}  # it has just become a member


def settled(report: t.Mapping[str, t.Any]) -> bool:
    """Whether every member serves, one is the primary, and the others have caught up with it."""
    rows = report.get("members", [])
    roles = [row["role"] for row in rows]
    behind = [row for row in rows if (row["lag_s"] or 0) > _MAX_LAG_S]
    serving = "PRIMARY" in roles and all(one in _SERVING for one in roles)
    return report["state"] == "ok" and serving and not behind


def look(
    client: PyMongoClient,
    address: str,
    slow_ms: int,
    settle_s: float = 0,
    clock: t.Callable[[], float] = time.monotonic,
    sleep: t.Callable[[float], None] = time.sleep,
) -> dict[str, t.Any]:
    """Return what everybody may know, and what a login adds.

    settle_s: seconds that the set has until every member serves; what is seen last is returned.
    """
    deadline = clock() + settle_s
    report = observe(client, address)
    while not settled(report) and clock() < deadline:
        sleep(_PAUSE_S)
        report = observe(client, address)
    if report["state"] != "ok" or not client.has_login:
        return report
    report.update(server={}, errors=[])
    try:
        if report["role"] == "NOT_INITIALIZED":
            report.update(uninitiated(client, address))
        with client.connect(address) as connection:
            server, errors = read_server(connection, report["role"], slow_ms)
            report.update(server=server, errors=errors)
    except MongoError as error:
        report["errors"] = [str(error)]
        # A set that was never initiated has no user either; that is the illness to tell.
        if report["state"] == "ok":
            report.update(state=error.state, error=str(error))
    return report
