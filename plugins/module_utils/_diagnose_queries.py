# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What MongoDB and Redis were slow at, from what they told; of any query only its shape."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._finding import (
    LIKELY,
    POSSIBLE,
    Finding,
    finding,
)
from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_documents import INTERNAL
from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_index import (
    create_index,
    fields_of,
)
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen
from ansible_collections.plugspace.titan.plugins.module_utils._words import age, plain, plural

_SCAN = "COLLSCAN"
# With less, an index would hardly be quicker than reading all.
_MANY_DOCUMENTS, _MANY_FOR_ONE = 1000, 100
# What takes a tenth of the limit or more is worth a word: others wait behind it.
_SHARE = 0.1
_MOST = 3


def slow_operations(mongodb: Seen, least_s: float, named: str = "") -> list[Finding]:
    """Operations of clients that have been running for so many seconds, the longest first.

    named: the number that a person has named, which comes before all others.
    """
    rows = [one for one in _of_clients(mongodb) if one.number("age_s") >= least_s]
    rows.sort(key=lambda one: (str(one.whole("opid")) != named, -one.number("age_s")))
    found = []
    for one in rows[:_MOST]:
        opid = one.whole("opid")
        waits = ", waiting for a lock" if one.flag("waiting_for_lock") else ""
        plan = one.text("plan_summary")
        sender = one.text("application") or one.text("client")
        found.append(
            finding(
                "slow_operation",
                "mongodb",
                f"operation {opid or '?'} ({one.text('op') or '?'}) on {one.text('namespace')} has"
                f" been running for {age(one.number('age_s'))}{waits}, sent by {sender}"
                f"{f', {plan}' if plan else ''}: {shape_of(one)}",
                LIKELY,
                rung="kill_operation" if opid else "",
                target=str(opid) if opid else "",
                advice="find out who sends it, and why it takes so long: whoever sends it again"
                " makes it run again",
            )
        )
    return found


def missing_indexes(mongodb: Seen, slow_queries: Seen, limit_ms: float) -> list[Finding]:
    """Queries that read a whole collection for a few documents, those that took most first."""
    found: dict[tuple[str, str], Finding] = {}
    for one in slow_queries.rows("queries"):
        count = max(1, one.whole("count"))
        if (
            one.number("documents_examined") >= _MANY_DOCUMENTS * count
            and one.number("examined_per_returned") >= _MANY_FOR_ONE
            and one.number("longest_ms") >= _SHARE * limit_ms
        ):
            _add_index(
                found,
                one,
                f"{plural(count, 'time')}, {one.number('longest_ms'):.0f} ms at the longest,"
                f" {one.number('examined_per_returned'):.0f} documents read for one that is wanted",
                LIKELY,
            )
    for one in _of_clients(mongodb):
        told = f"now, for {age(one.number('age_s'))}"
        # How many documents it has read so far, nobody knows.
        _add_index(found, one, told, POSSIBLE)
    return list(found.values())[:_MOST]


def _add_index(
    found: dict[tuple[str, str], Finding], query: Seen, how_often: str, confidence: str
) -> None:
    namespace, fields = query.text("namespace"), fields_of(query.value.get("shape"))
    key = (namespace, ",".join(fields))
    if _SCAN not in query.text("plan_summary") or not fields or key in found:
        return
    found[key] = finding(
        "missing_index",
        namespace,
        f"{namespace} is read as a whole ({_SCAN}), {how_often}: {shape_of(query)}",
        confidence,
        advice=f"try an index before it goes live, since each write pays for it:"
        f" {create_index(namespace, fields)}",
    )


def slow_commands(redis: Seen, since_s: float, limit_ms: float) -> list[Finding]:
    """Commands of Redis that kept all others waiting, the longest first."""
    longest: dict[str, float] = {}
    count: dict[str, int] = {}
    for one in redis.rows("slowlog"):
        name, took = one.text("command") or "?", one.number("ms")
        if one.number("age_s") <= since_s and took >= _SHARE * limit_ms:
            longest[name] = max(took, longest.get(name, 0.0))
            count[name] = count.get(name, 0) + 1
    if not longest:
        return []
    names = sorted(longest, key=lambda name: -longest[name])[:_MOST]
    told = "; ".join(
        f"{name} {plural(count[name], 'time')}, {longest[name]:.0f} ms at the longest"
        for name in names
    )
    return [
        finding(
            "redis_slow",
            "redis",
            f"Redis does one thing after the other, and was slow at some: {told}",
            LIKELY,
            advice=f"find who sends {names[0]} (SLOWLOG GET 10 shows its arguments) and let it ask"
            " for less at a time",
        )
    ]


def worst_query(slow_queries: Seen) -> str:
    """The query that took the most time, in a line; empty when none was slow."""
    row = next(iter(slow_queries.rows("queries")), None)
    if row is None:
        return ""
    return (
        f"{row.text('namespace')}, {row.text('plan_summary') or row.text('operation')},"
        f" {plural(row.whole('count'), 'time')}, {row.number('longest_ms'):.0f} ms at the longest:"
        f" {shape_of(row)}"
    )


def shape_of(query: Seen) -> str:
    """Keys and operators of a query as JSON."""
    return plain(json.dumps(query.value.get("shape"), default=str, skipkeys=True), 120)


def _of_clients(mongodb: Seen) -> t.Iterator[Seen]:
    """The running operations that are not the server's own."""
    for one in mongodb.part("server").rows("operations"):
        database = one.text("namespace").partition(".")[0]
        if one.text("client") and database and database not in INTERNAL:
            yield one
