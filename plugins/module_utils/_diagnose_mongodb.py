# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why MongoDB does not serve, from what one host of its replica set showed."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_host import (
    NO_SPACE,
    full_disks,
    last_line,
    unsteady,
)
from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_mongod_log import (
    MAX_CONNECTIONS,
    read,
    symptoms,
)
from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_replica_set import (
    ReplicaSetDiagnosis,
    self_name,
)
from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_unit import UnitDiagnosis
from ansible_collections.plugspace.titan.plugins.module_utils._finding import (
    LIKELY,
    POSSIBLE,
    Finding,
    finding,
)
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen

_ANSWERING = ("ok", "auth", "not_initialized", "removed")
_DATA = "/var/lib/mongodb"
_TLS = re.compile(r"SSL|TLS|certificate", re.I)
# Of the connections that are left, a part is kept for administrators.
_FEW_CONNECTIONS = 0.01


def expand(observed: object) -> object:
    """The observation, with the parts that only its C(evidence) has."""
    seen = Seen(observed)
    if not seen.has("evidence"):
        return observed
    evidence = seen.part("evidence")
    path = seen.part("service").text("data_path") or _DATA
    paths = evidence.part("paths")
    logs = evidence.part("logs")
    return {
        "answer": next((row.value for row in evidence.rows("probes")), {}),
        "mongodb": evidence.part("mongodb").value,
        "host": evidence.part("host").value,
        "unit_log": [line for name in logs.names() for line in logs.texts(name)],
        "paths": paths.value,
        "data": {
            **paths.part(path).value,
            "path": path,
            "lock_file": paths.part(f"{path}/mongod.lock").value,
        },
        **seen.value,
    }


class MongodbDiagnosis:
    """The evidence about MongoDB on one host; the filter documents the evidence."""

    def __init__(self, observed: object) -> None:
        self._seen = Seen(expand(observed))
        self._service = self._seen.part("service")
        self.name = self._service.text("name") or "MongoDB"
        self._mongodb = self._seen.part("mongodb")
        self._host = self._seen.part("host")
        self._log = read(self._seen.texts("unit_log"))
        self._unit = UnitDiagnosis(
            self.name, self._service, self._host, self._log.lines, self._seen.part("paths")
        )
        self._unit_name = self._service.text("unit")
        self._path = self._service.text("data_path") or _DATA
        self._file = self._service.text("config_file") or "/etc/mongod.conf"
        self._user = self._service.text("user") or "mongodb"
        self._group = self._service.text("group") or self._user
        self._state = self._mongodb.text("state")
        self._error = self._mongodb.text("error")

    def findings(self) -> list[Finding]:
        """All causes, the one that explains most first; none when member and set are well."""
        if self._state in _ANSWERING:
            replica_set = ReplicaSetDiagnosis(
                self.name, self._seen, self._log.lines, self._healing()
            )
            found = [*self._connections(), *replica_set.findings(), *self._password()]
            return found or unsteady(self.name, self._seen.part("answer"))
        return self._silence() or self._unexplained()

    def _healing(self) -> list[str]:
        """The other members that do not answer, and for which their own hosts have a rung.

        Each by the name that it said of itself, else by the one that the inventory has for it.
        """
        others = self._seen.part("others")
        service = self._service.value
        found = []
        for address in others.names():
            evidence = others.part(address)
            there = MongodbDiagnosis({"service": service, "evidence": evidence.value})
            if there.silent and any(one["rung"] for one in there.findings()[:1]):
                found.append(self_name(evidence.part("mongodb")) or address)
        return found

    @property
    def silent(self) -> bool:
        """Whether it was looked at and gives no answer."""
        return bool(self._state) and self._state not in _ANSWERING

    # -- it answers ---------------------------------------------------------------------------

    def _connections(self) -> t.Iterator[Finding]:
        connections = self._mongodb.part("server").part("connections")
        used, left = connections.number("current"), connections.number("available")
        if connections.has("available") and left <= (used + left) * _FEW_CONNECTIONS:
            why = f"{used:.0f} connections are open, and {left:.0f} more are possible"
            yield self._used_up(why)

    def _used_up(self, why: str, confidence: str = LIKELY) -> Finding:
        advice = "find who opens so many (ss -tnp), end them, or raise net.maxIncomingConnections"
        return finding("connections_used_up", self.name, why, confidence, advice=advice)

    def _password(self) -> t.Iterator[Finding]:
        if self._state == "auth":
            advice = (
                "correct the password of this user in the inventory (titan_mongodb_*_password);"
                " a restart cannot help"
            )
            yield finding("wrong_password", self.name, self._error, advice=advice)

    # -- it does not answer -------------------------------------------------------------------

    def _silence(self) -> list[Finding]:
        unit = self._unit
        disks = list(full_disks(self._host, [self._path], last_line(self._log.lines, NO_SPACE)))
        found = [*disks, *unit.strangers(doubted=self._state in ("closed", "error"))]
        if found and not unit.is_down:
            return found
        found += unit.unusable()
        if unit.is_down:
            return [*found, *(self._bad_start() or unit.down(self._log.last_words))]
        return found or unit.starting() or self._runs_silently()

    def _bad_start(self) -> list[Finding]:
        """What keeps it from starting. A crash at start counts, since only the last is read."""
        found = self._data()
        causes = {one["cause"] for one in found}
        told = self._unit.refused_to_start(
            symptoms(self._unit_name, self._path, self._user, self._group, self._file),
            crashes=True,
        )
        return [*found, *(one for one in told if one["cause"] not in causes)]

    def _data(self) -> list[Finding]:
        """The data directory, as it was looked at."""
        data = self._seen.part("data")
        path = data.text("path") or self._path
        if data.flag("exists") is False:
            advice = f"mount or restore {path}; an empty directory would be a member without data"
            return [finding("data_missing", self.name, f"{path} does not exist", advice=advice)]
        lock = data.part("lock_file")
        for what, owner in (
            (path, data.text("owner")),
            (f"{path}/mongod.lock", lock.text("owner") if lock.flag("exists") else ""),
        ):
            if owner and owner != self._user:
                why = f"{what} belongs to {owner}, and {self._unit_name} runs as {self._user}"
                advice = f"chown -R {self._user}:{self._group} {path}, then run this again"
                return [finding("wrong_owner", self.name, why, advice=advice)]
        return []

    def _runs_silently(self) -> list[Finding]:
        if not self._state or self._state == "unreachable":
            return []
        if _TLS.search(self._error):
            advice = f"make the site's TLS settings those of {self._file} (net.tls)"
            return [finding("tls", self.name, self._error, advice=advice)]
        found = self._unit.silent(self._error) or self._unit.files()
        refused = last_line(self._log.lines, MAX_CONNECTIONS)
        if not found and refused:
            return [self._used_up(f"{self._error}; its log: {refused}")]
        return found or self._unit.hung(
            self._error, "not_listening" if self._state == "refused" else "hung"
        )

    def _unexplained(self) -> list[Finding]:
        why = self._error or self._mongodb.text("msg") or "nobody could look whether it answers"
        advice = f"look at its log (journalctl -u {self._unit_name}, /var/log/mongodb/mongod.log)"
        return [finding("unknown", self.name, why, POSSIBLE, advice=advice)]


def diagnose_mongodb(observed: object) -> list[Finding]:
    """All causes of MongoDB's illness on one host, the one that explains most first."""
    return MongodbDiagnosis(observed).findings()
