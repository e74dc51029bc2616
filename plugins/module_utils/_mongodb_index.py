# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which index would serve a query that reads a whole collection, from the query's shape."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_documents import pick
from ansible_collections.plugspace.titan.plugins.module_utils._words import plain

# Where the condition stands: find, update and remove, count and findAndModify.
_CONDITIONS = ("filter", "q", "query")
_BOTH = ("$and", "$or", "$nor")
# One value or a few; everything else is a range.
_EQUAL = ("$eq", "$in")
_MAX_FIELDS = 8


def fields_of(shape: t.Any) -> list[str]:
    """The fields that an index needs, in the order that serves: equal ones, sorting, ranges."""
    equal: list[str] = []
    ranges: list[str] = []
    for condition in _conditions(shape):
        _collect(condition, equal, ranges)
    if not equal and not ranges:
        return []
    order = list(pick(shape, "sort"))
    fields = dict.fromkeys(str(one) for one in (*equal, *order, *ranges))
    return [one for one in fields if not one.startswith("$")][:_MAX_FIELDS]


def _conditions(shape: t.Any) -> t.Iterator[dict[str, t.Any]]:
    for key in _CONDITIONS:
        yield pick(shape, key)
    # Only what stands first in a pipeline can use an index.
    pipeline = shape.get("pipeline") if isinstance(shape, dict) else None
    if isinstance(pipeline, list) and pipeline:
        yield pick(pipeline[0], "$match")


def _collect(condition: dict[str, t.Any], equal: list[str], ranges: list[str]) -> None:
    for name, value in condition.items():
        key = str(name)
        if key in _BOTH and isinstance(value, list):
            for one in value:
                if isinstance(one, dict):
                    _collect(one, equal, ranges)
        elif not key.startswith("$"):
            operators = {str(one) for one in value} if isinstance(value, dict) else set()
            ranged = any(one.startswith("$") for one in operators - set(_EQUAL))
            (ranges if ranged else equal).append(key)


def create_index(namespace: str, fields: t.Sequence[str]) -> str:
    """The command that makes the index, for a person to try."""
    collection = plain(namespace.partition(".")[2], 60)
    keys = ", ".join(f'"{plain(one, 60)}": 1' for one in fields)
    return f"db.{collection}.createIndex({{{keys}}})"
