# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What MongoDB members say about themselves, one another and their set's configuration."""

from __future__ import annotations

import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

from ansible_collections.plugspace.titan.plugins.module_utils._mongodb import MongoError
from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_documents import (
    Document,
    number,
)

Report = dict[str, t.Any]

# States of replSetGetStatus that have data which can be behind.
_COPYING = (1, 2, 3)  # PRIMARY, SECONDARY, RECOVERING
# An idle set is written to every 10 s, and a new primary writes after the whole outage: what was
# written just now is on its way for a moment, and looks like a lag of all that time.
_ON_ITS_WAY_S = 1.0


class Client(t.Protocol):
    """The one thing that is asked of a client."""

    def hello(self, address: str) -> Document:
        """Return the answer of that very member, or raise MongoError."""


def role(hello: Document) -> str:
    """Return the member's role in MongoDB's words, as far as `hello` tells it."""
    if not hello.get("setName"):
        return "NOT_INITIALIZED" if hello.get("isreplicaset") else "STANDALONE"
    if hello.get("isWritablePrimary") or hello.get("ismaster"):
        return "PRIMARY"
    if hello.get("secondary"):
        return "SECONDARY"
    if hello.get("arbiterOnly"):
        return "ARBITER"
    return "NOT_READY"  # starting, recovering, rolling back, or removed


def last_write(hello: Document) -> float | None:
    """Return the time of the member's newest operation, on the primary's clock."""
    date = (hello.get("lastWrite") or {}).get("lastWriteDate")
    return date.replace(tzinfo=timezone.utc).timestamp() if date else None


def observe(client: Client, address: str, pause: t.Callable[[float], None] = time.sleep) -> Report:
    """Ask the member at `address`, then every other member that it names, all at once.

    Who seems to be behind is asked once more, a second later.
    """
    try:
        own = client.hello(address)
    except MongoError as error:
        return {"state": error.state, "error": str(error), "set": "", "role": "", "members": []}
    me = own.get("me", address)
    names = [*own.get("hosts", []), *own.get("passives", []), *own.get("arbiters", [])]
    others = [name for name in names if name != me]
    members = [_member(me, own)]
    if others:
        with ThreadPoolExecutor(len(others)) as pool:
            members += pool.map(lambda name: _ask(client, name), others)
    written = [m["last_write"] for m in members if m["role"] == "PRIMARY" and m["last_write"]]
    newest = max(written, default=0.0)
    for member in members:
        has = member.pop("last_write")
        known = newest and has and member["role"] in ("PRIMARY", "SECONDARY")
        member["lag_s"] = round(max(0.0, newest - has), 1) if known else None
    behind = [member for member in members if (member["lag_s"] or 0) > _ON_ITS_WAY_S]
    if behind:
        pause(_ON_ITS_WAY_S)
        for member in behind:
            later = _ask(client, address if member["self"] else member["name"])
            if (later["last_write"] or 0) >= newest:
                member["lag_s"] = _ON_ITS_WAY_S
    return {
        "state": "ok",
        "error": "",
        "set": own.get("setName", ""),
        "role": members[0]["role"],
        "members": sorted(members, key=lambda member: str(member["name"])),
    }


def _ask(client: Client, name: str) -> Report:
    try:
        return _member(name, client.hello(name), own=False)
    except MongoError as error:
        return {
            "name": name,
            "self": False,
            "role": "",
            "error": str(error),
            "last_write": None,
        }


def _member(name: str, hello: Document, own: bool = True) -> Report:
    return {
        "name": name,
        "self": own,
        "role": role(hello),
        "error": "",
        "last_write": last_write(hello),
    }


def member_states(status: Document) -> list[Report]:
    """Return the members of replSetGetStatus: state, lag in seconds and last heartbeat message."""
    members = [member for member in _list(status.get("members")) if isinstance(member, dict)]
    newest = [member.get("optimeDate") for member in members if member.get("state") == 1]
    primary = max((date for date in newest if isinstance(date, datetime)), default=None)
    return [
        {
            "name": str(member.get("name", "")),
            "state": number(member, "state"),
            "state_str": str(member.get("stateStr", "")),
            "answers": member.get("health") == 1,
            "uptime_s": number(member, "uptime"),
            "lag_s": _lag(member, primary),
            "last_heartbeat_message": str(member.get("lastHeartbeatMessage") or ""),
            "config_version": number(member, "configVersion"),
        }
        for member in members
    ]


def _lag(member: Document, primary: datetime | None) -> float | None:
    date = member.get("optimeDate")
    if primary is None or not isinstance(date, datetime) or member.get("state") not in _COPYING:
        return None
    return round(max(0.0, (primary - date).total_seconds()), 1)


def member_settings(member: Document) -> Report:
    """Return what the configuration says of a member, in the words of the module's options."""
    return {
        "host": str(member.get("host", "")),
        "priority": float(number({"priority": 1, **member}, "priority") or 0),
        "votes": number({"votes": 1, **member}, "votes"),
        "hidden": bool(member.get("hidden", False)),
        "arbiter_only": bool(member.get("arbiterOnly", False)),
        "delay_s": delay(member),
    }


def delay(member: Document) -> t.Any:
    """Return the seconds that a member stays behind on purpose."""
    # slaveDelay until MongoDB 4.4
    return number(member, "secondaryDelaySecs") or number(member, "slaveDelay") or 0


def _list(value: t.Any) -> list[t.Any]:
    return value if isinstance(value, list) else []
