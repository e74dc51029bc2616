# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading MongoDB's documents. Needs no PyMongo, so it serves on the controller too."""

from __future__ import annotations

import math
import typing as t

Document = dict[str, t.Any]

# The databases where the server keeps what it needs itself.
INTERNAL = ("admin", "config", "local")


def pick(document: t.Any, *path: str) -> Document:
    """Return the document at the path; an empty one when there is none."""
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}


def number(document: t.Any, *path: str) -> t.Any:
    """Return the finite number at the path as Python's own type, not BSON's; else None."""
    value = pick(document, *path[:-1]).get(path[-1])
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else None
