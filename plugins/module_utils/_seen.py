# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what was observed: a part that is missing, failed or malformed reads as empty.

A diagnosis works with what there is, since half of the evidence is what a sick host gives.
"""

from __future__ import annotations

import typing as t


class Seen:
    """One mapping of an observation."""

    def __init__(self, value: object) -> None:
        self._value: t.Mapping[t.Any, t.Any] = value if isinstance(value, t.Mapping) else {}

    def __bool__(self) -> bool:
        return bool(self._value)

    @property
    def value(self) -> dict[t.Any, t.Any]:
        """The mapping itself."""
        return dict(self._value)

    def names(self) -> list[str]:
        """The keys that are texts."""
        return [key for key in self._value if isinstance(key, str)]

    def has(self, key: str) -> bool:
        """Whether there is a value that is not null."""
        return self._value.get(key) is not None

    def keys(self) -> list[str]:
        """The names of what there is, in their order."""
        return [str(key) for key in self._value]

    def part(self, key: str) -> Seen:
        """A mapping inside."""
        return Seen(self._value.get(key))

    def rows(self, key: str) -> list[Seen]:
        """A list of mappings inside; what is none is left out."""
        return [Seen(one) for one in self._list(key) if isinstance(one, t.Mapping)]

    def texts(self, key: str) -> list[str]:
        """A list of texts inside; what is none is left out."""
        return [one for one in self._list(key) if isinstance(one, str)]

    def wholes(self, key: str) -> list[int]:
        """A list of whole numbers inside; what is none is left out."""
        return [one for one in self._list(key) if isinstance(one, int)]

    def text(self, key: str) -> str:
        """A text, or empty."""
        value = self._value.get(key)
        return value if isinstance(value, str) else ""

    def shown(self, key: str) -> str:
        """Any value that is neither a mapping nor a list, as text; empty without one."""
        value = self._value.get(key)
        return "" if value is None or isinstance(value, (t.Mapping, list, tuple)) else str(value)

    def number(self, key: str, default: float = 0.0) -> float:
        """A number; text that is one counts, since Ansible templates values to text."""
        value = self._value.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            return default
        try:
            number = float(value)
        except (ValueError, OverflowError):
            return default
        return number if abs(number) < 2**63 else default

    def whole(self, key: str, default: int = 0) -> int:
        """A number without its fraction."""
        return int(self.number(key, default))

    def flag(self, key: str) -> bool | None:
        """True, false, or none when nothing was told."""
        value = self._value.get(key)
        return value if isinstance(value, bool) else None

    def _list(self, key: str) -> t.Sequence[t.Any]:
        value = self._value.get(key)
        return value if isinstance(value, (list, tuple)) else ()
