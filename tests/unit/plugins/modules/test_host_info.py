# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible starts it, with a stand-in for psutil."""

from __future__ import annotations

import json
import os
import socket
import types
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.plugspace.titan.plugins.module_utils import _host_sockets
from ansible_collections.plugspace.titan.plugins.modules import host_info


class FakeError(Exception):
    """What psutil raises."""


class Address(t.NamedTuple):
    """As psutil tells an address; one that is not known is an empty tuple."""

    ip: str
    port: int


def connection(
    kind: socket.SocketKind, status: str, laddr: t.Any, raddr: t.Any = (), pid: int | None = None
) -> types.SimpleNamespace:
    return types.SimpleNamespace(type=kind, status=status, laddr=laddr, raddr=raddr, pid=pid)


HERE = Address("127.0.0.1", 4000)
THERE = Address("10.0.0.1", 50000)
CONNECTIONS = [
    connection(socket.SOCK_STREAM, "LISTEN", HERE, pid=os.getpid()),
    connection(socket.SOCK_STREAM, "LISTEN", Address("::", 22)),
    connection(socket.SOCK_STREAM, "ESTABLISHED", HERE, THERE, pid=1),
    connection(socket.SOCK_STREAM, "TIME_WAIT", Address("127.0.0.1", 53394), THERE),
    connection(socket.SOCK_DGRAM, "NONE", Address("0.0.0.0", 53), pid=1),
    connection(socket.SOCK_DGRAM, "NONE", HERE, THERE, pid=1),
    connection(socket.SOCK_DGRAM, "NONE", ()),
]


@pytest.fixture(autouse=True)
def psutil(monkeypatch: pytest.MonkeyPatch) -> types.SimpleNamespace:
    fake = types.SimpleNamespace(
        CONN_LISTEN="LISTEN", Error=FakeError, net_connections=lambda kind: CONNECTIONS
    )
    monkeypatch.setattr(_host_sockets, "psutil", fake, raising=False)
    monkeypatch.setattr(_host_sockets, "HAS_PSUTIL", True)
    return fake


def run(capsys: pytest.CaptureFixture[str], **arguments: t.Any) -> dict[str, t.Any]:
    with patch_module_args(arguments), pytest.raises(SystemExit):
        host_info.main()
    result: dict[str, t.Any] = json.loads(capsys.readouterr().out)
    return result


@pytest.mark.parametrize("check_mode", [False, True])
def test_reads_and_changes_nothing(check_mode: bool, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, _ansible_check_mode=check_mode)
    assert result["changed"] is False
    assert result["memory"]["total_bytes"] > 0
    assert result["load"]["cpus"] > 0
    assert result["units"] == []
    assert (result["processes"], result["listeners"], result["oom_kills"]) == (None, None, None)
    assert result["errors"] == {}


def test_who_listens(capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, listeners=True)
    assert [
        (row["port"], row["protocol"], row["address"], row["pid"]) for row in result["listeners"]
    ] == [
        (22, "tcp", "::", None),
        (53, "udp", "0.0.0.0", 1),
        (4000, "tcp", "127.0.0.1", os.getpid()),
    ]
    assert result["errors"] == {}


def test_processes_need_no_library(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_host_sockets, "HAS_PSUTIL", False)
    result = run(capsys, processes=1, pids=[os.getpid()], interval=0.1, listeners=True)
    assert os.getpid() in {row["pid"] for row in result["processes"]["kept"]}
    assert list(result["errors"]) == ["listeners"]
    assert "psutil" in result["errors"]["listeners"]


def test_a_library_that_fails_is_told(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    psutil: types.SimpleNamespace,
) -> None:
    def fail(kind: str) -> t.NoReturn:
        raise FakeError("no sockets here")

    monkeypatch.setattr(psutil, "net_connections", fail)
    result = run(capsys, listeners=True)
    assert result["errors"] == {"listeners": "psutil: no sockets here"}


def test_a_wrong_question_fails(capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, processes=5, interval=9)
    assert result["failed"] is True
    assert result["msg"].startswith(
        "interval (9 s) must be more than 0 and less than timeout (5 s)"
    )
