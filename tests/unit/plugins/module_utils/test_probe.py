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
import subprocess
import sys
import time
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.plugspace.titan.plugins.module_utils import _probe
from ansible_collections.plugspace.titan.plugins.module_utils._probe import Answer, Probe, parse

from .probe_server import Handler, ask, saying


def http(body: t.Any, status: str = "200 OK") -> bytes:
    """An HTTP answer."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


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
        (http(b"\x1b[31m" + b"x" * 300, "500 x"), {}, f"(wanted 200): [31m{'x' * 193}..."),
        (http(b"<p>Sorry"), {"contains": "Welcome"}, "answered without Welcome: <p>Sorry"),
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


def test_http_text() -> None:
    page = "<h1>Grüß Gott</h1>".encode()
    assert ask(saying(http(page)), contains="Grüß").ok


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
        (websocket(lambda _ping: b"\x8a\x04nope"), "accepted the handshake and sent no pong"),
        (websocket(lambda _ping: b"\x82\x7f" + b"\xff" * 8), "sent too much"),
        (
            websocket(lambda _ping: b"\x82\x7f" + b"\0" * 5 + b"\x03\xff\xff" + b"x" * 300000),
            "sent too much",
        ),
        (saying(b"x" * 300000), "endless header"),
    ],
)
def test_websocket_failures(handler: Handler, reason: str) -> None:
    answer = ask(handler, type="websocket")
    assert not answer.ok
    assert reason in answer.reason


def echoing(*before: bytes, after: bytes = b"") -> Handler:
    """A WebSocket server that sends frames, echoes one text, sends more, and pongs at last."""

    def handler(connection: socket.socket) -> None:
        connection.sendall(upgraded(connection.recv(65536)))
        text = unmasked(connection.recv(65536))
        connection.sendall(b"".join(before) + frame(b"echo: " + text) + after)
        connection.sendall(b"\x8a\x04" + unmasked(connection.recv(65536)))
        connection.recv(65536)

    return handler


def unmasked(data: bytes) -> bytes:
    """The payload of a client's frame; OSError when the client is gone."""
    if not data:
        raise ConnectionResetError
    start = 4 if data[1] == 0xFE else 2
    mask, masked = data[start : start + 4], data[start + 4 :]
    return bytes(byte ^ mask[index % 4] for index, byte in enumerate(masked))


def frame(payload: bytes, first: int = 0x81) -> bytes:
    """A server's frame; first: final text by default."""
    return bytes([first, 126]) + len(payload).to_bytes(2, "big") + payload


@pytest.mark.parametrize(
    ("before", "send", "reply"),
    [
        ((), "hi", "hi"),
        ((), "x" * 300, "x" * 300),
        # A greeting, a ping of the server's own, and a message in two parts.
        ((frame(b"welcome"), b"\x89\x00"), "hi", "echo: hi"),
        ((frame(b"auth", 0x01), b"\x89\x00", frame(b"orized", 0x80)), "hi", "authorized"),
    ],
)
def test_websocket_reply(before: tuple[bytes, ...], send: str, reply: str) -> None:
    answer = ask(
        echoing(*before), [os.getpid()], type="websocket", timeout=2, send=send, reply=reply
    )
    assert answer.ok, answer.reason
    assert answer.pid == os.getpid()


def test_websocket_greeting() -> None:
    def greet(connection: socket.socket) -> None:
        connection.sendall(upgraded(connection.recv(65536)) + frame(b"welcome"))
        connection.sendall(b"\x8a\x04" + unmasked(connection.recv(65536)))
        connection.recv(65536)

    answer = ask(greet, type="websocket", reply="welcome")
    assert answer.ok, answer.reason


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        # What came is told, also when the time ran out after it or the server hung up.
        (echoing(), "replied echo: hi (wanted pong)"),
        (echoing(after=b"\x88\x02\x03\xe8"), "replied echo: hi (wanted pong)"),
        (websocket(lambda _text: b"\x88\x02\x03\xe8"), "closed the WebSocket instead of a reply"),
        (websocket(lambda _text: b""), "gave no answer within"),
        (
            websocket(lambda _text: frame(b"x" * 60000, 0x01) + frame(b"x" * 60000, 0x00) * 4),
            "sent too much instead of a reply",
        ),
    ],
)
def test_websocket_without_its_reply(handler: Handler, reason: str) -> None:
    answer = ask(handler, type="websocket", send="hi", reply="pong")
    assert not answer.ok
    assert answer.connected
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
        {"url": "http://x/", "send": "a", "reply": "a"},
        {"url": "ws://x/", "type": "websocket", "send": "a"},
        {"url": "ws://x/", "type": "websocket", "send": "ä" * 40000, "reply": "a"},
        {"url": "ws://x/", "type": "websocket", "contains": "a"},
        {"type": "tcp", "port": 1, "password": "a"},
        {"type": "redis", "username": "a"},
        {"type": "redis", "port": 0},
        {"type": "redis", "role": "primary"},
        {"type": "mongodb", "role": "queen"},
        {"type": "mongodb", "password": "a"},
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


def test_what_is_usual() -> None:
    assert parse({"type": "redis"}).shown == "Redis 127.0.0.1:6379"
    assert parse({"type": "mongodb", "host": "db"}).shown == "MongoDB db:27017"


def test_secrets() -> None:
    options = {
        "api": {"headers": {"Authorization": "Bearer abc", "Accept": "text/html"}},
        "cache": {"type": "redis", "password": "hush-hush"},
        "bare": {"headers": None, "password": None},
        "odd": "text",
    }
    assert _probe.secrets_of(options) == {"Bearer abc", "hush-hush"}
    assert _probe.secrets_of(None) == set()
    assert "hush" not in repr(parse(options["cache"]))


def test_what_a_probe_does_not_need_is_not_imported() -> None:
    heavy = ("ssl", "http.client", "bson", "hashlib", "concurrent.futures")
    program = f"""
import sys
from {_probe.__name__} import attempt, parse
attempt(parse({{"type": "tcp", "port": 1}}))
print([name for name in {heavy} if name in sys.modules])
"""
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    ran = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, env=path
    )
    assert ran.stdout == "[]\n"


@given(st.lists(st.floats(0, 10), min_size=1, max_size=250))
def test_percentiles_are_what_was_measured(latencies: list[float]) -> None:
    told = _probe.Outcome(latencies=latencies).as_result(Probe())["latency_ms"]
    row = [round(one * 1000, 1) for one in sorted(latencies)]
    assert list(told) == ["p50", "p95", "p99", "max"]
    for name, share in {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}.items():
        assert sum(one <= told[name] for one in row) >= len(row) * share - 1e-9
        assert told[name] in row


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
    assert result["latency_ms"] == {"p50": 10.0, "p95": 10.0, "p99": 10.0, "max": 10.0}


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
@given(st.binary(max_size=200), st.sampled_from(["http", "websocket", "redis", "mongodb"]))
def test_no_answer_breaks_a_probe(data: bytes, kind: str) -> None:
    assert not ask(saying(data), type=kind, timeout=0.2).ok or kind == "http"


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=200))
def test_no_frame_breaks_a_conversation(data: bytes) -> None:
    answer = ask(
        websocket(lambda _text: data), type="websocket", timeout=0.2, send="a", reply="never"
    )
    assert not answer.ok
