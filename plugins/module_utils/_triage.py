# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which procedures the alerts call for, on which hosts, in which order."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen
from ansible_collections.plugspace.titan.plugins.module_utils._words import plain, plural

SEVERITIES = ("critical", "high", "medium", "low")
# What Prometheus' rules commonly say, in the words of the escalation matrix.
_SAME = {"page": "critical", "error": "high", "warning": "medium", "info": "low", "none": "low"}
# The labels that tell where it is, the one that was made for it first.
_PLACES = ("host", "nodename", "instance")


class TriageError(Exception):
    """What was read is no alert, in a sentence."""


class Alert(t.NamedTuple):
    """One alert: its name and labels, since when (UTC, as it was told), and whether it fires."""

    name: str
    labels: Seen
    since: str
    firing: bool


def read_alerts(answer: object) -> list[Alert]:
    """The alerts in an answer of Prometheus or Alertmanager, in a webhook's body, or one of them.

    Text is read as JSON. Raises TriageError for anything else.
    """
    if isinstance(answer, str):
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
    since = seen.text("activeAt") or seen.text("startsAt")
    return Alert(name, labels, since, state in ("", "firing", "active"))


def plan(
    answer: object,
    catalogue: t.Sequence[t.Mapping[str, t.Any]],
    hosts: t.Mapping[str, str],
    groups: t.Mapping[str, t.Sequence[str]],
) -> dict[str, t.Any]:
    """The procedures that the alerts call for, the most severe first.

    answer: see read_alerts. catalogue: entries with procedure, alerts, severity and group. hosts:
    the inventory's hosts with their addresses. groups: the hosts of each group. The plan has
    C(procedures), and sentences about alerts that are C(unknown), C(unplaced) or C(pending).
    """
    alerts = read_alerts(answer)
    found: dict[str, dict[str, t.Any]] = {}
    unknown, unplaced, pending = [], [], []
    for alert in alerts:
        entries = [one for one in catalogue if alert.name in one.get("alerts", ())]
        if not alert.firing:
            pending.append(f"{alert.name} does not fire")
        elif not entries:
            unknown.append(f"{alert.name}: no procedure of the catalogue is about it")
        for entry in entries if alert.firing else ():
            where = _hosts(alert, hosts, groups.get(entry.get("group", ""), ()))
            if where:
                _add(found, entry, alert, where)
            else:
                place = next((alert.labels.text(key) for key in _PLACES if _told(alert, key)), "")
                unplaced.append(
                    f"{alert.name}: {place or entry.get('group', 'its group')} is no host of this"
                    f" inventory that {entry['procedure']} is for"
                )
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
        "unknown": sorted(set(unknown)),
        "unplaced": sorted(set(unplaced)),
        "pending": sorted(set(pending)),
    }


def _told(alert: Alert, key: str) -> bool:
    return bool(alert.labels.text(key))


def _hosts(alert: Alert, hosts: t.Mapping[str, str], group: t.Sequence[str]) -> list[str]:
    """Where it is: the host that a label names, or all of the group when none names one."""
    places = [alert.labels.text(key) for key in _PLACES if _told(alert, key)]
    if not places:
        return list(group)
    for place in places:
        bare = place.rsplit(":", 1)[0] if place.count(":") == 1 else place
        for host, address in hosts.items():
            if bare in (host, address) and host in group:
                return [host]
    return []


def _add(
    found: dict[str, dict[str, t.Any]],
    entry: t.Mapping[str, t.Any],
    alert: Alert,
    where: t.Sequence[str],
) -> None:
    severity = severity_of(alert.labels.text("severity"), str(entry.get("severity", "")))
    one = found.setdefault(
        entry["procedure"],
        {**entry, "severity": severity, "hosts": [], "alerts": [], "since": alert.since},
    )
    one["severity"] = min(one["severity"], severity, key=SEVERITIES.index)
    one["hosts"] = sorted({*one["hosts"], *where})
    one["alerts"] = sorted({*one["alerts"], alert.name})
    one["since"] = min(filter(None, (one["since"], alert.since)), default="")


def severity_of(label: str, otherwise: str) -> str:
    """The severity in the words of the escalation matrix; the catalogue's where none is told."""
    for word in (label.lower(), otherwise):
        if word in SEVERITIES:
            return word
        if word in _SAME:
            return _SAME[word]
    return "high"


def sentences(found: t.Mapping[str, t.Any]) -> list[str]:
    """The plan for a person, a line each; the most severe first."""
    lines = []
    for one in found["procedures"]:
        since = f" since {one['since']}" if one["since"] else ""
        careful = "; has steps that a person has to name" if one.get("destructive") else ""
        lines.append(
            f"{one['severity']:8} {one['procedure']} on {', '.join(one['hosts'])}"
            f" ({', '.join(one['alerts'])}{since}): playbooks/{one['playbook']}{careful}"
        )
    for kind in ("unknown", "unplaced", "pending"):
        lines += [f"{kind:8} {told}" for told in found[kind]]
    if not lines:
        return ["Nothing is firing."]
    count = plural(len(found["procedures"]), "procedure")
    return [*lines, f"{count} to run, in this order."] if found["procedures"] else lines
