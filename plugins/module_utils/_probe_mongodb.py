# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A probe of MongoDB: one `hello`, which needs no login, over the attempt's own connection.

Only BSON is PyMongo's. Its client has threads and time limits of its own, one after the other.
"""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_members import role
from ansible_collections.plugspace.titan.plugins.module_utils._probe_connection import (
    MAX_BODY,
    UnhealthyError,
    connect,
)
from ansible_collections.plugspace.titan.plugins.module_utils._probe_holder import holder
from ansible_collections.plugspace.titan.plugins.module_utils._probe_options import Probe

_OP_MSG = 2013
_HEADER = 16  # length, request id, the id that it answers, opcode: 4 bytes each
_PREFIX = _HEADER + 5  # flags, and the kind of the one section that follows
_ROLES = {"primary": ("PRIMARY",), "member": ("PRIMARY", "SECONDARY", "ARBITER")}


def attempt(probe: Probe, candidates: t.Collection[int]) -> int | None:
    """Ask once; the process that answered, or UnhealthyError."""
    with connect(probe, (probe.host, probe.port), "") as connection:
        connection.sendall(_request())
        answer = _answer(connection)
        pid = holder(connection, candidates)
        hello = _read(answer, pid)
    found = role(hello)
    if probe.role and found not in _ROLES[probe.role]:
        raise UnhealthyError(f"is {found} (wanted {probe.role})", connected=True, pid=pid)
    return pid


def _request() -> bytes:
    from bson import encode

    body = encode({"hello": 1, "$db": "admin"})
    header = (_PREFIX + len(body), 1, 0, _OP_MSG)
    return b"".join(_four(number) for number in header) + _four(0) + b"\0" + body


def _four(number: int) -> bytes:
    return number.to_bytes(4, "little")


def _answer(connection: t.Any) -> bytes:
    """One whole message, header included."""
    data, length = b"", _HEADER
    while len(data) < length:
        more = connection.recv(65536)
        if not more:
            raise UnhealthyError("closed the connection without an answer", connected=True)
        data += more
        if len(data) >= _HEADER:
            length = int.from_bytes(data[:4], "little")
            if data[12:_HEADER] != _four(_OP_MSG) or not _PREFIX < length <= MAX_BODY:
                raise UnhealthyError("does not speak MongoDB (foreign)", connected=True)
    return data[:length]


def _read(answer: bytes, pid: int | None) -> dict[str, t.Any]:
    from bson import decode
    from bson.errors import BSONError

    try:
        hello: dict[str, t.Any] = dict(decode(answer[_PREFIX:]))
    except (BSONError, ValueError, OverflowError):
        raise UnhealthyError("does not speak MongoDB (foreign)", True, pid) from None
    if hello.get("ok") != 1:
        raise UnhealthyError(f"answered: {str(hello.get('errmsg'))[:200]} (error)", True, pid)
    return hello
