# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A record in words: two sentences for whoever opens it, and a few lines for the terminal."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._escalation import said
from ansible_collections.plugspace.titan.plugins.module_utils._record import (
    FAILED,
    INTERRUPTED,
    OUTCOMES,
    RUNNING,
)
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen
from ansible_collections.plugspace.titan.plugins.module_utils._words import plain

NO_RESULT = "no result"
_CONTROLLER = "localhost"
_MAX_LINES = 200


def span(seconds: float) -> str:
    """A time to recovery or the like, as exactly as one would say it."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 120:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def summary(record: t.Mapping[str, t.Any]) -> str:
    """Two sentences: what happened, and why or what follows from it; one that says both."""
    seen = Seen(record)
    results = by_urgency(seen.rows("results"))
    end = _cut_short(seen)
    if end:
        rest = _outcomes(results) if results else _last_known(seen)
        return f"{_sentence(end)} {_sentence(rest)}"
    if not results:
        return " ".join(_sentence(one) for one in _without_result(seen))
    happened, reason, worst = _outcomes(results), _reason(results), _outcome(results[0])
    if happened.startswith(worst) and reason.startswith(worst):
        return _sentence(reason.rstrip(".") + happened[len(worst) :])
    return f"{_sentence(happened)} {_sentence(reason)}"


def state(record: Seen) -> str:
    """One word for how a run stands: its outcome, unless it did not come to its end."""
    status, outcome = record.text("status"), record.text("outcome")
    if status in (RUNNING, INTERRUPTED):
        return status
    return outcome or (FAILED if status == FAILED else NO_RESULT)


def worked_on(hosts: t.Sequence[str]) -> list[str]:
    """The hosts that a run was for: without the controller, unless there is no other."""
    return [host for host in hosts if host != _CONTROLLER] or list(hosts)


def by_urgency(results: t.Sequence[Seen]) -> list[Seen]:
    """Results, the worst first, and by their hosts; who only waited for others comes after them."""

    def rank(result: Seen) -> tuple[int, bool, str]:
        outcome = result.text("outcome")
        climbed = {one.text("rung") for one in result.rows("rungs")}
        place = OUTCOMES.index(outcome) if outcome in OUTCOMES else 0
        return place, climbed == {"wait"}, result.text("host")

    return sorted(results, key=rank)


def deciding(result: Seen) -> Seen:
    """The finding that decided what was done; empty without one."""
    findings = result.rows("findings")
    cause = result.text("cause")
    return next((one for one in findings if cause and one.text("cause") == cause), Seen(None))


def cause(result: Seen) -> str:
    """The cause, and what showed it; empty when nothing was wrong."""
    word, evidence = result.text("cause"), deciding(result).text("evidence")
    return f"{word}: {evidence}" if word and evidence else word


def done(result: Seen) -> str:
    """What was done, in the order in which it was."""
    planned = result.text("outcome") == "planned"
    return ", ".join(_rung(one, planned) for one in result.rows("rungs"))


def subject(result: Seen) -> str:
    """What a result is about, and where."""
    about, host = result.text("subject") or result.text("procedure"), result.text("host")
    return f"{about} on {host}" if host and host != about else about or "an unnamed subject"


def lines(record: t.Mapping[str, t.Any], path: str) -> list[str]:
    """The end of a run on the terminal."""
    seen = Seen(record)
    told: list[str] = []
    end = _cut_short(seen)
    results = by_urgency(seen.rows("results"))
    if end or not results:
        told += [plain(text, _MAX_LINES) for text in ([end] if end else _without_result(seen))]
    for result in results:
        told.append(plain(f"{subject(result)}: {result.text('outcome')}", _MAX_LINES))
        rows = (
            ("cause", cause(result) or "nothing is wrong" * (result.text("outcome") == "well")),
            ("planned" if result.text("outcome") == "planned" else "done", done(result)),
            ("recovered", _recovered(result)),
            ("next", result.text("advice")),
            ("call", called(result)),
            ("told", told_by(result)),
        )
        told += [f"  {name + ':':<11}{plain(text, 300)}" for name, text in rows if text]
    told.append(f"record: {path}" if path else "record: none could be written")
    return told


def called(result: Seen) -> str:
    """Who has to answer, how they are reached, and until when; empty when nobody has to."""
    escalation = result.part("escalation")
    role, until = escalation.text("call"), escalation.text("until")
    if not escalation.flag("page") or not role:
        return ""
    chain = escalation.rows("chain")
    own = next((one for one in chain if one.text("until") == until), Seen(None))
    contact = own.text("contact") or "no contact is written down"
    how = "who had to answer by" if escalation.flag("overdue") else "to answer by"
    return f"{role} ({contact}), {how} {said(until)}"


def told_by(result: Seen) -> str:
    """Which channels brought the message, and which did not; empty when there was none to bring."""
    escalation = result.part("escalation")
    deliveries = escalation.rows("deliveries")
    good = " and ".join(one.text("channel") for one in deliveries if one.flag("ok"))
    over = " that it is over" if escalation.text("action") == "resolve" else ""
    parts = [f"by {good}{over}"] if good else []
    parts += [
        f"not by {one.text('channel')} ({one.text('error') or 'no reason told'})"
        for one in deliveries
        if not one.flag("ok")
    ]
    if not deliveries and escalation.flag("page"):
        return "nobody by this run: no message was sent"
    return "; ".join(parts)


def _recovered(result: Seen) -> str:
    return f"in {span(result.number('seconds'))}" if result.text("outcome") == "healed" else ""


def _rung(rung: Seen, planned: bool) -> str:
    name, target = rung.text("rung"), rung.text("target")
    named = f"{name} {target}" if target else name
    if planned:
        return f"would {named}"
    took = span(rung.number("seconds"))
    if rung.flag("helped"):
        return f"{named} helped ({took})"
    error = rung.text("error")
    return f"{named} did not help ({took}{': ' + error if error else ''})"


def _outcomes(results: t.Sequence[Seen]) -> str:
    """The first sentence: the worst one in full when there is only one of its kind."""
    counted = dict.fromkeys(OUTCOMES, 0)
    for result in results:
        counted[result.text("outcome")] = counted.get(result.text("outcome"), 0) + 1
    if counted[results[0].text("outcome")] > 1:
        every = ", ".join(f"{count} {name}" for name, count in counted.items() if count)
        return f"Of {len(results)} results: {every}" if "," in every else f"Results: {every}"
    counted[results[0].text("outcome")] = 0
    others = ", ".join(f"{count} {name}" for name, count in counted.items() if count)
    return _outcome(results[0]) + (f"; besides: {others}" if others else "")


def _outcome(result: Seen) -> str:
    about, outcome = subject(result), result.text("outcome")
    rungs = [one.text("rung") for one in result.rows("rungs")]
    helped = [one.text("rung") for one in result.rows("rungs") if one.flag("helped")]
    took = span(result.number("seconds"))
    return {
        "well": f"Nothing was wrong with {about}",
        "planned": f"Check mode: {' and then '.join(rungs) or 'nothing'} would be tried on {about}",
        "healed": f"{about} was healed"
        + (f" by {helped[-1]}" if helped else "")
        + f" within {took}",
        "unhealed": f"{about} is still ill"
        + (f" after {' and '.join(rungs)}" if rungs else ", and nothing could be tried")
        + ": a person is needed",
        "refused": f"Nothing was done to {about}: the procedure refused",
        "unreachable": f"{result.text('host') or about} gave no answer",
    }.get(outcome, f"{about}: {outcome}")


def _reason(results: t.Sequence[Seen]) -> str:
    """The second sentence: the worst one's cause, or its own words where there is none."""
    result, found = results[0], cause(results[0])
    if found:
        alike = sum(one.text("outcome") == result.text("outcome") for one in results)
        return f"The cause{f' on {subject(result)}' if alike > 1 else ''} was {found}"
    return result.text("summary") or "Nothing was changed"


def _cut_short(record: Seen) -> str:
    """How a run ended that did not come to its own end; empty when it did."""
    name, took = record.text("procedure") or "The run", span(record.number("seconds"))
    task = record.text("task")
    at = f", at the task '{task}'" if task else ""
    if record.text("status") == INTERRUPTED:
        return f"{name} was interrupted by {record.text('signal') or 'a signal'} after {took}{at}"
    if record.text("status") == RUNNING:
        return f"{name} was begun by {record.text('by')} and has not told its end{at}"
    return ""


def _last_known(record: Seen) -> str:
    if record.text("status") == RUNNING:
        return "It is still at work, or it was killed: look whether its process lives"
    return "It had no result yet, so look at the hosts before anything is done again"


def _without_result(record: Seen) -> list[str]:
    name, took = record.text("procedure") or "The run", span(record.number("seconds"))
    failures = record.rows("failures")
    if record.text("status") == FAILED and failures:
        last = failures[-1]
        return [
            f"{name} failed on {last.text('host')} after {took}, at the task '{last.text('task')}'",
            f"It said: {last.text('message') or 'nothing'}",
        ]
    if record.text("status") == FAILED:
        notes = record.texts("notes")
        return [f"{name} failed after {took}", notes[-1] if notes else "No task told why"]
    notes = record.texts("notes")
    return [f"{name} ended after {took} without a result", notes[-1] if notes else "It only looked"]


def _sentence(text: str) -> str:
    """One sentence: what is quoted in it may have ended in a dot of its own."""
    line = plain(text, 400).rstrip(".")
    return (line[:1].upper() + line[1:] if line.startswith("the ") else line) + "."
