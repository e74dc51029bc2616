# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health probes over HTTP, WebSocket and TCP: every attempt is a new connection with a time limit.

http.client and ssl are imported where they are needed: they cost more than a TCP probe takes.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import socket
import threading
import time
import typing as t
from dataclasses import dataclass, field, replace
from urllib.parse import SplitResult, urlsplit

from ansible_collections.plugspace.titan.plugins.module_utils._redact import named_secrets

MAX_BODY = 256 * 1024
_SHOWN = 200
_WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_HEADER_NAME = re.compile(r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

# The options of one probe, as a module's argument_spec; the documentation fragment says the rest.
ARGUMENT_SPEC: dict[str, t.Any] = {
    "name": {"type": "str"},
    "type": {"type": "str", "choices": ["http", "websocket", "tcp"], "default": "http"},
    "url": {"type": "str"},
    "host": {"type": "str", "default": "127.0.0.1"},
    "port": {"type": "int"},
    "status": {"type": "list", "elements": "int", "default": [200]},
    "expect": {"type": "dict", "default": {}},
    "pid_field": {"type": "str"},
    "connect_to": {"type": "str"},
    "ca_file": {"type": "path"},
    "headers": {"type": "dict", "default": {}, "no_log": True},
    "successes": {"type": "int", "default": 3},
    "interval": {"type": "float", "default": 0.2},
    "timeout": {"type": "float", "default": 2.0},
    "within": {"type": "float", "default": 30.0},
}


# A probe inside of a free mapping was not read by Ansible's own argument_spec.
_READ: dict[str, t.Callable[[t.Any], t.Any]] = {
    "str": str,
    "path": str,
    "int": int,
    "float": float,
    "list": lambda value: list(value) if isinstance(value, (list, tuple)) else [value],
    "dict": dict,
}


class ProbeError(ValueError):
    """A probe that is described wrongly."""


class UnhealthyError(Exception):
    """One attempt failed; the text is its reason. connected: somebody took the connection."""

    def __init__(self, reason: str, connected: bool = False, pid: int | None = None) -> None:
        super().__init__(reason)
        self.connected = connected
        self.pid = pid


@dataclass(frozen=True)
class Answer:
    """How one attempt went, and which process answered when that can be known."""

    ok: bool
    seconds: float
    reason: str = ""
    pid: int | None = None
    connected: bool = True


@dataclass(frozen=True)
class Probe:
    """One health probe. The defaults are those of the documentation."""

    type: str = "http"
    url: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    status: tuple[int, ...] = (200,)
    expect: t.Mapping[str, t.Any] = field(default_factory=dict)
    pid_field: str = ""
    connect_to: str = ""
    ca_file: str = ""
    headers: t.Mapping[str, str] = field(default_factory=dict)
    successes: int = 3
    interval: float = 0.2
    timeout: float = 2.0
    within: float = 30.0
    name: str = ""

    @property
    def shown(self) -> str:
        """The probe in one word or two, as it stands in messages."""
        if self.type == "http":
            return f"GET {self.url}"
        if self.type == "websocket":
            return f"WebSocket {self.url}"
        return f"TCP {self.host}:{self.port}"

    def expecting(self, expect: t.Mapping[str, t.Any]) -> Probe:
        """The same probe with more to expect; only an HTTP answer can show it."""
        if self.type != "http" or not expect:
            return self
        return replace(self, expect={**self.expect, **expect})


def parse(options: t.Mapping[str, t.Any]) -> Probe:
    """A probe from its options; ProbeError says what is wrong with them."""
    values = {key: value for key, value in options.items() if value is not None}
    unknown = sorted(set(values) - set(ARGUMENT_SPEC))
    if unknown:
        raise ProbeError(f"a probe has no option {', '.join(unknown)}")
    try:
        values = {key: _READ[str(ARGUMENT_SPEC[key]["type"])](v) for key, v in values.items()}
        values["status"] = tuple(int(code) for code in values.get("status", (200,)))
    except (TypeError, ValueError) as error:
        raise ProbeError(f"a probe is malformed: {error}") from None
    values["headers"] = {str(k): str(v) for k, v in values.get("headers", {}).items()}
    probe = Probe(**values)
    _check(probe)
    return probe


def secrets_of(probes: t.Mapping[str, t.Any] | None) -> set[str]:
    """The secret headers of several probes, given by name as a free mapping of options."""
    found: set[str] = set()
    for options in (probes or {}).values():
        headers = options.get("headers") if isinstance(options, dict) else None
        found |= named_secrets(headers if isinstance(headers, dict) else None)
    return found


def _check(probe: Probe) -> None:
    schemes = {"http": ("http", "https"), "websocket": ("ws", "wss")}
    if probe.type == "tcp":
        if not 0 < probe.port < 65536:
            raise ProbeError("a tcp probe needs a port between 1 and 65535")
    elif probe.type in schemes:
        try:
            url = urlsplit(probe.url)
            port_ok = url.port is None or url.port > 0
        except ValueError:
            raise ProbeError(f"{probe.url!r} is not a URL") from None
        if url.scheme not in schemes[probe.type] or not url.hostname or not port_ok:
            raise ProbeError(
                f"a {probe.type} probe needs a url that begins with"
                f" {' or '.join(f'{scheme}://' for scheme in schemes[probe.type])},"
                f" not {probe.url!r}"
            )
        if re.search(r"[\x00-\x20\x7f]", probe.url):
            raise ProbeError("the url of a probe holds no blanks or control characters")
    else:
        raise ProbeError(f"a probe is of type http, websocket or tcp, not {probe.type!r}")
    if probe.connect_to:
        _address(probe.connect_to)
    for name, value in probe.headers.items():
        if not _HEADER_NAME.match(name) or re.search(r"[\r\n\0]", value):
            raise ProbeError(f"the header {name!r} of a probe is malformed")
    if probe.successes < 1 or probe.interval < 0 or probe.timeout <= 0 or probe.within <= 0:
        raise ProbeError("successes, timeout and within of a probe are greater than 0")


def _address(text: str) -> tuple[str, int]:
    host, _colon, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise ProbeError(f"connect_to is host:port, not {text!r}")
    return host.strip("[]"), int(port)


def lookup(document: t.Any, path: str) -> t.Any:
    """The value at a dotted path of a JSON document, None when it is not there."""
    for key in path.split("."):
        if isinstance(document, dict) and key in document:
            document = document[key]
        elif isinstance(document, list) and key.isdigit() and int(key) < len(document):
            document = document[int(key)]
        else:
            return None
    return document


def attempt(probe: Probe, candidates: t.Collection[int] = ()) -> Answer:
    """Try once. candidates: local processes, one of which may turn out to have answered."""
    started = time.monotonic()
    kinds = {"http": _http, "websocket": _websocket, "tcp": _tcp}
    try:
        pid = kinds[probe.type](probe, candidates)
    except UnhealthyError as error:
        return Answer(
            False,
            time.monotonic() - started,
            f"{probe.shown} {error}",
            error.pid,
            error.connected,
        )
    return Answer(True, time.monotonic() - started, pid=pid)


@contextlib.contextmanager
def _connection(probe: Probe, address: tuple[str, int], server_name: str) -> t.Iterator[t.Any]:
    """A connection that is cut off when the attempt's time is over, whatever it waits for."""
    target = _address(probe.connect_to) if probe.connect_to else address
    deadline = time.monotonic() + probe.timeout
    try:
        plain = socket.create_connection(target, timeout=probe.timeout)
    except socket.timeout:
        raise UnhealthyError(f"got no connection within {probe.timeout:g} s") from None
    except OSError as error:
        raise UnhealthyError(f"got no connection: {error.strerror or error}") from None
    expired = threading.Event()

    def cut() -> None:
        expired.set()
        with contextlib.suppress(OSError):
            plain.shutdown(socket.SHUT_RDWR)

    watchdog = threading.Timer(max(0.0, deadline - time.monotonic()), cut)
    watchdog.daemon = True
    watchdog.start()
    connection: t.Any = plain
    try:
        if server_name:
            connection = _tls(plain, probe, server_name)
        yield connection
        if expired.is_set():
            raise UnhealthyError("was cut off", connected=True)
    except UnhealthyError as error:
        if expired.is_set():
            raise UnhealthyError(
                f"gave no answer within {probe.timeout:g} s", True, error.pid
            ) from None
        raise
    except socket.timeout:
        raise UnhealthyError(f"gave no answer within {probe.timeout:g} s", connected=True) from None
    except OSError as error:
        reason = f"gave no answer within {probe.timeout:g} s" if expired.is_set() else None
        reason = reason or f"broke off: {error.strerror or type(error).__name__}"
        raise UnhealthyError(reason, connected=True) from None
    finally:
        watchdog.cancel()
        connection.close()
        plain.close()


def _tls(plain: socket.socket, probe: Probe, server_name: str) -> t.Any:
    import ssl

    try:
        context = ssl.create_default_context(cafile=probe.ca_file or None)
        return context.wrap_socket(plain, server_hostname=server_name)
    except ssl.SSLCertVerificationError as error:
        raise UnhealthyError(f"shows a bad certificate: {error.verify_message}", True) from None
    except ssl.SSLError as error:
        raise UnhealthyError(f"speaks no TLS: {error.reason or error}", connected=True) from None
    except FileNotFoundError:
        raise UnhealthyError(f"was not tried: there is no ca_file {probe.ca_file}") from None


def _target(url: SplitResult) -> tuple[tuple[str, int], str, str]:
    secure = url.scheme in ("https", "wss")
    host = url.hostname or ""
    port = url.port or (443 if secure else 80)
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    return (host, port), (host if secure else ""), path


def _http(probe: Probe, candidates: t.Collection[int]) -> int | None:
    import http.client

    url = urlsplit(probe.url)
    address, server_name, path = _target(url)
    with _connection(probe, address, server_name) as connection:
        # The connection is ours already, so that the class is only asked to speak the protocol.
        client = http.client.HTTPConnection(*address, timeout=probe.timeout)
        client.sock = connection
        headers = {"Host": url.netloc.rpartition("@")[2], "Accept": "application/json, */*"}
        headers.update(probe.headers)
        try:
            client.request("GET", path, headers=headers)
            response = client.getresponse()
            body = response.read(MAX_BODY)
            if response.length and len(body) < MAX_BODY:
                raise http.client.IncompleteRead(body, response.length)
        except http.client.HTTPException as error:
            raise UnhealthyError(
                f"answered no HTTP: {type(error).__name__}", connected=True
            ) from None
        document = _json(body) if probe.expect or probe.pid_field else None
        pid = lookup(document, probe.pid_field) if probe.pid_field else None
        if not isinstance(pid, int) or isinstance(pid, bool):
            pid = _holder(connection, candidates)
        if response.status not in probe.status:
            wanted = " or ".join(map(str, probe.status))
            raise UnhealthyError(
                f"answered {response.status} (wanted {wanted}): {_excerpt(body)}", True, pid
            )
        for key, value in probe.expect.items():
            found = lookup(document, key)
            if not _equal(found, value):
                raise UnhealthyError(
                    f"answered {key}={_excerpt_value(found)} (wanted {_excerpt_value(value)})",
                    True,
                    pid,
                )
    return pid


def _json(body: bytes) -> t.Any:
    try:
        return json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def _equal(found: t.Any, wanted: t.Any) -> bool:
    # Ansible hands over templated values as text more often than not.
    return bool(found == wanted) or (
        isinstance(found, (str, int, float))
        and not isinstance(found, bool)
        and str(found) == str(wanted)
    )


def _excerpt(body: bytes) -> str:
    text = " ".join(body[: _SHOWN * 2].decode("utf-8", "replace").split())
    return text[:_SHOWN] or "an empty body"


def _excerpt_value(value: t.Any) -> str:
    return "nothing" if value is None else str(value)[:_SHOWN]


def _tcp(probe: Probe, candidates: t.Collection[int]) -> int | None:
    with _connection(probe, (probe.host, probe.port), "") as connection:
        return _holder(connection, candidates)


def _websocket(probe: Probe, candidates: t.Collection[int]) -> int | None:
    import base64
    import hashlib

    url = urlsplit(probe.url)
    address, server_name, path = _target(url)
    key = base64.b64encode(os.urandom(16))
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {url.netloc.rpartition('@')[2]}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key.decode()}",
        "Sec-WebSocket-Version: 13",
        *(f"{name}: {value}" for name, value in probe.headers.items()),
    ]
    with _connection(probe, address, server_name) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode("utf-8"))
        head, rest = _until(connection, b"\r\n\r\n")
        status, _newline, fields = head.partition(b"\r\n")
        pid = _holder(connection, candidates)
        if b" 101" not in status[:13]:
            raise UnhealthyError(
                f"did not become a WebSocket: {_excerpt(status)}", connected=True, pid=pid
            )
        accept = base64.b64encode(hashlib.sha1(key + _WEBSOCKET_GUID).digest())  # noqa: S324
        if b"sec-websocket-accept: " + accept.lower() not in fields.lower():
            raise UnhealthyError("answered the handshake of somebody else", connected=True, pid=pid)
        _ping(connection, rest, pid)
    return pid


def _until(connection: t.Any, end: bytes) -> tuple[bytes, bytes]:
    data = b""
    while end not in data:
        if len(data) > MAX_BODY:
            raise UnhealthyError("answered with an endless header", connected=True)
        data += _more(connection)
    head, _end, rest = data.partition(end)
    return head, rest


def _more(connection: t.Any) -> bytes:
    data: bytes = connection.recv(65536)
    if not data:
        raise UnhealthyError("closed the connection without an answer", connected=True)
    return data


def _ping(connection: t.Any, data: bytes, pid: int | None) -> None:
    """Ping and wait for the pong: a handshake alone may come from a server that hangs behind it."""
    payload, mask = os.urandom(4), os.urandom(4)
    masked = bytes(a ^ b for a, b in zip(payload, mask))
    connection.sendall(b"\x89\x84" + mask + masked)
    read = len(data)
    while True:
        while len(data) < 2 or len(data) < sum(_frame_size(data)):
            data += _more(connection)
            read += 1
            if len(data) > MAX_BODY or read > 100000:
                raise UnhealthyError("sent too much instead of a pong", connected=True, pid=pid)
        header, size = _frame_size(data)
        opcode, body, data = data[0] & 0x0F, data[header : header + size], data[header + size :]
        if opcode == 0xA and body == payload:
            with contextlib.suppress(OSError):
                # A close frame with code 1000, so that the server does not log an abnormal end.
                code = bytes(a ^ b for a, b in zip(b"\x03\xe8", mask))
                connection.sendall(b"\x88\x82" + mask + code)
            return
        if opcode == 0x8:
            raise UnhealthyError("closed the WebSocket instead of a pong", connected=True, pid=pid)


def _frame_size(data: bytes) -> tuple[int, int]:
    """Length of the header and of the payload of the frame that data begins with."""
    short = data[1] & 0x7F
    masked = 4 if data[1] & 0x80 else 0
    if short < 126:
        return 2 + masked, short
    extra = 2 if short == 126 else 8
    if len(data) < 2 + extra:
        return 2 + extra + masked, 0
    size = int.from_bytes(data[2 : 2 + extra], "big")
    if size > MAX_BODY:
        raise UnhealthyError("sent too much instead of a pong", connected=True)
    return 2 + extra + masked, size


def _holder(connection: t.Any, candidates: t.Collection[int]) -> int | None:
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


@dataclass
class Outcome:
    """What a series of attempts showed."""

    ok: bool = False
    reason: str = ""
    attempts: int = 0
    failures: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    def as_result(self, probe: Probe) -> dict[str, t.Any]:
        """As plain data for a module's result."""
        row = sorted(self.latencies)
        return {
            "name": probe.name or probe.shown,
            "ok": self.ok,
            "reason": self.reason,
            "attempts": self.attempts,
            "failures": self.failures,
            "seconds": round(self.seconds, 3),
            "latency_ms": {
                "p50": round(row[(len(row) - 1) // 2] * 1000, 1),
                "p95": round(row[math.ceil(len(row) * 0.95) - 1] * 1000, 1),
                "max": round(row[-1] * 1000, 1),
            }
            if row
            else None,
        }


def persist(
    probe: Probe,
    trial: t.Callable[[Probe], Answer] = attempt,
    clock: t.Callable[[], float] = time.monotonic,
    sleep: t.Callable[[float], None] = time.sleep,
) -> Outcome:
    """Probe until it succeeded often enough in a row, or the time is over."""
    outcome, row, started = Outcome(), 0, clock()
    while True:
        answer = trial(probe)
        outcome.attempts += 1
        if answer.ok:
            row += 1
            outcome.latencies.append(answer.seconds)
        else:
            row, outcome.failures, outcome.reason = 0, outcome.failures + 1, answer.reason
        outcome.seconds = clock() - started
        outcome.ok = row >= probe.successes
        if outcome.ok or outcome.seconds + probe.interval >= probe.within:
            return outcome
        sleep(probe.interval)
