# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTML that cannot be broken by what stands in it: text is escaped unless it is Markup."""

from __future__ import annotations

import html
import re

# Controls, and the marks that turn the direction of text: they show something else than there is.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_EMPTY = ("meta", "rect", "line", "circle")


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def escape(text: object) -> Markup:
    """Text as it is shown, in an element or in an attribute."""
    return Markup(html.escape(_INVISIBLE.sub("\ufffd", str(text)), quote=True))


def join(*children: object) -> Markup:
    """Children one after the other."""
    return Markup("".join(one if isinstance(one, Markup) else escape(one) for one in children))


def tag(element: str, /, *children: object, **attributes: object) -> Markup:
    """An element; `class_` is class, `aria_label` is aria-label, None leaves an attribute out."""
    pairs = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if element in _EMPTY and not children:
        return Markup(f"<{element}{pairs}>" if element == "meta" else f"<{element}{pairs}/>")
    return Markup(f"<{element}{pairs}>{join(*children)}</{element}>")
