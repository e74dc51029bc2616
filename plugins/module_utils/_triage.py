# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which procedures the alerts call for, on which hosts, in which order."""

from __future__ import annotations

import json
import re
import typing as t
from datetime import datetime, timezone
from urllib.parse import urlsplit

from ansible_collections.plugspace.titan.plugins.module_utils._finding import finding
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen
from ansible_collections.plugspace.titan.plugins.module_utils._words import plain, plural

SEVERITIES = ("critical", "high", "medium", "low")
# What Prometheus' rules commonly say, in the words of the escalation matrix.
_SAME = {"page": "critical", "error": "high", "warning": "medium", "info": "low", "none": "low"}
_TO_DO = "look at it by hand; if a procedure is for it, add its name to titan_triage_catalogue"
# The labels that tell where it is, the one that was made for it first.
_PLACES = ("host", "nodename", "instance")
# Prometheus tells nanoseconds, which not every Python reads.
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)")


class TriageError(Exception):
    """What was read is no alert, in a sentence."""


class Alert(t.NamedTuple):
    """One alert: its name and labels, what its rule says of it, and whether it fires.

    since: ISO 8601 in UTC; empty when it was not told.
    """

    name: str
    labels: Seen
    says: str
    since: str
    firing: bool


def read_alerts(answer: object) -> list[Alert]:
    """The alerts in an answer of Prometheus or Alertmanager, in a webhook's body, or one of them.

    Text is read as JSON. Raises TriageError for anything else.
    """
    if isinstance(answer, str):
        if not answer.strip():
            raise TriageError("it is empty")
        try:
            answer = json.loads(answer)
        except ValueError as error:
            raise TriageError(f"{plain(answer, 60)!r} is no JSON: {error}") from error
    seen = Seen(answer)
    if seen.text("status") == "error":
        raise TriageError(f"it answered with an error: {plain(seen.text('error')) or 'no reason'}")
    holder = seen.part("data") if seen.part("data") else seen
    if holder.has("alerts"):
        rows = holder.value["alerts"]
    elif isinstance(answer, (list, tuple)):
        rows = answer
    elif seen:
        rows = [answer]
    else:
        rows = None
    if not isinstance(rows, (list, tuple)):
        raise TriageError("it has no list of alerts")
    return [_alert(row) for row in rows]


def _alert(row: object) -> Alert:
    seen = Seen(row)
    # One that a person writes by hand has its labels at the top.
    labels = seen.part("labels") or seen
    name = labels.text("alertname")
    if not name:
        raise TriageError(f"an alert has no alertname: {plain(str(row), 80)}")
    # Prometheus has a text, Alertmanager's webhook a status, its API a mapping with a state.
    state = seen.text("state") or seen.text("status") or seen.part("status").text("state")
    notes = seen.part("annotations")
    says = plain(notes.text("summary") or notes.text("description"))
    since = _utc(seen.text("activeAt") or seen.text("startsAt"))
    return Alert(name, labels, says, since, state in ("", "firing", "active"))


def _utc(told: str) -> str:
    """A time in UTC, without fractions; empty for what is none."""
    found = _TIME.fullmatch(told)
    if not found:
        return ""
    try:
        read = datetime.fromisoformat(found[1] + found[2].replace("Z", "+00:00"))
        moment = read.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return ""
    # Go says the year 1 when it knows no time.
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment.year > 1 else ""


def plan(
    answer: object,
    catalogue: t.Sequence[t.Mapping[str, t.Any]],
    hosts: t.Mapping[str, str],
    groups: t.Mapping[str, t.Sequence[str]],
    site: str = "",
) -> dict[str, t.Any]:
    """The procedures that the alerts call for, the most severe first.

    answer: see read_alerts. catalogue: entries with procedure, alerts, severity and group. hosts:
    the inventory's hosts with their addresses. groups: the hosts of each group. site: the domain
    that visitors know. The plan has C(procedures); C(by_hand), what a person is told of each
    firing alert that no procedure is run for, unless its severity is none; and sentences about
    alerts that are C(unknown), C(unplaced) or C(pending).
    """
    found: dict[str, dict[str, t.Any]] = {}
    unknown, unplaced, pending, by_hand = [], [], [], []
    for alert in read_alerts(answer):
        if not alert.firing:
            pending.append(f"{alert.name} does not fire")
            continue
        entries = [one for one in catalogue if alert.name in one.get("alerts", ())]
        placed = False
        for entry in entries:
            where = _hosts(alert, hosts, groups.get(entry.get("group", ""), ()), site)
            if where:
                _add(found, entry, alert, where)
                placed = True
        if not entries:
            why = "no procedure of the catalogue is about it"
            unknown.append(f"{alert.name}: {why}")
            # Such as a Watchdog, which fires always: nobody is wanted for it.
            if alert.labels.text("severity") != "none":
                by_hand.append(_by_hand(alert, "no_procedure", why, _TO_DO, "", site))
        elif not placed:
            why, to_do = _not_placed(alert, entries[0])
            unplaced.append(f"{alert.name}: {why}")
            severity = str(entries[0].get("severity", ""))
            by_hand.append(_by_hand(alert, "no_host", why, to_do, severity, site))
    order = [entry["procedure"] for entry in catalogue]
    procedures = sorted(
        found.values(),
        key=lambda one: (
            SEVERITIES.index(one["severity"]),
            order.index(one["procedure"]),
        ),
    )
    return {
        "procedures": procedures,
        "by_hand": _each_once(by_hand),
        "unknown": sorted(set(unknown)),
        "unplaced": sorted(set(unplaced)),
        "pending": sorted(set(pending)),
    }


def _places(alert: Alert) -> list[str]:
    return [place for key in _PLACES if (place := alert.labels.text(key))]


def _hosts(
    alert: Alert, hosts: t.Mapping[str, str], group: t.Sequence[str], site: str
) -> list[str]:
    """Where it is: the host that a label names, or all of the group when none names one.

    Whoever names the site says nothing about the host, so that is all of the group, too.
    """
    places = _places(alert)
    if not places:
        return list(group)
    for place in places:
        name = _name(place)
        if name == site.lower():
            return list(group)
        names = {host: {host.lower(), str(hosts[host]).lower()} for host in hosts if host in group}
        same = [host for host in names if name in names[host]][:1]
        short = [host for host in names if any(_is_short(name, one) for one in names[host])]
        # A short name that two hosts have tells neither.
        if same or len(short) == 1:
            return same or short
    return []


def _name(place: str) -> str:
    """The host in a URL, in HOST:PORT or in what is a name already; in lower case."""
    if "//" not in place and "[" not in place and place.count(":") > 1:
        # An address of IPv6.
        return place.lower()
    try:
        return urlsplit(place if "//" in place else f"//{place}").hostname or place.lower()
    except ValueError:
        return place.lower()


def _is_short(one: str, other: str) -> bool:
    """Whether one of two names is the other without its domain."""
    return one != other and (one.partition(".")[0] == other or other.partition(".")[0] == one)


def _not_placed(alert: Alert, entry: t.Mapping[str, t.Any]) -> tuple[str, str]:
    """Why it is about no host, and what to do."""
    places = _places(alert)
    procedure, group = entry["procedure"], entry.get("group", "of no name")
    if not places:
        return (
            f"the group {group}, which {procedure} is for, has no host in this inventory",
            f"look at it by hand, and list the hosts of {group} in the inventory",
        )
    return (
        f"{places[0]} is no host of this inventory that {procedure} is for",
        f"run playbooks/{entry['playbook']} for the host that it is about; for the next time,"
        " let the alert's label host name it as the inventory does",
    )


def _by_hand(
    alert: Alert, cause: str, why: str, to_do: str, otherwise: str, site: str
) -> dict[str, t.Any]:
    """What a person is told of an alert that no procedure is run for: a result but its outcome."""
    place = next(iter(_places(alert)), "")
    at = f" at {place}" if place else ""
    says = f" ({alert.says})" if alert.says else ""
    seen = plain(f"{alert.name} fires{at}{says}: {why}", 300)
    return {
        "procedure": "triage",
        "subject": plain(alert.name),
        "host": plain(place) or site or "localhost",
        "severity": severity_of(alert.labels.text("severity"), otherwise),
        "summary": f"{seen}. Nothing was done; a person has to look.",
        "cause": cause,
        "advice": to_do,
        "findings": [finding(cause, plain(alert.name), seen, advice=to_do)],
        "rungs": [],
        "incident_began": alert.since,
    }


def _each_once(results: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Each alert of each place once, with its worst severity; the most severe first."""

    def rank(one: dict[str, t.Any]) -> tuple[int, bool, str]:
        return (SEVERITIES.index(one["severity"]), not one["incident_began"], one["incident_began"])

    kept: dict[tuple[str, str], dict[str, t.Any]] = {}
    for one in sorted(results, key=rank):
        kept.setdefault((one["subject"], one["host"]), one)
    return list(kept.values())


def _add(
    found: dict[str, dict[str, t.Any]],
    entry: t.Mapping[str, t.Any],
    alert: Alert,
    where: t.Sequence[str],
) -> None:
    severity = severity_of(alert.labels.text("severity"), str(entry.get("severity", "")))
    one = found.setdefault(
        entry["procedure"],
        {**entry, "severity": severity, "hosts": [], "alerts": [], "since": "", "began": {}},
    )
    one["severity"] = min(one["severity"], severity, key=SEVERITIES.index)
    one["hosts"] = sorted({*one["hosts"], *where})
    one["alerts"] = sorted({*one["alerts"], alert.name})
    one["since"] = _earlier(one["since"], alert.since)
    for host in where:
        one["began"][host] = _earlier(one["began"].get(host, ""), alert.since)


def _earlier(one: str, other: str) -> str:
    """The earlier of two times; empty is none."""
    return min(filter(None, (one, other)), default="")


def severity_of(label: str, otherwise: str) -> str:
    """The severity in the words of the escalation matrix; the catalogue's where none is told."""
    for word in (label.lower(), otherwise):
        if word in SEVERITIES:
            return word
        if word in _SAME:
            return _SAME[word]
    return "high"


def by_symptom(
    found: t.Mapping[str, t.Any], catalogue: t.Sequence[t.Mapping[str, t.Any]]
) -> list[str]:
    """How a person who sees something though no alert says what to do finds the procedure."""
    known = [Seen(one) for one in catalogue]
    lines = [
        f"playbooks/{one.text('playbook')}: {', '.join(one.texts('symptoms'))}"
        for one in known
        if one.text("playbook") and one.texts("symptoms")
    ]
    if not lines or found["procedures"] or found["by_hand"]:
        return []
    return ["Who sees something all the same finds the procedure by it:", *lines]


def sentences(found: t.Mapping[str, t.Any]) -> list[str]:
    """The plan for a person, a line each; the most severe first."""
    lines = []
    for one in found["procedures"]:
        since = f" since {one['since']}" if one["since"] else ""
        careful = "; destructive steps only when named" if one.get("destructive") else ""
        lines.append(
            f"{one['severity']:8} {one['procedure']} on {', '.join(one['hosts'])}"
            f" ({', '.join(one['alerts'])}{since}): playbooks/{one['playbook']}{careful}"
        )
    for kind in ("unknown", "unplaced", "pending"):
        lines += [f"{kind:8} {told}" for told in found[kind]]
    if not lines:
        return ["Nothing is firing."]
    if found["procedures"]:
        count = plural(len(found["procedures"]), "procedure")
        lines.append(f"{count} to run, in this order.")
    if found["by_hand"]:
        names = ", ".join(f"{one['subject']} on {one['host']}" for one in found["by_hand"])
        lines.append(f"No procedure is run for these, so a person has to look: {names}.")
    return lines
