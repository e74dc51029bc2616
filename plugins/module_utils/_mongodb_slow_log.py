# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which queries MongoDB called slow, from the end of its log: by shape, since values are people's.

The lines are those of MongoDB 4.4 and later, one JSON document each. What counts as slow is the
server's own setting, operationProfiling.slowOpThresholdMs.
"""

from __future__ import annotations

import json
import os
import time
import typing as t
from datetime import datetime, timezone

from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_documents import (
    INTERNAL,
    Document,
    number,
    pick,
)
from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_server import command_shape
from ansible_collections.plugspace.titan.plugins.module_utils._words import plain

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "path": {"type": "path", "default": "/var/log/mongodb/mongod.log"},
    "since": {"type": "int", "default": 3600},
    "tail_bytes": {"type": "int", "default": 33554432},
    "top": {"type": "int", "default": 10},
}
MAX_SHAPES = 500
_MAX_LINE = 1 << 20
_MARK = b'"msg":"Slow query"'
# How many documents came of it, in the words of a read, an update and a deletion.
_YIELDS = ("nreturned", "nMatched", "ndeleted")


class SlowLogError(Exception):
    """The log cannot be read, in a sentence."""


class Shape:
    """All slow queries of one shape."""

    def __init__(self, row: dict[str, t.Any]) -> None:
        self._row = row
        self.count = self.total = self.longest = 0
        self.documents = self.keys = self.returned = 0

    def add(self, attributes: Document) -> None:
        """Count one more."""
        took = _count(attributes, "durationMillis")
        self.count += 1
        self.total += took
        self.longest = max(self.longest, took)
        self.documents += _count(attributes, "docsExamined")
        self.keys += _count(attributes, "keysExamined")
        self.returned += next((_count(attributes, key) for key in _YIELDS if key in attributes), 0)

    def shown(self) -> dict[str, t.Any]:
        """A row of the report."""
        return {
            **self._row,
            "count": self.count,
            "longest_ms": self.longest,
            "total_ms": self.total,
            "documents_examined": self.documents,
            "keys_examined": self.keys,
            "returned": self.returned,
            "examined_per_returned": round(self.documents / (self.returned or self.count), 1),
        }


def _count(attributes: Document, key: str) -> int:
    return max(0, int(number(attributes, key) or 0))


class Reader:
    """Counts slow queries. since: seconds since the epoch; what ended before is left out."""

    def __init__(self, since: float = 0.0) -> None:
        self._since = since
        self._shapes: dict[str, Shape] = {}
        self.count = self.left_out = 0

    def line(self, line: bytes) -> None:
        """Count a line of the log, if it tells of a slow query."""
        if _MARK not in line:
            return
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            return
        attributes = pick(entry, "attr")
        namespace = str(attributes.get("ns", ""))
        if not namespace or namespace.partition(".")[0] in INTERNAL:
            return
        if self._since and _moment(pick(entry, "t").get("$date")) < self._since:
            return
        self.count += 1
        # A cursor's later batches name only the cursor; this is the query that opened it.
        command = pick(attributes, "originatingCommand") or pick(attributes, "command")
        row = {
            "namespace": plain(namespace),
            "operation": plain(attributes.get("type", ""), 40),
            "plan_summary": plain(attributes.get("planSummary", "")),
            "shape": command_shape(command),
        }
        key = json.dumps(row, sort_keys=True)
        if key not in self._shapes and len(self._shapes) >= MAX_SHAPES:
            self.left_out += 1
            return
        self._shapes.setdefault(key, Shape(row)).add(attributes)

    def report(self, top: int) -> dict[str, t.Any]:
        """The shapes that took the most time first."""
        rows = [one.shown() for one in self._shapes.values()]
        rows.sort(key=lambda row: (-row["total_ms"], row["namespace"]))
        return {"count": self.count, "left_out": self.left_out, "queries": rows[:top]}


def _moment(text: object) -> float:
    """When a line was written, in seconds since the epoch; without a time it counts as new."""
    try:
        moment = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return float("inf")
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


def look(params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The report on the end of a log.

    params: path, since (how many seconds back, 0 for all), tail_bytes (how much is read at most, 0
    for all) and top (how many shapes). Raises SlowLogError with a sentence.
    """
    path, most = params["path"], params["tail_bytes"]
    reader = Reader(time.time() - params["since"] if params["since"] else 0.0)
    try:
        with open(path, "rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            start = max(0, size - most) if most else 0
            stream.seek(start)
            if start:
                stream.readline(_MAX_LINE)
            # A line without an end does not grow for ever.
            while line := stream.readline(_MAX_LINE):
                reader.line(line)
    except OSError as error:
        raise SlowLogError(f"{path} cannot be read: {error.strerror}") from error
    return {"path": path, "bytes": size - start, **reader.report(params["top"])}
