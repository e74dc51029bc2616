# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How quick a site was and what failed, from nginx's access log, read in blocks and never whole."""

from __future__ import annotations

import math
import os
import re
import time
import typing as t
from datetime import datetime, timezone

from ansible_collections.plugspace.titan.plugins.module_utils._words import plain

OTHER = "(other)"
MAX_ROUTES = 500
_BLOCK = 1 << 20
_MAX_CACHED = 200_000
# A tenth of a second is told to within 5 %.
_STEP = math.log(1.05)
_LONGEST = 512  # buckets: the last one is beyond any time limit of nginx
_ID = re.compile(rb"(?:[0-9]+|[0-9a-fA-F-]{16,}|[^/]{33,})")
_TIME = re.compile(rb"\[(\d\d)/(\w{3})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\]")
_MONTHS = {
    name: number
    for number, name in enumerate(
        (
            b"Jan",
            b"Feb",
            b"Mar",
            b"Apr",
            b"May",
            b"Jun",
            b"Jul",
            b"Aug",
            b"Sep",
            b"Oct",
            b"Nov",
            b"Dec",
        ),
        1,
    )
}
_GATEWAY = frozenset((b"502", b"503", b"504"))
# A WebSocket "takes" as long as it is open.
_SWITCHED = b"101"
_SPECIAL = _GATEWAY | {_SWITCHED}

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "path": {"type": "path", "default": "/var/log/nginx/access.log"},
    "since": {"type": "int", "default": 3600},
    "tail_bytes": {"type": "int", "default": 268435456},
    "top": {"type": "int", "default": 10},
    "time_marker": {"type": "str", "default": "took="},
}


class AccessLogError(Exception):
    """The log cannot be read, in a sentence."""


class Route:
    """What came of the requests of one route."""

    def __init__(self) -> None:
        self.buckets = [0] * _LONGEST
        self.statuses: dict[bytes, int] = {}

    def merge(self, other: Route) -> None:
        """Add what another one counted."""
        self.buckets = [mine + more for mine, more in zip(self.buckets, other.buckets)]
        for status, count in other.statuses.items():
            self.statuses[status] = self.statuses.get(status, 0) + count

    def shown(self, name: str) -> dict[str, t.Any]:
        """A row of the report. Times in milliseconds, statuses by their class."""
        classes: dict[str, int] = {}
        for status, count in self.statuses.items():
            classes[f"{status[:1].decode()}xx"] = classes.get(f"{status[:1].decode()}xx", 0) + count
        count = sum(self.statuses.values())
        return {
            "route": name,
            "count": count,
            "p50_ms": _percentile(self.buckets, 0.5),
            "p95_ms": _percentile(self.buckets, 0.95),
            "p99_ms": _percentile(self.buckets, 0.99),
            "statuses": dict(sorted(classes.items())),
            "gateway_errors": sum(self.statuses.get(one, 0) for one in _GATEWAY),
        }


def _bucket(took: bytes) -> int:
    """The bucket of a time in seconds, as nginx writes it; ValueError for what is none."""
    milliseconds = float(took) * 1000
    if not 0 <= milliseconds < 1e9:
        raise ValueError(took)
    return min(_LONGEST - 1, int(math.log(milliseconds) / _STEP) + 1) if milliseconds >= 1 else 0


def _percentile(buckets: t.Sequence[int], share: float) -> float:
    """The time that this share of the requests stayed under, in milliseconds."""
    wanted, seen = sum(buckets) * share, 0
    for index, count in enumerate(buckets):
        seen += count
        if count and seen >= wanted:
            return round(math.exp(index * _STEP), 1) if index else 1.0
    return 0.0


def route_of(path: bytes) -> bytes:
    """A path without its query, and with :id for every number, hash or very long part."""
    parts = path.split(b"?", 1)[0].split(b"/")
    return b"/".join(b":id" if _ID.fullmatch(part) else part for part in parts)


class Reader:
    """Counts lines. time_marker: what stands before the seconds that a request took."""

    def __init__(self, time_marker: str) -> None:
        self._marker = b" " + time_marker.encode()
        self._routes: dict[bytes, Route] = {}
        self._requests: dict[bytes, tuple[Route, bytes]] = {}
        self._times: dict[bytes, int] = {}
        self._failed = b""
        self.lines = self.strange = self.timeless = 0

    def count(self, lines: t.Sequence[bytes]) -> None:
        """Count some lines."""
        marker, width = self._marker, len(self._marker)
        requests, times = self._requests, self._times
        strange = timeless = 0
        for line in lines:
            # "METHOD PATH PROTOCOL" STATUS; to look for blanks and quotes is quicker than to split.
            opening = line.find(b'"')
            closing = line.find(b'"', opening + 1)
            blank = line.find(b" ", opening, closing)
            if opening < 0 or closing < 0 or blank < 0:
                strange += 1
                continue
            request = line[blank + 1 : closing + 5]
            known = requests.get(request)
            if known is None:
                known = self._known(request)
            route, status = known
            route.statuses[status] += 1
            if status in _SPECIAL:
                if status == _SWITCHED:
                    continue
                self._failed = line
            start = line.rfind(marker, closing)
            if start < 0:
                timeless += 1
                continue
            end = line.find(b" ", start + width)
            took = line[start + width : end if end > 0 else None]
            bucket = times.get(took)
            if bucket is None:
                bucket = self._timed(took)
            if bucket < 0:
                timeless += 1
                continue
            route.buckets[bucket] += 1
        self.lines += len(lines)
        self.strange += strange
        self.timeless += timeless

    def _known(self, request: bytes) -> tuple[Route, bytes]:
        """The route and the status of what stands behind the method."""
        if len(self._requests) >= _MAX_CACHED:
            self._requests.clear()
        target, _quote, status = request.rpartition(b'" ')
        name = route_of(target.split(b" ", 1)[0])
        if name not in self._routes and len(self._routes) >= MAX_ROUTES:
            name = OTHER.encode()
        route = self._routes.setdefault(name, Route())
        route.statuses.setdefault(status, 0)
        found = self._requests[request] = (route, status)
        return found

    def _timed(self, took: bytes) -> int:
        if len(self._times) >= _MAX_CACHED:
            self._times.clear()
        try:
            found = _bucket(took)
        except ValueError:
            found = -1
        self._times[took] = found
        return found

    def _since_failure(self) -> float | None:
        ended = time_of(self._failed)
        return None if ended is None else max(0.0, round(time.time() - ended, 1))

    def report(self, top: int) -> dict[str, t.Any]:
        """The slowest routes first, by what their 95th percentile costs all their visitors."""
        whole = Route()
        for route in self._routes.values():
            whole.merge(route)
        rows = [
            route.shown(plain(name.decode("utf-8", "replace"), 120))
            for name, route in self._routes.items()
        ]
        rows.sort(key=lambda row: (-row["p95_ms"] * row["count"], row["route"]))
        return {
            "lines": self.lines,
            "strange_lines": self.strange,
            "lines_without_time": self.timeless,
            "last_gateway_error_s": self._since_failure(),
            "all": whole.shown("all"),
            "routes": rows[:top],
        }


def time_of(line: bytes) -> float | None:
    """When a request ended, in seconds since the epoch; none for a line without $time_local."""
    found = _TIME.search(line)
    if not found or found[2] not in _MONTHS:
        return None
    day, _month, year, hour, minute, second = found.group(1, 2, 3, 4, 5, 6)
    offset = (int(found[8]) * 60 + int(found[9])) * (60 if found[7] == b"+" else -60)
    try:
        moment = datetime(
            int(year),
            _MONTHS[found[2]],
            int(day),
            int(hour),
            int(minute),
            int(second),
            tzinfo=timezone.utc,
        )
    except ValueError:
        return None
    return moment.timestamp() - offset


def _line_at(stream: t.BinaryIO, offset: int) -> bytes:
    """The first whole line after the offset."""
    stream.seek(offset)
    if offset:
        stream.readline(_BLOCK)
    return stream.readline(_BLOCK)


def find_start(stream: t.BinaryIO, size: int, since: float) -> int:
    """An offset before which every request ended before a moment; by halves, since a log is in
    order."""
    low, high = 0, size
    while high - low > _BLOCK:
        middle = (low + high) // 2
        ended = time_of(_line_at(stream, middle))
        if ended is None or ended >= since:
            high = middle
        else:
            low = middle
    return low


def look(params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The report for the options of access_log_info. Raises AccessLogError with a sentence."""
    for name, least in (("since", 0), ("tail_bytes", 0), ("top", 1)):
        if params[name] < least:
            raise AccessLogError(f"{name} is {params[name]}; it has to be {least} or more")
    if not params["time_marker"]:
        raise AccessLogError("time_marker is empty; it has to be what stands before the time")
    since = time.time() - params["since"] if params["since"] else 0.0
    return read(params["path"], params["tail_bytes"], since, params["top"], params["time_marker"])


def read(path: str, tail_bytes: int, since: float, top: int, time_marker: str) -> dict[str, t.Any]:
    """The report on the end of a log.

    tail_bytes: how much of it is read at most, 0 for all. since: seconds since the epoch, 0 for
    all. top: how many routes. Raises AccessLogError with a sentence.
    """
    reader = Reader(time_marker)
    try:
        with open(path, "rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            start = find_start(stream, size, since) if since else 0
            if tail_bytes:
                start = max(start, size - tail_bytes)
            stream.seek(start)
            if start:
                stream.readline(_BLOCK)
            _count_all(stream, reader, since)
    except OSError as error:
        raise AccessLogError(f"{path} cannot be read: {error.strerror}") from error
    return {"path": path, "bytes": size - start, **reader.report(top)}


def _count_all(stream: t.BinaryIO, reader: Reader, since: float) -> None:
    rest, early = b"", bool(since)
    while True:
        block = stream.read(_BLOCK)
        if not block:
            break
        lines = (rest + block).split(b"\n")
        # A line without an end does not grow for ever.
        rest = lines.pop()[:_BLOCK]
        if early:
            kept = [line for line in lines if (time_of(line) or since) >= since]
            early = not kept
            lines = kept
        reader.count(lines)
    if rest and (not early or (time_of(rest) or since) >= since):
        reader.count([rest])
