# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Version ranges in the forms that package.json uses."""

from __future__ import annotations

import re
import typing as t

Version = tuple[int, int, int]
_Bounds = tuple[Version, t.Optional[Version]]

_PARTIAL = re.compile(
    r"v?(\d+|[xX*])?(?:\.(\d+|[xX*]))?(?:\.(\d+|[xX*]))?(?:[-+][0-9A-Za-z.+-]+)?$"
)
_COMPARATOR = re.compile(r"(\^|~>?|>=|<=|>|<|=)?\s*([vV]?[\dxX*][^\s]*)")


class UnknownRangeError(ValueError):
    """A range in a form that is not understood."""


def parse(text: str) -> Version:
    """A complete version, with or without a leading v."""
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", text.strip())
    if not match:
        raise UnknownRangeError(f"{text!r} is not a version")
    return int(match[1]), int(match[2]), int(match[3])


def satisfies(version: str, wanted: str) -> bool:
    """Whether the version lies in the range: comparators, ^, ~, x, hyphens, space and ||."""
    actual = parse(version)
    return any(_in_all(actual, part.strip()) for part in wanted.split("||"))


def _in_all(version: Version, part: str) -> bool:
    hyphen = re.fullmatch(r"(\S+)\s+-\s+(\S+)", part)
    if hyphen:
        low, _above = _span(hyphen[1])
        _low, above = _span(hyphen[2])
        return _inside(version, (low, above))
    rest = _COMPARATOR.sub("", part).strip()
    if rest:
        raise UnknownRangeError(f"{part!r} is not a version range that is understood")
    return all(
        _inside(version, _bounds(operator, text)) for operator, text in _COMPARATOR.findall(part)
    )


def _inside(version: Version, bounds: _Bounds) -> bool:
    low, above = bounds
    return version >= low and (above is None or version < above)


def _bounds(operator: str, text: str) -> _Bounds:
    low, above = _span(text)
    if operator in ("", "="):
        return low, above
    if operator == ">=":
        return low, None
    if operator == ">":
        return above or (1 << 30, 0, 0), None
    if operator == "<":
        return (0, 0, 0), low
    if operator == "<=":
        return (0, 0, 0), above
    if operator == "^":
        return low, _caret(low, _digits(text))
    return low, (low[0], low[1] + 1, 0) if _digits(text) > 1 else above


def _caret(low: Version, digits: int) -> Version | None:
    if digits == 0:
        return None
    if low[0] or digits == 1:
        return low[0] + 1, 0, 0
    if low[1] or digits == 2:
        return 0, low[1] + 1, 0
    return 0, 0, low[2] + 1


def _numbers(text: str) -> list[int]:
    """The leading numbers: 18.x gives one, 18.2 two, * none."""
    match = _PARTIAL.match(text)
    if not match:
        raise UnknownRangeError(f"{text!r} is not a version")
    numbers: list[int] = []
    for part in match.groups():
        if part is None or not part.isdigit():
            break
        numbers.append(int(part))
    return numbers


def _digits(text: str) -> int:
    return len(_numbers(text))


def _span(text: str) -> _Bounds:
    """What an incomplete version stands for: 18 is everything from 18.0.0 to before 19.0.0."""
    numbers = _numbers(text)
    low = (*numbers, 0, 0, 0)[:3]
    above: list[int] = [*numbers[:-1], numbers[-1] + 1] if numbers else []
    limit = (*above, 0, 0, 0)[:3] if above else None
    return t.cast(Version, low), t.cast("Version | None", limit)
