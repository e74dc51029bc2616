# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A probe of Redis: log in if there is a password, and PING, which it refuses when it is ill."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._probe_connection import (
    UnhealthyError,
    connect,
)
from ansible_collections.plugspace.titan.plugins.module_utils._probe_holder import holder
from ansible_collections.plugspace.titan.plugins.module_utils._probe_options import Probe
from ansible_collections.plugspace.titan.plugins.module_utils._redis_client import (
    Limit,
    RedisError,
    SocketClient,
)


def attempt(probe: Probe, candidates: t.Collection[int]) -> int | None:
    """Ping once; the process that answered, or UnhealthyError with the state's word at its end."""
    with connect(probe, (probe.host, probe.port), "") as connection:
        client = SocketClient(connection, Limit(probe.timeout), (probe.password,))
        try:
            if probe.password:
                client.call("AUTH", *([probe.username] if probe.username else []), probe.password)
            pong = client.call("PING")
        except RedisError as error:
            pid = holder(connection, candidates)
            raise UnhealthyError(f"{error} ({error.state})", connected=True, pid=pid) from None
        pid = holder(connection, candidates)
        if pong != "PONG":
            raise UnhealthyError("answered PING with something else (foreign)", True, pid)
    return pid
