# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client: every state of a daemon has its own error, and nothing takes longer than allowed."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import threading
import time
import typing as t

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.plugspace.titan.plugins.module_utils import _pm2_client as client_module
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_client import Pm2Client
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_wire import WireError

from .fake_daemon import FakeDaemon, answer, frame, refuse


def connect(home: str, timeout: float = 1.0, uid: int | None = None) -> Pm2Client:
    """A client of the daemon in home."""
    return Pm2Client(home, os.geteuid() if uid is None else uid, timeout)


def test_reads_and_acts(home: str) -> None:
    def reply(method: str, _argument: t.Any, request_id: bytes) -> bytes:
        values = {"getMonitorData": [{"name": "api"}, "junk"], "getVersion": "7.0.4"}
        return answer(values.get(method, {}), request_id)

    with FakeDaemon(home, reply) as daemon, connect(home) as client:
        assert client.processes() == [{"name": "api"}]
        assert client.version() == "7.0.4"
        client.act("reload", 3, 1.0)
        client.act("delete", 4, 1.0)
        assert client.peer_pid == os.getpid()
    assert daemon.calls[-2:] == [
        ("reloadProcessId", {"id": 3, "env": {}}),
        ("deleteProcessId", 4),
    ]


def test_nothing_there_is_absent(home: str) -> None:
    for path in (home, os.path.join(home, "missing")):
        with connect(path) as client, pytest.raises(client_module.AbsentError):
            client.version()
    assert os.listdir(home) == []


def test_a_socket_without_a_daemon_is_stale(home: str) -> None:
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(os.path.join(home, "rpc.sock"))
    with connect(home) as client, pytest.raises(client_module.StaleError, match="was killed"):
        client.version()


def test_silence_is_hung(home: str) -> None:
    with FakeDaemon(home, lambda *_: None), connect(home, 0.3) as client:
        started = time.monotonic()
        with pytest.raises(client_module.HungError, match="did not answer getVersion"):
            client.version()
        assert time.monotonic() - started < 1


def test_a_slow_drip_ends_in_time(home: str) -> None:
    stop = time.monotonic() + 5
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.join(home, "rpc.sock"))
        listener.listen()
        client = connect(home, 0.4)

        def drip() -> None:
            connection, _address = listener.accept()
            with connection:
                connection.sendall(b"\x12\x00\x10\x00\x00")
                while time.monotonic() < stop:
                    try:
                        connection.sendall(b"x")
                    except OSError:
                        return
                    time.sleep(0.05)

        thread = threading.Thread(target=drip)
        thread.start()
        started = time.monotonic()
        with pytest.raises(client_module.HungError):
            client.version()
        assert time.monotonic() - started < 1.5
        thread.join()


@pytest.mark.parametrize("data", [b"", b"garbage", b"\x12\xff\xff\xff\xff", frame(b"x", b"s:1")])
def test_nonsense_is_a_protocol_error(home: str, data: bytes) -> None:
    with (
        FakeDaemon(home, lambda *_: data),
        connect(home) as client,
        pytest.raises(client_module.ProtocolError),
    ):
        client.version()


def test_a_list_that_is_none(home: str) -> None:
    with (
        FakeDaemon(home, lambda _m, _a, i: answer({}, i)),
        connect(home) as client,
        pytest.raises(client_module.ProtocolError, match="not a list"),
    ):
        client.processes()


def test_a_refusal_is_told_and_the_connection_lives(home: str) -> None:
    def reply(method: str, _argument: t.Any, request_id: bytes) -> bytes:
        if method == "getVersion":
            return answer("7.0.4", request_id)
        return refuse("9 id unknown", request_id)

    with FakeDaemon(home, reply), connect(home) as client:
        with pytest.raises(client_module.RefusedError, match="PM2 refused stopProcessId: 9 id"):
            client.act("stop", 9, 1.0)
        assert client.version() == "7.0.4"


def test_late_answers_of_earlier_calls_are_passed_over(home: str) -> None:
    def reply(_method: str, _argument: t.Any, request_id: bytes) -> bytes:
        late = answer("of another", b"t0n0") + refuse("another", b"t0n1")
        return late + answer("7.0.4", request_id)

    with FakeDaemon(home, reply), connect(home) as client:
        assert client.version() == "7.0.4"


def test_another_users_home_is_foreign(home: str) -> None:
    with (
        FakeDaemon(home, lambda *_: b""),
        connect(home, uid=os.geteuid() + 1) as client,
        pytest.raises(client_module.ForeignError, match="become_user"),
    ):
        client.version()


def test_another_users_daemon_is_foreign(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pm2Client, "_check_owner", lambda _self: None)
    with (
        FakeDaemon(home, lambda *_: b""),
        connect(home, uid=12345) as client,
        pytest.raises(client_module.ForeignError, match="the daemon"),
    ):
        client.version()


def test_a_file_in_place_of_the_socket(home: str) -> None:
    with open(os.path.join(home, "rpc.sock"), "w", encoding="utf-8"):
        pass
    with connect(home) as client, pytest.raises(client_module.ProtocolError, match="not a socket"):
        client.version()


def test_a_path_that_is_too_long() -> None:
    with (
        connect("/" + "x" * 120) as client,
        pytest.raises(client_module.Pm2Error, match="shorter pm2_home"),
    ):
        client.version()


def test_a_refused_call_never_leaves(home: str) -> None:
    with FakeDaemon(home, lambda *_: b"") as daemon, connect(home) as client:
        with pytest.raises(WireError, match="not on the list"):
            client.call("killMe", {})
        assert daemon.calls == []


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.binary(max_size=300))
def test_no_input_hangs_or_crashes_the_client(data: bytes) -> None:
    home = tempfile.mkdtemp(prefix="h")
    try:
        with FakeDaemon(home, lambda *_: data or None), connect(home, 0.05) as client:
            started = time.monotonic()
            with pytest.raises(client_module.Pm2Error):
                client.processes()
            assert time.monotonic() - started < 2
    finally:
        shutil.rmtree(home)


def test_user_name_of_nobody_known() -> None:
    assert client_module.user_name(0) == "root"
    assert client_module.user_name(3999999) == "3999999"
