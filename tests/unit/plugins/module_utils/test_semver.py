# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The forms of version ranges that package.json uses."""

from __future__ import annotations

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils._semver import (
    UnknownRangeError,
    satisfies,
)


@pytest.mark.parametrize(
    ("wanted", "inside", "outside"),
    [
        (">=18", ["18.0.0", "v22.1.0"], ["17.9.9"]),
        (">= 18.18 <21", ["18.18.0", "20.9.9"], ["18.17.9", "21.0.0"]),
        (">18", ["19.0.0"], ["18.9.9"]),
        (">18.2.3", ["18.2.4"], ["18.2.3"]),
        ("<=18", ["18.9.9", "4.0.0"], ["19.0.0"]),
        ("<18.2", ["18.1.9"], ["18.2.0"]),
        ("^18.2.0", ["18.2.0", "18.99.0"], ["18.1.9", "19.0.0"]),
        ("^0.2.3", ["0.2.3"], ["0.3.0"]),
        ("^0.0.3", ["0.0.3"], ["0.0.4"]),
        ("^0", ["0.9.0"], ["1.0.0"]),
        ("~18.2.1", ["18.2.9"], ["18.3.0", "18.2.0"]),
        ("~18.2", ["18.2.0"], ["18.3.0"]),
        ("~18", ["18.9.0"], ["19.0.0"]),
        ("18", ["18.0.0", "18.9.9"], ["19.0.0"]),
        ("18.x || 20.x", ["18.1.0", "20.1.0"], ["19.0.0"]),
        ("18.2.x", ["18.2.7"], ["18.3.0"]),
        ("=18.2.3", ["18.2.3"], ["18.2.4"]),
        ("18 - 20", ["18.0.0", "20.9.9"], ["21.0.0", "17.0.0"]),
        ("1.2.3 - 2.3", ["2.3.9"], ["2.4.0"]),
        ("*", ["1.0.0"], []),
        ("", ["1.0.0"], []),
        ("^16 || >=18", ["16.5.0", "24.0.0"], ["17.0.0"]),
        (">=18.0.0-0", ["18.0.0"], ["17.0.0"]),
    ],
)
def test_ranges(wanted: str, inside: list[str], outside: list[str]) -> None:
    assert [v for v in inside if not satisfies(v, wanted)] == []
    assert [v for v in outside if satisfies(v, wanted)] == []


@pytest.mark.parametrize("wanted", ["lts/*", "latest", ">=", "18 and up", "node18"])
def test_other_forms_are_told(wanted: str) -> None:
    with pytest.raises(UnknownRangeError):
        satisfies("18.0.0", wanted)
