# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probes against small servers that misbehave as told."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
import threading
import time
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.plugspace.titan.plugins.module_utils import _probe
from ansible_collections.plugspace.titan.plugins.module_utils._probe import Answer, Probe, parse

Handler = t.Callable[[socket.socket], None]


class Server:
    """Gives each connection to the handler, in a thread of its own."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        try:
            while True:
                connection, _address = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
        except OSError:
            return

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                self._handler(connection)
        except OSError:
            return


def saying(data: bytes, close: bool = True) -> Handler:
    """A server that reads a request and answers with these bytes."""

    def handler(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(data)
        if not close:
            connection.recv(1)

    return handler


def http(body: t.Any, status: str = "200 OK") -> bytes:
    """An HTTP answer."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


def ask(handler: Handler, candidates: t.Collection[int] = (), **options: t.Any) -> Answer:
    """One attempt against a server."""
    with Server(handler) as server:
        if options.get("type") == "tcp":
            options["port"] = server.port
        else:
            scheme = "ws" if options.get("type") == "websocket" else "http"
            options.setdefault("url", f"{scheme}://127.0.0.1:{server.port}/health?x=1")
        if options.get("connect_to") == "here":
            options["connect_to"] = f"127.0.0.1:{server.port}"
        return _probe.attempt(parse({"timeout": 0.5, **options}), candidates)


def test_http() -> None:
    body = {"pid": 42, "status": "ok", "commit": "abc", "db": {"up": True}, "list": [{"a": 1}]}
    expect = {"status": "ok", "db.up": True, "list.0.a": "1"}
    answer = ask(saying(http(body)), pid_field="pid", expect=expect)
    assert answer.ok, answer.reason
    assert answer.pid == 42


@pytest.mark.parametrize(
    ("data", "options", "reason"),
    [
        (http({"a": 1}, "503 Nope"), {}, 'answered 503 (wanted 200): {"a": 1}'),
        (http(b"", "500 x"), {"status": [200, 204]}, "answered 500 (wanted 200 or 204): an empty"),
        (http({"c": "old"}), {"expect": {"c": "new"}}, "answered c=old (wanted new)"),
        (http({"c": {}}), {"expect": {"c.d": "new"}}, "answered c.d=nothing (wanted new)"),
        (http(b"<html>"), {"expect": {"c": 1}}, "answered c=nothing"),
        (b"garbage\r\n\r\n", {}, "answered no HTTP"),
        (b"", {}, "answered no HTTP: RemoteDisconnected"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx", {}, "answered no HTTP"),
    ],
)
def test_http_failures(data: bytes, options: t.Any, reason: str) -> None:
    answer = ask(saying(data), **options)
    assert not answer.ok
    assert answer.connected
    assert reason in answer.reason
    assert answer.reason.startswith("GET http://127.0.0.1:")


def test_the_pid_is_known_for_a_bad_answer_too() -> None:
    answer = ask(saying(http({"pid": 7}, "503 x")), pid_field="pid")
    assert (answer.ok, answer.pid) == (False, 7)


def test_host_header_and_headers_with_another_address() -> None:
    seen: list[bytes] = []

    def handler(connection: socket.socket) -> None:
        seen.append(connection.recv(65536))
        connection.sendall(http({}))

    answer = ask(
        handler, url="http://site.test:8080/x", connect_to="here", headers={"X-Probe": "1"}
    )
    assert answer.ok, answer.reason
    assert b"Host: site.test:8080\r\n" in seen[0]
    assert b"X-Probe: 1\r\n" in seen[0]


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_silence_ends_in_time(kind: str) -> None:
    started = time.monotonic()
    answer = ask(lambda connection: time.sleep(3) or None, type=kind)
    assert time.monotonic() - started < 1.5
    assert "gave no answer within 0.5 s" in answer.reason
    assert answer.connected


def test_a_slow_drip_ends_in_time() -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        for _byte in range(40):
            connection.sendall(b"x")
            time.sleep(0.1)

    started = time.monotonic()
    answer = ask(drip)
    assert time.monotonic() - started < 1.5
    assert not answer.ok


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    answer = _probe.attempt(Probe(type="tcp", port=port))
    assert (answer.ok, answer.connected) == (False, False)
    assert "got no connection: Connection refused" in answer.reason


def test_tcp_and_the_process_that_answers() -> None:
    answer = ask(lambda connection: connection.recv(1) and None, [1, os.getpid()], type="tcp")
    assert answer.ok
    assert answer.pid == os.getpid()
    assert ask(lambda connection: connection.recv(1) and None, type="tcp").pid is None


def upgraded(request: bytes) -> bytes:
    """The right answer to a handshake."""
    key = next(
        line.split(b": ")[1] for line in request.split(b"\r\n") if b"Sec-WebSocket-Key" in line
    )
    digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()  # noqa: S324
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
    )


def websocket(after: t.Callable[[bytes], bytes]) -> Handler:
    """A WebSocket server that answers the first frame with what after makes of its payload."""

    def handler(connection: socket.socket) -> None:
        connection.sendall(upgraded(connection.recv(65536)))
        data = connection.recv(65536)
        mask, masked = data[2:6], data[6:10]
        connection.sendall(after(bytes(a ^ b for a, b in zip(masked, mask))))
        connection.recv(1)

    return handler


def test_websocket() -> None:
    hello = b"\x81\x05hello" + b"\x81\x7e\x01\x00" + b"x" * 256
    answer = ask(
        websocket(lambda ping: hello + b"\x8a\x04" + ping), [os.getpid()], type="websocket"
    )
    assert answer.ok, answer.reason
    assert answer.pid == os.getpid()


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (saying(http({}, "400 Bad Request")), "did not become a WebSocket: HTTP/1.1 400"),
        (
            saying(b"HTTP/1.1 101 x\r\nSec-WebSocket-Accept: bm9wZQ==\r\n\r\n"),
            "handshake of somebody else",
        ),
        (saying(b""), "closed the connection without an answer"),
        (websocket(lambda _ping: b"\x88\x02\x03\xe8"), "closed the WebSocket instead of a pong"),
        (websocket(lambda _ping: b"\x8a\x04nope"), "gave no answer within"),
        (websocket(lambda _ping: b"\x82\x7f" + b"\xff" * 8), "sent too much"),
        (saying(b"x" * 300000), "endless header"),
    ],
)
def test_websocket_failures(handler: Handler, reason: str) -> None:
    answer = ask(handler, type="websocket")
    assert not answer.ok
    assert reason in answer.reason


def test_tls_is_refused_by_a_plain_server() -> None:
    answer = ask(saying(b"HTTP/1.1 400 Bad\r\n\r\n"), url="https://site.test/", connect_to="here")
    assert "speaks no TLS" in answer.reason
    answer = ask(saying(b""), url="https://site.test/", connect_to="here", ca_file="/none/ca.pem")
    assert "there is no ca_file /none/ca.pem" in answer.reason


@pytest.mark.parametrize(
    "options",
    [
        {"url": "ftp://x"},
        {"url": "http://"},
        {"url": "http://x:y/"},
        {"url": "http://x/ y"},
        {"url": "http://x/\r\nA: b"},
        {"type": "websocket", "url": "http://x/"},
        {"type": "tcp"},
        {"type": "tcp", "port": 70000},
        {"type": "icmp"},
        {"url": "http://x/", "headers": {"A": "b\r\nc"}},
        {"url": "http://x/", "headers": {"A b": "c"}},
        {"url": "http://x/", "connect_to": "nowhere"},
        {"url": "http://x/", "successes": 0},
        {"url": "http://x/", "timeout": "soon"},
        {"url": "http://x/", "status": ["ok"]},
        {"url": "http://x/", "colour": "red"},
    ],
)
def test_wrong_descriptions(options: dict[str, t.Any]) -> None:
    with pytest.raises(_probe.ProbeError):
        parse(options)


def test_text_from_templates_is_read() -> None:
    probe = parse({"type": "tcp", "port": "80", "within": "5", "status": "204", "name": None})
    assert (probe.port, probe.within, probe.status) == (80, 5.0, (204,))
    assert probe.shown == "TCP 127.0.0.1:80"
    assert probe.expecting({"a": 1}) is probe
    assert parse({"url": "http://x/", "expect": {"b": 1}}).expecting({"a": 1}).expect == {
        "a": 1,
        "b": 1,
    }


def test_a_row_without_a_break_is_needed() -> None:
    now = [0.0]
    answers = iter([True, True, False, True, True, True])

    def trial(_probe: Probe) -> Answer:
        ok = next(answers)
        return Answer(ok, 0.01, "" if ok else "503")

    outcome = _probe.persist(
        Probe(url="http://x/"), trial, lambda: now[0], lambda s: now.__setitem__(0, now[0] + s)
    )
    result = outcome.as_result(Probe(name="x"))
    assert outcome.ok
    assert (result["attempts"], result["failures"], result["reason"]) == (6, 1, "503")
    assert result["latency_ms"] == {"p50": 10.0, "p95": 10.0, "max": 10.0}


def test_the_time_is_limited() -> None:
    now = [0.0]
    outcome = _probe.persist(
        Probe(url="http://x/", within=2.0, interval=0.25),
        lambda _p: Answer(False, 0.01, "no"),
        lambda: now[0],
        lambda s: now.__setitem__(0, now[0] + s),
    )
    assert not outcome.ok
    assert outcome.attempts == 8
    assert outcome.as_result(Probe(url="http://x/"))["latency_ms"] is None


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["http", "websocket"]))
def test_no_answer_breaks_a_probe(data: bytes, kind: str) -> None:
    assert not ask(saying(data), type=kind, timeout=0.2).ok or kind == "http"
