# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Redis client against small real servers."""

from __future__ import annotations

import socket
import threading
import time
import typing as t

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils._redis import (
    MAX_REPLY,
    RedisError,
    look,
    observe,
    parse_info,
)

INFO = """# Server\r
redis_version:7.0.15\r
uptime_in_seconds:3600\r
loading:0\r
# Memory\r
used_memory:1048576\r
maxmemory:2097152\r
maxmemory_policy:noeviction\r
role:master\r
connected_slaves:1\r
rdb_last_bgsave_status:ok\r
"""


class FakeClient:
    """Answers from a table and remembers what it was asked."""

    def __init__(self, info: str = INFO) -> None:
        self.info = info
        self.calls: list[tuple[str, ...]] = []

    def call(self, *words: str) -> str:
        self.calls.append(words)
        return self.info if words == ("INFO",) else "OK"


@pytest.fixture
def serve() -> t.Iterator[t.Callable[[list[bytes]], int]]:
    """Start servers that give one prepared answer for each thing that they receive."""
    listeners: list[socket.socket] = []

    def start(answers: list[bytes]) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def run() -> None:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                for one in answers:
                    if not connection.recv(65536):
                        return
                    try:
                        connection.sendall(one)
                    except OSError:
                        return

        threading.Thread(target=run, daemon=True).start()
        return int(listener.getsockname()[1])

    yield start
    for listener in listeners:
        listener.close()


def bulk(text: str) -> bytes:
    return b"$%d\r\n%s\r\n" % (len(text), text.encode())


def test_fields_of_info() -> None:
    assert parse_info("# A\r\nx:1\r\n\r\ny:a:b\r\n") == {"x": "1", "y": "a:b"}


def test_master() -> None:
    client = FakeClient()
    assert observe(client, "", "") == {
        "version": "7.0.15",
        "role": "master",
        "uptime_s": 3600,
        "clients": 0,
        "loading": False,
        "memory": {
            "used_bytes": 1048576,
            "max_bytes": 2097152,
            "policy": "noeviction",
        },
        "save_ok": True,
        "replicas": 1,
        "master": None,
    }
    assert client.calls == [("PING",), ("INFO",)]


def test_replica_names_its_master_and_login_comes_first() -> None:
    client = FakeClient(
        "role:slave\r\nmaster_host:titan1\r\nmaster_port:6379\r\nmaster_link_status:down\r\n"
        "master_last_io_seconds_ago:-1\r\nrdb_last_bgsave_status:err\r\n"
    )
    found = observe(client, "ops", "hush")
    assert client.calls[0] == ("AUTH", "ops", "hush")
    assert found["master"] == {"address": "titan1:6379", "link": "down", "silent_s": -1}
    assert found["save_ok"] is False


def test_whole_conversation(serve: t.Callable[[list[bytes]], int]) -> None:
    port = serve([b"+OK\r\n", b"+PONG\r\n", bulk(INFO)])
    found = look("127.0.0.1", port, "", "hush", 2)
    assert (found["state"], found["error"], found["role"]) == ("ok", "", "master")


@pytest.mark.parametrize(
    ("answers", "state", "words"),
    [
        ([b"-NOAUTH Authentication required.\r\n"], "auth", "NOAUTH"),
        ([b"-WRONGPASS invalid username-password pair\r\n"], "auth", "WRONGPASS"),
        ([b"-ERR invalid password\r\n"], "auth", "invalid password"),
        ([b"-LOADING Redis is loading\r\n"], "loading", "LOADING"),
        ([b"-ERR odd\r\n"], "error", "odd"),
        ([b"HTTP/1.1 400 Bad Request\r\n"], "foreign", "does not speak Redis"),
        ([b"+PONG\r\n", b"$99999999999\r\n"], "foreign", "does not speak Redis"),
        ([b"+PONG\r\n", b"$-1\r\n"], "foreign", "does not speak Redis"),
        ([b"+PONG\r\n", b"+" + b"x" * (MAX_REPLY + 99)], "foreign", "more than"),
        ([], "closed", "closed"),
        ([b"+PO"], "closed", "closed"),
    ],
)
def test_answers_that_are_none(
    serve: t.Callable[[list[bytes]], int], answers: list[bytes], state: str, words: str
) -> None:
    found = look("127.0.0.1", serve(answers), "", "", 2)
    assert found["state"] == state
    assert words in found["error"]


def test_hanging_and_missing_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        started = time.monotonic()
        assert look("127.0.0.1", port, "", "", 0.3)["state"] == "hung"
        assert time.monotonic() - started < 1
    found = look("127.0.0.1", port, "", "", 1)
    assert found == {"state": "refused", "error": f"127.0.0.1:{port} refused the connection"}
    assert look("host.invalid", 1, "", "", 1)["state"] == "unreachable"


def test_slow_drip_ends_at_the_one_time_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                while not stop.wait(0.05):
                    connection.sendall(b"+")

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        started = time.monotonic()
        found = look("127.0.0.1", listener.getsockname()[1], "", "", 0.4)
        stop.set()
        thread.join(2)
        assert found["state"] == "hung"
        assert time.monotonic() - started < 1.5


def test_error_carries_its_state() -> None:
    assert RedisError("auth", "no").state == "auth"
