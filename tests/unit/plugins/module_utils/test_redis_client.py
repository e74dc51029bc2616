# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Redis client against small real servers, and its reader against any bytes."""

from __future__ import annotations

import contextlib
import io
import socket
import ssl
import threading
import time
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.plugspace.titan.plugins.module_utils._redact import Redactor
from ansible_collections.plugspace.titan.plugins.module_utils._redis_client import (
    MAX_DEPTH,
    MAX_ITEMS,
    MAX_REPLY,
    Limit,
    Reader,
    RedisError,
    SocketClient,
    connect,
)


def reader(data: bytes, piece: int = 65536, secret: str = "") -> Reader:
    """A reader of these bytes, which come in pieces and then end."""
    source = io.BytesIO(data)
    return Reader(lambda: source.read(piece), Redactor([secret]))


@pytest.mark.parametrize("piece", [1, 3, 65536])
@pytest.mark.parametrize(
    ("data", "reply"),
    [
        (b"+PONG\r\n", "PONG"),
        (b"+\r\n", ""),
        (b":-7\r\n", -7),
        (b"$5\r\na\r\nbc\r\n", "a\r\nbc"),
        (b"$0\r\n\r\n", ""),
        (b"$-1\r\n", None),
        (b"*-1\r\n", None),
        (b"*0\r\n", []),
        (b"*3\r\n:1\r\n*1\r\n$1\r\na\r\n$-1\r\n", [1, ["a"], None]),
        (b"$2\r\n\xff\xfe\r\n", "\ufffd\ufffd"),
    ],
)
def test_replies(data: bytes, reply: object, piece: int) -> None:
    read = reader(data + b"+next\r\n", piece)
    assert read.reply() == reply
    assert read.reply() == "next"


def test_an_error_within_an_array_is_one_of_its_elements() -> None:
    reply = reader(b"*2\r\n-NOPERM no\r\n:1\r\n").reply()
    assert isinstance(reply, list)
    assert isinstance(reply[0], RedisError)
    assert (reply[0].state, reply[1]) == ("auth", 1)


@pytest.mark.parametrize(
    ("data", "state", "words"),
    [
        (b"", "closed", "closed the connection"),
        (b"+PO", "closed", "closed the connection"),
        (b"$5\r\nab", "closed", "closed the connection"),
        (b"HTTP/1.1 400 Bad Request\r\n", "foreign", "does not speak Redis: 'HTTP/1.1 400 Bad"),
        (b":1.5\r\n", "foreign", "does not speak"),
        (":\u00b2\r\n".encode(), "foreign", "does not speak"),
        (b"$-2\r\n", "foreign", "does not speak"),
        (b"$99999999999\r\n", "foreign", "does not speak"),
        (b"$1\r\nabc\r\n", "foreign", "does not speak"),
        (b"*" + b"9" * 5000 + b"\r\n", "foreign", "does not speak"),
        (b"*%d\r\n" % (MAX_ITEMS + 1), "foreign", "more than 16384 elements"),
        (b"*%d\r\n" % MAX_ITEMS * 2, "foreign", "more than 16384 elements"),
        (b"*1\r\n" * (MAX_DEPTH + 1), "foreign", "does not speak"),
        (b"+" + b"x" * (MAX_REPLY + 99), "foreign", "more than 1048576 bytes"),
        (b"*2\r\n" + b"$900000\r\n%s\r\n" % (b"x" * 900000) * 2, "foreign", "more than"),
    ],
)
def test_what_is_no_reply(data: bytes, state: str, words: str) -> None:
    with pytest.raises(RedisError, match=words) as raised:
        reader(data).reply()
    assert raised.value.state == state


def test_depth_up_to_the_limit() -> None:
    assert reader(b"*1\r\n" * MAX_DEPTH + b":1\r\n").reply() == [[[[[[[[1]]]]]]]]


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("NOAUTH Authentication required.", "auth"),
        ("WRONGPASS invalid username-password pair or user is disabled.", "auth"),
        ("NOPERM this user has no permissions to run the 'info' command", "auth"),
        ("ERR invalid password", "auth"),
        ("ERR AUTH <password> called without any password configured for the default", "auth"),
        ("ERR Client sent AUTH, but no password is set", "auth"),
        ("LOADING Redis is loading the dataset in memory", "loading"),
        ("BUSY Redis is busy running a script.", "busy"),
        ("MISCONF Redis is configured to save RDB snapshots", "misconf"),
        ("OOM command not allowed when used memory > 'maxmemory'.", "oom"),
        ("MASTERDOWN Link with MASTER is down", "replica"),
        ("ERR max number of clients reached", "error"),
        ("", "error"),
    ],
)
def test_errors_have_a_state(text: str, state: str) -> None:
    reply = reader(f"-{text}\r\n".encode()).reply()
    assert isinstance(reply, RedisError)
    assert (reply.state, str(reply)) == (state, f"answered: {text}")


def test_a_secret_is_masked_before_the_text_is_cut() -> None:
    reply = reader(b"-ERR " + b"x" * 190 + b" hush-hush\r\n", secret="hush-hush").reply()
    assert "hush" not in str(reply)
    with pytest.raises(RedisError) as raised:
        reader(b"x" * 55 + b"hush-hush\r\n", secret="hush-hush").reply()
    assert "hush" not in str(raised.value)


tokens = st.sampled_from(
    [
        b"+",
        b"-",
        b":",
        b"$",
        b"*",
        b"\r\n",
        b"\r",
        b"\n",
        b"0",
        b"1",
        b"3",
        b"-1",
        b"*2\r\n",
        b"$3\r\nabc\r\n",
    ]
)


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=300), st.lists(tokens, max_size=80).map(b"".join)))
def test_any_bytes_are_replies_and_then_an_error(data: bytes) -> None:
    def drain(read: Reader) -> None:
        while True:
            read.reply()

    with pytest.raises(RedisError):
        drain(reader(data, 7))


@settings(max_examples=20, deadline=None)
@given(st.sampled_from([b"*9\r\n", b"*1\r\n", b"$1000\r\n", b"x", b"+a", b":1\r\n", b"*\r\n"]))
def test_a_stream_without_end_takes_bounded_memory(piece: bytes) -> None:
    taken = [0]

    def endless() -> bytes:
        taken[0] += 65536
        return (piece * (65536 // len(piece) + 1))[:65536]

    read = Reader(endless, Redactor())
    with contextlib.suppress(RedisError):
        read.reply()
    assert taken[0] <= MAX_REPLY + 2 * 65536


# -- over a socket ---------------------------------------------------------------------------


@contextlib.contextmanager
def serving(handler: t.Callable[[socket.socket], object]) -> t.Iterator[int]:
    """A port whose first connection is the handler's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            with contextlib.suppress(OSError):
                connection, _address = listener.accept()
                with connection:
                    handler(connection)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
    thread.join(2)


def call(port: int, *words: str, seconds: float = 2.0) -> t.Any:
    """Connect and ask once."""
    limit = Limit(seconds)
    with contextlib.closing(connect("127.0.0.1", port, limit)) as connection:
        return SocketClient(connection, limit).call(*words)


def test_a_command_is_sent_as_it_is() -> None:
    seen = []

    def handler(connection: socket.socket) -> None:
        seen.append(connection.recv(65536))
        connection.sendall(b"+OK\r\n")

    with serving(handler) as port:
        assert call(port, "AUTH", "gr\u00fc\udcff n") == "OK"
    assert seen == [b"*2\r\n$4\r\nAUTH\r\n$7\r\ngr\xc3\xbc\xff n\r\n"]


def test_a_slow_drip_ends_at_the_one_time_limit() -> None:
    stop = threading.Event()

    def drip(connection: socket.socket) -> None:
        while not stop.wait(0.05):
            connection.sendall(b"+")

    started = time.monotonic()
    with serving(drip) as port:
        with pytest.raises(RedisError, match=r"did not answer within 0\.4 s"):
            call(port, "PING", seconds=0.4)
        assert time.monotonic() - started < 1.5
        stop.set()


def test_a_reset_connection() -> None:
    class Reset:
        def settimeout(self, seconds: float) -> None: ...

        def sendall(self, data: bytes) -> None:
            raise ConnectionResetError(104, "Connection reset by peer")

    with pytest.raises(RedisError, match=r"closed the connection: .*reset") as raised:
        SocketClient(Reset(), Limit(1)).call("PING")
    assert raised.value.state == "closed"


def test_nobody_takes_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def connecting(_address: object, timeout: float) -> t.NoReturn:
        raise socket.timeout("timed out")

    monkeypatch.setattr(socket, "create_connection", connecting)
    with pytest.raises(RedisError, match="did not answer within 2 s") as raised:
        connect("127.0.0.1", 1, Limit(2))
    assert raised.value.state == "hung"


def test_no_time_is_left() -> None:
    with pytest.raises(RedisError, match="did not answer within 0 s"):
        connect("127.0.0.1", 1, Limit(0))


@pytest.mark.parametrize("host", ["host.invalid", "a..b"])
def test_unreachable(host: str) -> None:
    with pytest.raises(RedisError, match="cannot be reached") as raised:
        connect(host, 1, Limit(2))
    assert raised.value.state == "unreachable"


@pytest.mark.parametrize(
    ("handler", "host", "ca_file", "state", "words"),
    [
        (
            lambda one: one.sendall(b"-ERR odd\r\n") or one.recv(9),
            "127.0.0.1",
            "",
            "tls",
            "speaks no TLS",
        ),
        (lambda one: time.sleep(1), "127.0.0.1", "", "hung", "did not answer within 0.5 s"),
        (
            lambda one: one.recv(9),
            "127.0.0.1",
            "/none/ca.pem",
            "tls",
            "there is no ca_file /none/ca",
        ),
    ],
)
def test_tls_fails(handler: t.Any, host: str, ca_file: str, state: str, words: str) -> None:
    with serving(handler) as port, pytest.raises(RedisError) as raised:
        connect(host, port, Limit(0.5), tls=True, ca_file=ca_file)
    assert (raised.value.state, words in str(raised.value)) == (state, True)


class Context:
    """A TLS context that answers as told."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error
        self.asked: list[str] = []

    def wrap_socket(self, plain: socket.socket, server_hostname: str) -> socket.socket:
        self.asked.append(server_hostname)
        if self.error:
            raise self.error
        return plain


def bad_certificate() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError()
    error.verify_message = "certificate has expired"
    return error


@pytest.mark.parametrize(
    ("error", "state", "words"),
    [
        (bad_certificate(), "tls", "shows a bad certificate: certificate has expired"),
        (ConnectionResetError("reset"), "closed", "closed the connection: reset"),
    ],
)
def test_tls_is_refused(
    monkeypatch: pytest.MonkeyPatch, error: Exception, state: str, words: str
) -> None:
    monkeypatch.setattr(ssl, "create_default_context", lambda cafile: Context(error))
    with serving(lambda one: one.recv(9)) as port, pytest.raises(RedisError) as raised:
        connect("127.0.0.1", port, Limit(2), tls=True)
    assert (raised.value.state, str(raised.value)) == (state, words)


def test_tls_checks_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    context = Context(None)
    monkeypatch.setattr(ssl, "create_default_context", lambda cafile: context)
    with serving(lambda one: one.recv(9)) as port:
        connect("127.0.0.1", port, Limit(2), tls=True).close()
    assert context.asked == ["127.0.0.1"]
