# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a diagnosis says: findings, the one that explains most first."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._words import plain

CERTAIN, LIKELY, POSSIBLE = "certain", "likely", "possible"
MAX_EVIDENCE = 300


class Finding(t.TypedDict):
    """One cause, and what helps against it.

    cause: a word for programs, such as V(port_taken).
    subject: what is ill - a service, a unit, a member, a file system.
    evidence: one line that a tired person understands.
    confidence: V(certain), V(likely) or V(possible).
    rung: the rung of the procedure's ladder that helps; empty when a person is needed.
    target: what the rung acts on, for example instance ids or a unit; empty for all of the subject.
    advice: what a person must do where no rung helps, or should do afterwards; may be empty.
    """

    cause: str
    subject: str
    evidence: str
    confidence: str
    rung: str
    target: str
    advice: str


def finding(
    cause: str,
    subject: str,
    evidence: str,
    confidence: str = CERTAIN,
    rung: str = "",
    target: str = "",
    advice: str = "",
) -> Finding:
    """A finding; its evidence becomes one printable line of bounded length."""
    return Finding(
        cause=cause,
        subject=subject,
        # A reason that was seen may be blank, or in no letters that are shown.
        evidence=plain(evidence, MAX_EVIDENCE) or "what was told of it cannot be shown",
        confidence=confidence,
        rung=rung,
        target=target,
        advice=advice,
    )
