# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A daemon on a real socket that behaves as a test tells it to, in PM2's own format."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import typing as t

Reply = t.Callable[[str, t.Any, bytes], t.Optional[bytes]]


def frame(*parts: bytes) -> bytes:
    """One frame."""
    return bytes([0x10 | len(parts)]) + b"".join(len(p).to_bytes(4, "big") + p for p in parts)


def answer(value: t.Any, request_id: bytes) -> bytes:
    """The frame of a normal answer."""
    return frame(b"j:" + json.dumps({"args": [value]}).encode(), b"s:" + request_id)


def refuse(reason: str, request_id: bytes) -> bytes:
    """The frame of a refusal."""
    return frame(b"j:" + json.dumps({"error": reason, "stack": ""}).encode(), b"s:" + request_id)


class FakeDaemon:
    """Answers each call with what reply returns; None is silence, b"" closes the connection."""

    def __init__(self, home: str, reply: Reply) -> None:
        self.calls: list[tuple[str, t.Any]] = []
        self._reply = reply
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(os.path.join(home, "rpc.sock"))
        self._listener.listen(8)
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> FakeDaemon:
        return self

    def __exit__(self, *_exc: object) -> None:
        for one in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _address = self._listener.accept()
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, IndexError):
            while True:
                body, request_id = self._request(connection)
                call = json.loads(body[2:])
                self.calls.append((call["method"], call["args"][0]))
                data = self._reply(call["method"], call["args"][0], request_id[2:])
                if data == b"":
                    connection.close()
                    return
                if data is not None:
                    connection.sendall(data)

    @staticmethod
    def _request(connection: socket.socket) -> list[bytes]:
        source = connection.makefile("rb")
        parts = []
        for _part in range(source.read(1)[0] & 0x0F):
            parts.append(source.read(int.from_bytes(source.read(4), "big")))
        return parts
