# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small server that misbehaves as told, and one attempt of a probe against it."""

from __future__ import annotations

import socket
import threading
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils import _probe
from ansible_collections.plugspace.titan.plugins.module_utils._probe import Answer, parse

Handler = t.Callable[[socket.socket], None]


class Server:
    """Gives each connection to the handler, in a thread of its own."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        try:
            while True:
                connection, _address = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
        except OSError:
            return

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                self._handler(connection)
        except OSError:
            return


def saying(data: bytes, close: bool = True) -> Handler:
    """A server that reads a request and answers with these bytes."""

    def handler(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(data)
        if not close:
            connection.recv(1)

    return handler


def ask(handler: Handler, candidates: t.Collection[int] = (), **options: t.Any) -> Answer:
    """One attempt against a server."""
    with Server(handler) as server:
        if options.get("type") in ("tcp", "redis", "mongodb"):
            options["port"] = server.port
        else:
            scheme = "ws" if options.get("type") == "websocket" else "http"
            options.setdefault("url", f"{scheme}://127.0.0.1:{server.port}/health?x=1")
        if options.get("connect_to") == "here":
            options["connect_to"] = f"127.0.0.1:{server.port}"
        return _probe.attempt(parse({"timeout": 0.5, **options}), candidates)
