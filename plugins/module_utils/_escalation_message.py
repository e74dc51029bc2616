# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person reads of an incident, in each form that a channel takes."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._escalation import Chain, said
from ansible_collections.plugspace.titan.plugins.module_utils._redact import Redactor
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen
from ansible_collections.plugspace.titan.plugins.module_utils._words import age

TRIGGER, RESOLVE = "trigger", "resolve"
_PAGERDUTY_SEVERITY = {"critical": "critical", "high": "error", "medium": "warning", "low": "info"}
_PAGERDUTY_SUMMARY = 1024
_SUBJECT = 200
_LINE = 500


class Message(t.TypedDict):
    """One message: a subject line, a text of a few lines, and the JSON of each service."""

    subject: str
    text: str
    pagerduty: dict[str, t.Any]
    slack: dict[str, t.Any]
    webhook: dict[str, t.Any]


def masked(value: t.Any, redactor: Redactor) -> t.Any:
    """The same without secrets, in texts at any depth."""
    if isinstance(value, str):
        return redactor.text(value)
    if isinstance(value, t.Mapping):
        return {redactor.text(str(key)): masked(one, redactor) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(one, redactor) for one in value]
    return value


def message(
    action: str,
    key: str,
    result: t.Mapping[str, t.Any],
    chain: Chain,
    now: str,
    site: str = "",
    record: str = "",
) -> Message:
    """Compose what is sent; the result was masked before.

    record: the path of the record, where the result does not name one.
    """
    facts = _facts(result, record)
    place = f"{_line(result['subject'])} on {_line(result['host'])}"
    word = "RESOLVED" if action == RESOLVE else chain["severity"].upper()
    told = f": {facts['summary']}" if facts["summary"] else ""
    subject = _line(f"[{word}] {place}{told}", _SUBJECT)
    lines = [f"{word}: {_line(result['procedure'])}: {place}{f' ({site})' if site else ''}"]
    lines += [facts["summary"]] if facts["summary"] else []
    lines.append(f"Since: {said(chain['began'])}")
    lines += [f"{name}: {value}" for name, value in facts.items() if value and name != "summary"]
    if action == TRIGGER:
        lines += who(chain)
    text = "\n".join(lines)
    return Message(
        subject=subject,
        text=text,
        pagerduty=_pagerduty(action, key, result, chain, facts, subject, now, site),
        slack={"text": _slack_text(text)},
        webhook={**result, "escalation": {"action": action, "key": key, "site": site, **chain}},
    )


def who(chain: Chain) -> list[str]:
    """Who has to answer until when, in one line, and who comes after them, in another."""
    names = []
    for step in chain["steps"]:
        reached = step["contact"] or "no contact is written down"
        names.append(f"{step['role']} ({reached})")
    at = max(chain["due"], 1) - 1
    current = chain["steps"][at]
    if chain["overdue"]:
        lines = [f"Call: {names[at]}, who had to answer by {said(current['until'])}"]
    elif chain["due"]:
        lines = [f"Call: {names[at]}, to answer by {said(current['until'])}"]
    else:
        begins = said(current["begins"])
        lines = [f"Call: {names[at]}, from {begins}, to answer by {said(current['until'])}"]
    after = [
        f"{name} from {said(step['begins'])}"
        for name, step in zip(names[at + 1 :], chain["steps"][at + 1 :])
    ]
    return lines + ([f"Then: {', '.join(after)}"] if after else [])


def _facts(result: t.Mapping[str, t.Any], record: str) -> dict[str, str]:
    """What the result says, a line each; what it does not say is empty."""
    seen = Seen(result)
    needed = seen.text("outcome") not in ("healed", "well")
    rungs = [_tried(rung) for rung in seen.rows("rungs")]
    if seen.has("rungs") and needed:
        rungs = rungs or ["nothing"]
    cause = seen.text("cause")
    findings = seen.rows("findings")
    decisive = [one for one in findings if one.text("cause") == cause] or findings
    evidence = decisive[0].text("evidence") if decisive else ""
    state = result.get("after") or result.get("before")
    labels = state.items() if isinstance(state, t.Mapping) else ()
    return {
        # A message by hand may have no other subject than its summary.
        "summary": _line(
            seen.text("summary") if seen.text("summary") != seen.text("subject") else ""
        ),
        "Cause": _line(f"{cause}: {evidence}" if cause and evidence else cause or evidence),
        "Seen": _line("; ".join(f"{label}: {value}" for label, value in labels)),
        "Tried": _line("; ".join(rungs)),
        "To do": _line(seen.text("advice")) if needed else "",
        "Record": _line(seen.text("record") or record),
    }


def _tried(rung: Seen) -> str:
    target = f" of {rung.text('target')}" if rung.text("target") else ""
    error = f" ({rung.text('error')})" if rung.text("error") else ""
    how = "helped" if rung.flag("helped") else "did not help"
    return f"{rung.text('rung')}{target} {how} after {age(rung.number('seconds'))}{error}"


def _pagerduty(
    action: str,
    key: str,
    result: t.Mapping[str, t.Any],
    chain: Chain,
    facts: t.Mapping[str, str],
    subject: str,
    now: str,
    site: str,
) -> dict[str, t.Any]:
    """An event of the Events API v2; the routing key is added when it is sent."""
    event: dict[str, t.Any] = {"event_action": action, "dedup_key": key}
    if action == RESOLVE:
        return event
    details = {name.lower().replace(" ", "_"): value for name, value in facts.items() if value}
    details["who"] = "; ".join(who(chain))
    payload = {
        "summary": _line(subject, _PAGERDUTY_SUMMARY),
        "source": _line(result["host"]),
        "severity": _PAGERDUTY_SEVERITY[chain["severity"]],
        "timestamp": now,
        "component": _line(result["subject"]),
        "group": site,
        "class": _line(result.get("cause") or result["procedure"]),
        "custom_details": details,
    }
    return {**event, "payload": {name: value for name, value in payload.items() if value}}


def _slack_text(text: str) -> str:
    """Slack reads these three characters as its own; escaped, nothing in a text calls everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _line(text: object, length: int = _LINE) -> str:
    """One printable line, letters of any language kept."""
    line = "".join(one if one.isprintable() else " " for one in str(text))
    line = " ".join(line.split())
    return line if len(line) <= length else line[: length - 3] + "..."
