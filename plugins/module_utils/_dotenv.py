# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environment files: their variables, and which of the values must not be shown."""

from __future__ import annotations

import re

_ASSIGNMENT = re.compile(
    r"^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*=[ \t]*"
    r"(?:'([^']*)'|\"((?:\\.|[^\"\\])*)\"|`([^`]*)`|([^\r\n]*))",
    re.MULTILINE | re.DOTALL,
)
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_URL_PASSWORD = re.compile(r"://[^/@:\s]*:([^/@\s]+)@")

# Too common to mean anything: masking them would make every message unreadable.
_PLAIN_WORDS = frozenset(
    ("true", "false", "production", "development", "staging", "localhost", "127.0.0.1", "default")
)
_SHORTEST_SECRET = 6


def parse(text: str) -> dict[str, str]:
    """The variables of an environment file; quoted values may span lines, the last one wins."""
    variables = {}
    for match in _ASSIGNMENT.finditer(text):
        name, single, double, back, bare = match.groups()
        quoted = next((part for part in (single, double, back) if part is not None), None)
        variables[name] = _COMMENT.sub("", bare).strip() if quoted is None else quoted
    return variables


def secrets(text: str) -> set[str]:
    """The values of an environment file that may be secret, and the passwords inside of URLs."""
    found = set()
    for value in parse(text).values():
        found.update(_URL_PASSWORD.findall(value))
        if len(value) >= _SHORTEST_SECRET and not value.isdigit() and value not in _PLAIN_WORDS:
            found.add(value)
            # A value of several lines appears in output one line at a time.
            found.update(line for line in value.splitlines() if len(line) >= _SHORTEST_SECRET)
    return found
