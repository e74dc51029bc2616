# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Redis client (RESP 2, standard library only): one connection that has one time limit."""

from __future__ import annotations

import re
import socket
import time
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._redact import Redactor

# Of one reply: bytes, elements of all its arrays together, arrays within each other.
MAX_REPLY = 1 << 20
MAX_ITEMS = 1 << 14
MAX_DEPTH = 8

Reply = t.Union[str, int, None, list[t.Any]]

_NUMBER = re.compile(r"[+-]?[0-9]{1,19}")
_SHOWN = 200
_NO_LOGIN = ("ERR AUTH ", "ERR Client sent AUTH")
_STATES = {
    "NOAUTH": "auth",
    "WRONGPASS": "auth",
    "NOPERM": "auth",
    "LOADING": "loading",
    "BUSY": "busy",
    "MISCONF": "misconf",
    "OOM": "oom",
    "MASTERDOWN": "replica",
}


class RedisError(Exception):
    """The server gave no usable answer; `state` is the machine's word for why.

    The text says what the server did ("refused the connection"): who asks knows which one it is.
    """

    def __init__(self, state: str, message: str) -> None:
        super().__init__(message)
        self.state = state


class Client(t.Protocol):
    """The one thing that is asked of a client."""

    def call(self, *words: str) -> Reply:
        """Send one command and return its reply, or raise RedisError."""


class Limit:
    """The one time limit of a conversation, connecting included; it begins now."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that remain; RedisError when none do."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.late()
        return left

    def late(self) -> RedisError:
        """What is raised when the time is over."""
        return RedisError("hung", f"did not answer within {self._seconds:g} s")


def connect(host: str, port: int, limit: Limit, tls: bool = False, ca_file: str = "") -> t.Any:
    """A connection to the server, plain or TLS; RedisError tells why there is none."""
    try:
        plain = socket.create_connection((host, port), timeout=limit.left())
    except ConnectionRefusedError as error:
        raise RedisError("refused", "refused the connection") from error
    except socket.timeout as error:
        raise limit.late() from error
    except (OSError, UnicodeError) as error:
        raise RedisError("unreachable", f"cannot be reached: {error}") from error
    if not tls:
        return plain
    try:
        return _secured(plain, host, limit, ca_file)
    except RedisError:
        plain.close()
        raise


def _secured(plain: socket.socket, host: str, limit: Limit, ca_file: str) -> t.Any:
    import ssl  # costs more than a plain conversation takes

    try:
        context = ssl.create_default_context(cafile=ca_file or None)
        plain.settimeout(limit.left())
        return context.wrap_socket(plain, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        raise RedisError("tls", f"shows a bad certificate: {error.verify_message}") from error
    except socket.timeout as error:
        raise limit.late() from error
    except ssl.SSLError as error:
        raise RedisError("tls", f"speaks no TLS: {error.reason or error}") from error
    except FileNotFoundError as error:
        raise RedisError("tls", f"was not asked: there is no ca_file {ca_file}") from error
    except (OSError, ValueError) as error:
        raise RedisError("closed", f"closed the connection: {error}") from error


class SocketClient:
    """Speaks Redis over a connection, within a time limit.

    secrets: what is masked in every error. A server that is none may repeat the password.
    """

    def __init__(self, connection: t.Any, limit: Limit, secrets: t.Iterable[str] = ()) -> None:
        self._connection = connection
        self._limit = limit
        self._reader = Reader(self._receive, Redactor(secrets))

    def call(self, *words: str) -> Reply:
        """Send one command and return its reply; an error reply is raised."""
        parts = [word.encode("utf-8", "surrogateescape") for word in words]
        request = b"*%d\r\n" % len(parts)
        request += b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        try:
            self._connection.settimeout(self._limit.left())
            self._connection.sendall(request)
            reply = self._reader.reply()
        except socket.timeout as error:
            raise self._limit.late() from error
        except OSError as error:
            raise RedisError("closed", f"closed the connection: {error}") from error
        if isinstance(reply, RedisError):
            raise reply
        return reply

    def _receive(self) -> bytes:
        self._connection.settimeout(self._limit.left())
        return bytes(self._connection.recv(65536))


class Reader:
    """Reads replies from a source of bytes, which is trusted in nothing: size, number or depth."""

    def __init__(self, receive: t.Callable[[], bytes], redactor: Redactor) -> None:
        self._receive = receive
        self._redactor = redactor
        self._buffer = bytearray()
        self._bytes = self._items = 0

    def reply(self) -> Reply | RedisError:
        """The next reply. An error reply is returned; RedisError is raised for what is none."""
        self._bytes, self._items = MAX_REPLY, MAX_ITEMS
        return self._value(MAX_DEPTH)

    def _value(self, depth: int) -> Reply | RedisError:
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == "+":
            return rest
        if kind == "-":
            return RedisError(_state(rest), f"answered: {self._redactor.text(rest)[:_SHOWN]}")
        number = int(rest) if _NUMBER.fullmatch(rest) else None
        if kind == ":" and number is not None:
            return number
        if kind in ("$", "*") and number == -1:
            return None
        if kind == "$" and number is not None and 0 <= number <= MAX_REPLY:
            return self._text(number)
        if kind == "*" and number is not None and number >= 0 and depth:
            self._items -= number
            if self._items < 0:
                raise RedisError("foreign", f"answered with more than {MAX_ITEMS} elements")
            return [self._value(depth - 1) for _element in range(number)]
        raise self._foreign(line)

    def _line(self) -> str:
        start = 0
        while (end := self._buffer.find(b"\r\n", start)) < 0:
            start = max(0, len(self._buffer) - 1)
            self._more(len(self._buffer) + 1)
        return self._take(end + 2)

    def _text(self, length: int) -> str:
        while len(self._buffer) < length + 2:
            self._more(length + 2)
        if self._buffer[length : length + 2] != b"\r\n":
            raise self._foreign(self._take(length + 2))
        return self._take(length + 2)

    def _take(self, length: int) -> str:
        """That many bytes, less the line end that they come with."""
        taken = bytes(self._buffer[: length - 2])
        del self._buffer[:length]
        self._bytes -= length
        return taken.decode(errors="replace")

    def _more(self, needed: int) -> None:
        if needed > self._bytes:
            raise RedisError("foreign", f"answered with more than {MAX_REPLY} bytes")
        data = self._receive()
        if not data:
            raise RedisError("closed", "closed the connection")
        self._buffer += data

    def _foreign(self, line: str) -> RedisError:
        shown = self._redactor.text(line)[:60]
        return RedisError("foreign", f"does not speak Redis: {shown!r}")


def _state(message: str) -> str:
    # What Redis says without a word of its own, before version 6 and where none has a password.
    if "invalid password" in message.lower() or message.startswith(_NO_LOGIN):
        return "auth"
    return _STATES.get(message.split(" ", 1)[0], "error")
