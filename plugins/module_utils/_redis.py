# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a Redis server is: one look that writes nothing, and shows no key, value or argument."""

from __future__ import annotations

import re
import time
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._redis_client import (
    Client,
    Limit,
    RedisError,
    Reply,
    SocketClient,
    connect,
)

Report = dict[str, t.Any]
Info = t.Mapping[str, str]

# What CONFIG GET is asked for, by name: a pattern would return the passwords, too.
CONFIG = (
    "maxmemory",
    "maxmemory-policy",
    "save",
    "appendonly",
    "dir",
    "stop-writes-on-bgsave-error",
    "latency-monitor-threshold",
)
PINGS = 3
MAX_PINGS = 100
MAX_SLOWLOG = 128
ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "host": {"type": "str", "default": "127.0.0.1"},
    "port": {"type": "int", "default": 6379},
    "username": {"type": "str", "default": ""},
    "password": {"type": "str", "default": "", "no_log": True},
    "timeout": {"type": "float", "default": 3},
    "tls": {"type": "bool", "default": False},
    "ca_file": {"type": "path"},
    "pings": {"type": "int", "default": PINGS},
    "slowlog": {"type": "int", "default": 0},
}
_LIMITS = {"port": (1, 65535), "pings": (1, MAX_PINGS), "slowlog": (0, MAX_SLOWLOG)}

# A server that refuses PING for one of these still tells INFO.
_TALKING = ("loading", "misconf", "replica")
# After one of these there is nobody left to ask.
_SILENT = ("hung", "closed", "foreign")
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_COMMAND = re.compile(r"[A-Za-z0-9._-]{1,40}")
# Redis stores 32 arguments, and in the last one's place how many there were more.
_MORE_ARGUMENTS = re.compile(r"\.\.\. \(([0-9]{1,9}) more arguments\)")


def parse_info(text: str) -> dict[str, str]:
    """The fields of INFO."""
    lines = (line.partition(":") for line in text.splitlines() if not line.startswith("#"))
    return {key: value for key, separator, value in lines if separator}


def look(
    host: str,
    port: int,
    username: str,
    password: str,
    timeout: float,
    tls: bool = False,
    ca_file: str | None = None,
    pings: int = PINGS,
    slowlog: int = 0,
) -> Report:
    """What the server says, or the state and the sentence that tell why it does not.

    timeout: seconds for all of it. pings: how many round trips are measured, at least 1. slowlog:
    how many entries are asked for, 0 for none. Raises ValueError for a number out of its limits.
    """
    for number, name in ((port, "port"), (pings, "pings"), (slowlog, "slowlog")):
        least, most = _LIMITS[name]
        if not least <= number <= most:
            raise ValueError(f"{name} is a number from {least} to {most}")
    limit = Limit(timeout)
    try:
        connection = connect(host, port, limit, tls, ca_file or "")
        try:
            client = SocketClient(connection, limit, (password,))
            report = observe(client, username, password, pings, slowlog)
        finally:
            connection.close()
    except RedisError as error:
        report = {"state": error.state, "error": str(error)}
    if report["error"]:
        report["error"] = f"{host}:{port} {report['error']}"
    return report


def observe(
    client: Client,
    username: str,
    password: str,
    pings: int = PINGS,
    slowlog: int = 0,
    clock: t.Callable[[], float] = time.monotonic,
) -> Report:
    """Log in if there is a password, ping, and return how the server is.

    RedisError is raised when it answers neither; what it refuses beyond INFO stands in C(errors).
    """
    if password:
        client.call("AUTH", *([username] if username else []), password)
    trips, refusal = _ping(client, pings, clock)
    try:
        text = client.call("INFO")
    except RedisError as silence:
        raise refusal or silence from None
    if not isinstance(text, str):
        raise RedisError("foreign", "does not speak Redis: it has no text for INFO")
    info = parse_info(text)
    now = _number(info, "server_time_usec") / 1e6 or time.time()
    more = _More(client)
    # First, lest our own questions stand at the top of it.
    entries = more.ask("SLOWLOG", "GET", str(slowlog)) if slowlog else None
    events = more.ask("LATENCY", "LATEST")
    config = _config(more)
    state, error = _state(info, config, refusal)
    role = info.get("role", "unknown")
    return {
        "state": state,
        "error": error,
        "version": info.get("redis_version", "unknown"),
        "role": role,
        "uptime_s": _number(info, "uptime_in_seconds"),
        "clients": _number(info, "connected_clients"),
        "clients_blocked": _number(info, "blocked_clients"),
        "clients_max": _number(info, "maxclients"),
        "loading": info.get("loading") == "1",
        "memory": _memory(info),
        "save_ok": info.get("rdb_last_bgsave_status", "ok") == "ok"
        and info.get("aof_last_write_status", "ok") == "ok",
        "persistence": _persistence(info, config, now),
        "keyspace": _keyspace(info),
        "latency": {
            "ping_ms": {"p50": trips[(len(trips) - 1) // 2], "max": trips[-1]} if trips else None,
            "events": [_event(one, now) for one in _rows(events, 4)],
        },
        "slowlog": [_slow(one, now) for one in _rows(entries, 4)],
        "config": config,
        "replicas": _number(info, "connected_slaves"),
        "master": _master(info) if role == "slave" else None,
        "errors": more.errors,
    }


class _More:
    """Asks for what is good to have; what the server does not tell becomes a sentence."""

    def __init__(self, client: Client) -> None:
        self.errors: list[str] = []
        self._client = client
        self._silent = False

    def ask(self, *words: str) -> Reply:
        """The reply, or None."""
        if self._silent:
            return None
        try:
            return self._client.call(*words)
        except RedisError as error:
            self._silent = error.state in _SILENT
            self.errors.append(f"{' '.join(words)}: the server {error}")
            return None


def _ping(
    client: Client, count: int, clock: t.Callable[[], float]
) -> tuple[list[float], RedisError | None]:
    """The round trips in milliseconds, sorted, and why a server that talks refuses to answer."""
    trips: list[float] = []
    try:
        for _trip in range(count):
            started = clock()
            client.call("PING")
            trips.append(round((clock() - started) * 1000, 2))
    except RedisError as error:
        if error.state == "busy":
            raise RedisError("busy", f"is blocked by {_script(client)}") from error
        if error.state not in _TALKING:
            raise
        return sorted(trips), error
    return sorted(trips), None


def _script(client: Client) -> str:
    """What blocks the server, as far as it tells: of a function, but not of EVAL, how long."""
    cure = "SCRIPT KILL"
    what = "a Lua script, for how long it does not tell"
    try:
        stats = _pairs(client.call("FUNCTION", "STATS"))
    except RedisError:
        stats = {}
    running = _pairs(stats.get("running_script"))
    if running:
        seconds = _integer(running.get("duration_ms")) / 1000
        cure, what = "FUNCTION KILL", f"the function {running.get('name')} for {seconds:.0f} s"
    return f"{what}; until it ends, nothing is served ({cure} ends one that has not written yet)"


def _state(info: Info, config: t.Mapping[str, str], refusal: RedisError | None) -> tuple[str, str]:
    """The state word, and the sentence that goes with it."""
    used, limit = _counted(info), _number(info, "maxmemory")
    word = refusal.state if refusal else "ok"
    if word == "loading":
        done = info.get("loading_loaded_perc", "?")
        left = _number(info, "loading_eta_seconds")
        return "loading", f"still reads its data from disk: {done} % done, about {left} s left"
    if word == "misconf" and info.get("rdb_last_bgsave_status") == "err":
        where = f" to {config['dir']}" if config.get("dir") else ""
        return word, (
            f"refuses writes (MISCONF): its last snapshot{where} failed; look into Redis' log for"
            " the reason, mostly a full disk or a directory in which it must not write"
        )
    if refusal:
        return word, str(refusal)
    if 0 < limit < used and info.get("maxmemory_policy") == "noeviction":
        return "oom", (
            f"refuses writes (OOM): {used} bytes are in use, maxmemory is {limit} and the policy"
            " noeviction; remove keys, raise maxmemory or let it evict"
        )
    return "ok", ""


def _config(more: _More) -> dict[str, str]:
    found = {}
    for name in CONFIG:
        reply = more.ask("CONFIG", "GET", name)
        if reply is None:
            break  # the others would be refused in the same words
        value = _pairs(reply).get(name)
        if isinstance(value, str):
            found[name] = value
    return found


def _counted(info: Info) -> int:
    """The memory that Redis compares with maxmemory: without the buffers of replicas and AOF."""
    return _number(info, "used_memory") - _number(info, "mem_not_counted_for_evict")


def _memory(info: Info) -> Report:
    limit = _number(info, "maxmemory")
    return {
        "used_bytes": _number(info, "used_memory"),
        "max_bytes": limit,
        "policy": info.get("maxmemory_policy", "unknown"),
        "used_percent": round(100 * _counted(info) / limit, 1) if limit else None,
        "rss_bytes": _number(info, "used_memory_rss"),
        "peak_bytes": _number(info, "used_memory_peak"),
        "fragmentation": _decimal(info, "mem_fragmentation_ratio"),
        "evicted_keys": _number(info, "evicted_keys"),
        # A write that brings much is refused before the limit is reached.
        "refusals": _count(info.get("errorstat_OOM", "")),
    }


def _persistence(info: Info, config: t.Mapping[str, str], now: float) -> Report:
    faults = {
        "rdb_last_bgsave_status": "the last snapshot failed",
        "aof_last_write_status": "the last write to the append-only file failed",
        "aof_last_bgrewrite_status": "the last rewrite of the append-only file failed",
    }
    saved = _number(info, "rdb_last_save_time")
    stops = config.get("stop-writes-on-bgsave-error")
    return {
        "error": "; ".join(text for key, text in faults.items() if info.get(key, "ok") != "ok"),
        "stop_writes_on_bgsave_error": None if stops is None else stops == "yes",
        "rdb": {
            "enabled": config["save"] != "" if "save" in config else None,
            "ok": info.get("rdb_last_bgsave_status", "ok") == "ok",
            "saving": info.get("rdb_bgsave_in_progress") == "1",
            "last_save": saved,
            "age_s": max(0, int(now) - saved),
            "changes": _number(info, "rdb_changes_since_last_save"),
        },
        "aof": {
            "enabled": info.get("aof_enabled") == "1",
            "write_ok": info.get("aof_last_write_status", "ok") == "ok",
            "rewrite_ok": info.get("aof_last_bgrewrite_status", "ok") == "ok",
            "rewriting": info.get("aof_rewrite_in_progress") == "1",
        },
    }


def _keyspace(info: Info) -> dict[str, dict[str, int]]:
    found = {}
    for name, text in info.items():
        if name.startswith("db") and _INTEGER.fullmatch(name[2:]):
            fields = dict(part.partition("=")[::2] for part in text.split(","))
            found[name] = {key: _number(fields, key) for key in ("keys", "expires")}
    return found


def _master(info: Info) -> Report:
    return {
        "address": f"{info.get('master_host', '?')}:{info.get('master_port', '?')}",
        "link": info.get("master_link_status", "unknown"),
        "silent_s": _number(info, "master_last_io_seconds_ago"),
    }


def _event(row: list[t.Any], now: float) -> Report:
    return {
        "event": str(row[0]),
        "age_s": max(0, int(now) - _integer(row[1])),
        "ms": _integer(row[2]),
        "max_ms": _integer(row[3]),
    }


def _slow(row: list[t.Any], now: float) -> Report:
    """An entry without what was asked for: keys and values are people's data."""
    words = row[3] if isinstance(row[3], list) else []
    name = str(words[0]) if words else ""
    arguments = max(0, len(words) - 1)
    more = _MORE_ARGUMENTS.fullmatch(str(words[-1])) if words else None
    return {
        "age_s": max(0, int(now) - _integer(row[1])),
        "ms": round(_integer(row[2]) / 1000, 1),
        "command": name.upper() if _COMMAND.fullmatch(name) else "?",
        "arguments": arguments - 1 + int(more[1]) if more else arguments,
        "client": str(row[5]) if len(row) > 5 else "",
    }


def _rows(reply: Reply, width: int) -> list[list[t.Any]]:
    rows = reply if isinstance(reply, list) else []
    return [row for row in rows if isinstance(row, list) and len(row) >= width]


def _pairs(reply: t.Any) -> dict[str, t.Any]:
    row = reply if isinstance(reply, list) else []
    return {key: value for key, value in zip(row[::2], row[1::2]) if isinstance(key, str)}


def _count(text: str) -> int:
    """The number of C(count=6)."""
    return _number(dict([text.partition("=")[::2]]), "count")


def _integer(value: t.Any) -> int:
    return value if isinstance(value, int) else 0


def _number(info: Info, key: str) -> int:
    value = info.get(key, "0")
    return int(value) if _INTEGER.fullmatch(value) else 0


def _decimal(info: Info, key: str) -> float:
    value = info.get(key, "0")
    return float(value) if _DECIMAL.fullmatch(value) else 0.0
