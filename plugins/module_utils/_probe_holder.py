# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which local process holds the other end of a connection, from the kernel's table."""

from __future__ import annotations

import contextlib
import os
import time
import typing as t


def holder(connection: t.Any, candidates: t.Collection[int]) -> int | None:
    """Which of the candidates holds the other end of the connection, when it is on this machine.

    The workers of a cluster share one port, so that only the kernel's table tells them apart.
    """
    if not candidates:
        return None
    try:
        remote, local = connection.getpeername()[1], connection.getsockname()[1]
    except OSError:
        return None
    # A worker gets the connection handed over by the daemon, which can take a moment.
    for pause in (0.0, 0.002, 0.01, 0.03):
        time.sleep(pause)
        inodes = _inodes(remote, local)
        if not inodes:
            return None
        for pid in candidates:
            if _holds(pid, inodes):
                return pid
    return None


def _inodes(server_port: int, client_port: int) -> set[str]:
    ends = f":{server_port:04X}", f":{client_port:04X}"
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError), open(table, encoding="ascii") as lines:
            for line in lines:
                parts = line.split()
                if len(parts) > 9 and parts[1].endswith(ends[0]) and parts[2].endswith(ends[1]):
                    inodes.add(f"socket:[{parts[9]}]")
    return inodes


def _holds(pid: int, inodes: set[str]) -> bool:
    folder = f"/proc/{pid}/fd"
    try:
        numbers = os.listdir(folder)
    except OSError:
        return False
    for number in numbers:
        with contextlib.suppress(OSError):
            if os.readlink(f"{folder}/{number}") in inodes:
                return True
    return False
