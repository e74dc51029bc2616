# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server tells: answers of MongoDB 6.0.5, shortened, and what nobody would expect."""

from __future__ import annotations

import json
import types
import typing as t
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.plugspace.titan.plugins.module_utils._mongodb import MongoError
from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_documents import Document
from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_members import (
    member_settings,
    member_states,
)
from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_server import (
    cache_size_gb,
    operation,
    read_server,
    server_status,
    shape,
)

STATUS: Document = {
    "version": "6.0.5",
    "uptime": 499.0,
    "storageEngine": {"name": "wiredTiger", "persistent": True},
    "connections": {"current": 18, "available": 15982, "totalCreated": 298, "active": 6},
    "globalLock": {
        "totalTime": 499296000,
        "currentQueue": {"total": 0, "readers": 0, "writers": 0},
    },
    "asserts": {"regular": 0, "warning": 0, "msg": 0, "user": 1026, "tripwire": 0, "rollovers": 0},
    "wiredTiger": {
        "cache": {
            "bytes currently in the cache": 446543,
            "maximum bytes configured": 268435456,
            "tracked dirty bytes in the cache": 420661,
        },
        "concurrentTransactions": {
            "read": {"out": 1, "available": 127, "totalTickets": 128},
            "write": {"out": 0, "available": 128, "totalTickets": 128},
        },
    },
}
REPLICATION: Document = {
    "set": "rs1",
    "myState": 2,
    "members": [
        {
            "_id": 0,
            "configVersion": 2,
            "health": 1.0,
            "lastHeartbeatMessage": "",
            "name": "m:27117",
            "optimeDate": datetime(2026, 11, 23, 23, 33, 8),
            "state": 1,
            "stateStr": "PRIMARY",
            "uptime": 200,
        },
        {
            "_id": 1,
            "configVersion": 2,
            "health": 1.0,
            "lastHeartbeatMessage": "",
            "name": "m:27118",
            "optimeDate": datetime(2026, 11, 23, 23, 32, 55),
            "self": True,
            "state": 2,
            "stateStr": "SECONDARY",
            "uptime": 404,
        },
        {
            "_id": 2,
            "configVersion": 2,
            "health": 0.0,
            "lastHeartbeatMessage": "Couldn't get a connection within the time limit",
            "name": "m:27119",
            "optimeDate": datetime(1970, 1, 1),
            "state": 8,
            "stateStr": "(not reachable/healthy)",
            "uptime": 0,
        },
    ],
}
CONFIG: Document = {
    "_id": "rs1",
    "version": 2,
    "term": 3,
    "members": [
        {"_id": 0, "host": "m:27117", "priority": 2.0, "votes": 1, "secondaryDelaySecs": 60},
        {"_id": 1, "host": "m:27118", "hidden": True, "priority": 0.0, "slaveDelay": 30},
        {"_id": 2, "host": "m:27119", "arbiterOnly": True, "priority": 0.0, "votes": 0},
    ],
}
OPERATION: Document = {
    "active": True,
    "appName": "plugspace-api",
    "client": "127.0.0.1:48230",
    "command": {
        "$db": "t",
        "batchSize": 2,
        "collection": "x",
        "getMore": 6255964839568051833,
        "lsid": {"id": "41fca957-91b9-4d89-ab9d-ce92b08014f9"},
    },
    "cursor": {
        "originatingCommand": {
            "$clusterTime": {"signature": {"keyId": 0}},
            "$db": "t",
            "$readPreference": {"mode": "primaryPreferred"},
            "batchSize": 2,
            "filter": {"$where": "sleep(1000)||true", "a": {"$gt": -1}},
            "find": "x",
            "lsid": {"id": "41fca957-91b9-4d89-ab9d-ce92b08014f9"},
        },
        "tailable": False,
    },
    "microsecs_running": 1097304,
    "ns": "t.x",
    "op": "getmore",
    "opid": 26256,
    "planSummary": "COLLSCAN",
    "waitingForLock": False,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


class FakeConnection:
    """Answers from a table; a MongoError in it is raised."""

    def __init__(self, **answers: t.Any) -> None:
        self.calls: list[str] = []
        self.pipeline: list[Document] = []
        self.answers: dict[str, t.Any] = {
            "serverStatus": STATUS,
            "getCmdLineOpts": {
                "parsed": {"storage": {"wiredTiger": {"engineConfig": {"cacheSizeGB": 0.25}}}}
            },
            "aggregate": {"cursor": {"firstBatch": [OPERATION]}},
            "replSetGetStatus": REPLICATION,
            "replSetGetConfig": {"config": CONFIG},
            **answers,
        }

    def command(self, name: str, value: t.Any = 1, database: str = "admin", **more: t.Any) -> t.Any:
        self.calls.append(name)
        self.pipeline = more.get("pipeline", self.pipeline)
        if name == "find" and name not in self.answers:
            assert (value, database, more["limit"]) == ("oplog.rs", "local", 1)
            seconds = 1000 if more["sort"] == {"$natural": 1} else 1000 + 7200
            return {"cursor": {"firstBatch": [{"ts": types.SimpleNamespace(time=seconds)}]}}
        answer = self.answers[name]
        if isinstance(answer, MongoError):
            raise answer
        return answer


def test_all_of_it() -> None:
    connection = FakeConnection()
    server, errors = read_server(connection, "SECONDARY", 250)
    assert errors == []
    assert server["version"] == "6.0.5"
    assert server["uptime_s"] == 499
    assert server["storage_engine"] == "wiredTiger"
    assert (server["my_state"], server["state_str"]) == (2, "SECONDARY")
    assert server["connections"] == {"current": 18, "available": 15982}
    assert server["cache"] == {
        "used_bytes": 446543,
        "max_bytes": 268435456,
        "used_percent": 0.2,
        "dirty_bytes": 420661,
        "dirty_percent": 0.2,
    }
    assert server["cache_size_gb"] == 0.25
    assert server["queues"] == {"readers": 0, "writers": 0}
    assert server["tickets"]["read"] == {"out": 1, "available": 127}
    assert server["asserts"]["user"] == 1026
    assert server["oplog_window_h"] == 2
    assert [(m["name"], m["state_str"], m["lag_s"]) for m in server["members"]] == [
        ("m:27117", "PRIMARY", 0.0),
        ("m:27118", "SECONDARY", 13.0),
        ("m:27119", "(not reachable/healthy)", None),
    ]
    assert server["members"][2]["last_heartbeat_message"].startswith("Couldn't get a connection")
    assert server["config"]["version"] == 2
    assert [member["delay_s"] for member in server["config"]["members"]] == [60, 30, 0]
    assert [member["hidden"] for member in server["config"]["members"]] == [False, True, False]
    assert connection.pipeline[1]["$match"]["microsecs_running"] == {"$gte": 250_000}
    json.dumps(server)


def test_an_operation_shows_its_shape_alone() -> None:
    assert operation(OPERATION) == {
        "opid": 26256,
        "age_s": 1.1,
        "op": "getmore",
        "namespace": "t.x",
        "plan_summary": "COLLSCAN",
        "waiting_for_lock": False,
        "application": "plugspace-api",
        "client": "127.0.0.1:48230",
        "shape": {"filter": {"$where": "?", "a": {"$gt": "?"}}, "find": "?"},
    }
    assert operation({})["age_s"] is None


def test_a_shape_stays_small() -> None:
    assert shape({"_id": {"$in": list(range(1000))}}) == {"_id": {"$in": ["?"]}}
    assert shape([{"a": 1}, {"a": 2}, {"b": 3}]) == [{"a": "?"}, {"b": "?"}]
    deep: t.Any = "x"
    for _ in range(100):
        deep = {"and": deep}
    assert json.dumps(shape(deep)).count("and") == 8
    assert len(shape({str(n): n for n in range(1000)})) == 30
    assert list(shape({"k" * 1000: 1})) == ["k" * 60]


@given(JSON)
def test_no_value_is_in_a_shape(value: t.Any) -> None:
    def leaves(one: t.Any) -> t.Iterator[t.Any]:
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else None
        if inner is None:
            yield one
        else:
            for each in inner:
                yield from leaves(each)

    assert set(leaves(shape(value))) <= {"?"}


@given(st.dictionaries(st.sampled_from([*STATUS, "queues", "parsed", *OPERATION]), JSON))
def test_odd_answers_are_no_exception(document: Document) -> None:
    server_status(document)
    operation(document)
    cache_size_gb(document)


@given(st.dictionaries(st.sampled_from([*REPLICATION["members"][0], *CONFIG["members"][0]]), JSON))
def test_odd_members_are_no_exception(document: Document) -> None:
    member_states({"members": [document]})
    member_settings(document)


@given(JSON)
def test_odd_lists_of_members_are_no_exception(value: t.Any) -> None:
    member_states({"members": value})


def test_tickets_of_mongodb_8() -> None:
    new = {**STATUS, "queues": {"execution": {"read": {"out": 3, "available": 5}, "write": {}}}}
    assert server_status(new)["tickets"] == {
        "read": {"out": 3, "available": 5},
        "write": {"out": None, "available": None},
    }


@pytest.mark.parametrize(
    ("role", "asked"),
    [
        ("STANDALONE", ["serverStatus", "getCmdLineOpts", "aggregate"]),
        ("NOT_INITIALIZED", ["serverStatus", "getCmdLineOpts", "aggregate"]),
        (
            "ARBITER",
            [
                *("serverStatus", "getCmdLineOpts", "aggregate"),
                *("replSetGetStatus", "replSetGetConfig"),
            ],
        ),
    ],
)
def test_nothing_is_asked_that_the_server_has_not(role: str, asked: list[str]) -> None:
    connection = FakeConnection()
    server, errors = read_server(connection, role, 1000)
    assert (connection.calls, errors) == (asked, [])
    assert server["oplog_window_h"] is None


def test_what_may_not_be_read_is_told_and_the_rest_read() -> None:
    denied = MongoError("denied", "app may not run $currentOp on m:27117")
    server, errors = read_server(FakeConnection(aggregate=denied), "PRIMARY", 1000)
    assert errors == ["app may not run $currentOp on m:27117"]
    assert server["operations"] is None
    assert server["oplog_window_h"] == 2


def test_a_member_that_is_lost_is_not_asked_further() -> None:
    connection = FakeConnection(aggregate=MongoError("hung", "m:27117 did not answer within 3 s"))
    server, errors = read_server(connection, "PRIMARY", 1000)
    assert errors == ["m:27117 did not answer within 3 s"]
    assert connection.calls[-1] == "aggregate"
    assert server["version"] == "6.0.5"


@pytest.mark.parametrize("state", ["auth", "hung"])
def test_no_answer_at_all_is_raised(state: str) -> None:
    with pytest.raises(MongoError, match="no"):
        read_server(FakeConnection(serverStatus=MongoError(state, "no")), "PRIMARY", 1000)


def test_an_empty_oplog_has_no_window() -> None:
    connection = FakeConnection(find={"cursor": {"firstBatch": []}})
    assert read_server(connection, "PRIMARY", 1000)[0]["oplog_window_h"] is None
