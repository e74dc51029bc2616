# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text without the secrets that are known."""

from __future__ import annotations

import re
import typing as t

MASK = "********"
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
