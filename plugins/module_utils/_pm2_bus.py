# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What applications print, taken from the daemon's events as well.

PM2 loses the last words of a cluster worker that throws while it is loaded: they never reach its
log file, only the events. Listening is best effort, and nothing fails when it does not work.
"""

from __future__ import annotations

import collections
import contextlib
import json
import os
import socket
import struct
import threading
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._pm2_wire import (
    FrameReader,
    WireError,
)

_KEPT = 200
_MAX_EVENT = 2 * 1024 * 1024
_LOGS = (b"s:log:err", b"s:log:out")


class Bus:
    """Listens in a thread of its own, so that the daemon never has to hold events back for us."""

    def __init__(self, home: str, uid: int) -> None:
        self._path = os.path.join(home, "pub.sock")
        self._uid = uid
        self._socket: socket.socket | None = None
        self._lines: collections.deque[tuple[int, str]] = collections.deque(maxlen=_KEPT)

    def __enter__(self) -> Bus:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(2.0)
        try:
            connection.connect(self._path)
            size = struct.calcsize("3i")
            peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        except OSError:
            connection.close()
            return self
        if struct.unpack("3i", peer)[1] != self._uid:
            connection.close()
            return self
        connection.settimeout(None)
        self._socket = connection
        threading.Thread(target=self._listen, args=(connection,), daemon=True).start()
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()

    def lines(self, number: int) -> list[str]:
        """The lines that the process with this id printed since."""
        text = "".join(data for one, data in list(self._lines) if one == number)
        return [line for line in text.splitlines() if line.strip()]

    def _listen(self, connection: socket.socket) -> None:
        reader = FrameReader(_MAX_EVENT)
        with contextlib.suppress(OSError, WireError):
            while True:
                data = connection.recv(65536)
                if not data:
                    return
                frame = reader.feed(data)
                while frame is not None:
                    self._keep(frame)
                    frame = reader.feed(b"")

    def _keep(self, frame: list[bytes]) -> None:
        if len(frame) != 2 or frame[0] not in _LOGS or not frame[1].startswith(b"j:"):
            return
        with contextlib.suppress(ValueError, RecursionError):
            event = json.loads(frame[1][2:])
            process = event.get("process") if isinstance(event, dict) else None
            number = process.get("pm_id") if isinstance(process, dict) else None
            printed: t.Any = event.get("data") if isinstance(event, dict) else None
            if isinstance(number, int) and isinstance(printed, str):
                self._lines.append((number, printed[-4000:] + "\n"))
