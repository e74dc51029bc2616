# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A probe over WebSocket: the handshake, an echo when it is asked for, a ping and its pong."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import typing as t
from urllib.parse import urlsplit

from ansible_collections.plugspace.titan.plugins.module_utils._probe_connection import (
    MAX_BODY,
    SHOWN,
    UnhealthyError,
    WrongAnswerError,
    connect,
    excerpt,
    target,
)
from ansible_collections.plugspace.titan.plugins.module_utils._probe_holder import holder
from ansible_collections.plugspace.titan.plugins.module_utils._probe_options import Probe

_WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_MAX_READS = 100000
# Opcodes; those from _CLOSE on control the connection.
_CONTINUED, _TEXT, _CLOSE, _PING, _PONG = 0x0, 0x1, 0x8, 0x9, 0xA


class _ClosedError(UnhealthyError):
    """The connection ended without a word."""


def attempt(probe: Probe, candidates: t.Collection[int]) -> int | None:
    """Shake hands, converse, ping; the process that answered, or UnhealthyError."""
    url = urlsplit(probe.url)
    address, server_name, path = target(url)
    key = base64.b64encode(os.urandom(16))
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {url.netloc.rpartition('@')[2]}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key.decode()}",
        "Sec-WebSocket-Version: 13",
        *(f"{name}: {value}" for name, value in probe.headers.items()),
    ]
    with connect(probe, address, server_name) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode("utf-8"))
        head, rest = _until(connection, b"\r\n\r\n")
        status, _newline, fields = head.partition(b"\r\n")
        pid = holder(connection, candidates)
        if b" 101" not in status[:13]:
            raise UnhealthyError(
                f"did not become a WebSocket: {excerpt(status)}", connected=True, pid=pid
            )
        accept = base64.b64encode(hashlib.sha1(key + _WEBSOCKET_GUID).digest())  # noqa: S324
        if b"sec-websocket-accept: " + accept.lower() not in fields.lower():
            raise UnhealthyError("answered the handshake of somebody else", connected=True, pid=pid)
        frames = _Frames(connection, rest, pid)
        if probe.reply:
            _converse(connection, frames, probe, pid)
        try:
            _ping(connection, frames)
        except (_ClosedError, OSError):
            # Another illness than a server that does not take the handshake.
            raise WrongAnswerError(
                "accepted the handshake and sent no pong", connected=True, pid=pid
            ) from None
    return pid


def _until(connection: t.Any, end: bytes) -> tuple[bytes, bytes]:
    data = b""
    while end not in data:
        if len(data) > MAX_BODY:
            raise UnhealthyError("answered with an endless header", connected=True)
        data += _more(connection)
    head, _end, rest = data.partition(end)
    return head, rest


def _more(connection: t.Any) -> bytes:
    data: bytes = connection.recv(65536)
    if not data:
        raise _ClosedError("closed the connection without an answer", connected=True)
    return data


class _Frames:
    """The frames that the server sends, one after the other."""

    def __init__(self, connection: t.Any, data: bytes, pid: int | None) -> None:
        self._connection = connection
        self._data = data
        self._reads = 0
        self._pid = pid

    def take(self, wanted: str) -> tuple[int, bool, bytes]:
        """Opcode, whether its message ends here, payload; UnhealthyError at a close frame."""
        while len(self._data) < 2 or len(self._data) < sum(self._size(wanted)):
            self._data += _more(self._connection)
            self._reads += 1
            if len(self._data) > MAX_BODY or self._reads > _MAX_READS:
                raise self._too_much(wanted)
        header, size = self._size(wanted)
        first, body = self._data[0], self._data[header : header + size]
        self._data = self._data[header + size :]
        if first & 0x0F == _CLOSE:
            raise UnhealthyError(
                f"closed the WebSocket instead of {wanted}", connected=True, pid=self._pid
            )
        return first & 0x0F, bool(first & 0x80), body

    def _size(self, wanted: str) -> tuple[int, int]:
        """Length of the header and of the payload of the frame that the data begins with."""
        data = self._data
        short = data[1] & 0x7F
        masked = 4 if data[1] & 0x80 else 0
        if short < 126:
            return 2 + masked, short
        extra = 2 if short == 126 else 8
        if len(data) < 2 + extra:
            return 2 + extra + masked, 0
        size = int.from_bytes(data[2 : 2 + extra], "big")
        if size > MAX_BODY:
            raise self._too_much(wanted)
        return 2 + extra + masked, size

    def _too_much(self, wanted: str) -> UnhealthyError:
        return UnhealthyError(f"sent too much instead of {wanted}", connected=True, pid=self._pid)


def _frame(opcode: int, payload: bytes) -> bytes:
    """One whole message of at most 65535 bytes, masked as a client has to."""
    size, mask = len(payload), os.urandom(4)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    return bytes([0x80 | opcode]) + length + mask + masked


def _converse(connection: t.Any, frames: _Frames, probe: Probe, pid: int | None) -> None:
    """Send the text, if there is one, and wait for a message that holds the reply."""
    if probe.send:
        connection.sendall(_frame(_TEXT, probe.send.encode()))
    message = last = b""
    try:
        while True:
            opcode, final, body = frames.take("a reply")
            if opcode >= _CLOSE:
                continue
            message = message + body if opcode == _CONTINUED else body
            if len(message) > MAX_BODY:
                raise UnhealthyError("sent too much instead of a reply", connected=True, pid=pid)
            if final:
                if probe.reply.encode() in message:
                    return
                last = message
    except (UnhealthyError, OSError):
        if not last:
            raise
        raise WrongAnswerError(
            f"replied {excerpt(last)} (wanted {probe.reply[:SHOWN]})", connected=True, pid=pid
        ) from None


def _ping(connection: t.Any, frames: _Frames) -> None:
    """Ping and wait for the pong: a handshake alone may come from a server that hangs behind it."""
    payload = os.urandom(4)
    connection.sendall(_frame(_PING, payload))
    while frames.take("a pong")[::2] != (_PONG, payload):
        pass
    with contextlib.suppress(OSError):
        # Code 1000, so that the server does not log an abnormal end.
        connection.sendall(_frame(_CLOSE, b"\x03\xe8"))
