# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible starts it."""

from __future__ import annotations

import json
import socket
import threading

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.plugspace.titan.plugins.modules import redis_info

SECRET = "hunter2-hunter2"


def test_server_that_tells_the_password_is_masked(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(f"-ERR unknown command, with args: {SECRET}\r\n".encode())

        threading.Thread(target=answer, daemon=True).start()
        arguments = {"port": listener.getsockname()[1], "password": SECRET}
        with patch_module_args(arguments), pytest.raises(SystemExit) as ended:
            redis_info.main()
    output = capsys.readouterr().out
    assert ended.value.code == 0
    assert SECRET not in output
    result = json.loads(output)
    assert (result["changed"], result["state"]) == (False, "error")


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, "of-the-environment"),
        ({"password": "of-the-task"}, "of-the-task"),
        ({"password": ""}, ""),
    ],
)
def test_the_environment_has_the_password_where_the_task_has_none(
    given: dict[str, str],
    sent: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("REDISCLI_AUTH", "of-the-environment")
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                heard.append(connection.recv(4096))
                connection.sendall(b"-ERR no\r\n")

        threading.Thread(target=answer, daemon=True).start()
        arguments = {"port": listener.getsockname()[1], **given}
        with patch_module_args(arguments), pytest.raises(SystemExit):
            redis_info.main()
    assert (f"AUTH\r\n${len(sent)}\r\n{sent}".encode() in heard[0]) is bool(sent)
    assert "of-the-environment" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"port": 70000}, "port is a number from 1 to 65535"),
        ({"pings": 0}, "pings is a number from 1 to 100"),
        ({"pings": 101}, "pings is a number from 1 to 100"),
        ({"slowlog": -1}, "slowlog is a number from 0 to 128"),
        ({"slowlog": 129}, "slowlog is a number from 0 to 128"),
    ],
)
def test_numbers_have_limits(
    options: dict[str, int], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with patch_module_args(options), pytest.raises(SystemExit):
        redis_info.main()
    result = json.loads(capsys.readouterr().out)
    assert (result["failed"], result["msg"]) == (True, message)
