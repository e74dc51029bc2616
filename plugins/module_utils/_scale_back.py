# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether services that were given more instances still need them."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._cpu_usage import (
    Report,
    Usage,
    in_line,
    unwatched,
)
from ansible_collections.plugspace.titan.plugins.module_utils._finding import Finding, finding
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen
from ansible_collections.plugspace.titan.plugins.module_utils._words import plain


class Scaled:
    """The evidence about the instances of the services of one host.

    observed: services (names), declared (how many instances each shall have), busy_percent (of one
    processor, what each of these may have to do at most), pm2 (pm2_info), host (host_info with
    processes over an interval) and errors (of the parts that could not be read, and of declared).
    """

    def __init__(self, observed: object) -> None:
        seen = Seen(observed)
        self._unread = seen.part("errors").text("declared")
        self._most = seen.number("busy_percent") or 50.0
        self._declared = seen.part("declared")
        self._usage = Usage(seen.part("host"), seen.part("pm2"))
        self._blind = unwatched(self._usage, seen)
        apps = {app.text("name"): app for app in seen.part("pm2").rows("apps")}
        self._apps = {name: apps[name] for name in seen.texts("services") if name in apps}

    def findings(self) -> list[Finding]:
        """The services that can go back; none when there is nothing to go back from."""
        if self._blind:
            return self._blind
        return [one for name in self._apps for one in self._service(name)]

    def remark(self) -> str:
        """Which services need what they were given."""
        told = [
            f"{name} needs its {self._count(name)} instances: they use"
            f" {self._load(name):.0f} % of a processor, and {self._few(name)} should have no more"
            f" than {self._most * self._few(name):.0f} %"
            for name in self._apps
            if self._is_scaled(name) and not self._is_idle(name)
        ]
        return plain("; ".join(told), 300)

    def lines(self) -> dict[str, str]:
        """The instances of each service, in a line."""
        return {name: in_line(self._usage.instances(app)) for name, app in self._apps.items()}

    def _service(self, name: str) -> t.Iterator[Finding]:
        if not self._few(name):
            why = self._unread or "its ecosystem file does not tell"
            said = f"nobody knows how many instances {name} shall have: {why}"
            yield finding("unknown", name, said, advice="look at its ecosystem file")
        elif self._is_scaled(name) and self._is_idle(name):
            why = f"{name} has {self._count(name)} instances, which use {self._load(name):.0f} % of"
            why += f" a processor; {self._few(name)} can carry that"
            yield finding("scaled_up", name, why, rung="scale", target=str(self._few(name)))

    def _few(self, name: str) -> int:
        return max(0, self._declared.whole(name))

    def _count(self, name: str) -> int:
        return len(self._apps[name].rows("instances"))

    def _load(self, name: str) -> float:
        return sum(one.percent for one in self._usage.instances(self._apps[name]))

    def _is_scaled(self, name: str) -> bool:
        return 0 < self._few(name) < self._count(name)

    def _is_idle(self, name: str) -> bool:
        return self._load(name) < self._most * self._few(name)


def diagnose_scaling(observed: object) -> list[Finding]:
    """The services that can go back to the instances they were started with."""
    return Scaled(observed).findings()


def scaling_report(observed: object) -> Report:
    """The instances of the services, and which need what they were given."""
    scaled = Scaled(observed)
    return Report(lines=scaled.lines(), remark=scaled.remark())
