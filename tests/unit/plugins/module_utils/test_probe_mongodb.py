# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probe of MongoDB, against what a MongoDB 6.0 answered."""

from __future__ import annotations

import builtins
import os
import socket
import typing as t

import bson
import pytest

from ansible_collections.plugspace.titan.plugins.module_utils._probe import ProbeError, parse

from .probe_server import Handler, ask, saying

SET = {"setName": "titan", "hosts": ["127.0.0.1:27017"], "ok": 1.0}
PRIMARY = {**SET, "isWritablePrimary": True, "secondary": False}
SECONDARY = {**SET, "isWritablePrimary": False, "secondary": True}
ARBITER = {**SET, "isWritablePrimary": False, "secondary": False, "arbiterOnly": True}
FRESH = {"isWritablePrimary": False, "isreplicaset": True, "info": "Does not have a valid", "ok": 1}
ALONE = {"isWritablePrimary": True, "ok": 1.0}


def message(document: t.Any, opcode: int = 2013) -> bytes:
    """A message of the server."""
    body = document if isinstance(document, bytes) else bson.encode(document)
    header = (21 + len(body), 7, 1, opcode, 0)
    return b"".join(number.to_bytes(4, "little") for number in header) + b"\0" + body


@pytest.mark.parametrize(
    ("hello", "wanted", "found"),
    [
        (PRIMARY, None, ""),
        (PRIMARY, "primary", ""),
        (PRIMARY, "member", ""),
        (SECONDARY, "member", ""),
        (ARBITER, "member", ""),
        (ALONE, None, ""),
        (SECONDARY, "primary", "is SECONDARY (wanted primary)"),
        (ALONE, "primary", "is STANDALONE (wanted primary)"),
        (FRESH, "member", "is NOT_INITIALIZED (wanted member)"),
    ],
)
def test_role(hello: dict[str, t.Any], wanted: str | None, found: str) -> None:
    answer = ask(saying(message(hello), close=False), [os.getpid()], type="mongodb", role=wanted)
    assert answer.pid == os.getpid()
    assert answer.ok == (not found), answer.reason
    assert answer.reason.endswith(found)


def test_what_is_asked() -> None:
    seen = []

    def handler(connection: socket.socket) -> None:
        seen.append(connection.recv(65536))
        # In pieces, as a network may deliver it.
        for byte in message(PRIMARY):
            connection.sendall(bytes([byte]))

    assert ask(handler, type="mongodb", timeout=2).ok
    assert int.from_bytes(seen[0][:4], "little") == len(seen[0])
    assert bson.decode(seen[0][21:]) == {"hello": 1, "$db": "admin"}


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (saying(message({"ok": 0, "errmsg": "no such command"})), "answered: no such command (err"),
        (saying(b"HTTP/1.0 200 OK\r\n\r\n"), "does not speak MongoDB (foreign)"),
        (saying(message(PRIMARY, opcode=1)), "does not speak MongoDB (foreign)"),
        (saying(message(b"\x05\0\0\0x")), "does not speak MongoDB (foreign)"),
        (saying(message(b"x" * 300000)), "does not speak MongoDB (foreign)"),
        (saying(b""), "closed the connection without an answer"),
        (saying(message(PRIMARY)[:30]), "closed the connection without an answer"),
        (saying(b"", close=False), "gave no answer within"),
    ],
)
def test_what_is_wrong(handler: Handler, reason: str) -> None:
    answer = ask(handler, type="mongodb")
    assert (answer.ok, answer.connected) == (False, True)
    assert reason in answer.reason


def test_without_pymongo_it_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    known = builtins.__import__

    def without(name: str, *args: t.Any, **options: t.Any) -> t.Any:
        if name == "bson":
            raise ImportError(name)
        return known(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ProbeError, match="needs PyMongo on the host: install Debian's python3-"):
        parse({"type": "mongodb"})
    parse({"type": "tcp", "port": 1})
