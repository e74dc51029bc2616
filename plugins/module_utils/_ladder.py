# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rung of a procedure's ladder is climbed next, and when to stop."""

from __future__ import annotations

import shlex
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._finding import POSSIBLE, Finding

# So many targets of one cause, in one run.
_OFTEN = 3


class Rung(t.TypedDict, total=False):
    """One thing that a procedure can do.

    name: as the findings call it. says: what it does, for a person.
    next: the rung that is tried when this one did not help.
    destructive: it is only climbed when a person has named what it acts on.
    turns: one host climbs it after the other.
    """

    name: str
    says: str
    next: str
    destructive: bool
    turns: bool


class LadderError(Exception):
    """The ladder does not fit its diagnosis: a mistake in the procedure, not of its user."""


class Taken(t.TypedDict):
    """A rung that was climbed: its name, what it acted on, and the cause that it was for."""

    rung: str
    target: str
    cause: str


class Step(t.TypedDict):
    """What comes next.

    rung: empty when the ladder ends here. target: what it acts on; empty for all of the subject.
    finding: the finding that decides; empty when nothing is wrong.
    reason: why the ladder ends, in a sentence; empty when it goes on.
    """

    rung: str
    target: str
    finding: dict[str, t.Any]
    reason: str


def next_step(
    findings: t.Sequence[Finding],
    rungs: t.Sequence[Rung],
    taken: t.Sequence[Taken] = (),
    confirmed: str = "",
    option: str = "",
) -> Step:
    """Choose the next rung.

    The first finding decides, since it explains the others; only one that is no more than possible
    and asks for a person is passed over for one that can be helped. A rung that did not help
    against a cause is not climbed again for it: its successor is, as long as there is one.

    findings: of a diagnosis made after the last rung. rungs: the whole ladder. taken: in this run.
    confirmed: what a person has named for a destructive rung. option: the variable to name it by.
    """
    known = {rung["name"]: rung for rung in rungs}
    if not findings:
        return Step(rung="", target="", finding={}, reason="nothing is wrong")
    decisive = next(
        (one for one in findings if one["rung"] or one["confidence"] != POSSIBLE), findings[0]
    )
    name, target = decisive["rung"], decisive["target"]
    if not name:
        return _end(decisive, f"a person must: {decisive['advice']}")
    tried: list[str] = []
    while name and name not in tried:
        if name not in known:
            raise LadderError(f"the ladder has no rung {name}; it has {', '.join(known) or 'none'}")
        if not _was_taken(taken, name, decisive):
            break
        tried.append(name)
        # What comes after a rung for one part acts on all of it.
        name, target = known[name].get("next", ""), ""
    if not name or name in tried:
        return _end(decisive, "what was tried did not help, and nothing else is left to try")
    named = target or decisive["subject"]
    if known[name].get("destructive") and confirmed != named:
        used = not confirmed or any(one["target"] == confirmed for one in taken)
        wrong = "" if used else f"it is not {confirmed}; "
        # Ansible takes a value apart at its spaces, after the shell has taken its quotes away.
        given = shlex.quote(f"{option}={shlex.quote(named)}")
        how = f": -e {given}" if option else ""
        says = known[name].get("says", name)
        return _end(decisive, f"{wrong}to {says} ({named}), a person has to name it{how}")
    return Step(rung=name, target=target, finding=dict(decisive), reason="")


def _was_taken(taken: t.Sequence[Taken], name: str, found: Finding) -> bool:
    """Whether it was climbed for this cause, on the same target or on all of the subject.

    Or often enough: a process that somebody starts anew is another target each time.
    """
    same = [one for one in taken if (one["rung"], one["cause"]) == (name, found["cause"])]
    return len(same) >= _OFTEN or any(one["target"] in (found["target"], "") for one in same)


def _end(found: Finding, reason: str) -> Step:
    return Step(rung="", target="", finding=dict(found), reason=reason)
