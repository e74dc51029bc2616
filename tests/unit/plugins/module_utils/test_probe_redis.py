# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probe of Redis, against what a Redis 7.0 answered."""

from __future__ import annotations

import os
import socket

import pytest

from .probe_server import Handler, ask, saying


def answering(*answers: bytes) -> Handler:
    """A server that has one answer for each command."""

    def handler(connection: socket.socket) -> None:
        for answer in answers:
            connection.recv(65536)
            connection.sendall(answer)
        connection.recv(1)

    return handler


def test_it_answers() -> None:
    answer = ask(answering(b"+PONG\r\n"), [os.getpid()], type="redis")
    assert answer.ok, answer.reason
    assert answer.pid == os.getpid()


@pytest.mark.parametrize(
    ("username", "login"),
    [
        ("", b"*2\r\n$4\r\nAUTH\r\n$9\r\nhush-hush\r\n"),
        ("ops", b"*3\r\n$4\r\nAUTH\r\n$3\r\nops\r\n$9\r\nhush-hush\r\n"),
    ],
)
def test_it_logs_in(username: str, login: bytes) -> None:
    seen = []

    def handler(connection: socket.socket) -> None:
        for answer in (b"+OK\r\n", b"+PONG\r\n"):
            seen.append(connection.recv(65536))
            connection.sendall(answer)
        connection.recv(1)

    assert ask(handler, type="redis", username=username, password="hush-hush").ok
    assert seen == [login, b"*1\r\n$4\r\nPING\r\n"]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"-NOAUTH Authentication required.", "answered: NOAUTH Authentication required. (auth)"),
        (b"-LOADING Redis is loading the dataset in memory", "dataset in memory (loading)"),
        (
            b"-BUSY Redis is busy running a script. You can only call SCRIPT KILL or"
            b" SHUTDOWN NOSAVE.",
            "SHUTDOWN NOSAVE. (busy)",
        ),
        (b"-MISCONF Redis is configured to save RDB snapshots, but", "snapshots, but (misconf)"),
        (b"-MASTERDOWN Link with MASTER is down", "Link with MASTER is down (replica)"),
        (b"HTTP/1.1 400 Bad Request", "does not speak Redis: 'HTTP/1.1 400 Bad Request' (foreign)"),
        (b"+HELLO", "answered PING with something else (foreign)"),
    ],
)
def test_it_says_what_is_wrong(said: bytes, reason: str) -> None:
    answer = ask(saying(said + b"\r\n", close=False), [os.getpid()], type="redis")
    assert (answer.ok, answer.connected, answer.pid) == (False, True, os.getpid())
    assert answer.reason.startswith("Redis 127.0.0.1:")
    assert answer.reason.endswith(reason)


def test_the_password_comes_back_from_no_server() -> None:
    answer = ask(
        saying(b"-ERR unknown command, with args: hush-hush\r\n"),
        type="redis",
        password="hush-hush",
    )
    assert "unknown command" in answer.reason
    assert "hush" not in answer.reason


def test_silence_ends_in_time() -> None:
    assert "gave no answer within 1 s" in ask(answering(b""), type="redis", timeout=1).reason
