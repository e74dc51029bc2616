# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A record as one page that needs nothing else: no network, no scripts."""

from __future__ import annotations

import base64
import hashlib
import json
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._escalation import said
from ansible_collections.plugspace.titan.plugins.module_utils._record_markup import (
    Markup,
    join,
    tag,
)
from ansible_collections.plugspace.titan.plugins.module_utils._record_style import STYLE
from ansible_collections.plugspace.titan.plugins.module_utils._record_text import (
    by_urgency,
    called,
    span,
    state,
    subject,
    told_by,
    worked_on,
)
from ansible_collections.plugspace.titan.plugins.module_utils._record_timeline import (
    MAX_LANES,
    STATES,
    lanes_of,
    recoveries,
    timeline,
)
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen
from ansible_collections.plugspace.titan.plugins.module_utils._words import plural

NOTHING = Markup("")
_TALLY = ("ok", "changed", "failures", "unreachable", "rescued", "skipped")


def page(record: t.Mapping[str, t.Any]) -> str:
    """The whole page."""
    seen = Seen(record)
    name = seen.text("procedure") or "run"
    body = tag(
        "main",
        _head(seen, name),
        _next(seen),
        _timeline(seen),
        *(_result(one) for one in by_urgency(seen.rows("results"))),
        _failures(seen),
        _run(seen, record),
        tag("footer", f"Record {seen.text('id')}. All times are UTC. Secrets are masked."),
    )
    # The page may hold what a stranger wrote into a log: nothing in it runs, or is fetched.
    policy = (
        f"default-src 'none'; style-src 'sha256-{_digest(STYLE)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="robots", content="noindex"),
        tag("title", f"{name}, {state(seen)}, {_time(seen.text('began'))}"),
        tag("style", Markup(STYLE)),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, tag('body', body), lang='en')}\n"


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _time(text: str) -> str:
    return text.replace("T", " ").replace("Z", " UTC")


def _quoted(text: str) -> Markup:
    """What a program or a log said."""
    return tag("span", text, class_="evidence") if text else NOTHING


def _pill(word: str) -> Markup:
    return tag("span", word, class_=f"pill {word.split(' ')[0]}") if word else NOTHING


def _head(seen: Seen, name: str) -> Markup:
    hosts = worked_on(seen.part("timeline").keys())
    recovered = seen.has("recovery_seconds")
    facts = [
        ("Began", _time(seen.text("began"))),
        ("Took", span(seen.number("seconds"))),
        ("Time to recovery", span(seen.number("recovery_seconds")) if recovered else ""),
        ("Hosts", ", ".join(hosts) if len(hosts) <= 4 else plural(len(hosts), "host")),
        ("Started by", seen.text("by")),
        ("Mode", "check mode: nothing was changed" if seen.flag("check") else ""),
    ]
    return tag(
        "header",
        tag("h1", name, _pill(state(seen))),
        tag("p", seen.text("summary"), class_="lead", id="summary"),
        tag(
            "dl",
            *(tag("div", tag("dt", key), tag("dd", value)) for key, value in facts if value),
            class_="facts",
        ),
    )


def _next(seen: Seen) -> Markup:
    results = by_urgency(seen.rows("results"))
    advice = [
        tag("li", tag("b", f"{subject(one)}: "), one.text("advice"))
        for one in results
        if one.text("advice")
    ]
    if not advice:
        return NOTHING
    return tag(
        "section", tag("h2", "What a person must do"), tag("ul", *advice), class_="card next"
    )


def _timeline(seen: Seen) -> Markup:
    picture = timeline(seen)
    if not picture:
        return NOTHING
    lanes = lanes_of(seen)
    found = {one.text("state") for _host, spans in lanes for one in spans}
    legend = [
        tag("li", tag("i", class_=word), told) for word, told in STATES.items() if word in found
    ]
    if any(recoveries(seen, host) for host, _spans in lanes):
        legend.append(tag("li", tag("i", class_="back"), "was back, verified"))
    rows = [
        (
            host,
            one.text("phase"),
            span(one.number("began")),
            span(one.number("seconds")),
            STATES.get(one.text("state"), one.text("state")),
        )
        for host, spans in lanes
        for one in spans
    ]
    hosts = len(seen.part("timeline").keys())
    more = f"The first {MAX_LANES} of {hosts} hosts; all are in the JSON file."
    return tag(
        "section",
        tag("h2", "Timeline"),
        tag("div", picture, class_="scroll"),
        tag("ul", *legend, class_="legend"),
        tag("p", more, class_="soft small") if hosts > MAX_LANES else NOTHING,
        tag(
            "details",
            tag("summary", "The same in words"),
            _table(("host", "phase", "after", "took", "state"), rows, numbers=(2, 3)),
        ),
    )


def _result(result: Seen) -> Markup:
    severity = result.text("severity")
    healed = result.text("outcome") == "healed"
    took = f"{'Back' if healed else 'Ended'} after {span(result.number('seconds'))}"
    return tag(
        "section",
        tag("h2", subject(result)),
        tag(
            "div",
            tag(
                "div",
                _pill(result.text("outcome")),
                tag("span", took, class_="soft small"),
                tag("span", f"severity {severity}", class_="soft small") if severity else NOTHING,
                class_="head",
            ),
            tag("p", result.text("summary")) if result.text("summary") else NOTHING,
            _findings("What was found", result.rows("findings"), result.text("cause")),
            _rungs(result),
            # Without a rung it is what was found at first.
            _findings("What was found in the end", result.rows("left"))
            if result.rows("rungs") and result.text("outcome") != "planned"
            else NOTHING,
            _evidence(result),
            _escalation(result),
            class_="card",
        ),
    )


def _findings(title: str, findings: t.Sequence[Seen], decided: str = "") -> Markup:
    rows = [
        (
            join(
                tag("b", one.text("cause")),
                tag("span", " decided", class_="soft small")
                if decided and one.text("cause") == decided
                else NOTHING,
            ),
            one.text("subject"),
            _quoted(one.text("evidence")),
            one.text("confidence"),
            one.text("rung") or one.text("advice"),
        )
        for one in findings
    ]
    if not rows:
        return NOTHING
    names = ("cause", "of", "evidence", "confidence", "what helps")
    return join(tag("h3", title), _table(names, rows))


def _rungs(result: Seen) -> Markup:
    planned = result.text("outcome") == "planned"
    rows = []
    for one in result.rows("rungs"):
        helped = bool(one.flag("helped"))
        word = "planned" if planned else "helped" if helped else "did not help"
        rows.append(
            (
                tag("b", " ".join(filter(None, (one.text("rung"), one.text("target"))))),
                one.text("cause"),
                tag("span", word, class_=None if planned else "yes" if helped else "no"),
                "" if planned else span(one.number("seconds")),
                _quoted(one.text("error")),
                NOTHING if planned else _changes(one),
                NOTHING if planned else ", ".join(one.texts("left")),
            )
        )
    if not rows:
        return NOTHING
    names = ("rung", "against", "result", "took", "error", "before and after it", "still found")
    return join(
        tag("h3", "What would be done" if planned else "What was done"),
        _table(names, rows, numbers=(3,)),
    )


def _shown(one: Seen) -> list[tuple[str, str, str]]:
    """What was shown before and after: a label, and both lines, one of which may be empty."""
    before, after = one.part("before"), one.part("after")
    labels = dict.fromkeys([*before.keys(), *after.keys()])
    return [(label, before.shown(label), after.shown(label)) for label in labels]


def _changes(rung: Seen) -> Markup:
    """What a rung changed of what is shown; the rest stands in the file, and would hide it."""
    if not rung.part("after"):
        return NOTHING
    changed = [one for one in _shown(rung) if one[1] != one[2]]
    if not changed:
        return Markup("all as before")
    return join(
        *(
            tag("div", tag("b", f"{label}: "), _quoted(before or "-"), " → ", _quoted(after or "-"))
            for label, before, after in changed
        )
    )


def _evidence(result: Seen) -> Markup:
    rows = [
        (tag("b", label), _quoted(before), _quoted(after))
        for label, before, after in _shown(result)
    ]
    if not rows:
        return NOTHING
    return join(tag("h3", "Before and after"), _table(("", "before", "after"), rows))


def _escalation(result: Seen) -> Markup:
    escalation = result.part("escalation")
    text, call, told = escalation.text("text"), called(result), told_by(result)
    # That nobody was told of what is well goes without saying.
    if not (call or told or (text and result.text("outcome") != "well")):
        return NOTHING
    chain = [
        (
            join(
                tag("b", one.text("role")),
                tag("span", " is called", class_="soft small")
                if one.text("until") == escalation.text("until")
                else NOTHING,
            ),
            one.text("contact") or "no contact is written down",
            said(one.text("begins")),
            said(one.text("until")),
        )
        for one in escalation.rows("chain")
    ]
    return join(
        tag("h3", "Who was called"),
        tag("p", f"Call {call}.") if call else NOTHING,
        tag("p", f"Told {told}.") if told else NOTHING,
        _table(("who", "how", "from", "to answer by"), chain) if call else NOTHING,
        _text(text, folded=bool(call)),
    )


def _text(text: str, folded: bool) -> Markup:
    """What was said; folded where it tells the same once more."""
    if not text:
        return NOTHING
    said_so = tag("pre", text)
    return tag("details", tag("summary", "All that was told"), said_so) if folded else said_so


def _failures(seen: Seen) -> Markup:
    rows = [
        (
            one.text("host"),
            one.text("task"),
            span(one.number("at")),
            _quoted(one.text("message")),
        )
        for one in seen.rows("failures")
    ]
    if not rows:
        return NOTHING
    return tag(
        "section",
        tag("h2", "Tasks that failed"),
        tag("p", "Some of them may have been expected, and rescued.", class_="soft small"),
        _table(("host", "task", "after", "message"), rows, numbers=(2,)),
    )


def _run(seen: Seen, record: t.Mapping[str, t.Any]) -> Markup:
    facts = [
        ("Playbook", seen.text("playbook")),
        ("Started by", f"{seen.text('by')} on {seen.text('controller')}"),
        ("Inventory", ", ".join(seen.texts("inventory"))),
        ("Limit", seen.text("limit")),
        ("Tags", ", ".join(seen.texts("tags"))),
        ("Skipped tags", ", ".join(seen.texts("skip_tags"))),
        ("Ended", _time(seen.text("ended")) or "not told"),
        ("How", " by ".join(filter(None, (seen.text("status"), seen.text("signal"))))),
        ("ansible-core", seen.text("ansible")),
    ]
    inputs = record.get("inputs")
    hosts = seen.part("hosts")
    tally = [
        (tag("b", host), *(str(hosts.part(host).whole(name)) for name in _TALLY))
        for host in hosts.keys()  # noqa: SIM118
    ]
    return tag(
        "section",
        tag("h2", "The run"),
        tag(
            "dl",
            *(tag("div", tag("dt", key), tag("dd", value)) for key, value in facts if value),
            class_="facts",
        ),
        join(
            tag("h3", "Inputs"),
            tag("pre", json.dumps(inputs, indent=2, ensure_ascii=False)),
        )
        if inputs
        else NOTHING,
        *(tag("p", note, class_="small") for note in seen.texts("notes")),
        tag(
            "details",
            tag("summary", "Tasks on each host"),
            _table(("host", *_TALLY), tally, numbers=range(1, 7)),
        )
        if tally
        else NOTHING,
    )


def _table(
    names: t.Sequence[str],
    rows: t.Sequence[t.Sequence[object]],
    numbers: t.Container[int] = (),
) -> Markup:
    """A table without the columns in which nothing stands; on a phone its rows become lists."""
    used = [column for column in range(len(names)) if any(row[column] for row in rows)]
    return tag(
        "div",
        tag(
            "table",
            tag("thead", tag("tr", *(tag("th", names[column], scope="col") for column in used))),
            tag(
                "tbody",
                *(
                    tag(
                        "tr",
                        *(
                            tag(
                                "td",
                                row[column],
                                class_="number" if column in numbers else None,
                                data_name=names[column] or None,
                            )
                            for column in used
                        ),
                    )
                    for row in rows
                ),
            ),
            class_="rows",
        ),
        class_="scroll",
    )
