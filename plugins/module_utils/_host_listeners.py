# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who listens on a host's ports."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

from ansible_collections.plugspace.titan.plugins.module_utils._host import Report, printable
from ansible_collections.plugspace.titan.plugins.module_utils._host_processes import (
    Host,
    look_at,
    program_of,
    script_of,
    unit_of_process,
)


@dataclass(frozen=True)
class Socket:
    """A socket that others can send to; `pid` is None if it may not be known."""

    port: int
    protocol: str
    address: str
    pid: int | None


class Sockets(t.Protocol):
    """The one thing that is asked of who knows the sockets."""

    def listening(self) -> list[Socket]:
        """Return the TCP sockets that listen and the UDP sockets without a partner.

        Raises HostError where they cannot be looked at.
        """


def listeners(host: Host, sockets: Sockets, ports: t.Container[int] = ()) -> list[Report]:
    """Return who listens, by port; on `ports` only if there are any."""
    found = {each for each in sockets.listening() if not ports or each.port in ports}
    pids = {each.pid for each in found if each.pid is not None}
    owners = {pid: _owner(host, pid) for pid in pids}
    nobody = {"name": None, "script": None, "user": None, "unit": None}
    return [
        {**asdict(each), **(nobody if each.pid is None else owners[each.pid])}
        for each in sorted(found, key=_order)
    ]


def _order(socket: Socket) -> tuple[int, str, str, int]:
    return socket.port, socket.protocol, socket.address, socket.pid or 0


def _owner(host: Host, pid: int) -> Report:
    reading = look_at(host, pid)
    try:
        user = printable(host.user(f"/proc/{pid}"))
    except OSError:
        user = None
    return {
        "name": reading.name if reading else None,
        "script": script_of(host, reading, program_of(host, pid)) if reading else None,
        "user": user,
        "unit": unit_of_process(host, pid),
    }
