# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Slow queries from lines as MongoDB 6.0.5 writes them, and which index would serve them."""

from __future__ import annotations

import json
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given

from ansible_collections.plugspace.titan.plugins.module_utils import _mongodb_slow_log
from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_index import (
    create_index,
    fields_of,
)
from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_slow_log import (
    Reader,
    SlowLogError,
    look,
)

from .strange import ANYTHING

SECRET = "somebody@example.org"


def line(ago: float = 1, zulu: bool = False, **attributes: Any) -> str:
    """A find that read 100 000 documents for one."""
    moment = datetime.fromtimestamp(time.time() - ago, timezone.utc)
    told = moment.isoformat(timespec="milliseconds")
    entry = {
        "t": {"$date": told.replace("+00:00", "Z") if zulu else told},
        "s": "I",
        "c": "COMMAND",
        "id": 51803,
        "ctx": "conn42",
        "msg": "Slow query",
        "attr": {
            "type": "command",
            "ns": "plugspace.users",
            "command": {
                "find": "users",
                "filter": {"email": SECRET},
                "lsid": {"id": {"$uuid": "b0a9"}},
                "$db": "plugspace",
            },
            "planSummary": "COLLSCAN",
            "keysExamined": 0,
            "docsExamined": 100000,
            "nreturned": 1,
            "durationMillis": 120,
            **attributes,
        },
    }
    return json.dumps(entry, separators=(",", ":"))


def told(tmp_path: Path, *lines: str, **options: Any) -> dict[str, Any]:
    log = tmp_path / "mongod.log"
    log.write_text("\n".join(lines) + "\n")
    return look({"path": str(log), "since": 0, "tail_bytes": 0, "top": 10, **options})


@pytest.mark.parametrize("key", ["nreturned", "nMatched", "ndeleted"])
def test_what_came_of_it_is_counted_whatever_it_did(tmp_path: Path, key: str) -> None:
    done = json.loads(line())
    del done["attr"]["nreturned"]
    done["attr"][key] = 4
    (row,) = told(tmp_path, json.dumps(done, separators=(",", ":")))["queries"]
    assert (row["returned"], row["examined_per_returned"]) == (4, 25000.0)


def test_queries_of_one_shape_are_one_row(tmp_path: Path) -> None:
    other = {"find": "users", "filter": {"email": "other"}, "lsid": 5, "$db": "plugspace"}
    found = told(tmp_path, line(), line(command=other, durationMillis=840), "no JSON", "{}")
    assert found["count"] == 2
    assert found["queries"] == [
        {
            "namespace": "plugspace.users",
            "operation": "command",
            "plan_summary": "COLLSCAN",
            "shape": {"find": "?", "filter": {"email": "?"}},
            "count": 2,
            "longest_ms": 840,
            "total_ms": 960,
            "documents_examined": 200000,
            "keys_examined": 0,
            "returned": 2,
            "examined_per_returned": 100000.0,
        }
    ]
    # What people asked for never leaves the host.
    assert SECRET not in json.dumps(found)


def test_queries_that_found_nothing_are_told_by_what_each_read(tmp_path: Path) -> None:
    (row,) = told(tmp_path, *[line(nreturned=0)] * 3)["queries"]
    assert (row["documents_examined"], row["examined_per_returned"]) == (300000, 100000.0)


def test_what_took_the_most_time_comes_first(tmp_path: Path) -> None:
    update = {"q": {"name": "x"}, "u": {"$set": {"a": 1}}, "multi": False}
    lines = [line()] * 3 + [
        line(type="update", command=update, nreturned=None, nMatched=5, durationMillis=900)
    ]
    found = told(tmp_path, *lines)
    assert [(one["operation"], one["count"]) for one in found["queries"]] == [
        ("update", 1),
        ("command", 3),
    ]
    assert len(told(tmp_path, *lines, top=1)["queries"]) == 1


def test_a_later_batch_is_of_the_query_that_opened_the_cursor(tmp_path: Path) -> None:
    more = line(
        command={"getMore": 7, "collection": "users"},
        originatingCommand={"find": "users", "filter": {"email": SECRET}},
    )
    assert len(told(tmp_path, line(), more)["queries"]) == 1


@pytest.mark.parametrize(
    "namespace", ["local.oplog.rs", "config.system.sessions", "admin.$cmd", ""]
)
def test_the_servers_own_work_is_left_out(tmp_path: Path, namespace: str) -> None:
    assert told(tmp_path, line(ns=namespace))["count"] == 0


def test_only_the_time_that_is_asked_for(tmp_path: Path) -> None:
    lines = [line(ago=4000), line(ago=100, zulu=True), line(ago=1)]
    assert told(tmp_path, *lines, since=600)["count"] == 2
    strange = line().replace('"$date":"2', '"$date":"x')
    assert told(tmp_path, strange, since=600)["count"] == 1
    naive = line().replace("+00:00", "")
    assert told(tmp_path, naive, since=600)["count"] == 1


def test_only_the_end_of_a_long_log(tmp_path: Path) -> None:
    size = len(line()) + 1
    found = told(tmp_path, *[line()] * 10, tail_bytes=3 * size + 10)
    assert (found["count"], found["bytes"]) == (3, 3 * size + 10)
    assert told(tmp_path, line(), tail_bytes=10**6)["count"] == 1


def test_shapes_without_number_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_mongodb_slow_log, "MAX_SHAPES", 2)
    found = told(tmp_path, *[line(ns=f"plugspace.c{number}") for number in range(5)])
    assert (found["count"], found["left_out"], len(found["queries"])) == (5, 3, 2)


def test_a_log_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SlowLogError, match="cannot be read: No such file"):
        look({"path": str(tmp_path / "x"), "since": 0, "tail_bytes": 0, "top": 1})


@given(ANYTHING)
@example(float("inf"))
@example(float("nan"))
def test_no_line_is_too_strange(value: object) -> None:
    reader = Reader(1.0)
    reader.line(json.dumps({"msg": "Slow query", "attr": value}).encode())
    for where in ("attr", "command", "docsExamined"):
        inner = json.loads(line())
        (inner if where == "attr" else inner["attr"])[where] = value
        reader.line(json.dumps(inner, separators=(",", ":")).encode())
    reader.line(b'{"msg":"Slow query"')
    reader.report(10)


SHAPES: list[tuple[Any, list[str]]] = [
    ({"find": "?", "filter": {"email": "?"}}, ["email"]),
    (
        {"find": "?", "filter": {"age": {"$gt": "?"}, "city": {"$in": ["?"]}}, "sort": {"at": "?"}},
        ["city", "at", "age"],
    ),
    ({"q": {"name": "?"}, "u": {"$set": {"a": "?"}}}, ["name"]),
    ({"count": "?", "query": {"$or": [{"a": "?"}, {"b": {"$lt": "?"}}, "?"]}}, ["a", "b"]),
    ({"aggregate": "?", "pipeline": [{"$match": {"room": "?"}}, {"$group": {}}]}, ["room"]),
    ({"aggregate": "?", "pipeline": [{"$group": {"_id": "?"}}]}, []),
    ({"find": "?", "filter": {"$where": "?"}, "sort": {"at": "?"}}, []),
    ({"find": "?", "filter": {"at": {"lat": "?"}}}, ["at"]),
    ({"find": "?", "filter": {"$and": "?"}}, []),
    ({"pipeline": []}, []),
    ("?", []),
]


@pytest.mark.parametrize(("shape", "fields"), SHAPES)
def test_equal_fields_come_before_sorting_and_ranges(shape: Any, fields: list[str]) -> None:
    assert fields_of(shape) == fields


def test_the_command_that_makes_an_index() -> None:
    assert create_index("plugspace.users", ["email", "at"]) == (
        'db.users.createIndex({"email": 1, "at": 1})'
    )


@given(ANYTHING)
def test_no_shape_is_too_strange(value: object) -> None:
    fields_of(value)
    fields_of({"filter": value, "sort": value, "pipeline": [value]})
