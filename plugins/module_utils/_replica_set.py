# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A MongoDB replica set as one of its hosts sees it, from `hello`, which needs no login."""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor
from datetime import timezone

Report = dict[str, t.Any]
Hello = dict[str, t.Any]


class MemberError(Exception):
    """A member gave no answer; `state` is the machine's word for why."""

    def __init__(self, state: str, message: str) -> None:
        super().__init__(message)
        self.state = state


class Client(t.Protocol):
    """The one thing that is asked of a client."""

    def hello(self, address: str) -> Hello:
        """Return the answer of that very member, or raise MemberError."""


def role(hello: Hello) -> str:
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


def last_write(hello: Hello) -> float | None:
    """Return the time of the member's newest operation, on the primary's clock."""
    date = (hello.get("lastWrite") or {}).get("lastWriteDate")
    return date.replace(tzinfo=timezone.utc).timestamp() if date else None


def observe(client: Client, address: str) -> Report:
    """Ask the member at `address`, then every other member that it names, all at once."""
    try:
        own = client.hello(address)
    except MemberError as error:
        return {"state": error.state, "error": str(error), "set": "", "role": "", "members": []}
    me = own.get("me", address)
    names = [*own.get("hosts", []), *own.get("passives", []), *own.get("arbiters", [])]
    others = [name for name in names if name != me]
    members = [_member(me, own)]
    if others:
        with ThreadPoolExecutor(len(others)) as pool:
            members += pool.map(lambda name: _ask(client, name), others)
    newest = [m["last_write"] for m in members if m["role"] == "PRIMARY" and m["last_write"]]
    for member in members:
        written = member.pop("last_write")
        known = newest and written and member["role"] in ("PRIMARY", "SECONDARY")
        member["lag_s"] = round(max(0.0, max(newest) - written), 1) if known else None
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
    except MemberError as error:
        return {
            "name": name,
            "self": False,
            "role": "",
            "error": str(error),
            "last_write": None,
        }


def _member(name: str, hello: Hello, own: bool = True) -> Report:
    return {
        "name": name,
        "self": own,
        "role": role(hello),
        "error": "",
        "last_write": last_write(hello),
    }
