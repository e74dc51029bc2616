# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a procedure on a host: its outcome, and the sentences that tell it."""

from __future__ import annotations

import datetime
import re
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._attempts import HEALED
from ansible_collections.plugspace.titan.plugins.module_utils._finding import Finding
from ansible_collections.plugspace.titan.plugins.module_utils._ladder import (
    LadderError,
    Rung,
    Step,
)
from ansible_collections.plugspace.titan.plugins.module_utils._words import age, plain

WELL, PLANNED = "well", "planned"
UNHEALED, REFUSED, UNREACHABLE = "unhealed", "refused", "unreachable"
# Whoever started the procedure has to look at the host himself now.
BAD = (UNHEALED, REFUSED, UNREACHABLE)
# Worst first, in a report of many hosts.
_ORDER = (UNREACHABLE, UNHEALED, REFUSED, PLANNED, HEALED, WELL)
# What Ansible says before the words of ssh, which are the reason.
_BEFORE_REASON = re.compile(
    r"^(Task failed: )?(Data could not be sent to remote host .*\. Make sure this host can be"
    r" reached over ssh: )?(Failed to connect to the host via ssh: )?"
)
_MARKS = {WELL: "ok", HEALED: "ok", PLANNED: "plan"}

Evidence = dict[str, str]


class Taken(t.TypedDict):
    """A rung that was climbed; seconds: with the look at what became of it.

    before, after: what was shown before it and by that look; after is empty when the host gave no
    answer any more. left: the causes that were still found.
    """

    rung: str
    target: str
    cause: str
    says: str
    helped: bool
    seconds: float
    error: str
    before: Evidence
    after: Evidence
    left: list[str]


class Result(t.TypedDict):
    """What became of it. seconds: until the outcome was verified.

    began, incident_began: ISO 8601, of the procedure, and of what it is for; the latter is empty
    when nobody knows it. findings: before anything was done. left: those of the last look.
    """

    procedure: str
    subject: str
    host: str
    severity: str
    outcome: str
    summary: str
    cause: str
    advice: str
    findings: list[Finding]
    left: list[Finding]
    rungs: list[Taken]
    before: Evidence
    after: Evidence
    began: str
    incident_began: str
    seconds: float


class Course(t.TypedDict, total=False):
    """How a procedure went on a host, as the engine noted it.

    began, ended: seconds since the epoch. incident_began: as in the result. first: the findings
    before anything was done; findings: those of now. step: the last choice of the ladder. remark:
    what is said of a subject that is well. refusal: why nothing was done. failure: why the
    procedure itself broke off. planning: nothing is done, only told. lost: the host gave no answer.
    override: how a person has it tried all the same. silence: what is known of why it gave none.
    unfinished: what could not be tidied up at the end, and why. proof: the row of service_probe
    that was taken after the last rung; empty when the subject cannot be probed.
    """

    procedure: str
    subject: str
    host: str
    severity: str
    began: float
    ended: float
    incident_began: str
    first: list[Finding]
    findings: list[Finding]
    rungs: list[Rung]
    taken: list[Taken]
    step: Step
    remark: str
    refusal: str
    override: str
    failure: str
    planning: bool
    lost: bool
    silence: str
    unfinished: list[str]
    proof: t.Mapping[str, t.Any]
    before: Evidence
    after: Evidence


def result(course: Course) -> Result:
    """The result of a procedure on a host."""
    first = list(course.get("first") or [])
    decisive = _decisive(course)
    taken = list(course.get("taken") or [])
    outcome = _outcome(course, first)
    if outcome == PLANNED:
        taken = planned(course)
    seconds = max(0.0, course["ended"] - course["began"])
    return Result(
        procedure=course["procedure"],
        subject=course["subject"],
        host=course["host"],
        severity=course.get("severity", ""),
        outcome=outcome,
        summary=" ".join(
            [_summary(course, outcome, decisive, taken, seconds)]
            + [f"Left behind: {_ended(one)}" for one in course.get("unfinished") or []]
        ),
        cause=decisive["cause"] if decisive else "",
        advice=_advice(course, outcome, decisive),
        findings=first,
        left=list(course.get("findings") or []),
        rungs=taken,
        before=dict(course.get("before") or {}),
        after=dict(course.get("after") or {}),
        began=_moment(course["began"]),
        incident_began=course.get("incident_began", ""),
        seconds=round(seconds, 1),
    )


def planned(course: Course) -> list[Taken]:
    """The rungs that would be climbed, each only if the one before did not help."""
    step = course.get("step")
    known = {rung["name"]: rung for rung in course.get("rungs") or []}
    if not step or not step["rung"]:
        return []
    if step["rung"] not in known:
        raise LadderError(f"the ladder has no rung {step['rung']}")
    chain: list[Taken] = []
    name, target = step["rung"], step["target"]
    while name in known and name not in {one["rung"] for one in chain}:
        chain.append(
            Taken(
                rung=name,
                target=target,
                cause=str(step["finding"].get("cause", "")),
                says=known[name].get("says", name) + (f" ({target})" if target else ""),
                helped=False,
                seconds=0.0,
                error="",
                before={},
                after={},
                left=[],
            )
        )
        name, target = known[name].get("next", ""), ""
    return chain


def _decisive(course: Course) -> Finding | None:
    """The finding that the ladder began with: it is what was wrong."""
    first = course.get("first") or []
    taken = course.get("taken") or []
    step = course.get("step")
    decided = taken[0]["cause"] if taken else (step["finding"].get("cause") if step else "")
    return next((one for one in first if one["cause"] == decided), first[0] if first else None)


def _outcome(course: Course, first: list[Finding]) -> str:
    if course.get("lost"):
        return UNREACHABLE
    if course.get("failure"):
        return UNHEALED if course.get("taken") else REFUSED
    if not first:
        return WELL
    if course.get("planning"):
        return PLANNED
    if not course.get("findings"):
        return UNHEALED if _unproven(course) else HEALED
    return REFUSED if course.get("refusal") else UNHEALED


def _unproven(course: Course) -> str:
    """Why nobody can say that it is well again, although nothing is found any more."""
    proof, taken = course.get("proof") or {}, course.get("taken") or []
    if proof.get("ok") is False:
        return str(proof.get("reason") or "it does not answer well")
    if taken and taken[-1]["error"] and not proof.get("ok"):
        return taken[-1]["error"]
    return ""


def _summary(
    course: Course, outcome: str, found: Finding | None, taken: list[Taken], seconds: float
) -> str:
    what = f"{course['subject']} on {course['host']}"
    seen = found["evidence"] if found else ""
    if outcome == WELL:
        return f"{what} is well; nothing was done. {_sentence(course.get('remark') or '')}".rstrip()
    if outcome == UNREACHABLE:
        done = f" after {_told(taken)}" if taken else ""
        silent = _BEFORE_REASON.sub("", course.get("silence") or "")
        why = f" ({plain(silent, 160)})" if silent else ""
        nobody = f"so nobody knows how {course['subject']} is"
        return f"{course['host']} gave no answer{done}{why}, {nobody}."
    if outcome == PLANNED:
        if not taken:
            return f"{what}: {_ended(seen)} Nothing would be done: {course['step']['reason']}."
        then = "; if that does not help: ".join(one["says"] for one in taken)
        refusal = course.get("refusal")
        yet = f" Not now, though: {refusal}." if refusal else ""
        return f"{what}: {_ended(seen)} Would be done: {then}.{yet}"
    if outcome == HEALED:
        # What failed may have helped all the same, or it came back by itself.
        helped = [one for one in taken if one["helped"]] or taken[-1:]
        did = _done(taken) if taken[-1]["error"] else f"What helped: {_told(helped)}"
        return f"{what} is well again after {age(seconds)}: {_ended(seen)} {did}."
    if outcome == REFUSED:
        why = course.get("refusal") or course.get("failure") or ""
        said = f"{_ended(seen)} " if seen else ""
        return f"{what}: {said}Nothing was done: {why}."
    step = course.get("step")
    reason = course.get("failure") or (step["reason"] if step else "")
    now = course.get("findings") or []
    still = _last(course).get("evidence") or (now[0]["evidence"] if now else seen) or "it broke off"
    unproven = "" if now else _unproven(course)
    if unproven and not course.get("failure"):
        still, reason = f"{seen}, which is over, but: {unproven}", ""
    done = f" {_done(taken)}." if taken else " Nothing was done."
    return f"{what} needs a person: {_ended(still)}{done} {_sentence(str(reason))}"


def _done(taken: list[Taken]) -> str:
    # Of a step that failed nobody can say that it was done.
    word = "Tried" if all(one["error"] for one in taken) else "Done"
    return f"{word}: {_told(taken)}"


def _told(taken: list[Taken]) -> str:
    return ", then ".join(
        one["says"] + (f" (which failed: {one['error']})" if one["error"] else "") for one in taken
    )


def _sentence(text: str) -> str:
    return _ended(f"{text[:1].upper()}{text[1:]}") if text else ""


def _ended(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _advice(course: Course, outcome: str, found: Finding | None) -> str:
    if outcome == UNREACHABLE:
        return f"see whether {course['host']} runs and can be reached by SSH, then run this again"
    if outcome in (REFUSED, PLANNED) and course.get("refusal"):
        return f"to have it tried all the same: {course.get('override') or 'override it'}"
    if outcome == UNHEALED and not course.get("failure"):
        found = t.cast(Finding, _last(course)) or found
    return found["advice"] if found else ""


def _last(course: Course) -> t.Mapping[str, t.Any]:
    """What the ladder ended with, which is not always what stands first; empty before a choice."""
    step = course.get("step")
    return step["finding"] if step else {}


def _moment(seconds: float) -> str:
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def report(results: t.Sequence[Result]) -> str:
    """What all hosts say, worst first; the evidence and what was done stand below each."""
    lines: list[str] = []
    order = {outcome: place for place, outcome in enumerate(_ORDER)}
    for one in sorted(results, key=lambda each: (order[each["outcome"]], each["host"])):
        lines.append(f"{_MARKS.get(one['outcome'], 'FAIL'):5}{one['summary']}")
        others = [each for each in one["findings"] if each["cause"] != one["cause"]]
        lines += [f"     also seen: {each['evidence']}" for each in others]
        lines += [
            f"     {label}: {line} -> {one['after'].get(label, line)}"
            for label, line in one["before"].items()
            if one["outcome"] == HEALED and one["after"].get(label, line) != line
        ]
        # What a sentence says already is not said again.
        if one["advice"] and one["advice"] not in one["summary"]:
            lines.append(f"     {_when(one)}: {one['advice']}")
    return "\n".join(lines)


def _when(one: Result) -> str:
    if not one["rungs"]:
        return "to do"
    # Of what is planned, some advice is for before it: what else would help, or what it costs.
    return {HEALED: "afterwards", PLANNED: "mind"}.get(one["outcome"], "to do")


def failure(results: t.Sequence[Result]) -> str:
    """One sentence for each host that needs a person; empty when none does."""
    return " ".join(one["summary"] for one in results if one["outcome"] in BAD)
