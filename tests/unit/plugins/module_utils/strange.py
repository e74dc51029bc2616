# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observations with any value in the place of any of their parts."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["name", "state", "pid", "port", "ok", "id", "role", "members", "unit"]
            ),
            inner,
        )
    ),
    max_leaves=8,
)

Path = tuple[Any, ...]


def parts(value: object, path: Path = ()) -> list[Path]:
    """The path of every part of an observation, the whole included."""
    found: list[Path] = [path]
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    for key, one in inner:
        found += parts(one, (*path, key))
    return found


def replaced(seen: Any, path: Path, value: object) -> Any:
    """A copy of the observation in which that part is the value."""
    if not path:
        return value
    seen = copy.deepcopy(seen)
    inner = seen
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return seen
