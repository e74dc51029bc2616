# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How values are said to a person: one plain line, sizes, time spans, counts."""

from __future__ import annotations

import re


def plain(text: object, length: int = 200) -> str:
    """Return text from outside as one printable line of at most this many characters."""
    line = " ".join(re.sub(r"[^\x20-\x7e]+", " ", str(text)).split())
    return line if len(line) <= length else line[: length - 3] + "..."


def size(number: float) -> str:
    """Return bytes as a person says them."""
    for unit in ("B", "KB", "MB", "GB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if number >= 10 or unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TB"


def age(seconds: float) -> str:
    """Return a time span as a person says it."""
    for length, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{max(0, int(seconds))} s"


def plural(count: int, noun: str) -> str:
    """Return a count with its noun."""
    return f"{count} {noun}" if count == 1 or noun == "unknown" else f"{count} {noun}s"
