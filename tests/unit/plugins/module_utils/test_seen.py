# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is missing or malformed reads as empty."""

from __future__ import annotations

import math

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen

SEEN = Seen(
    {
        "text": "a",
        "number": 3,
        "templated": "4.5",
        "yes": True,
        "null": None,
        "part": {"name": "inner"},
        "mixed": [{"name": "x"}, "y", 3],
        "endless": math.inf,
        "huge": 10**400,
        "none": math.nan,
    }
)


def test_what_is_there_is_read() -> None:
    assert SEEN.text("text") == "a"
    assert (SEEN.number("number"), SEEN.number("templated"), SEEN.whole("templated")) == (3, 4.5, 4)
    assert SEEN.flag("yes") is True
    assert SEEN.part("part").text("name") == "inner"
    assert [row.text("name") for row in SEEN.rows("mixed")] == ["x"]
    assert SEEN.texts("mixed") == ["y"]
    assert SEEN.has("text")
    assert "text" in SEEN.names()
    assert bool(SEEN)


@pytest.mark.parametrize(
    "key", ["null", "absent", "part", "mixed", "yes", "endless", "huge", "none"]
)
def test_what_is_no_number_is_the_default(key: str) -> None:
    assert SEEN.number(key, 7) == 7
    assert SEEN.whole(key) == 0


@pytest.mark.parametrize("value", [None, 3, "x", ["x"], {}])
def test_what_is_no_mapping_is_empty(value: object) -> None:
    seen = Seen(value)
    assert not seen
    assert not seen.has("x")
    assert seen.names() == []
    assert (seen.text("x"), seen.flag("x"), seen.rows("x"), seen.texts("x")) == ("", None, [], [])
    assert not seen.part("x")
