# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is sent of the results of a run, to whom, and what is remembered of it."""

from __future__ import annotations

import hashlib
import typing as t
from datetime import datetime, timedelta

from ansible_collections.plugspace.titan.plugins.module_utils._escalation import (
    SEVERITIES,
    Chain,
    EscalationError,
    Level,
    chain_of,
    moment,
    said,
)
from ansible_collections.plugspace.titan.plugins.module_utils._escalation_channels import (
    PAGERDUTY,
    Channel,
    Delivery,
    accepts,
    bare,
    channel_secrets,
)
from ansible_collections.plugspace.titan.plugins.module_utils._escalation_message import (
    RESOLVE,
    TRIGGER,
    Message,
    masked,
    message,
    who,
)
from ansible_collections.plugspace.titan.plugins.module_utils._incidents import Incident
from ansible_collections.plugspace.titan.plugins.module_utils._redact import Redactor
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen

NOTHING = "nothing"
_WELL = ("well", "healed")
_NEEDS_A_PERSON = ("unhealed", "refused", "unreachable")
_OUTCOMES = (*_WELL, "planned", *_NEEDS_A_PERSON)
_NAMED = ("procedure", "subject", "host")
# What a message needs of a result when only the memory is left of it.
_ABOUT = (*_NAMED, "summary", "advice", "record")
# Alertmanager repeats by default every 4 hours what lasts, and a person may have silenced it for
# the night.
_REMEMBERED = timedelta(hours=24)
# PagerDuty's limit.
_KEY_LENGTH = 255


class Decision(t.TypedDict):
    """What is done about one result.

    action: V(trigger), V(resolve) or V(nothing), and then reason says why. page: whether a person
    is needed. channels: who gets the message. waiting: who gets it when the first business day
    begins. incident: what is known of the incident, before the deliveries; null when nothing is to
    be remembered.
    """

    key: str
    action: str
    reason: str
    page: bool
    chain: Chain
    channels: list[str]
    waiting: list[str]
    message: Message
    incident: Incident | None
    result: dict[str, t.Any]


class Site(t.NamedTuple):
    """What the site says, the same for every result.

    incidents: what is open; None when nobody can tell. record: the path of the run's record.
    every: whether every channel gets the message, whatever severities it wants.
    """

    matrix: t.Mapping[str, Level]
    contacts: t.Mapping[str, t.Mapping[str, str]]
    channels: t.Sequence[Channel]
    incidents: t.Mapping[str, Incident] | None
    now: datetime
    name: str = ""
    record: str = ""
    secrets: t.Sequence[str] = ()
    every: bool = False


def incident_key(result: t.Mapping[str, t.Any], site: str) -> str:
    """The identity of an incident.

    The cause is no part of it: what is seen of one outage changes while it lasts. The host is, as
    each host heals by itself, and so is the site, as two sites may name their hosts alike.
    """
    key = _prefix(site) + "/".join(str(result[name]) for name in _NAMED)
    if len(key) <= _KEY_LENGTH:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f"{key[: _KEY_LENGTH - len(digest) - 1]}-{digest}"


def _prefix(site: str) -> str:
    return f"{site or 'titan'}/"


def plan(results: t.Sequence[t.Mapping[str, t.Any]], site: Site) -> dict[str, t.Any]:
    """Decide about each result: `decisions` in their order, and `sends`, a delivery each."""
    redactor = _redactor(site)
    decisions: list[Decision] = []
    blamed = [_blames(result, results) for result in results]
    for place, result in enumerate(results):
        where = f"result {place + 1}"
        missing = [name for name in _NAMED if not str(result.get(name) or "").strip()]
        if missing:
            raise EscalationError(f"{where} does not name its {', '.join(missing)}")
        if result.get("outcome") not in _OUTCOMES:
            raise EscalationError(f"{where}: its outcome is none of {', '.join(_OUTCOMES)}")
        shown = masked(result, redactor)
        # Of two that blame each other, both are told: nobody would be called otherwise.
        other = blamed[place]
        outage_of = ""
        if other is not None and blamed[other] is None:
            outage_of = str(results[other]["host"])
        key = incident_key(shown, site.name)
        decisions.append(_decide(shown, key, where, site, outage_of))
    return _planned(decisions)


def _blames(
    result: t.Mapping[str, t.Any], results: t.Sequence[t.Mapping[str, t.Any]]
) -> int | None:
    """The place of another host's result that tells the same outage, None where there is none.

    Each member of a set tells of the one that is down, and people are called for that one alone.
    """
    found = [Seen(one) for one in result.get("findings") or []]
    about = next((one for one in found if one.text("cause") == result.get("cause")), Seen({}))
    host = about.text("subject").partition(":")[0]
    same = ("procedure", "subject")
    for place, one in enumerate(results):
        if (
            host not in ("", result.get("host"))
            and one.get("host") == host
            and one.get("outcome") in _NEEDS_A_PERSON
            and (one.get("escalation") or {}).get("page", True)
            and all(one.get(key) == result.get(key) for key in same)
        ):
            return place
    return None


def plan_follow_up(site: Site) -> dict[str, t.Any]:
    """Decide what has become due for the incidents of the site that are remembered, as C(plan).

    Nobody looked at them again, so none of them counts as seen.
    """
    redactor = _redactor(site)
    decisions: list[Decision] = []
    for key, known in (site.incidents or {}).items():
        # Sites may share a memory, but no channels.
        if not key.startswith(_prefix(site.name)) or _is_forgotten(known, site):
            continue
        decision = _decide(masked(_remembered(key, known), redactor), key, key, site)
        if decision["incident"]:
            decision["incident"]["seen"] = known["seen"]
            decision["incident"]["about"] = known["about"]
        decisions.append(decision)
    return _planned(decisions)


def _remembered(key: str, known: Incident) -> dict[str, t.Any]:
    """A result that says what is remembered of an incident."""
    nameless = {"procedure": "incident", "subject": key, "host": "the host that it names"}
    return {
        **(known["about"] or nameless),
        "outcome": "healed" if known["healed"] else "unhealed",
        "severity": known["severity"],
        "began": known["began"],
        "before": {"last report": said(known["seen"])},
    }


def _redactor(site: Site) -> Redactor:
    return Redactor([*site.secrets, *channel_secrets(site.channels)])


def _planned(decisions: list[Decision]) -> dict[str, t.Any]:
    sends = [
        {"channel": channel, "key": one["key"], "action": one["action"]}
        for one in decisions
        for channel in one["channels"]
    ]
    return {"decisions": decisions, "sends": sends}


def _decide(
    result: dict[str, t.Any], key: str, where: str, site: Site, outage_of: str = ""
) -> Decision:
    known = None if site.incidents is None else site.incidents.get(key)
    start = result.get("incident_began") or result.get("began") or site.now.isoformat()
    began = moment(start, f"{where}: began")
    severity = result.get("severity") or "high"
    wanted = (result.get("escalation") or {}).get("page", True)
    page = result["outcome"] in _NEEDS_A_PERSON and wanted and not outage_of
    if known and (not page or not _is_over(known, site)):
        began = moment(known["began"], key)
        severity = min(severity, known["severity"], key=_rank)
    elif page:
        known = None
    chain = chain_of(severity, began, site.now, site.matrix, site.contacts)
    action, reason, channels, waiting = NOTHING, "", list[str](), list[str]()
    incident: Incident | None = None
    if page:
        step = max(chain["due"], 1)
        told = dict(known["told"]) if known else {}
        if known and known["severity"] != severity:
            # It got worse: all are told again.
            told = dict.fromkeys(told, 0)
        untold = [
            channel
            for channel in site.channels
            if (site.every or accepts(channel, severity)) and told.get(channel["name"], 0) < step
        ]
        if not chain["due"] and not site.every:
            # It wakes people, and they have time until the business day begins.
            waiting = [channel["name"] for channel in untold if channel["type"] == PAGERDUTY]
        channels = [channel["name"] for channel in untold if channel["name"] not in waiting]
        action, reason = (TRIGGER, "") if channels else (NOTHING, _told_already(chain, told))
        incident = Incident(
            severity=severity,
            began=chain["began"],
            seen=site.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            told=told,
            healed=False,
            about=_about(result, site.record),
        )
    elif result["outcome"] == "planned":
        reason = "it is only planned"
    else:
        # It is well, or what is left of it calls nobody: what was told before is over.
        channels = _to_resolve(result["outcome"], known, site)
        action = RESOLVE if channels else NOTHING
        reason = "" if channels else _why_nobody(result["outcome"], outage_of)
        if known:
            incident = t.cast(Incident, {**known, "healed": True})
    return Decision(
        key=key,
        action=action,
        reason=reason,
        page=page,
        chain=chain,
        channels=channels,
        waiting=waiting,
        message=message(
            RESOLVE if action == RESOLVE or result["outcome"] in _WELL else TRIGGER,
            key,
            result,
            chain,
            site.now.isoformat(timespec="seconds"),
            site.name,
            site.record,
        ),
        incident=incident,
        result=result,
    )


def _why_nobody(outcome: str, outage_of: str) -> str:
    if outage_of:
        return f"it is the outage of {outage_of}"
    return "nobody was told of it before" if outcome in _WELL else "the procedure asks for nobody"


def _rank(severity: str) -> int:
    """The worse the lower; what is none is told by the chain."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else -1


def _about(result: t.Mapping[str, t.Any], record: str) -> dict[str, str]:
    """What is remembered of a result."""
    known = {**result, "record": result.get("record") or record}
    return {name: str(known[name]) for name in _ABOUT if known.get(name)}


def _is_over(known: Incident, site: Site) -> bool:
    """Whether an incident that is remembered is not the one of now."""
    return known["healed"] or _is_forgotten(known, site)


def _is_forgotten(known: Incident, site: Site) -> bool:
    """Whether nobody has seen an incident for a day, nor for as long as its whole chain takes.

    A person has repaired it since without telling us, and who is quiet about the next one does
    harm. Earlier it is the same one: a procedure that runs every few hours would else call the
    first of the chain each time, and nobody after them.
    """
    seen = moment(known["seen"], "seen")
    chain = chain_of(known["severity"], seen, site.now, site.matrix, site.contacts)
    return chain["overdue"] and site.now - seen > _REMEMBERED


def _told_already(chain: Chain, told: t.Mapping[str, int]) -> str:
    first = chain["steps"][0]
    if not chain["due"]:
        return f"{first['role']} is called from {said(first['begins'])}"
    if not told:
        return "no channel takes it"
    if chain["overdue"]:
        return f"everybody was told, and it was never resolved since {said(chain['began'])}"
    after = chain["steps"][chain["due"] :]
    if not after:
        return "everybody was told, and there is nobody further"
    return f"it was told; {after[0]['role']} is next, at {said(after[0]['begins'])}"


def _to_resolve(outcome: str, known: Incident | None, site: Site) -> list[str]:
    if site.incidents is None:
        # Nobody knows what is open. PagerDuty ignores the end of what it does not have.
        wanted = {one["name"] for one in site.channels if one["type"] == PAGERDUTY}
        return sorted(wanted) if outcome == "healed" else []
    told = known["told"] if known else {}
    return [one["name"] for one in site.channels if one["name"] in told]


def outcome(
    planned: t.Mapping[str, t.Any],
    deliveries: t.Sequence[Delivery],
    check_mode: bool = False,
    problems: t.Sequence[str] = (),
    unusable: t.Sequence[str] = (),
    remarks: t.Sequence[str] = (),
) -> dict[str, t.Any]:
    """Tell how it went: text, deliveries, notes for the memory, and the results with escalation.

    problems: why the memory could not be used, in sentences. unusable: what of the settings was
    left out, and why. remarks: what of them is short, though nothing was left out.
    """
    texts: list[str] = []
    silent: list[str] = []
    unreached: list[str] = []
    notes: dict[str, t.Any] = {}
    results = []
    for one in planned["decisions"]:
        own = [sent for sent in deliveries if sent["key"] == one["key"]]
        text = "\n".join(_lines(one, own, check_mode))
        # Of what is well, nobody wants to read that nobody was told.
        quiet = one["action"] == NOTHING and one["result"]["outcome"] in _WELL
        (silent if quiet else texts).append(text)
        if one["page"] and not one["channels"] and not one["waiting"] and not _knows(one):
            unreached.append(one["key"])
        if one["incident"] and not check_mode:
            notes[one["key"]] = _note(one, one["incident"], own)
        told = [
            {"channel": sent["channel"], "ok": sent["ok"], "error": sent["error"]} for sent in own
        ]
        chain = one["chain"]
        escalation = {
            "key": one["key"],
            "severity": chain["severity"],
            "page": one["page"],
            "action": one["action"],
            "call": chain["call"],
            "until": chain["until"],
            "overdue": chain["overdue"],
            "chain": chain["steps"],
            "deliveries": told,
            "text": text,
        }
        results.append({**one["result"], "escalation": escalation})
    texts += [
        f"Nobody can tell what was sent before: {problem}"
        for problem in dict.fromkeys(bare(problem) for problem in problems)
    ]
    texts += [f"Left out: {problem}." for problem in unusable]
    texts += [f"Look at the settings: {remark}." for remark in remarks]
    return {
        "text": "\n".join(texts),
        "silent": "\n".join(silent),
        "unreached": unreached,
        "deliveries": list(deliveries),
        "failed": [sent["channel"] for sent in deliveries if not sent["ok"]],
        "unusable": list(unusable),
        "results": results,
        "notes": notes,
    }


def _lines(one: Decision, own: t.Sequence[Delivery], check_mode: bool) -> list[str]:
    """What a person reads of one decision."""
    if one["action"] == NOTHING and not one["page"]:
        return [f"{one['key']}: nothing to tell: {one['reason']}."]
    if one["action"] == NOTHING and _knows(one):
        return [f"{one['key']}: nothing new to tell: {one['reason']}.", *who(one["chain"])]
    lines = [one["message"]["text"]]
    if one["waiting"]:
        begins = said(one["chain"]["steps"][0]["begins"])
        lines.append(f"Not by {', '.join(one['waiting'])} before the business day: {begins}.")
    if one["waiting"] and not one["channels"]:
        return lines
    if not one["channels"]:
        return [*lines, "Not sent: no channel of titan_escalation_channels takes it. Call them."]
    if check_mode:
        return [*lines, f"Would be sent by {', '.join(one['channels'])} ({one['action']})."]
    good = [sent["channel"] for sent in own if sent["ok"]]
    if good:
        lines.append(f"Sent by {', '.join(good)} ({one['action']}).")
    lines += [f"NOT sent by {sent['channel']}: {sent['error']}" for sent in own if not sent["ok"]]
    return lines if good else [*lines, "It reached nobody. Call them."]


def _knows(one: Decision) -> bool:
    """Whether somebody was told of it before."""
    return bool(one["incident"] and one["incident"]["told"])


def _note(one: Decision, incident: Incident, own: t.Sequence[Delivery]) -> dict[str, t.Any] | None:
    """What is remembered; None when it is over and everybody who was told knows."""
    good = [sent["channel"] for sent in own if sent["ok"]]
    told = dict(incident["told"])
    if incident["healed"]:
        left = {name: told[name] for name in one["channels"] if name not in good}
        return {**incident, "told": left} if left else None
    step = max(one["chain"]["due"], 1)
    return {**incident, "told": {**told, **dict.fromkeys(good, step)}}
