# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small Redis client (RESP 2, standard library only) and the fields that tell health."""

from __future__ import annotations

import socket
import time
import typing as t

MAX_REPLY = 1 << 20
Report = dict[str, t.Any]


class RedisError(Exception):
    """The server gave no usable answer; `state` is the machine's word for why."""

    def __init__(self, state: str, message: str) -> None:
        super().__init__(message)
        self.state = state


class Client(t.Protocol):
    """The one thing that is asked of a client."""

    def call(self, *words: str) -> str:
        """Send one command and return its text."""


class SocketClient:
    """One connection; everything on it together has one time limit."""

    def __init__(self, host: str, port: int, timeout: float) -> None:
        self.where = f"{host}:{port}"
        self.timeout = timeout
        self.deadline = time.monotonic() + timeout
        self.buffer = b""
        try:
            self.socket = socket.create_connection((host, port), timeout=timeout)
        except ConnectionRefusedError as error:
            raise RedisError("refused", f"{self.where} refused the connection") from error
        except socket.timeout as error:
            raise self._late() from error
        except OSError as error:
            raise RedisError("unreachable", f"{self.where}: {error}") from error

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()

    def call(self, *words: str) -> str:
        """Send one command and return its text; an error reply is raised."""
        parts = [word.encode() for word in words]
        request = b"*%d\r\n" % len(parts)
        request += b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        try:
            self._limit()
            self.socket.sendall(request)
            return self._reply()
        except socket.timeout as error:
            raise self._late() from error
        except OSError as error:
            raise RedisError("closed", f"{self.where} closed the connection: {error}") from error

    def _reply(self) -> str:
        line = self._take_line()
        kind, rest = line[:1], line[1:]
        if kind in ("+", ":"):
            return rest
        if kind == "-":
            raise RedisError(_error_state(rest), f"{self.where} answered: {rest[:200]}")
        if kind == "$" and rest.isdigit() and int(rest) <= MAX_REPLY:
            return self._take(int(rest) + 2)[:-2].decode(errors="replace")
        raise RedisError("foreign", f"{self.where} does not speak Redis: {line[:60]!r}")

    def _take_line(self) -> str:
        while b"\r\n" not in self.buffer:
            self._receive()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line.decode(errors="replace")

    def _take(self, length: int) -> bytes:
        while len(self.buffer) < length:
            self._receive()
        taken, self.buffer = self.buffer[:length], self.buffer[length:]
        return taken

    def _receive(self) -> None:
        self._limit()
        data = self.socket.recv(65536)
        if not data:
            raise RedisError("closed", f"{self.where} closed the connection")
        self.buffer += data
        if len(self.buffer) > MAX_REPLY + 64:
            raise RedisError("foreign", f"{self.where} answered with more than {MAX_REPLY} bytes")

    def _limit(self) -> None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise self._late()
        self.socket.settimeout(left)

    def _late(self) -> RedisError:
        return RedisError("hung", f"{self.where} did not answer within {self.timeout:g} s")


def _error_state(message: str) -> str:
    word = message.split(" ", 1)[0]
    if word in ("NOAUTH", "WRONGPASS", "NOPERM") or "invalid password" in message.lower():
        return "auth"
    return {"LOADING": "loading", "MASTERDOWN": "replica"}.get(word, "error")


def parse_info(text: str) -> dict[str, str]:
    """Return the fields of INFO."""
    lines = (line.partition(":") for line in text.splitlines() if not line.startswith("#"))
    return {key: value for key, separator, value in lines if separator}


def _number(info: dict[str, str], key: str) -> int:
    value = info.get(key, "0")
    return int(value) if value.lstrip("-").isdigit() else 0


def observe(client: Client, username: str, password: str) -> Report:
    """Log in if there is a password, ping, and return the few fields that tell health."""
    if password:
        client.call("AUTH", *([username] if username else []), password)
    client.call("PING")
    info = parse_info(client.call("INFO"))
    role = info.get("role", "unknown")
    report: Report = {
        "version": info.get("redis_version", "unknown"),
        "role": role,
        "uptime_s": _number(info, "uptime_in_seconds"),
        "clients": _number(info, "connected_clients"),
        "loading": info.get("loading") == "1",
        "memory": {
            "used_bytes": _number(info, "used_memory"),
            "max_bytes": _number(info, "maxmemory"),
            "policy": info.get("maxmemory_policy", "unknown"),
        },
        "save_ok": info.get("rdb_last_bgsave_status", "ok") == "ok"
        and info.get("aof_last_write_status", "ok") == "ok",
        "replicas": _number(info, "connected_slaves"),
        "master": None,
    }
    if role == "slave":
        report["master"] = {
            "address": f"{info.get('master_host', '?')}:{info.get('master_port', '?')}",
            "link": info.get("master_link_status", "unknown"),
            "silent_s": _number(info, "master_last_io_seconds_ago"),
        }
    return report


def look(host: str, port: int, username: str, password: str, timeout: float) -> Report:
    """Return what the server says, or the state and the sentence that tell why it does not."""
    try:
        client = SocketClient(host, port, timeout)
        try:
            return {"state": "ok", "error": "", **observe(client, username, password)}
        finally:
            client.close()
    except RedisError as error:
        return {"state": error.state, "error": str(error)}
