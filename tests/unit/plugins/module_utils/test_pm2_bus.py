# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events of the daemon."""

from __future__ import annotations

import json
import os
import socket
import time
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._pm2_bus import Bus

from .fake_daemon import frame


def event(name: str, content: t.Any) -> bytes:
    """An event as the daemon publishes it."""
    return frame(b"s:" + name.encode(), b"j:" + json.dumps(content).encode())


def hear(home: str, data: bytes, uid: int | None = None) -> list[str]:
    """The lines of process 2 after these bytes."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.join(home, "pub.sock"))
        listener.listen()
        with Bus(home, os.geteuid() if uid is None else uid) as bus:
            connection, _address = listener.accept()
            with connection:
                try:
                    connection.sendall(data)
                except BrokenPipeError:
                    return []
                deadline = time.monotonic() + 2
                while not bus.lines(2) and time.monotonic() < deadline and uid is None:
                    time.sleep(0.01)
                    if b"LAST" not in data:
                        break
                return bus.lines(2)


def test_only_the_lines_of_that_process(home: str) -> None:
    data = b"".join(
        [
            event("process:event", {"process": {"pm_id": 2, "env": {"A": "secret"}}}),
            event("log:out", {"process": {"pm_id": 1}, "data": "other"}),
            event("log:err", {"process": "odd", "data": "x"}),
            event("log:err", ["odd"]),
            frame(b"s:log:err", b"j:{"),
            event("log:err", {"process": {"pm_id": 2}, "data": "\nError: LAST\n  at x\n"}),
        ]
    )
    assert hear(home, data) == ["Error: LAST", "  at x"]


def test_nonsense_is_passed_over(home: str) -> None:
    assert hear(home, b"\xff\xff\xff\xff") == []


def test_another_users_events_are_not_heard(home: str) -> None:
    assert hear(home, event("log:err", {"process": {"pm_id": 2}, "data": "x"}), uid=12345) == []


def test_without_a_daemon(home: str) -> None:
    with Bus(home, os.geteuid()) as bus:
        assert bus.lines(2) == []
