# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ending one running operation of MongoDB: the one that was meant, and none of the server's own."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._mongodb import MongoError
from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_documents import (
    INTERNAL,
    Document,
)
from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_members import Report
from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_server import (
    Connection,
    batch,
    operation,
)

_PAUSE_S = 0.2
# Between members and in the shards' own connections.
_MEMBERS = ("NetworkInterfaceTL", "OplogFetcher", "MongoDB Internal Client")


class Ended(t.NamedTuple):
    """What was found under the number, none when it had ended already; whether it was killed."""

    changed: bool
    found: Report | None


def find(connection: Connection, opid: int) -> Document | None:
    """The operation that runs under this number."""
    pipeline: list[Document] = [
        {"$currentOp": {"allUsers": True}},
        {"$match": {"opid": opid, "active": True}},
    ]
    answer = connection.command("aggregate", 1, pipeline=pipeline, cursor={})
    return next(iter(batch(answer)), None)


def objection(found: Document, namespace: str, least_s: float) -> str:
    """Why it is not to be killed; empty when it may be.

    namespace: of the operation that is meant, empty for any. least_s: how long that one has run at
    least: numbers begin anew when the server is restarted.
    """
    seen = operation(found)
    opid = seen["opid"]
    database = seen["namespace"].partition(".")[0]
    if database in INTERNAL or not database:
        return f"operation {opid} works on {seen['namespace'] or 'no collection'}: it is MongoDB's"
    own = any(seen["application"].startswith(name) for name in _MEMBERS)
    if own or not seen["client"]:
        return f"operation {opid} was not sent by a client: it is MongoDB's own"
    if namespace and seen["namespace"] != namespace:
        return f"operation {opid} works on {seen['namespace']} now, not on {namespace}"
    if (seen["age_s"] or 0) < least_s:
        return f"operation {opid} runs for {seen['age_s']} s, the one that was meant for longer"
    return ""


def kill(
    connection: Connection,
    opid: int,
    namespace: str,
    least_s: float,
    within: float,
    check: bool,
    clock: t.Callable[[], float] = time.monotonic,
    sleep: t.Callable[[float], None] = time.sleep,
) -> Ended:
    """End an operation, and see that it has ended.

    within: seconds that it has for its end. Raises MongoError for one that may not be killed, and
    for one that goes on.
    """
    found = find(connection, opid)
    if found is None:
        return Ended(False, None)
    why = objection(found, namespace, least_s)
    if why:
        raise MongoError("refused", f"{why}; nothing was killed")
    if check:
        return Ended(True, operation(found))
    connection.command("killOp", 1, op=opid)
    deadline = clock() + within
    while find(connection, opid) is not None:
        if clock() >= deadline:
            raise MongoError(
                "hung", f"operation {opid} was told to end and still runs after {within:g} s"
            )
        sleep(_PAUSE_S)
    return Ended(True, operation(found))
