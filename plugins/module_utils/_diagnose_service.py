# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a service under PM2 does not answer, from what one host showed.

What is looked at goes from the ground up: disk, PM2, release, dependencies, port, processes, and
nginx in front of them. What lies deeper explains what stands on it, so its finding comes first.
"""

from __future__ import annotations

import calendar
import ipaddress
import re
import time
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_host import (
    EMPTY,
    NO_SPACE,
    find_unit,
    full_disks,
    last_line,
    tcp_listeners,
    who,
)
from ansible_collections.plugspace.titan.plugins.module_utils._finding import (
    CERTAIN,
    LIKELY,
    POSSIBLE,
    Finding,
    finding,
)
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen
from ansible_collections.plugspace.titan.plugins.module_utils._words import plain, plural


class Symptom(t.NamedTuple):
    """What an application's last words mean: the pattern, and the finding that it makes."""

    pattern: t.Pattern[str]
    cause: str
    confidence: str
    rung: str
    advice: str = ""


_ROLL_BACK = "go back with playbooks/rollback.yml, or deploy again with playbooks/deploy.yml"
_MORE_FILES = "find what keeps files open, or raise LimitNOFILE of the unit that runs PM2"
# Node.js and Linux say these themselves, so they mean the same in every application.
LAST_WORDS = (
    Symptom(
        re.compile(r"EMFILE|ENFILE|too many open files", re.I),
        "too_many_open_files",
        CERTAIN,
        "restart",
        _MORE_FILES,
    ),
    Symptom(re.compile(r"heap out of memory", re.I), "heap_exhausted", CERTAIN, "restart"),
    Symptom(
        re.compile(r"Cannot find (?:module|package)|ERR_MODULE_NOT_FOUND"),
        "broken_release",
        LIKELY,
        "",
        _ROLL_BACK,
    ),
    # Whoever held it is gone, or it would have been found at the port.
    Symptom(re.compile(r"EADDRINUSE"), "port_was_taken", LIKELY, "restart"),
    Symptom(re.compile(r"EACCES|EPERM"), "not_permitted", POSSIBLE, "restart"),
)
# What Node.js and console.error() print of an error is followed by lines that begin with space, by
# a bracket, and by the version of Node.js.
_WORDS = re.compile(r"(?!Node\.js v\d)\S.*\w")
# Restarted as often as this and up no longer than this, it is between two crashes.
_MANY_RESTARTS, _YOUNG_S = 3, 10.0
# What service_probe says of an attempt.
_NO_ANSWER = re.compile(r"gave no answer within|was cut off")
_NO_CONNECTION = re.compile(r"got no connection")
_NO_HANDSHAKE = re.compile(r"did not become a WebSocket|answered the handshake of somebody else")
_DEAD_SOCKET = re.compile(
    r"closed the WebSocket|instead of a pong|sent no pong|closed the connection without"
)
_BAD_CERTIFICATE = re.compile(r"bad certificate|speaks no TLS")

_NAME_PM2 = (
    "end PM2's daemon and start it with its applications, which all are gone for a few seconds, by"
    " -e service_down_confirm=PM2"
)
_DAEMON = {
    "absent": ("pm2_absent", "no PM2 daemon runs, so no application does", "start_pm2"),
    "stale": ("pm2_dead", "the PM2 daemon is dead and has left its socket behind", "start_pm2"),
    "hung": ("pm2_hung", "the PM2 daemon does not answer", "replace_pm2"),
    "foreign": ("pm2_foreign", "the PM2 daemon belongs to another user", ""),
}
_LIVE = {
    "absent": "there is nothing at the path that the application runs from",
    "dangling": "the link to the live release leads nowhere",
    "foreign_link": "the application's path is a link to something that is no release",
    "other": "the application's path is neither a release nor a directory",
}
# A unit that could be started; one on its way is left alone.
_DOWN = ("inactive", "failed")
# Once may be chance.
_TWICE = 2


class ServiceDiagnosis:
    """The evidence about one service on one host, and what it says.

    observed: service (name, port, depends_on, paths as in the inventory), answer and site (a row of
    service_probe each, from the service itself and through nginx; in unseen, why there is none of
    the site), instances (how each process answered, as evidence_info tells it), pm2 (pm2_info with
    log lines), release (release_info), host (host_info with units, listeners, processes and
    oom_kills), redis and mongodb (redis_info, mongodb_info), dependency_units (unit of each
    dependency) and dependency_hosts (where the inventory says that each is), own_names (what the
    inventory calls this host), others and other_answers (the names of the other services, and rows
    of service_probe of them), named (what a person has named), nginx (unit, ok, output of its
    configuration test), edge (the hosts that nginx runs on). Any of them may be missing.
    """

    def __init__(self, observed: object) -> None:
        self._seen = Seen(observed)
        self._service = self._seen.part("service")
        self.name = self._service.text("name")
        self._daemon = self._seen.part("pm2").part("daemon")
        self._host = self._seen.part("host")
        apps = self._seen.part("pm2").rows("apps")
        self._app = next((app for app in apps if app.text("name") == self.name), EMPTY)
        self._instances = self._app.rows("instances")
        self._log = self._app.part("logs").texts("err")
        self._answer = self._seen.part("answer")
        self._answers = self._answer.flag("ok") is True
        self._own_names = {name.lower() for name in self._seen.texts("own_names")}

    def findings(self) -> list[Finding]:
        """All causes, the one that explains most first; none when the service is well."""
        if self._answers:
            # Who answers may be somebody else than the service.
            bad = [*self._bad_instances()] or [*self._unwell_instances()]
            return [*self._strangers(), *bad, *self._nginx()]
        found = [
            *self._disk(),
            *self._pm2(),
            *self._release(),
            *self._dependencies(),
            *self._port(),
        ]
        # A daemon that cannot be asked tells nothing true about its processes.
        if self._daemon.text("state") == "running":
            found += self._processes()
        return found or self._unexplained()

    def remark(self) -> str:
        """What is said of a service that answers, though something that it needs does not."""
        down = next(self._dependencies(), None)
        if not down:
            return ""
        advice = f"run playbooks/{down['cause']}.yml" if down["rung"] else down["advice"]
        return f"but {down['evidence']}: {advice}"

    # -- the ground ---------------------------------------------------------------------------

    def _disk(self) -> t.Iterator[Finding]:
        # By the application's own path, and where the link there leads.
        release = self._seen.part("release").part("current").text("directory")
        paths = [self._service.text("path"), *([release] if release else [])]
        return full_disks(self._host, paths, last_line(self._log, NO_SPACE))

    def _pm2(self) -> t.Iterator[Finding]:
        state = self._daemon.text("state")
        if state not in _DAEMON:
            return
        cause, said, rung = _DAEMON[state]
        said = self._daemon.text("reason") or said
        pid, in_use = self._daemon.whole("pid"), self._in_use()
        if state == "hung" and pid in self._stopped_by_signal():
            why = f"a signal has stopped the PM2 daemon (pid {pid})"
            yield finding(cause, "PM2", why, rung="continue_processes", target=str(pid))
        elif state == "hung" and in_use and self._seen.shown("named") != "PM2":
            yield finding(cause, "PM2", f"{in_use}, but {said}", advice=_NAME_PM2)
        else:
            advice = "" if rung else "name the right user or PM2_HOME (titan_pm2_home)"
            yield finding(cause, "PM2", said, rung=rung, advice=advice)

    def _in_use(self) -> str:
        """Which other services a new daemon would end although they serve; empty when none does."""
        answers = {one.text("name"): one.flag("ok") for one in self._seen.rows("other_answers")}
        others = self._seen.texts("others")
        good = [name for name in others if answers.get(name) is True]
        if good:
            return f"{', '.join(good)} still answer{'s' if len(good) == 1 else ''}"
        unseen = [name for name in others if answers.get(name) is None]
        return f"nobody could see whether {', '.join(unseen)} still serves" if unseen else ""

    def _release(self) -> t.Iterator[Finding]:
        live = self._seen.part("release").text("live")
        current = self._seen.part("release").part("current")
        if live in _LIVE:
            yield finding("release_gone", self.name, _LIVE[live], advice=_ROLL_BACK)
        elif current.flag("complete") is False and current.text("name"):
            reason = current.text("reason") or "something of it is missing"
            yield finding(
                "release_damaged",
                self.name,
                f"release {current.text('name')} is live and not complete: {reason}",
                # It may run all the same, so what can be helped is helped first.
                POSSIBLE,
                advice=_ROLL_BACK,
            )

    def _dependencies(self) -> t.Iterator[Finding]:
        for name in self._service.texts("depends_on"):
            seen = self._seen.part(name)
            state = seen.text("state")
            if state == "ok" and name == "mongodb" and not self._has_primary(seen):
                yield finding(
                    "mongodb_down",
                    name,
                    f"{self.name} needs {name}, and its replica set has no primary",
                    rung="wait",
                    advice="see playbooks/mongodb_down.yml",
                )
            if not state or state == "ok":
                continue
            yield self._dependency_down(name, seen)

    def _dependency_down(self, name: str, seen: Seen) -> Finding:
        """Its unit is started only on the host that it is on: another one would be empty."""
        address = self._seen.part("dependency_hosts").text(name)
        why = seen.text("error") or f"{name} is {seen.text('state')}"
        told = f"{self.name} needs {name}, and {why}"
        cause, playbook = f"{name}_down", f"playbooks/{name}_down.yml"
        if not self._is_here(address):
            where = f" ({address})" if address else ""
            advice = f"run {playbook} for the host that {name} is on{where}"
            return finding(cause, name, told, advice=advice)
        unit = find_unit(self._host, self._seen.part("dependency_units").text(name))
        if unit.text("active") not in _DOWN:
            return finding(cause, name, told, advice=f"run {playbook}")
        if unit.text("load") != "loaded":
            told += f"; {_unit_state(unit)}"
            return finding(cause, name, told, advice=_no_unit(unit, f"titan_{name}_unit"))
        return finding(
            cause,
            name,
            f"{told}; {_unit_state(unit)}",
            rung="start_unit",
            target=unit.text("name"),
            advice=f"see {playbook}",
        )

    def _is_here(self, address: str) -> bool:
        """Whether an address or a name is of this host, as far as the inventory tells."""
        try:
            return ipaddress.ip_address(address).is_loopback or address in self._own_names
        except ValueError:
            return address.lower() in {"localhost", *self._own_names}

    @staticmethod
    def _has_primary(mongodb: Seen) -> bool:
        """Whether somebody takes writes; a set whose members are not told is not judged."""
        members = mongodb.rows("members")
        return not members or any(one.text("role") == "PRIMARY" for one in members)

    def _strangers(self) -> t.Iterator[Finding]:
        """Who holds the port of a service that answers; it is ended only where PM2 disowns it."""
        for found in self._port():
            if self._daemon.text("state") != "running" and found["rung"]:
                why = self._daemon.text("reason") or "PM2 could not be asked"
                advice = f"it answers, so it is left alone, but nobody watches it: {why}"
                found = {**found, "rung": "", "target": "", "advice": advice}
            yield found

    def _port(self) -> t.Iterator[Finding]:
        """Whoever listens where the service should, without being of it."""
        port = self._service.whole("port")
        # In cluster mode the daemon listens for its workers.
        own = self._with_children({one.whole("pid") for one in (*self._instances, self._daemon)})
        # Whom this user cannot see may be one of these, as long as there are any.
        own = own - {0} if not any(map(self._is_online, self._instances)) else own | {0}
        for listener in tcp_listeners(self._host, port):
            pid = listener.whole("pid")
            if pid in own:
                continue
            holder = who(listener)
            if self._is_orphan(listener):
                yield finding(
                    "port_held_by_orphan",
                    self.name,
                    f"port {port} is held by {holder}, a process of it that PM2 has lost",
                    rung="end_orphan",
                    target=str(pid),
                )
            else:
                yield finding(
                    "port_held_by_stranger",
                    self.name,
                    f"port {port} is held by {holder}, which is not of {self.name}",
                    CERTAIN if pid else LIKELY,
                    advice=f"end {holder} or give one of them another port; a restart cannot help",
                )

    def _with_children(self, pids: set[int]) -> set[int]:
        """The processes and their descendants: what npm starts, listens in its place."""
        known = self._host.part("processes").rows("kept")
        found, generation = set(pids), set(pids)
        while generation:
            parents = generation - {0, 1}
            generation = {one.whole("pid") for one in known if one.whole("ppid") in parents} - found
            found |= generation
        return found

    def _is_orphan(self, listener: Seen) -> bool:
        script = listener.text("script")
        if not script or listener.whole("pid") <= 1:
            return False
        roots = [self._service.text("path"), self._service.text("root")]
        return any(root and script.startswith(root.rstrip("/") + "/") for root in roots)

    # -- the processes ------------------------------------------------------------------------

    def _processes(self) -> list[Finding]:
        if not self._instances:
            why = "PM2 runs, and knows no application of this name"
            return [finding("not_started", self.name, why, rung="start")]
        # Who was stopped was not killed, whatever the kernel did before.
        if all(one.text("status") == "stopped" for one in self._instances):
            count = plural(len(self._instances), "instance")
            why = f"{count}, stopped in PM2: somebody stopped it, or it was never started again"
            return [finding("stopped", self.name, why, rung="start")]
        if not any(self._is_online(one) for one in self._instances) or self._keeps_crashing():
            return [*self._killed(self._last_start() - _YOUNG_S), *self._crashed()]
        bad = [*self._bad_instances()] or [*self._unwell_instances()]
        if bad:
            return [*bad, *self._killed(self._last_start() - _YOUNG_S)]
        # What it says itself tells more than a kill that may have been long ago.
        return [*self._out_of_files()] or [*self._silent(), *self._killed()]

    @staticmethod
    def _is_online(instance: Seen) -> bool:
        return instance.text("status") == "online" and instance.whole("pid") > 0

    def _killed(self, since: float = 0.0) -> t.Iterator[Finding]:
        """Kills by the kernel; the process is gone, so its name and unit have to do.

        since: seconds since 1970; what was killed before then has run again.
        """
        kills = [one for one in self._host.rows("oom_kills") if self._may_be_own(one, since)]
        if not kills:
            return
        kill, unit = kills[0], kills[0].text("unit")
        killed = f"{kill.text('name') or 'a process'} (pid {kill.whole('pid')})"
        where = f" of {unit}" if unit else ""
        limit = unit if kill.text("scope") == "cgroup" else ""
        why = "at its limit of memory" if limit else "for want of memory"
        often = f", the last of {len(kills)} such kills" if len(kills) > 1 else ""
        advice = f"raise MemoryMax (systemctl edit {limit}), or " if limit else ""
        yield finding(
            "out_of_memory",
            self.name,
            f"the kernel killed {killed}{where} {why}, at {kill.text('time') or '?'}{often}",
            LIKELY,
            rung="restart",
            advice=f"{advice}see playbooks/high_memory.yml for what needs the memory",
        )

    def _may_be_own(self, kill: Seen, since: float) -> bool:
        """Whether a kill may have been of this service, by its unit or else its name."""
        kept = self._host.part("processes").rows("kept")
        daemon = self._daemon.whole("pid")
        own = next((one.text("unit") for one in kept if daemon and one.whole("pid") == daemon), "")
        unit = kill.text("unit")
        if _moment(kill.text("time"), since) < since or (own and unit and own != unit):
            return False
        # PM2 may run in a unit that is not its own, such as that of a login.
        return any(word in f"{kill.text('name')} {unit}".lower() for word in ("node", "pm2"))

    def _last_start(self) -> float:
        """When PM2 started one of the instances last."""
        return max(_moment(one.text("started")) for one in self._instances)

    def _keeps_crashing(self) -> bool:
        """PM2 gives up only on what dies at once, soon after it was created: the rest is online."""
        return bool(_NO_CONNECTION.search(self._answer.text("reason"))) and all(
            (one.whole("restarts") >= _MANY_RESTARTS and one.number("uptime_s") < _YOUNG_S)
            or not self._is_online(one)
            for one in self._instances
        )

    def _crashed(self) -> list[Finding]:
        restarts = max(one.whole("restarts") for one in self._instances)
        states = ", ".join(sorted({one.text("status") or "gone" for one in self._instances}))
        head = f"{states} after {plural(restarts, 'restart')}"
        for symptom in LAST_WORDS:
            said = last_line(self._log, symptom.pattern)
            if said:
                return [
                    finding(
                        symptom.cause,
                        self.name,
                        f"{head}; its log: {said}",
                        symptom.confidence,
                        symptom.rung,
                        advice=symptom.advice,
                    )
                ]
        last = _last_words(self._log)
        said = f"; its last words: {last}" if last else ""
        return [finding("crashing", self.name, head + said, LIKELY, rung="restart")]

    def _bad_instances(self) -> t.Iterator[Finding]:
        """Instances that are not as their siblings are."""
        paused = self._paused()
        bad = [one for one in self._instances if not self._is_online(one)]
        ids = [*bad, *paused]
        if not ids or len(bad) == len(self._instances):
            return
        told = [f"instance {one.whole('id')} is {one.text('status') or 'gone'}" for one in bad]
        told += [f"instance {one.whole('id')} is stopped by a signal" for one in paused]
        yield finding(
            "degraded" if bad else "paused",
            self.name,
            f"{'; '.join(told)}, {len(ids)} of {plural(len(self._instances), 'instance')}",
            rung="restart_instances" if bad else "continue_processes",
            target=",".join(str(one.whole("id" if bad else "pid")) for one in (*bad, *paused)),
        )

    def _unwell_instances(self) -> t.Iterator[Finding]:
        """Instances that are online for PM2 and answer badly or never, while others answer well."""
        measured = self._seen.part("instances")
        rows = {one.whole("pid"): one for one in measured.rows("answers")}
        good = {pid for pid, one in rows.items() if one.whole("failures") < one.whole("count")}
        ill = {pid for pid, one in rows.items() if one.whole("failures") >= _TWICE} - good
        ill |= set(measured.wholes("silent"))
        bad = [one for one in self._instances if one.whole("pid") in ill]
        if not good or not bad:
            return
        told = ", ".join(str(one.whole("id")) for one in bad)
        reason = measured.text("reason") or "it takes no connection"
        yield finding(
            "bad_instance",
            self.name,
            f"instance {told} of {plural(len(self._instances), 'instance')}, online for PM2:"
            f" {reason}; the others answer",
            rung="restart_instances",
            target=",".join(str(one.whole("id")) for one in bad),
            advice="what made it bad stands in its log",
        )

    def _paused(self) -> list[Seen]:
        """PM2 calls a process online that a signal stopped."""
        stopped = self._stopped_by_signal()
        return [
            one for one in self._instances if self._is_online(one) and one.whole("pid") in stopped
        ]

    def _stopped_by_signal(self) -> set[int]:
        kept = self._host.part("processes").rows("kept")
        return {one.whole("pid") for one in kept if one.text("state") in ("T", "t")} - {0}

    def _out_of_files(self) -> t.Iterator[Finding]:
        """Instances that may open hardly another file or connection."""
        numbers = {one.whole("pid"): one.whole("id") for one in self._instances}
        full: dict[int, str] = {}
        for one in self._host.part("processes").rows("kept"):
            limit, opened = one.whole("open_files_limit"), one.whole("open_files")
            number = numbers.get(one.whole("pid"))
            if number is not None and limit and opened >= 0.95 * limit:
                full[number] = f"instance {number} has {opened} of {limit} files open"
        if full:
            yield finding(
                "too_many_open_files",
                self.name,
                "; ".join(full[number] for number in sorted(full)),
                rung="restart_instances",
                target=",".join(map(str, sorted(full))),
                advice=_MORE_FILES,
            )

    def _silent(self) -> list[Finding]:
        """All instances are online for PM2, and the service does not answer as it should."""
        reason = self._answer.text("reason")
        kinds: tuple[tuple[t.Pattern[str], str, str], ...] = (
            (_NO_HANDSHAKE, "handshake_refused", "reload"),
            (_DEAD_SOCKET, "handshake_dead", "restart"),
            (_NO_ANSWER, "hung", "restart"),
            (_NO_CONNECTION, "not_listening", "restart"),
        )
        for pattern, cause, rung in kinds:
            if pattern.search(reason):
                return [finding(cause, self.name, f"online for PM2, but {reason}", rung=rung)]
        if not reason:
            return []
        return [finding("unhealthy", self.name, reason, LIKELY, rung="reload")]

    # -- in front, and what is left -----------------------------------------------------------

    def _nginx(self) -> t.Iterator[Finding]:
        """The service answers on its own port, and not through nginx."""
        site = self._seen.part("site")
        if site.text("unseen"):
            yield finding(
                "site_unseen",
                "site",
                f"nobody could look at {self.name} as a visitor does: {site.text('unseen')}",
                POSSIBLE,
                advice="look why the host that probes gave no answer (titan_probe_from)",
            )
        if site.flag("ok") is not False:
            return
        answers = f"{self.name} answers on its own port, but not through nginx"
        elsewhere = self._nginx_elsewhere(f"{answers}: {site.text('reason')}")
        ill = [] if elsewhere else [*self._nginx_ill(answers)]
        if ill:
            yield from ill
        elif _BAD_CERTIFICATE.search(site.text("reason")):
            yield finding(
                "certificate",
                "nginx",
                f"{answers}: {site.text('reason')}",
                advice="look at the certificate that nginx serves (playbooks/status.yml)",
            )
        else:
            # It may have answered a moment before it missed what it needs.
            yield from ([*self._dependencies()] or elsewhere or [self._nginx_stale(answers, site)])

    def _nginx_elsewhere(self, told: str) -> list[Finding]:
        """Where to look for nginx, when it does not run on this host."""
        edge = self._seen.texts("edge")
        unit = find_unit(self._host, self._seen.part("nginx").text("unit"))
        is_edge = not edge or bool(self._own_names & {name.lower() for name in edge})
        if is_edge and unit.text("load") != "not-found":
            return []
        others = [name for name in edge if name.lower() not in self._own_names]
        where = f"on {', '.join(others)} (titan_edge)" if others else "where it runs (titan_edge)"
        advice = f"look {where} whether nginx runs, and whether its upstreams are the right ones"
        why = f"{told}; nginx does not run on this host"
        return [finding("nginx_elsewhere", "nginx", why, LIKELY, advice=advice)]

    def _nginx_ill(self, answers: str) -> t.Iterator[Finding]:
        """What keeps nginx on this host from running."""
        nginx = self._seen.part("nginx")
        unit = find_unit(self._host, nginx.text("unit"))
        if nginx.flag("ok") is False:
            yield finding(
                "nginx_configuration",
                "nginx",
                f"{answers}: {_first_error(nginx.text('output'))}",
                advice="put nginx's configuration right (nginx -t); it was left as it is",
            )
        elif unit.text("active") in _DOWN:
            can = unit.text("load") == "loaded"
            yield finding(
                "nginx_stopped",
                "nginx",
                f"{answers}: {_unit_state(unit)}",
                rung="start_unit" if can else "",
                target=unit.text("name") if can else "",
                advice="" if can else _no_unit(unit, "titan_nginx_unit"),
            )

    def _nginx_stale(self, answers: str, site: Seen) -> Finding:
        nginx = self._seen.part("nginx")
        fit = nginx.flag("ok") is True
        return finding(
            "nginx_stale",
            "nginx",
            f"{answers}: {site.text('reason')}",
            POSSIBLE,
            rung="reload_unit" if fit else "",
            target=nginx.text("unit") if fit else "",
            advice="" if fit else "see whether its upstreams are the right ones",
        )

    def _unexplained(self) -> list[Finding]:
        reason = self._answer.text("reason") or self._answer.text("msg")
        if not reason and self._answer.flag("ok") is None:
            reason = "nobody could look whether it answers"
        return [
            finding(
                "unknown",
                self.name,
                reason or "it does not answer, and nothing that was seen says why",
                POSSIBLE,
                advice=f"look at the logs: pm2 logs {self.name} --lines 100",
            )
        ]


def _moment(text: str, default: float = 0.0) -> float:
    """The seconds since 1970 of a time as the modules tell it."""
    try:
        return float(calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")))
    except ValueError:
        return default


def _unit_state(unit: Seen) -> str:
    """A unit that is down, for a person."""
    load = unit.text("load")
    return (
        f"{unit.text('name')} is {unit.text('active') if load == 'loaded' else load or 'unknown'}"
    )


def _no_unit(unit: Seen, variable: str) -> str:
    """What a person does about a unit that systemd cannot start."""
    name = unit.text("name")
    if unit.text("load") == "masked":
        return f"somebody masked {name}; if it is to run here: systemctl unmask --now {name}"
    return f"systemd cannot start {name} on this host; say its unit in {variable}"


def _last_words(log: t.Sequence[str]) -> str:
    """The newest line that says something: below it stand its stack, and the parts of the error."""
    lines = [line.rstrip() for line in log if line.strip()]
    telling = [line for line in lines if _WORDS.match(line)]
    return (telling or lines or [""])[-1].strip()


def _first_error(output: str) -> str:
    """The line of nginx's configuration test that says what is wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    worst = [line for line in lines if "[emerg]" in line or "[alert]" in line]
    return plain((worst or lines or ["its configuration test fails"])[0])


def remark(observed: object) -> str:
    """What is said of a service that answers, though something that it needs does not; or empty."""
    return ServiceDiagnosis(observed).remark()


def diagnose_service(observed: object) -> list[Finding]:
    """All causes of a service's illness on one host, the one that explains most first."""
    return ServiceDiagnosis(observed).findings()
