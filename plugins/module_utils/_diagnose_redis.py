# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why Redis does not serve, from what its host showed.

The words of Redis are those that 7.0.15 printed. Where the source on the way to 8.0 (October 2024:
rdb.c, aof.c, config.c, server.c) has others, as about saving, these count as well.
"""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_host import (
    NO_SPACE,
    full_disks,
    last_line,
    small_disks,
    unsteady,
    words_of,
)
from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_unit import (
    Symptom,
    UnitDiagnosis,
    once_cured,
    put_right,
)
from ansible_collections.plugspace.titan.plugins.module_utils._finding import (
    CERTAIN,
    LIKELY,
    POSSIBLE,
    Finding,
    finding,
)
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen
from ansible_collections.plugspace.titan.plugins.module_utils._words import plural, size

_MB = 1024 * 1024
_READY = "Ready to accept connections"
# Redis' own beginning of a line: process, role, time, level.
_OWN = re.compile(r"^\d+:[A-Z] \d+ \w{3} \d{4} [\d:.]+ [-.*#] ")
# In its log file; what it says of its configuration before, it says in the journal.
_BEGUN = f"{_READY}|Redis is starting"
# What systemd says of a start; of one that failed, only that it began.
_STARTED = re.compile(r"^Started |^Starting .*\.\.\.$")
_SYSTEMD = re.compile(r"\S+\.service: |(?:Start|Stopp)ing |Stopped |Failed to start ")
_BAD_FILE = re.compile(r"FATAL CONFIG FILE ERROR")
# Redis shows the line of the file, which may hold a password: only its first word is kept.
_QUOTED = re.compile(r"^>>> '(?:([a-z][a-z-]*) )?.*")
_HIDDEN = (
    # A rule of an access list, which may be a password or its hash.
    (re.compile(r"(ACL.*?|operation )'[><#!][^']*'"), r"\1'...'"),
    # What stands in a damaged file, which is people's data.
    (re.compile(r"Unknown command '.*' reading"), "Unknown command reading"),
)
_NO_ADDRESS = re.compile("Cannot assign requested address")
_NOT_LISTENING = re.compile("Failed listening on port")
# Of data that belongs to somebody else, it complains as of its file.
_SHUT_OUT = re.compile(r">>> dir \.\.\.; Permission denied")
_NO_LOG = re.compile(r"Can't open the log file")
_DATA_ADVICE = "copy {path} away, then redis-check-{kind} --fix; what it cuts off is lost"
_REPAIR = "a person decides what is to be kept of the data: "
_SAVE = re.compile(
    r"Failed opening the (?:temp )?RDB file|Write error (?:while )?saving DB"
    r"|Can't save in background|Error moving temp DB file|Failed to fsync .* while saving DB"
)
_SAVED = "DB saved on disk|Background saving terminated with success"
_DENIED = re.compile(r"Permission denied|Read-only file system|No such file or directory")
_FORK = re.compile(r"fork: Cannot allocate memory")
_MAX_CLIENTS = re.compile(r"max number of clients")
_PROTECTED = re.compile(r"DENIED Redis is running in protected mode")
_UNKILLABLE = re.compile(r"UNKILLABLE")
_ANSWERED = re.compile(r"(?:answered: )?MISCONF .*")
# From here on a write that brings much is refused, though small ones are not.
_NEARLY_FULL_PERCENT = 95


def clean(line: str) -> str:
    """A line of the log without the journal's and Redis' beginnings, and without secrets."""
    line = _OWN.sub("", words_of(line))
    quoted = _QUOTED.match(line)
    if quoted:
        return f">>> {quoted[1]} ..." if quoted[1] else ">>> ..."
    for pattern, instead in _HIDDEN:
        line = pattern.sub(instead, line)
    return line


def telling(lines: t.Iterable[str]) -> list[str]:
    """Clean lines, without those of an address that the host lacks and that Redis goes on without.

    It warns of it at each start: Debian's configuration has it listen to ::1 where there is one.
    """
    cleaned = [clean(line) for line in lines]
    return [
        line
        for line, after in zip(cleaned, [*cleaned[1:], ""])
        if not _NO_ADDRESS.search(line) or _NOT_LISTENING.search(after)
    ]


class RedisDiagnosis:
    """The evidence about Redis on one host, and what it says; the filter documents the evidence."""

    def __init__(self, observed: object) -> None:
        self._seen = Seen(observed)
        self._service = self._seen.part("service")
        self.name = self._service.text("name") or "Redis"
        self._redis = self._seen.part("redis")
        self._host = self._seen.part("host")
        self._log = telling(self._seen.texts("unit_log"))
        self._unit = UnitDiagnosis(
            self.name, self._service, self._host, self._log, self._seen.part("paths")
        )
        self._path = self._service.text("data_path") or "/var/lib/redis"
        self._file = self._service.text("config_file") or "/etc/redis/redis.conf"
        # With those that it includes, which lie beside it.
        self._files: tuple[str, ...] = (self._file, os.path.dirname(self._file))
        self._right = put_right(self._file, self._service.text("unit"))
        user = self._service.text("user") or "redis"
        give_back = f"give Redis its files back: chown -R {user}:{user} {self._path}"
        self._give_back = f"{give_back}, then run this again"
        self._give_log = (
            f"let Redis write the logfile of {self._file}: make its folder if there is none, and"
            f" chown -R {user}:{user} /var/log/redis; {once_cured(self._service.text('unit'))}"
        )
        self._state = self._redis.text("state")
        self._error = self._redis.text("error")

    def findings(self) -> list[Finding]:
        """All causes, the one that explains most first; none when Redis is well."""
        if self._state == "ok":
            found = [*self._saving(), *self._memory(), *self._master()]
            return found or unsteady(self.name, self._seen.part("answer"))
        answers: dict[str, t.Callable[[], t.Iterable[Finding]]] = {
            "loading": self._loading,
            "misconf": self._saving,
            "oom": self._memory,
            "replica": self._master,
            "busy": self._script,
            "auth": self._password,
            "tls": self._tls,
            "error": self._refusal,
        }
        found = list(answers.get(self._state, self._silence)())
        return found or self._unexplained()

    # -- it does not answer -------------------------------------------------------------------

    def _silence(self) -> list[Finding]:
        unit = self._unit
        disks = list(full_disks(self._host, [self._path], last_line(self._log, NO_SPACE, _READY)))
        found = [*disks, *unit.strangers(doubted=self._state in ("foreign", "closed"))]
        if self._state == "foreign" and not found:
            advice = "find out who listens there (ss -ltnp), end it or change one of the ports"
            found.append(finding("port_held_by_stranger", self.name, self._error, advice=advice))
        if found and not unit.is_down:
            return found
        found += unit.unusable()
        if unit.is_down:
            return [*found, *(self._bad_start() or unit.down(self._last_words()))]
        return found or unit.starting() or self._runs_silently()

    def _runs_silently(self) -> list[Finding]:
        if self._state not in ("hung", "closed", "refused"):
            return []
        found = self._unit.silent(self._error) or self._unit.files()
        if found:
            return found
        busy = self._unit.busy_percent()
        if self._state == "hung" and busy:
            return [
                finding(
                    "slow_command",
                    self.name,
                    f"{self._error}, while it uses {busy:.0f} % of a processor:"
                    " one command keeps it busy",
                    LIKELY,
                    rung="wait",
                    advice="find who sends such commands (SLOWLOG GET); a restart would lose"
                    " what was not saved",
                )
            ]
        return self._unit.hung(self._error, "not_listening" if self._state == "refused" else "hung")

    def _bad_start(self) -> list[Finding]:
        found = self._bad_file() if self._unit.failed_at_start else []
        causes = {one["cause"] for one in found}
        told = self._unit.refused_to_start(self._symptoms())
        return [*found, *(one for one in told if one["cause"] not in causes)]

    def _bad_file(self) -> list[Finding]:
        test = self._seen.part("config_test")
        ok = test.flag("ok")
        said = "" if ok else self._configuration_error()
        cause, places, advice = "configuration", self._files, self._right
        if _SHUT_OUT.search(said):
            cause, places, advice = "not_permitted", (self._path,), self._give_back
        elif _NO_LOG.search(said):
            cause, places, advice = "log_not_writable", (), self._give_log
        if ok is False:
            # What a test says is of now.
            said, places = said or " ".join(test.text("output").split()), ()
        changed = self._unit.changed_since(places) if said else ""
        if changed:
            return [self._unit.worth_a_start(changed)]
        return [finding(cause, self.name, said, advice=advice)] if said else []

    def _configuration_error(self) -> str:
        """What Redis prints in several lines, as one."""
        lines: list[str] = []
        for line in reversed(self._log):
            if _BAD_FILE.search(line):
                # The words after it: the line's number, the line, and what is wrong with it.
                why = "; ".join(lines[:3]) or "Redis says no more"
                what = f"{self._file} is wrong"
                if _SHUT_OUT.search(why):
                    what = "it may not enter its data"
                elif _NO_LOG.search(why):
                    what = "it cannot write its log"
                return f"{what}: {why}"
            if _STARTED.match(line):
                break
            if line and not _SYSTEMD.match(line):
                lines.insert(0, line)
        return ""

    def _symptoms(self) -> list[Symptom]:
        cured = once_cured(self._service.text("unit"))
        aof = _DATA_ADVICE.format(path=f"{self._path}/appendonlydir", kind="aof")
        rdb = f"copy {self._path}/dump.rdb away, look at it with redis-check-rdb"
        named = f"put {self._file}, or what it names, right; {cured}"
        return [
            Symptom(
                "configuration",
                re.compile(r"can't open config file"),
                named,
                healed=f"{_STARTED.pattern}|{_READY}",
                places=self._files,
            ),
            Symptom(
                "configuration",
                re.compile(
                    r"Failed to configure TLS|ACL errors|Error loading ACL"
                    r"|is not enough for the server to start|Cannot assign requested address"
                ),
                named,
                healed=_BEGUN,
                places=self._files,
            ),
            Symptom(
                "aof_damaged",
                re.compile(
                    r"(?:Bad file format|Unexpected end of file|Unrecoverable error"
                    r"|Unknown command) reading the append only file|FATAL AOF MANIFEST FILE ERROR"
                    r"|Unable to obtain the AOF file|The append log file .* doesn't exist"
                ),
                f"{_REPAIR}{aof}; {cured}",
                healed=_BEGUN,
            ),
            Symptom(
                "not_permitted",
                # In the log file; the journal's are told with the configuration.
                re.compile(
                    r"^(?!.*(?:log|config) file).*: (?:Permission denied|Read-only file system)"
                ),
                self._give_back,
                healed=_BEGUN,
                places=(self._path,),
            ),
            Symptom(
                "snapshot_damaged",
                re.compile(
                    r"Short read or OOM loading DB|Wrong signature trying to load DB"
                    r"|Can't handle RDB format version|RDB ERROR DETECTED|error loading the DB"
                ),
                f"{_REPAIR}{rdb}; {cured}",
                healed=_BEGUN,
            ),
            # Whoever held it is gone, or it would have been found at the port.
            Symptom("port_was_taken", re.compile("Address already in use"), "", "start_unit"),
            Symptom("disk_was_full", NO_SPACE, "", "start_unit", _BEGUN),
        ]

    def _last_words(self) -> str:
        return last_line(
            self._log, re.compile(r"[Cc]rashed by signal|OUT OF MEMORY|Fatal|aborting")
        )

    # -- it answers, and does not serve -------------------------------------------------------

    def _loading(self) -> list[Finding]:
        return [finding("loading", self.name, self._error, rung="wait")]

    def _password(self) -> list[Finding]:
        advice = f"correct titan_redis_password: it has to be requirepass of {self._file}"
        if "NOAUTH" in self._error:
            advice = "Redis asks for a password and got none: set titan_redis_password"
        elif "without any password" in self._error or "no password is set" in self._error:
            advice = "Redis has no password: empty titan_redis_password, or set requirepass"
        elif "NOPERM" in self._error:
            advice = "let the access list of Redis allow PING and INFO to this user"
        advice += "; a restart cannot help"
        return [finding("wrong_password", self.name, self._error, advice=advice)]

    def _tls(self) -> list[Finding]:
        advice = "make the site's TLS settings and certificates those of Redis (tls-port)"
        return [finding("tls", self.name, self._error, advice=advice)]

    def _refusal(self) -> list[Finding]:
        if _MAX_CLIENTS.search(self._error):
            advice = "find who holds the connections (ss -tnp), end them, or raise maxclients"
            return [finding("max_clients", self.name, self._error, advice=advice)]
        if _PROTECTED.search(self._error):
            advice = f"set requirepass in {self._file}, or ask it at 127.0.0.1"
            return [finding("protected_mode", self.name, self._error, advice=advice)]
        return self._unit.strangers(doubted=True)

    def _script(self) -> list[Finding]:
        if _UNKILLABLE.search(self._seen.text("kill_output")):
            why = f"{self._error}; it has written already, so Redis refuses to end it"
            advice = "wait, or decide on SHUTDOWN NOSAVE: it loses all that was not saved"
            return [finding("unkillable", self.name, why, advice=advice)]
        kind = "function" if "FUNCTION KILL" in self._error else "script"
        return [finding("busy_script", self.name, self._error, rung="kill_script", target=kind)]

    # -- it answers, and does half of its work ------------------------------------------------

    def _saving(self) -> t.Iterator[Finding]:
        persistence = self._redis.part("persistence")
        snapshot = persistence.part("rdb").flag("ok") is False
        appended = persistence.part("aof").flag("write_ok") is False
        said = last_line(self._log, _SAVE, _SAVED)
        if not (snapshot or appended or self._state == "misconf"):
            return
        path = self._redis.part("config").text("dir") or self._path
        answered = _ANSWERED.search(self._error)
        told = said or (answered[0] if answered else "")
        no_space = told if NO_SPACE.search(told) else ""
        disks = list(full_disks(self._host, [path], no_space))
        if no_space and not disks:
            used = self._redis.part("memory").number("used_bytes")
            disks = list(small_disks(self._host, path, used, "what it has to write", no_space))
        yield from disks
        because = f": {told}" if told else ""
        stops = "; it refuses writes until it can" if self._state == "misconf" else ""
        if appended:
            why = f"it cannot write its append-only file{because}{stops}"
            advice = f"look at {path}; Redis tries again every second"
            yield finding(
                "aof_failing", self.name, why, LIKELY, "" if disks else "wait", "", advice
            )
            return
        user = self._service.text("user") or "redis"
        cause, rung, advice = "save_failing", "retry_save", f"look at {path} and into Redis' log"
        if disks:
            rung, advice = "", "free space, then: redis-cli BGSAVE"
        elif _DENIED.search(told):
            cause, rung = "save_not_permitted", ""
            advice = f"let Redis write: chown {user}:{user} {path}, then: redis-cli BGSAVE"
        elif _FORK.search(told):
            cause, rung = "save_cannot_fork", ""
            advice = "let it fork: sysctl vm.overcommit_memory=1, then: redis-cli BGSAVE"
        age = persistence.part("rdb").whole("changes")
        unsaved = f"; {plural(age, 'change')} not saved yet" if age else ""
        why = f"its last snapshot failed{because}{unsaved}{stops}"
        yield finding(cause, self.name, why, rung=rung, advice=advice)

    def _memory(self) -> list[Finding]:
        memory = self._redis.part("memory")
        used, most = memory.number("used_bytes"), memory.number("max_bytes")
        refusals = memory.whole("refusals")
        nearly = memory.number("used_percent") >= _NEARLY_FULL_PERCENT and refusals > 0
        if self._state == "ok" and not (nearly and memory.text("policy") == "noeviction"):
            return []
        target = self._more_memory(most)
        advice = "remove keys, let them expire, or set maxmemory-policy to evict"
        if target:
            advice += f"; the host has room for maxmemory {target}"
        return [
            finding(
                "memory_full",
                self.name,
                f"{size(used)} are in use, maxmemory is {size(most)} and the policy noeviction;"
                f" {plural(refusals, 'write')} refused{self._filled()}",
                CERTAIN if self._state == "oom" else LIKELY,
                "raise_maxmemory" if target else "",
                target,
                advice,
            )
        ]

    def _filled(self) -> str:
        """The database with the most keys that never expire."""
        keyspace = self._redis.part("keyspace")
        rows = [(name, keyspace.part(name)) for name in keyspace.names()]
        lasting = [
            (one.whole("keys") - one.whole("expires"), one.whole("keys"), name)
            for name, one in rows
        ]
        if not lasting:
            return ""
        count, keys, name = max(lasting)
        return f"; {count} of {plural(keys, 'key')} of {name} never expire"

    def _more_memory(self, most: float) -> str:
        """Half as much again, as far as half of the host's memory and what is free allow it."""
        host = self._host.part("memory")
        wanted = min(most * 1.5, host.number("total_bytes") / 2)
        more = wanted - most
        # Redis takes more than its data for a snapshot.
        if more < _MB or host.number("available_bytes") < more * 2:
            return ""
        return f"{int(wanted // _MB)}mb"

    def _master(self) -> list[Finding]:
        master = self._redis.part("master")
        if self._state == "ok" and (not master or master.text("link") == "up"):
            return []
        address = master.text("address") or "its master"
        return [
            finding(
                "master_down",
                self.name,
                f"it is a replica of {address}, and the link to it is down",
                advice=f"heal Redis on {address} first; to promote this one"
                " (REPLICAOF NO ONE) is a person's decision",
            )
        ]

    def _unexplained(self) -> list[Finding]:
        why = self._error or self._redis.text("msg") or "nobody could look whether it answers"
        unit = self._service.text("unit")
        advice = f"look at its log (journalctl -u {unit}, /var/log/redis) and its configuration"
        return [finding("unknown", self.name, why, POSSIBLE, advice=advice)]


def diagnose_redis(observed: object) -> list[Finding]:
    """All causes of Redis' illness on one host, the one that explains most first."""
    return RedisDiagnosis(observed).findings()
