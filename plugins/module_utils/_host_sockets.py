# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sockets of this host, by psutil."""

from __future__ import annotations

import socket

from ansible_collections.plugspace.titan.plugins.module_utils._host import HostError
from ansible_collections.plugspace.titan.plugins.module_utils._host_listeners import Socket

try:
    import psutil

    HAS_PSUTIL = True
except ImportError:
    HAS_PSUTIL = False


class PsutilSockets:
    """The sockets of this host, as psutil finds them."""

    def listening(self) -> list[Socket]:
        """Return the TCP sockets that listen and the UDP sockets without a partner."""
        if not HAS_PSUTIL:
            raise HostError(
                "who listens on ports is read by psutil, which the host's Python lacks:"
                " install Debian's python3-psutil"
            )
        try:
            connections = psutil.net_connections("inet")
        except psutil.Error as error:
            raise HostError(f"psutil: {error}") from error
        found = []
        for each in connections:
            if each.type == socket.SOCK_STREAM and each.status == psutil.CONN_LISTEN:
                found.append(Socket(each.laddr.port, "tcp", each.laddr.ip, each.pid))
            # A socket that was never bound has no address at all.
            elif each.type == socket.SOCK_DGRAM and each.laddr and not each.raddr:
                found.append(Socket(each.laddr.port, "udp", each.laddr.ip, each.pid))
        return found
