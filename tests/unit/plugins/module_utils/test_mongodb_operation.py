# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ending an operation: the one that was meant, of a client, and nothing else."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils._mongodb import MongoError
from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_documents import Document
from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_operation import (
    Ended,
    kill,
)

RUNNING: Document = {
    "opid": 4711,
    "active": True,
    "op": "command",
    "ns": "plugspace.users",
    "client": "172.29.80.11:51234",
    "appName": "report",
    "microsecs_running": 12_300_000,
    "command": {"find": "users", "filter": {"email": "somebody"}},
}


class Server:
    """A server with one operation, which ends some looks after it was told to."""

    def __init__(self, found: Document | None, looks: int = 1) -> None:
        self._found = found
        self._looks = looks
        self.killed: list[int] = []

    def command(self, name: str, value: t.Any = 1, database: str = "admin", **more: t.Any) -> t.Any:
        if name == "killOp":
            self.killed.append(more["op"])
            return {"ok": 1}
        assert more["pipeline"][1]["$match"]["opid"] == 4711
        if self.killed:
            self._looks -= 1
        found = [self._found] if self._found and self._looks >= 0 else []
        return {"cursor": {"firstBatch": found}}


def ask(
    server: Server, namespace: str = "plugspace.users", least_s: float = 10, check: bool = False
) -> Ended:
    clock = iter(range(100))
    return kill(
        server, 4711, namespace, least_s, 5, check, lambda: float(next(clock)), lambda seconds: None
    )


@pytest.mark.parametrize("looks", [0, 3])
def test_it_is_killed_and_seen_to_end(looks: int) -> None:
    server = Server(RUNNING, looks)
    done = ask(server)
    assert (done.changed, server.killed) == (True, [4711])
    assert done.found is not None
    assert done.found["namespace"] == "plugspace.users"
    assert "somebody" not in str(done.found)


def test_check_mode_only_looks() -> None:
    server = Server(RUNNING)
    assert ask(server, check=True).changed
    assert server.killed == []


def test_one_that_has_ended_is_no_change() -> None:
    server = Server(None)
    assert ask(server) == Ended(False, None)
    assert server.killed == []


REFUSALS: list[tuple[Document, str]] = [
    ({"ns": "local.oplog.rs"}, "works on local.oplog.rs: it is MongoDB's"),
    ({"ns": "admin.$cmd"}, "works on admin.$cmd: it is MongoDB's"),
    ({"ns": ""}, "works on no collection: it is MongoDB's"),
    ({"client": ""}, "was not sent by a client"),
    ({"appName": "OplogFetcher"}, "was not sent by a client"),
    ({"ns": "plugspace.rooms"}, "works on plugspace.rooms now, not on plugspace.users"),
    ({"microsecs_running": 2_000_000}, "runs for 2.0 s, the one that was meant for longer"),
]


@pytest.mark.parametrize(("other", "words"), REFUSALS)
def test_another_operation_is_left_alone(other: Document, words: str) -> None:
    server = Server({**RUNNING, **other})
    with pytest.raises(MongoError) as refused:
        ask(server)
    assert words in str(refused.value)
    assert str(refused.value).endswith("nothing was killed")
    assert server.killed == []


def test_any_collection_will_do_when_none_is_named() -> None:
    assert ask(Server({**RUNNING, "ns": "plugspace.rooms"}), namespace="").changed


def test_one_that_does_not_end_is_told() -> None:
    with pytest.raises(MongoError, match="still runs after 5 s"):
        ask(Server(RUNNING, 100))
