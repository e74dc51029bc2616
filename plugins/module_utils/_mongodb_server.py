# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a MongoDB server tells to somebody who has logged in: load, slow operations, replication."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._mongodb import MongoError
from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_documents import (
    Document,
    number,
    pick,
)
from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_members import (
    Report,
    member_settings,
    member_states,
)

MAX_OPERATIONS = 50
_MAX_DEPTH = 8
_MAX_WIDTH = 30
_MAX_KEY = 60
# What drivers add to every command.
_NOISE = (
    *("lsid", "txnNumber", "autocommit", "startTransaction", "stmtId", "cursor", "batchSize"),
    *("comment", "maxTimeMS", "readConcern", "writeConcern"),
    *("apiVersion", "apiStrict", "apiDeprecationErrors"),
)
# Nothing that is left to ask for would be answered.
_LOST = ("refused", "hung", "closed", "error")

_KEYS = (
    *("version", "uptime_s", "storage_engine", "my_state", "state_str", "connections", "cache"),
    *("queues", "tickets", "asserts", "cache_size_gb", "operations", "oplog_window_h", "members"),
    "config",
)


class Connection(t.Protocol):
    """The one thing that is asked of a connection."""

    def command(self, name: str, value: t.Any = 1, database: str = "admin", **more: t.Any) -> t.Any:
        """Run a command and return its answer, or raise MongoError."""


def read_server(connection: Connection, role: str, slow_ms: int) -> tuple[Report, list[str]]:
    """Return what the server tells, null for what it does not, and a sentence for each refusal.

    `role` is that of `hello`; a server outside of a set is not asked about replication. A login
    that is refused is raised as MongoError, and so is a member that is lost before anything was
    read.
    """
    server: Report = dict.fromkeys(_KEYS)
    errors: list[str] = []
    pieces: list[t.Callable[[], Report]] = [
        lambda: server_status(connection.command("serverStatus")),
        lambda: {"cache_size_gb": cache_size_gb(connection.command("getCmdLineOpts"))},
        lambda: {"operations": _operations(connection, slow_ms)},
    ]
    if role not in ("STANDALONE", "NOT_INITIALIZED"):
        pieces += [
            lambda: _replication(connection.command("replSetGetStatus")),
            lambda: {"config": _config(connection.command("replSetGetConfig"))},
        ]
        if role != "ARBITER":
            pieces.append(lambda: {"oplog_window_h": _oplog_window_h(connection)})
    for piece in pieces:
        try:
            server.update(piece())
        except MongoError as error:
            if error.state == "auth" or (error.state in _LOST and piece is pieces[0]):
                raise
            errors.append(str(error))
            if error.state in _LOST:
                break
    return server, errors


def server_status(status: Document) -> Report:
    """Return the few fields of serverStatus that tell load; null where it has them not."""
    tickets = pick(status, "queues", "execution")  # since MongoDB 8.0
    if not tickets:
        tickets = pick(status, "wiredTiger", "concurrentTransactions")
    cache = pick(status, "wiredTiger", "cache")
    used = number(cache, "bytes currently in the cache")
    limit = number(cache, "maximum bytes configured")
    dirty = number(cache, "tracked dirty bytes in the cache")
    return {
        "version": str(status.get("version", "")),
        "uptime_s": number(status, "uptime"),
        "storage_engine": str(pick(status, "storageEngine").get("name", "")),
        "connections": {
            "current": number(status, "connections", "current"),
            "available": number(status, "connections", "available"),
        },
        "cache": {
            "used_bytes": used,
            "max_bytes": limit,
            "used_percent": _percent(used, limit),
            "dirty_bytes": dirty,
            "dirty_percent": _percent(dirty, limit),
        },
        "queues": {
            "readers": number(status, "globalLock", "currentQueue", "readers"),
            "writers": number(status, "globalLock", "currentQueue", "writers"),
        },
        "tickets": {
            kind: {
                "out": number(tickets, kind, "out"),
                "available": number(tickets, kind, "available"),
            }
            for kind in ("read", "write")
        },
        "asserts": {
            kind: number(status, "asserts", kind)
            for kind in ("regular", "warning", "msg", "user", "rollovers")
        },
    }


def cache_size_gb(answer: Document) -> t.Any:
    """Return the cache size in GB that the server was started with; null for MongoDB's own."""
    return number(answer, "parsed", "storage", "wiredTiger", "engineConfig", "cacheSizeGB")


def _replication(status: Document) -> Report:
    members = member_states(status)
    own = [member.get("name") for member in status.get("members", []) if member.get("self")]
    state_str = next((one["state_str"] for one in members if one["name"] in own), "")
    return {"my_state": number(status, "myState"), "state_str": state_str, "members": members}


def _config(answer: Document) -> Report:
    config = answer["config"]
    return {
        "version": number(config, "version"),
        "term": number(config, "term"),
        "members": [member_settings(member) for member in config.get("members", [])],
    }


def _oplog_window_h(connection: Connection) -> float | None:
    """Return the hours between the oldest and the newest operation that the oplog holds."""
    ends: list[int] = []
    for order in (1, -1):
        answer = connection.command(
            "find",
            "oplog.rs",
            database="local",
            sort={"$natural": order},
            limit=1,
            projection={"ts": 1},
        )
        # A BSON timestamp
        ends += [entry["ts"].time for entry in batch(answer) if hasattr(entry.get("ts"), "time")]
    return round((ends[1] - ends[0]) / 3600, 2) if len(ends) == 2 else None


def _operations(connection: Connection, slow_ms: int) -> list[Report]:
    """Return the operations that have run for `slow_ms` or longer, the longest first."""
    pipeline: list[Document] = [
        {"$currentOp": {"allUsers": True}},
        {
            "$match": {
                "active": True,
                "op": {"$nin": ["none", None]},
                "microsecs_running": {"$gte": slow_ms * 1000},
                # Drivers, members and change streams wait in these for news; they are not slow.
                "command.hello": {"$exists": False},
                "command.isMaster": {"$exists": False},
                "command.ismaster": {"$exists": False},
                "cursor.awaitData": {"$ne": True},
            }
        },
        {"$sort": {"microsecs_running": -1}},
        {"$limit": MAX_OPERATIONS},
    ]
    answer = connection.command(
        "aggregate", 1, pipeline=pipeline, cursor={"batchSize": MAX_OPERATIONS}
    )
    return [operation(found) for found in batch(answer)]


def operation(found: Document) -> Report:
    """Return what tells a person which operation it is, without any value of its query."""
    running = number(found, "microsecs_running")
    # A cursor's later batches name only the cursor; this is the query that opened it.
    command = pick(found, "cursor", "originatingCommand") or pick(found, "command")
    return {
        "opid": number(found, "opid"),
        "age_s": None if running is None else round(running / 1e6, 1),
        "op": str(found.get("op", "")),
        "namespace": str(found.get("ns", "")),
        "plan_summary": str(found.get("planSummary", "")),
        "waiting_for_lock": bool(found.get("waitingForLock", False)),
        "application": str(found.get("appName", "")),
        "client": str(found.get("client", "")),
        "shape": command_shape(command),
    }


def command_shape(command: Document) -> t.Any:
    """Return the shape of a command, without what drivers add to it."""
    return shape(
        {
            key: value
            for key, value in command.items()
            if key not in _NOISE and not str(key).startswith("$")
        }
    )


def shape(value: t.Any, depth: int = 0) -> t.Any:
    """Return the keys and operators of a query, with C(?) in the place of every value."""
    if isinstance(value, dict):
        if depth == _MAX_DEPTH:
            return "?"
        items = list(value.items())[:_MAX_WIDTH]
        return {str(key)[:_MAX_KEY]: shape(inner, depth + 1) for key, inner in items}
    if isinstance(value, (list, tuple)):
        shapes: list[t.Any] = []
        for inner in value[:_MAX_WIDTH]:
            one = shape(inner, depth + 1)
            if one not in shapes:  # a thousand ids are one shape
                shapes.append(one)
        return shapes
    return "?"


def _percent(part: t.Any, whole: t.Any) -> float | None:
    return round(100 * part / whole, 1) if part is not None and whole else None


def batch(answer: Document) -> list[Document]:
    """Return the documents of the first answer of a cursor."""
    return list(pick(answer, "cursor").get("firstBatch") or [])
