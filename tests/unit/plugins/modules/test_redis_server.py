# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible starts it, against a server that answers as Redis 7.0.15 does."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import started_module

from ansible_collections.plugspace.titan.plugins.modules import redis_server

SECRET = "hunter2-hunter2"
BUSY = "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."
UNKILLABLE = (
    "-UNKILLABLE Sorry the script already executed write commands against the dataset. You can"
    " either wait the script termination or kill the server in a hard way using the SHUTDOWN"
    " NOSAVE command."
)


class Recorder:
    """Answers one connection, in this order, and keeps what it was asked."""

    def __init__(self, answers: Sequence[str]) -> None:
        self.asked: list[str] = []
        self._answers = list(answers)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        connection, _peer = self._listener.accept()
        with connection, connection.makefile("rb") as stream:
            for answer in self._answers:
                count = int(stream.readline()[1:] or 0)
                words = []
                for _word in range(count):
                    length = int(stream.readline()[1:])
                    words.append(stream.read(length + 2).strip().decode())
                self.asked.append(" ".join(words))
                connection.sendall(answer.encode() + b"\r\n")


@pytest.fixture
def servers() -> Iterator[list[Recorder]]:
    made: list[Recorder] = []
    yield made
    for server in made:
        server.close()


def persistence(running: int, status: str) -> str:
    text = f"rdb_bgsave_in_progress:{running}\r\nrdb_last_bgsave_status:{status}\r\n"
    return f"${len(text)}\r\n{text}"


CASES: dict[str, tuple[dict[str, Any], list[str], list[str], dict[str, Any]]] = {
    "a script is ended": (
        {"action": "kill_script"},
        ["+OK"],
        ["SCRIPT KILL"],
        {"changed": True, "output": ""},
    ),
    "a function is ended": (
        {"action": "kill_function"},
        ["+OK"],
        ["FUNCTION KILL"],
        {"changed": True},
    ),
    "it has ended by itself": (
        {"action": "kill_script"},
        ["-NOTBUSY No scripts in execution right now."],
        ["SCRIPT KILL"],
        {"changed": False},
    ),
    "it has written": (
        {"action": "kill_script"},
        [UNKILLABLE],
        ["SCRIPT KILL"],
        {"changed": False, "output": f"answered: {UNKILLABLE[1:]}"[:210]},
    ),
    "it may not": (
        {"action": "kill_script"},
        ["-NOPERM this user has no permissions to run the 'script|kill' command"],
        ["SCRIPT KILL"],
        {"failed": True},
    ),
    "check mode ends nothing": (
        {"action": "kill_script", "_check": True},
        [BUSY],
        ["PING"],
        {"changed": True},
    ),
    "check mode, and nothing to end": (
        {"action": "kill_script", "_check": True},
        ["+PONG"],
        ["PING"],
        {"changed": False},
    ),
    "check mode, and it is no Redis": (
        {"action": "kill_script", "_check": True},
        ["-ERR no"],
        ["PING"],
        {"failed": True},
    ),
    "a snapshot": (
        {"action": "save"},
        ["+Background saving started", persistence(1, "err"), persistence(0, "ok")],
        ["BGSAVE", "INFO persistence", "INFO persistence"],
        {"changed": True},
    ),
    "one is under way": (
        {"action": "save"},
        ["-ERR Background save already in progress", persistence(0, "ok")],
        ["BGSAVE", "INFO persistence"],
        {"changed": True},
    ),
    "it fails again": (
        {"action": "save"},
        ["+Background saving started", persistence(0, "err")],
        ["BGSAVE", "INFO persistence"],
        {"failed": True},
    ),
    "it will not begin": (
        {"action": "save"},
        ["-ERR Can't BGSAVE while AOF"],
        ["BGSAVE"],
        {"failed": True},
    ),
    "check mode saves nothing": ({"action": "save", "_check": True}, [], [], {"changed": True}),
    "more memory": (
        {"action": "set_maxmemory", "maxmemory": "384mb"},
        ["*2\r\n$9\r\nmaxmemory\r\n$9\r\n268435456", "+OK"],
        ["CONFIG GET maxmemory", "CONFIG SET maxmemory 402653184"],
        {"changed": True},
    ),
    "it has it": (
        {"action": "set_maxmemory", "maxmemory": "1GB"},
        ["*2\r\n$9\r\nmaxmemory\r\n$10\r\n1073741824"],
        ["CONFIG GET maxmemory"],
        {"changed": False},
    ),
    "check mode gives none": (
        {"action": "set_maxmemory", "maxmemory": "2", "_check": True},
        ["*2\r\n$9\r\nmaxmemory\r\n$1\r\n1"],
        ["CONFIG GET maxmemory"],
        {"changed": True},
    ),
}


@pytest.mark.parametrize(
    ("options", "answers", "asked", "expected"), CASES.values(), ids=CASES.keys()
)
def test_action(
    options: dict[str, Any],
    answers: list[str],
    asked: list[str],
    expected: dict[str, Any],
    servers: list[Recorder],
) -> None:
    server = Recorder(answers)
    servers.append(server)
    wanted = {name: value for name, value in options.items() if name != "_check"}
    result = started_module.result(
        redis_server, bool(options.get("_check")), port=server.port, **wanted
    )
    assert {name: result.get(name) for name in expected} == expected, result
    assert server.asked == asked


def test_the_password_is_said_and_never_shown(servers: list[Recorder]) -> None:
    server = Recorder(["+OK", f"-ERR what is {SECRET}?"])
    servers.append(server)
    result = started_module.result(
        redis_server, port=server.port, action="save", username="ops", password=SECRET
    )
    assert server.asked == [f"AUTH ops {SECRET}", "BGSAVE"]
    assert result["failed"]
    assert SECRET not in json.dumps(result)


@pytest.mark.parametrize("size", ["much", "-1", "12tb", "1 gb"])
def test_strange_sizes(size: str) -> None:
    result = started_module.result(redis_server, action="set_maxmemory", maxmemory=size)
    assert result["msg"] == f"maxmemory is {size!r}; it has to be a size such as 384mb"


def test_nobody_listens() -> None:
    result = started_module.result(redis_server, port=1, action="save")
    assert result["msg"] == "127.0.0.1:1 refused the connection"
