# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How values are said to a person."""

from __future__ import annotations

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils._words import (
    age,
    plain,
    plural,
    size,
)


def test_a_text_from_outside_is_one_printable_line() -> None:
    assert plain("a\x1b[31m\n b\tc") == "a [31m b c"
    assert plain("x" * 300) == "x" * 197 + "..."
    assert plain("abcdef", 5) == "ab..."
    assert plain(None) == "None"


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1536, "1.5 KB"),
        (10 * 1024**3, "10 GB"),
        (2**60, "1048576.0 TB"),
    ],
)
def test_size(number: float, said: str) -> None:
    assert size(number) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-1, "0 s"), (59, "59 s"), (60, "1 min"), (7200, "2 h"), (90000, "1 d")],
)
def test_age(seconds: float, said: str) -> None:
    assert age(seconds) == said


def test_plural() -> None:
    assert [plural(n, "host") for n in (0, 1, 2)] == ["0 hosts", "1 host", "2 hosts"]
    assert plural(2, "unknown") == "2 unknown"
