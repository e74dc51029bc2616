# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what was observed on each host to one report: judged, worst first, in a few lines."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import re
import typing as t
from datetime import datetime, timezone

from ansible_collections.plugspace.titan.plugins.module_utils._words import (
    age,
    plain,
    plural,
    size,
)

Seen = t.Mapping[str, t.Any]  # what was observed on one host: part -> registered result
Report = dict[str, t.Any]

STATES = ("FAIL", "UNKNOWN", "WARN", "OK")
NOUNS = {"FAIL": "problem", "UNKNOWN": "unknown", "WARN": "warning"}
PLATFORM = "platform"  # stands in the host's place when a row is about all of them

# What a part needs to be configured; also the order of rows that are equally bad.
SETTINGS = {
    "host": "",
    "pm2": "titan_services",
    "units": "titan_system_units",
    "redis": "titan_redis_host",
    "mongodb": "titan_mongodb_host",
    "certificate": "titan_domains or titan_public_probe",
    "prometheus": "titan_prometheus_url",
    "alert": "",
    "disk": "",
    "memory": "",
    "release": "titan_deploy_root",
}
ORDER = tuple(SETTINGS)

DAEMON_FAULTS = {
    "absent": "no PM2 daemon runs, so no application does",
    "stale": "the PM2 daemon is dead and has left its socket behind",
    "hung": "the PM2 daemon does not answer",
    "foreign": "the PM2 daemon belongs to another user",
}
# What Ansible and uri put in front of a reason.
PREFIXES = (
    "Task failed",
    r"Data could not be sent to remote host .*? over ssh",
    "Failed to connect to the host via ssh",
    r"Status code was -1 and not \[[\d, ]*\]",
    "Request failed",
)
LIVE_FAULTS = {
    "dangling": "the link to the live release leads nowhere",
    "foreign_link": "the application's path is a link to something that is no release",
    "other": "the application's path is neither a release nor a directory",
}
APP_STATES = {"online": "OK", "launching": "WARN"}
REDIS_FAULTS = {
    "auth": "refuses the login",
    "busy": "is blocked",
    "hung": "hangs",
    "loading": "is still loading",
    "misconf": "refuses writes",
    "oom": "refuses writes",
}
MEMBER_FAULTS = {
    "NOT_READY": "neither primary nor secondary (starting, recovering, rolling back or removed)",
    "NOT_INITIALIZED": "a replica set is configured but was never initiated",
}


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the report; `brief` is what a healthy one says in its host's one line."""

    host: str
    what: str
    state: str
    detail: str
    brief: str = ""


Rows = t.Iterator[Row]


def rank(value: float, warn: float, fail: float) -> str:
    """Return the state of a value of which less is better."""
    return "FAIL" if value >= fail else "WARN" if value >= warn else "OK"


def fault(result: t.Any) -> str:
    """Return why a part could not be observed, from its registered result."""
    if not isinstance(result, t.Mapping):
        return "no result"
    # A loop itself only says that its items are done.
    result = next((item for item in result.get("results") or () if item.get("unreachable")), result)
    message = plain(result.get("msg") or result.get("error") or "no reason given")
    for prefix in PREFIXES:
        message = re.sub(f"^{prefix}: ", "", message)
    return re.sub(r"^<url\w+ error (?:\[Errno -?\d+\] )?(.*)>$", r"\1", message)


class Judge:
    """Judges what was observed on one host."""

    def __init__(self, host: str, seen: Seen, now: float) -> None:
        self.host = host
        self.seen = seen
        self.now = now
        self.limits: t.Mapping[str, float] = {
            key: float(value) for key, value in (seen.get("limits") or {}).items()
        }

    def rows(self) -> Rows:
        """Yield the rows of all parts that were asked for."""
        if not self.seen:
            yield self._row("host", "UNKNOWN", "nothing was seen of it")
            return
        gone = self.seen.get("host") or {}
        if gone.get("unreachable"):
            yield self._row("host", "FAIL", f"cannot be reached: {fault(gone)}")
            return
        parts = list(self.seen.get("parts") or ())
        if self.seen.get("interrupted"):
            missing = [part for part in parts if not self._seen(part)]
            parts = [part for part in parts if part not in missing]
            reason = fault({"msg": self.seen["interrupted"]}).rstrip(".")
            unseen = f"; not looked at: {', '.join(missing)}" if missing else ""
            yield self._row("host", "FAIL", f"hangs: {reason}{unseen}")
        for part in parts:
            yield from self._part(part)

    def _seen(self, part: str) -> Seen:
        """Return the registered result of the task that looked at a part, empty if none did."""
        source = "host" if part in ("disk", "memory", "units") else part
        result = self.seen.get(source)
        return {} if not isinstance(result, t.Mapping) or result.get("skipped") else result

    def _part(self, part: str) -> Rows:
        result = self._seen(part)
        if not result:
            yield self._unconfigured(part)
        elif result.get("unreachable"):
            yield self._row(part, "UNKNOWN", f"the host was lost meanwhile: {fault(result)}")
        else:
            judge: t.Callable[[Seen], Rows] = getattr(self, "_" + part)
            try:
                yield from list(judge(result))
            except (KeyError, TypeError, ValueError) as error:
                # One part's answer of an unknown shape must not take away the others.
                message = f"its answer has an unknown shape ({type(error).__name__}: {error})"
                yield self._row(part, "UNKNOWN", message)

    def _row(self, what: str, state: str, detail: str, brief: str = "") -> Row:
        return Row(self.host, what, state, plain(detail), brief)

    def _unseen(self, what: str, result: Seen) -> Row:
        return self._row(what, "UNKNOWN", f"could not be looked at: {fault(result)}")

    def _unconfigured(self, part: str) -> Row:
        return unconfigured(self.host, part)

    # Each of the following judges one part.

    def _section(self, what: str, result: Seen, section: str) -> t.Any:
        """Return a section of host_info, or a row that tells why it is missing."""
        if result.get(section) is not None:
            return result[section]
        reason = (result.get("errors") or {}).get(section)
        return self._unseen(what, {"msg": reason} if reason else result)

    def _memory(self, result: Seen) -> Rows:
        memory = self._section("memory", result, "memory")
        if isinstance(memory, Row):
            yield memory
            return
        free = float(memory["available_percent"])
        # Less is worse here.
        state = rank(-free, -self.limits["memory_warn"], -self.limits["memory_fail"])
        available, total = size(memory["available_bytes"]), size(memory["total_bytes"])
        detail = f"{free:.0f} % available ({available} of {total})"
        yield self._row("memory", state, detail, f"memory {free:.0f} % free")

    def _disk(self, result: Seen) -> Rows:
        disks = self._section("disk", result, "file_systems")
        if isinstance(disks, Row):
            yield disks
            return
        worst = 0.0
        for disk in disks:
            used, inodes = float(disk["used_percent"]), float(disk["inodes_used_percent"])
            worst = max(worst, used, inodes)
            left = size(disk["available_bytes"])
            states = {
                f"{disk['mount']} is {used:.0f} % full, {left} left": used,
                f"{disk['mount']} has {inodes:.0f} % of its inodes in use": inodes,
            }
            for detail, value in states.items():
                state = rank(value, self.limits["disk_warn"], self.limits["disk_fail"])
                if state != "OK":
                    yield self._row("disk", state, detail)
        if not disks:
            yield self._row("disk", "UNKNOWN", "no local file system was found")
        elif worst < min(self.limits["disk_warn"], self.limits["disk_fail"]):
            detail = f"{disks[0]['mount']} is the fullest with {worst:.0f} %"
            yield self._row("disk", "OK", detail, f"disk {worst:.0f} %")

    def _units(self, result: Seen) -> Rows:
        units = self._section("units", result, "units")
        if isinstance(units, Row):
            yield units
            return
        if not units:
            yield self._unconfigured("units")
        well = [unit["name"] for unit in units if unit["active"] == "active"]
        for unit in units:
            if unit["active"] == "active":
                continue
            since = f" for {age(unit['since_s'])}" if unit.get("since_s") is not None else ""
            state, name = "FAIL", unit["name"]
            if unit["load"] == "not-found":
                detail = f"{name} is not installed"
            elif unit["load"] == "masked":
                detail = f"{name} is masked"
            elif unit["active"] in ("activating", "reloading"):
                state, detail = "WARN", f"{name} is {unit['active']}{since}"
            elif unit["active"] == "failed":
                detail = f"{name} has failed{since} ({unit['result']})"
            else:
                detail = f"{name} is {unit['active']}{since}"
            yield self._row("units", state, detail)
        if well:
            brief = f"{len(well)}/{len(units)} units"
            yield self._row("units", "OK", "active: " + ", ".join(well), brief)

    def _pm2(self, result: Seen) -> Rows:
        daemon = result.get("daemon")
        if not isinstance(daemon, t.Mapping):
            yield self._unseen("pm2", result)
            return
        if daemon.get("state") != "running":
            state = str(daemon.get("state"))
            yield self._row("pm2", "FAIL", DAEMON_FAULTS.get(state, f"the PM2 daemon is {state}"))
            return
        apps = {app["name"]: app for app in result.get("apps") or ()}
        live = str(((self.seen.get("release") or {}).get("current") or {}).get("directory") or "")
        wanted = list(self.seen.get("services") or ())
        online = processes = 0
        for name in wanted:
            if name not in apps:
                yield self._row("pm2", "FAIL", f"{name} is not known to PM2")
        for name, app in apps.items():
            verdict, reason = str(app.get("verdict")), app.get("reason") or "no reason given"
            state = APP_STATES.get(verdict, "FAIL" if name in wanted else "WARN")
            if state == "OK":
                online += 1
                processes += len(app.get("instances") or ())
            else:
                yield self._row("pm2", state, f"{name} is {verdict}: {reason}")
            for path in old_paths(app, live) if name in wanted else ():
                yield self._row("pm2", "WARN", f"{name} still runs from {path}")
        if online:
            brief = f"{online}/{len(set(wanted) | set(apps))} apps"
            detail = f"{plural(online, 'app')} online with {plural(processes, 'instance')}"
            yield self._row("pm2", "OK", detail, brief)
        elif not apps and not wanted:
            yield self._unconfigured("pm2")

    def _release(self, result: Seen) -> Rows:
        current = result.get("current")
        if not isinstance(current, t.Mapping) and "releases" not in result:
            yield self._unseen("release", result)
            return
        lock = result.get("lock")
        if lock:
            holder = f"{lock.get('procedure')} by {lock.get('user')}@{lock.get('host')}"
            held = f"{holder} has held the lock for {age(lock.get('age') or 0)}"
            yield self._row("release", "WARN", held)
        if result.get("live") in LIVE_FAULTS:
            yield self._row("release", "FAIL", LIVE_FAULTS[result["live"]])
            return
        if not current or not current.get("commit"):
            yield self._row("release", "WARN", "no release is live")
            return
        name, since = release_name(current), str(current.get("activated") or "")
        detail = name + (f" since {since[:16].replace('T', ' ')}" if since else "")
        status, complete = current.get("status"), current.get("complete", True)
        reason = current.get("reason") or "no reason given"
        if status == "failed":
            yield self._row("release", "WARN", f"{detail} is live, but marked failed: {reason}")
        elif not complete:
            yield self._row("release", "WARN", f"{detail} is live, but incomplete: {reason}")
        elif status == "activating":
            yield self._row("release", "WARN", f"{detail} is live, but was never verified")
        else:
            yield self._row("release", "OK", detail, f"release {current['commit'][:7]}")

    def _redis(self, result: Seen) -> Rows:
        state = result.get("state")
        if not state:
            yield self._unseen("redis", result)
            return
        if state != "ok":
            told = REDIS_FAULTS.get(str(state), "does not answer")
            severity = "WARN" if state == "loading" else "FAIL"
            yield self._row("redis", severity, f"{told}: {fault(result)}")
            return
        memory, role = result["memory"], str(result["role"])
        healthy = True
        for severity, detail in self._redis_faults(result):
            healthy = False
            yield self._row("redis", severity, detail)
        if healthy:
            used, limit = size(memory["used_bytes"]), memory["max_bytes"]
            room = f"{used} of {size(limit)}" if limit else f"{used}, no limit"
            yield self._row("redis", "OK", f"{role}, {room}", f"redis {role}")

    def _redis_faults(self, result: Seen) -> t.Iterator[tuple[str, str]]:
        if result.get("loading"):
            yield "WARN", "is still loading its data"
        if not result.get("save_ok", True):
            yield "WARN", "could not write its data to disk"
        master = result.get("master")
        if master and master["link"] != "up":
            yield "FAIL", f"has lost its master {master['address']} (link {master['link']})"
        used, limit = result["memory"]["used_bytes"], result["memory"]["max_bytes"]
        percent = 100 * used / limit if limit else 0.0
        state = rank(percent, self.limits["redis_memory_warn"], self.limits["redis_memory_fail"])
        # A cache that evicts is meant to be full.
        if state == "FAIL" and result["memory"]["policy"] != "noeviction":
            state = "WARN"
        if state != "OK":
            policy = result["memory"]["policy"]
            yield state, f"{percent:.0f} % of maxmemory {size(limit)} in use ({policy})"

    def _mongodb(self, result: Seen) -> Rows:
        state = result.get("state")
        if not state:
            yield self._unseen("mongodb", result)
            return
        if state != "ok":
            told = "hangs" if state == "hung" else "does not answer"
            yield self._row("mongodb", "FAIL", f"{told}: {fault(result)}")
            return
        role = str(result["role"])
        own: Seen = next((member for member in result["members"] if member["self"]), {})
        yield self._member(role, own.get("lag_s"))
        for member in result["members"]:
            if member["error"]:
                detail = f"cannot reach {member['name']}: {member['error']}"
                yield self._row("mongodb", "FAIL", detail)

    def _member(self, role: str, lag: float | None) -> Row:
        if role in MEMBER_FAULTS:
            return self._row("mongodb", "FAIL", MEMBER_FAULTS[role])
        if role == "SECONDARY" and lag is not None:
            state = rank(lag, self.limits["lag_warn"], self.limits["lag_fail"])
            if state != "OK":
                return self._row("mongodb", state, f"is {age(lag)} behind the primary")
            return self._row("mongodb", "OK", f"SECONDARY, {lag:.0f} s behind", "mongodb SECONDARY")
        return self._row("mongodb", "OK", role, f"mongodb {role}")

    def _certificate(self, result: Seen) -> Rows:
        soonest: float | None = None
        for item in result.get("results") or ():
            name = item.get("item", "?")
            if not item.get("not_after"):
                yield self._row("certificate", "FAIL", f"{name}: none is served: {fault(item)}")
                continue
            end = datetime.strptime(item["not_after"], "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc)
            days = (end.timestamp() - self.now) / 86400
            state = rank(-days, -self.limits["certificate_warn"], -self.limits["certificate_fail"])
            names = certificate_names(item)
            if not any(covers(pattern, name) for pattern in names):
                others = ", ".join(names) or "no name"
                yield self._row("certificate", "FAIL", f"{name}: served is one for {others}")
            elif days < 0:
                yield self._row("certificate", "FAIL", f"{name}: expired {age(-days * 86400)} ago")
            elif state != "OK":
                yield self._row("certificate", state, f"{name}: expires in {age(days * 86400)}")
            else:
                soonest = min(days, soonest if soonest is not None else days)
        if soonest is not None:
            detail = f"the next one expires in {age(soonest * 86400)}"
            yield self._row("certificate", "OK", detail, f"certificate {age(soonest * 86400)}")

    def _prometheus(self, result: Seen) -> Rows:
        answers = {item.get("item"): item for item in result.get("results") or ()}
        targets, alerts = answers.get("targets", {}), answers.get("alerts", {})
        for item in (targets, alerts):
            if item.get("status") != 200:
                yield self._row("prometheus", "FAIL", f"does not answer: {fault(item)}")
                return
            if not isinstance(item.get("json"), t.Mapping):
                told = "answers with no JSON: see whether titan_prometheus_url is its address"
                yield self._row("prometheus", "FAIL", told)
                return
        active = targets["json"]["data"]["activeTargets"]
        yield from self._targets(active)
        firing = [alert for alert in alerts["json"]["data"]["alerts"] if alert["state"] == "firing"]
        yield from self._alerts(firing)
        if not firing:
            yield self._row("alert", "OK", "none is firing", "no alerts")

    def _targets(self, active: t.Sequence[Seen]) -> Rows:
        if not active:
            yield self._row("prometheus", "WARN", "has no targets")
            return
        jobs: dict[str, list[Seen]] = {}
        for target in active:
            jobs.setdefault(target["labels"].get("job", "?"), []).append(target)
        for job, targets in sorted(jobs.items()):
            down = [target for target in targets if target["health"] == "down"]
            if down:
                names = ", ".join(target["labels"].get("instance", "?") for target in down)
                reason = str(down[0].get("lastError", "")).rsplit(": ", 1)[-1]
                told = f"target {job}: {len(down)} of {len(targets)} down: {names} ({reason})"
                yield self._row("prometheus", "FAIL", told)
            elif any(target["health"] != "up" for target in targets):
                yield self._row("prometheus", "WARN", f"target {job}: not read yet")
        up = sum(target["health"] == "up" for target in active)
        if up:
            detail = f"{up} of {len(active)} targets are up"
            yield self._row("prometheus", "OK", detail, f"{up}/{len(active)} targets")

    def _alerts(self, firing: t.Sequence[Seen]) -> Rows:
        names: dict[str, list[Seen]] = {}
        for alert in firing:
            names.setdefault(alert["labels"].get("alertname", "?"), []).append(alert)
        for name, alerts in sorted(names.items()):
            labels = [alert["labels"] for alert in alerts]
            severity = labels[0].get("severity", "")
            where = ", ".join(dict.fromkeys(x["instance"] for x in labels if x.get("instance")))
            text = str((alerts[0].get("annotations") or {}).get("summary", ""))
            detail = name + (f" on {where}" if where else "")
            detail += f" ({severity})" if severity else ""
            detail += f": {text}" if text else ""
            yield self._row("alert", "FAIL" if severity == "critical" else "WARN", detail)


def old_paths(app: Seen, live: str) -> list[str]:
    """Return the directories, other than the live release's, that instances work in."""
    paths = dict.fromkeys(str(one.get("release_path") or "") for one in app.get("instances") or ())
    if not live:  # the kernel marks the directory of a process that is gone
        return [path for path in paths if path.endswith(" (deleted)")]
    return [path for path in paths if path and not (path + "/").startswith(live + "/")]


def release_name(current: Seen) -> str:
    """Return a release by what a person knows it by."""
    names = [str(current[key]) for key in ("ref", "name") if current.get(key)]
    commit = str(current["commit"])[:7]
    if not any(commit in name for name in names):
        names.append(commit)
    return " ".join(names)


def unconfigured(host: str, part: str, remedy: str = "") -> Row:
    """Return the row of a part that was asked for and has no configuration."""
    remedy = remedy or f"set {SETTINGS[part] or 'it up'}"
    detail = f"not configured: {remedy} or leave {part} out of status_parts"
    return Row(host, part, "UNKNOWN", detail)


def certificate_names(certificate: Seen) -> list[str]:
    """Return the DNS names that a certificate is for."""
    for extension in certificate.get("extensions") or ():
        if extension.get("name") == "subjectAltName":
            try:
                return dns_names(base64.b64decode(extension.get("asn1_data", "")))
            except (binascii.Error, IndexError):
                return []
    return []


def dns_names(der: bytes) -> list[str]:
    """Return the DNS names of a subjectAltName: a DER sequence of tagged strings."""

    def element(at: int) -> tuple[int, int, int]:
        """Return tag, start and end of the value."""
        tag, length, at = der[at], der[at + 1], at + 2
        if length & 0x80:
            count = length & 0x7F
            length, at = int.from_bytes(der[at : at + count], "big"), at + count
        return tag, at, at + length

    at, end = element(0)[1:]
    names = []
    while at < min(end, len(der)):
        tag, start, at = element(at)
        if tag == 0x82:  # context-specific 2: dNSName
            names.append(der[start:at].decode("ascii", "replace"))
    return names


def covers(pattern: str, name: str) -> bool:
    """Tell whether a certificate's name, maybe with a wildcard, is good for a host name."""
    pattern, name = pattern.lower(), name.lower()
    return pattern == name or (pattern[:2] == "*." and name.partition(".")[2] == pattern[2:])


def judge_platform(observed: t.Mapping[str, Seen]) -> Rows:
    """Yield what only the comparison of hosts can tell."""
    yield from _differing_releases(observed)
    yield from _replica_sets(observed)


def _differing_releases(observed: t.Mapping[str, Seen]) -> Rows:
    hosts: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    for host, seen in observed.items():
        current = (seen.get("release") or {}).get("current") or {}
        if current.get("commit"):
            hosts.setdefault(current["commit"], []).append(host)
            names[current["commit"]] = release_name(current)
    if len(hosts) > 1:
        told = "; ".join(f"{', '.join(hosts[commit])}: {names[commit]}" for commit in hosts)
        yield Row(PLATFORM, "release", "WARN", plain(f"the hosts differ: {told}"))


def _replica_sets(observed: t.Mapping[str, Seen]) -> Rows:
    sets: dict[str, set[str]] = {}
    for seen in observed.values():
        view = seen.get("mongodb") or {}
        if view.get("state") == "ok" and view.get("set"):
            members = view["members"]
            primaries = {member["name"] for member in members if member["role"] == "PRIMARY"}
            sets.setdefault(view["set"], set()).update(primaries)
    for name, primaries in sorted(sets.items()):
        if not primaries:
            yield Row(PLATFORM, "mongodb", "FAIL", f"replica set {name} has no primary: no writes")
        elif len(primaries) > 1:
            told = ", ".join(sorted(primaries))
            yield Row(PLATFORM, "mongodb", "FAIL", f"replica set {name} has two primaries: {told}")


def _without_echoes(rows: t.Iterable[Row], observed: t.Mapping[str, Seen]) -> Rows:
    """Leave out what members tell of one that is known to be down, but for its first witness."""
    own: dict[str, set[str]] = {}  # how the members of silent hosts may be called
    for host, seen in observed.items():
        view = seen.get("mongodb") or {}
        gone = (seen.get("host") or {}).get("unreachable") or (seen.get("interrupted") and not view)
        if gone or view.get("state") not in ("ok", None):
            own[host] = {host, host.partition(".")[0]}
    silent = set().union(*own.values()) if own else set()
    told: set[str] = set()
    for row in rows:
        match = re.match(r"cannot reach ([^:]+):\d+: ", row.detail)
        if match and row.what == "mongodb":
            member = match.group(1)
            if member in silent or member.partition(".")[0] in silent or member in told:
                continue
            told.add(member)
        yield row


def report(
    observed: t.Mapping[str, Seen],
    now: float,
    verbose: bool = False,
    homeless: t.Mapping[str, str] | None = None,
) -> Report:
    """Return the report: summary, table, counts and rows.

    `homeless` maps parts that were asked for, although no host has them, to the empty group.
    """
    observed = {host: seen or {} for host, seen in observed.items()}
    rows = [row for host, seen in observed.items() for row in Judge(host, seen, now).rows()]
    rows = list(_without_echoes(rows, observed))
    rows += judge_platform(observed)
    for part, group in (homeless or {}).items():
        rows.append(unconfigured(PLATFORM, part, f"put a host into {group}"))
    hosts = list(observed)

    def order(row: Row) -> tuple[int, int, int]:
        place = hosts.index(row.host) if row.host in observed else -1
        return STATES.index(row.state), ORDER.index(row.what), place

    rows.sort(key=order)
    counts = {state: sum(row.state == state for row in rows) for state in STATES}
    summary = summarize(len(hosts), rows, counts)
    return {
        "summary": summary,
        "healthy": not counts["FAIL"] and not counts["UNKNOWN"],
        "counts": counts,
        "rows": [
            {"host": row.host, "what": row.what, "state": row.state, "detail": row.detail}
            for row in rows
        ],
        "text": "\n".join([summary, *table(rows if verbose else compact(rows))]),
    }


def summarize(hosts: int, rows: t.Sequence[Row], counts: t.Mapping[str, int]) -> str:
    """Return the one sentence that is read first."""
    told = [plural(counts[state], NOUNS[state]) for state in NOUNS if counts[state]]
    start = f"{plural(hosts, 'host')}: "
    if not told:
        return f"{start}all is well, {plural(len(rows), 'check')}."
    worst = f"{rows[0].host} {rows[0].what} {rows[0].detail}".rstrip(".")
    link = "; the worst: " if sum(counts[state] for state in NOUNS) > 1 else ": "
    return f"{start}{', '.join(told)}{link}{worst}."


def compact(rows: t.Sequence[Row]) -> list[Row]:
    """Return the rows with the healthy ones of each host put into one."""
    result = [row for row in rows if row.state != "OK"]
    briefs: dict[str, list[str]] = {}
    for row in rows:
        if row.state == "OK":
            briefs.setdefault(row.host, []).append(row.brief or f"{row.what} {row.detail}")
    troubled = {row.host for row in result}
    for host in sorted(briefs):
        what = "the rest" if host in troubled else "all"
        result.append(Row(host, what, "OK", ", ".join(briefs[host])))
    return result


def table(rows: t.Sequence[Row]) -> list[str]:
    """Return the rows as aligned lines."""
    cells = [(row.state, row.host, row.what) for row in rows]
    widths = [max((len(cell[i]) for cell in cells), default=0) for i in range(3)]
    return [
        "  ".join([*(c.ljust(w) for c, w in zip(cell, widths)), row.detail]).rstrip()
        for cell, row in zip(cells, rows)
    ]
