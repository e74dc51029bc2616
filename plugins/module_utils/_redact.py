# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text without the secrets that are known."""

from __future__ import annotations

import re
import typing as t

MASK = "********"
_SHORTEST = 6
_SECRET_NAME = re.compile(
    r"(token|secret|password|passwd|passphrase|credentials?|authorization|cookie|apikey|jwt|dsn)$"
    r"|(^|[_-])(auth|key|pass)$",
    re.I,
)
_URL_CREDENTIALS = re.compile(r"(?<=://)[^/@\s'\"]+@")


class Redactor:
    """Replaces known secrets, and the credentials of any URL."""

    def __init__(self, secrets: t.Iterable[str] = ()) -> None:
        # The longest first, or a secret that contains another one would be left in part.
        self._secrets = sorted({secret for secret in secrets if secret}, key=len, reverse=True)

    def text(self, text: str) -> str:
        """The text, masked."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return _URL_CREDENTIALS.sub(f"{MASK}@", text)

    def lines(self, lines: t.Iterable[str]) -> list[str]:
        """The lines, masked."""
        return [self.text(line) for line in lines]


def named_secrets(variables: t.Mapping[str, t.Any] | None) -> set[str]:
    """The values of variables or headers whose names say that they are secret, as C(NPM_TOKEN).

    A value of less than 6 characters is not among them: masked everywhere, it would hide too much.
    """
    values = {str(value) for name, value in (variables or {}).items() if _SECRET_NAME.search(name)}
    return {value for value in values if len(value) >= _SHORTEST}
