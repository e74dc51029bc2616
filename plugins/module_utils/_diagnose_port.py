# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds a service's port without being of the service."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_host import (
    tcp_listeners,
    who,
)
from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_instances import is_online
from ansible_collections.plugspace.titan.plugins.module_utils._finding import (
    CERTAIN,
    LIKELY,
    Finding,
    finding,
)
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen

# Where PM2 and those who log in start processes. What another unit runs, systemd starts again.
_PM2_OR_LOGIN = re.compile(
    r"pm2-.*\.service|session-.*\.scope|sshd?(@.*)?\.service|user@.*\.service"
)


class PortDiagnosis:
    """The port of one service.

    seen: what ServiceDiagnosis documents. instances: of its application, as pm2_info tells them.
    """

    def __init__(self, seen: Seen, instances: t.Sequence[Seen]) -> None:
        self._service = seen.part("service")
        self._name = self._service.text("name")
        self._daemon = seen.part("pm2").part("daemon")
        self._host = seen.part("host")
        self._processes = self._host.part("processes").rows("kept")
        self._instances = instances

    def holders(self) -> t.Iterator[Finding]:
        """Whoever listens where the service should, without being of it."""
        port = self._service.whole("port")
        # In cluster mode the daemon listens for its workers.
        own = self._with_children({one.whole("pid") for one in (*self._instances, self._daemon)})
        # Whom this user cannot see may be one of these, as long as there are any.
        own = own - {0} if not any(map(is_online, self._instances)) else own | {0}
        for listener in tcp_listeners(self._host, port):
            pid = listener.whole("pid")
            if pid in own:
                continue
            holder = who(listener)
            if self._is_orphan(listener):
                yield finding(
                    "port_held_by_orphan",
                    self._name,
                    f"port {port} is held by {holder}, a process of it that PM2 has lost",
                    rung="end_orphan",
                    target=str(pid),
                )
            else:
                yield finding(
                    "port_held_by_stranger",
                    self._name,
                    f"port {port} is held by {holder}, which is not of {self._name}",
                    CERTAIN if pid else LIKELY,
                    advice=f"end {holder} or give one of them another port; a restart cannot help",
                )

    def strangers(self) -> t.Iterator[Finding]:
        """Who holds the port of a service that answers; it is ended only where PM2 disowns it."""
        for found in self.holders():
            if self._daemon.text("state") != "running" and found["rung"]:
                why = self._daemon.text("reason") or "PM2 could not be asked"
                advice = f"it answers, so it is left alone, but nobody watches it: {why}"
                found = {**found, "rung": "", "target": "", "advice": advice}
            yield found

    def _with_children(self, pids: set[int]) -> set[int]:
        """The processes and their descendants: what npm starts, listens in its place."""
        known = self._processes
        found, generation = set(pids), set(pids)
        while generation:
            parents = generation - {0, 1}
            generation = {one.whole("pid") for one in known if one.whole("ppid") in parents} - found
            found |= generation
        return found

    def _is_orphan(self, listener: Seen) -> bool:
        if listener.whole("pid") <= 1:
            return False
        script = listener.text("script")
        roots = [self._service.text("path"), self._service.text("root")]
        if not any(root and script.startswith(root.rstrip("/") + "/") for root in roots):
            return False
        user, owner = listener.text("user"), self._daemon.text("user")
        own = "" in (user, owner) or user == owner
        return own and self._may_be_lost(listener.text("unit"))

    def _may_be_lost(self, unit: str) -> bool:
        """Whether PM2 or somebody who logged in may have started what runs in the unit."""
        daemon = self._daemon.whole("pid")
        units = [one.text("unit") for one in self._processes if one.whole("pid") == daemon]
        return not unit or unit in units or bool(_PM2_OR_LOGIN.fullmatch(unit))
