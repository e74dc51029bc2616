# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The escalation matrix: who is called for a severity, and until when each has to answer.

All times are UTC, counted from the start of the incident.
"""

from __future__ import annotations

import typing as t
from datetime import datetime, time, timedelta, timezone

# The worst first.
SEVERITIES = ("critical", "high", "medium", "low")
_MINUTES_MOST = 30 * 24 * 60
_SATURDAY = 5
_LEVEL_KEYS = ("response_minutes", "chain", "business_days")


class EscalationError(Exception):
    """Something that was written down cannot be used; the text says where and why."""


class Level(t.TypedDict, total=False):
    """One line of the matrix.

    response_minutes: what each of the chain has to answer in. chain: roles, the first called first.
    business_days: whether the time runs from Monday to Friday alone.
    """

    response_minutes: float
    chain: t.Sequence[str]
    business_days: bool


# The runbook's, for a site that has none of its own, or one that cannot be used.
RUNBOOK: t.Mapping[str, Level] = {
    "critical": {"response_minutes": 15, "chain": ["On-call", "Team Lead", "CTO"]},
    "high": {"response_minutes": 60, "chain": ["On-call", "Team Lead"]},
    "medium": {"response_minutes": 240, "chain": ["On-call"]},
    "low": {"response_minutes": 1440, "chain": ["On-call"], "business_days": True},
}


class Step(t.TypedDict):
    """One of the chain: who, how to reach them, and their time."""

    role: str
    contact: str
    begins: str
    until: str


class Chain(t.TypedDict):
    """Who is called for an incident.

    due: how many of the steps have begun; 0 before the first business day begins.
    call: the role that has to answer now. until: when its time ends.
    overdue: whether the last one's time is over, too.
    """

    severity: str
    began: str
    steps: list[Step]
    due: int
    call: str
    until: str
    overdue: bool


def matrix_problems(matrix: object) -> list[str]:
    """What is wrong with a matrix, a sentence each; each names its place."""
    if not isinstance(matrix, t.Mapping):
        return ["the escalation matrix is no mapping from severity to response time and chain"]
    problems = [
        f"the escalation matrix has no severity {name}" for name in SEVERITIES if name not in matrix
    ]
    for name, level in matrix.items():
        where = f"the escalation matrix, severity {name}"
        if name not in SEVERITIES:
            problems.append(f"{where}: the severities are {', '.join(SEVERITIES)}")
        elif not isinstance(level, t.Mapping):
            problems.append(f"{where}: it is no mapping with response_minutes and chain")
        else:
            problems += [f"{where}: {problem}" for problem in _level_problems(level)]
    return problems


def _level_problems(level: t.Mapping[t.Any, t.Any]) -> list[str]:
    problems = [
        f"{key} is not known; it takes {', '.join(_LEVEL_KEYS)}"
        for key in level
        if key not in _LEVEL_KEYS
    ]
    minutes = level.get("response_minutes")
    number = isinstance(minutes, (int, float)) and not isinstance(minutes, bool)
    # A NaN is not within any bounds.
    if not number or not 1 <= t.cast(float, minutes) <= _MINUTES_MOST:
        problems.append(f"response_minutes is no number of minutes from 1 to {_MINUTES_MOST}")
    chain = level.get("chain")
    if not isinstance(chain, (list, tuple)) or not chain:
        problems.append("chain is no list of the roles to call")
    else:
        problems += [
            f"chain[{place}] is no name of a role"
            for place, role in enumerate(chain)
            if not isinstance(role, str) or not role.strip()
        ]
    if not isinstance(level.get("business_days", False), bool):
        problems.append("business_days is neither true nor false")
    return problems


def contact_problems(contacts: object) -> list[str]:
    """What is wrong with the contacts, a sentence each."""
    if not isinstance(contacts, t.Mapping):
        return ["the contacts are no mapping from role to how it is reached"]
    return [
        f"the contacts, {role}: it is no mapping such as mail to an address"
        for role, ways in contacts.items()
        if not isinstance(ways, t.Mapping)
        or not all(isinstance(way, str) for way in (*ways, *ways.values()))
    ]


def contact(role: str, contacts: t.Mapping[str, t.Mapping[str, str]]) -> str:
    """How a role is reached, for a person; empty when nobody wrote it down."""
    return ", ".join(f"{way}: {value}" for way, value in contacts.get(role, {}).items() if value)


def chain_of(
    severity: str,
    began: datetime,
    now: datetime,
    matrix: t.Mapping[str, Level],
    contacts: t.Mapping[str, t.Mapping[str, str]],
) -> Chain:
    """Who is to be called now, and until when each of the chain has to answer.

    The next one's time begins when the one before has not answered in time.
    """
    problems = matrix_problems(matrix) + contact_problems(contacts)
    if problems:
        raise EscalationError("; ".join(problems))
    if severity not in SEVERITIES:
        raise EscalationError(f"severity {severity!r} is none of {', '.join(SEVERITIES)}")
    level = matrix[severity]
    length = timedelta(minutes=level["response_minutes"])
    business = level.get("business_days", False)
    steps: list[Step] = []
    due = 0
    ends = began
    for role in level["chain"]:
        begins = _business_day(ends) if business else ends
        ends = _after(begins, length) if business else begins + length
        # The first is called even by a clock that says the incident is still to come.
        due += begins <= now or (not steps and not business)
        steps.append(
            Step(role=role, contact=contact(role, contacts), begins=_iso(begins), until=_iso(ends))
        )
    current = steps[max(due, 1) - 1]
    return Chain(
        severity=severity,
        began=_iso(began),
        steps=steps,
        due=due,
        call=current["role"],
        until=current["until"],
        overdue=ends <= now,
    )


def moment(value: object, where: str) -> datetime:
    """A time of ISO 8601 in UTC; one without a zone is UTC."""
    try:
        found = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
        return found.replace(tzinfo=found.tzinfo or timezone.utc).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        raise EscalationError(f"{where} is no time such as 2026-01-05T03:00:00Z") from None


def said(value: str) -> str:
    """A time of the chain as a person reads it."""
    return f"{value[:10]} {value[11:16]} UTC"


def _iso(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


def _midnight(day: datetime) -> datetime:
    """The end of a day."""
    return datetime.combine(day.date() + timedelta(days=1), time(0), timezone.utc)


def _business_day(value: datetime) -> datetime:
    """The same moment, or the beginning of Monday for one at the weekend."""
    while value.weekday() >= _SATURDAY:
        value = _midnight(value)
    return value


def _after(begins: datetime, length: timedelta) -> datetime:
    """When this much time of business days has passed."""
    while begins + length > _midnight(begins):
        length -= _midnight(begins) - begins
        begins = _business_day(_midnight(begins))
    return begins + length
