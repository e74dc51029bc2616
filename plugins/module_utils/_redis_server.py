# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a procedure may do to a Redis server that serves badly: end a script, save, give memory."""

from __future__ import annotations

import re
import time
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._redis import parse_info
from ansible_collections.plugspace.titan.plugins.module_utils._redis_client import (
    Client,
    Limit,
    RedisError,
    SocketClient,
    connect,
)

KILL_SCRIPT, KILL_FUNCTION, SAVE, SET_MAXMEMORY = (
    "kill_script",
    "kill_function",
    "save",
    "set_maxmemory",
)
ACTIONS = (KILL_SCRIPT, KILL_FUNCTION, SAVE, SET_MAXMEMORY)
_KILL = {KILL_SCRIPT: "SCRIPT", KILL_FUNCTION: "FUNCTION"}
_UNITS = {"": 1, "kb": 1024, "mb": 1024**2, "gb": 1024**3}
_SIZE = re.compile(r"([0-9]{1,15})(kb|mb|gb|)")
_PAUSE_S = 0.1


class Done(t.NamedTuple):
    """Whether anything was changed, and what the server said of it."""

    changed: bool
    output: str


def to_bytes(text: str) -> int:
    """A size as Redis writes it, such as 384mb; ValueError for what is none."""
    found = _SIZE.fullmatch(text.lower())
    if not found:
        raise ValueError(f"maxmemory is {text!r}; it has to be a size such as 384mb")
    return int(found[1]) * _UNITS[found[2]]


def login(client: Client, username: str, password: str) -> None:
    """Say who asks, where there is a password."""
    if password:
        client.call("AUTH", *([username] if username else []), password)


def kill(client: Client, action: str, check: bool) -> Done:
    """End what blocks the server. One that has written already cannot be ended, which is told."""
    if check:
        return Done(_is_busy(client), "")
    try:
        client.call(_KILL[action], "KILL")
    except RedisError as error:
        told = str(error)
        if "NOTBUSY" in told or "UNKILLABLE" in told:
            return Done(False, told)
        raise
    return Done(True, "")


def _is_busy(client: Client) -> bool:
    try:
        client.call("PING")
    except RedisError as error:
        if error.state != "busy":
            raise
        return True
    return False


def save(client: Client, check: bool, limit: Limit) -> Done:
    """Write a snapshot, wait for its end, and say how it went; RedisError when it failed."""
    if check:
        return Done(True, "")
    try:
        client.call("BGSAVE")
    except RedisError as error:
        # One that is under way is as good.
        if "in progress" not in str(error):
            raise
    while True:
        state = parse_info(str(client.call("INFO", "persistence")))
        if state.get("rdb_bgsave_in_progress") == "0":
            break
        time.sleep(min(_PAUSE_S, limit.left()))
    if state.get("rdb_last_bgsave_status") != "ok":
        raise RedisError("misconf", "could not write the snapshot")
    return Done(True, "")


def set_maxmemory(client: Client, wanted: int, check: bool) -> Done:
    """Let the server use so many bytes, until it is restarted."""
    answer = client.call("CONFIG", "GET", "maxmemory")
    now = answer[1] if isinstance(answer, list) and len(answer) == 2 else ""
    if str(now) == str(wanted):
        return Done(False, "")
    if not check:
        client.call("CONFIG", "SET", "maxmemory", str(wanted))
    return Done(True, "")


def act(params: t.Mapping[str, t.Any], check: bool) -> Done:
    """Do what is asked for, over a connection of its own.

    params: host, port, username, password, timeout in seconds for all of it, tls, ca_file, action,
    and maxmemory. Raises RedisError with a sentence, ValueError for a wrong size.
    """
    action, place = params["action"], f"{params['host']}:{params['port']}"
    wanted = to_bytes(params["maxmemory"]) if action == SET_MAXMEMORY else 0
    limit = Limit(params["timeout"])
    try:
        connection = connect(
            params["host"], params["port"], limit, params["tls"], params["ca_file"] or ""
        )
        try:
            client = SocketClient(connection, limit, (params["password"],))
            login(client, params["username"], params["password"])
            if action in _KILL:
                return kill(client, action, check)
            if action == SAVE:
                return save(client, check, limit)
            return set_maxmemory(client, wanted, check)
        finally:
            connection.close()
    except RedisError as error:
        raise RedisError(error.state, f"{place} {error}") from error
