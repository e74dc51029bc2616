# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that a host says about itself, in one report: each part by itself, within a time limit."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.plugspace.titan.plugins.module_utils import (
    _host,
    _host_load,
    _host_oom,
    _host_processes,
)
from ansible_collections.plugspace.titan.plugins.module_utils._ask import ask_all
from ansible_collections.plugspace.titan.plugins.module_utils._host import HostError, Report
from ansible_collections.plugspace.titan.plugins.module_utils._host_clock import clock
from ansible_collections.plugspace.titan.plugins.module_utils._host_listeners import (
    Sockets,
    listeners,
)
from ansible_collections.plugspace.titan.plugins.module_utils._timex import Timex

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "units": {"type": "list", "elements": "str", "default": []},
    "processes": {"type": "int", "default": 0},
    "pids": {"type": "list", "elements": "int", "default": []},
    "interval": {"type": "float", "default": 1},
    "listeners": {"type": "bool", "default": False},
    "ports": {"type": "list", "elements": "int", "default": []},
    "oom_since": {"type": "float", "default": 0},
    "timeout": {"type": "float", "default": 5},
}


class Host(_host.Host, _host_load.Host, _host_oom.Host, _host_processes.Host, t.Protocol):
    """All that the parts ask of the operating system."""

    def timex(self) -> Timex:
        """Return what the kernel knows of its clock."""


@dataclass(frozen=True)
class Wanted:
    """What is to be looked at besides the parts that cost nothing."""

    units: t.Sequence[str] = ()
    processes: int = 0  # how many by CPU and by memory
    pids: t.Sequence[int] = ()
    interval: float = 1.0  # seconds
    listeners: bool = False
    ports: t.Sequence[int] = ()
    oom_since: float = 0  # seconds back

    @property
    def looks_at_processes(self) -> bool:
        """Someone wants to know how processes use the host."""
        return bool(self.processes or self.pids)

    def check(self, timeout: float) -> None:
        """Raise HostError for what cannot be done."""
        if self.processes < 0 or self.oom_since < 0:
            raise HostError("processes and oom_since must not be negative; 0 looks at nothing")
        if self.looks_at_processes and not 0 < self.interval < timeout:
            raise HostError(
                f"interval ({self.interval:g} s) must be more than 0 and less than timeout"
                f" ({timeout:g} s), which each part has for all that it does; raise timeout"
            )
        if self.ports and not self.listeners:
            raise HostError("ports limits what listeners returns; set listeners to true as well")


def observe(host: Host, sockets: Sockets, wanted: Wanted, timeout: float) -> Report:
    """Return all parts; one that fails or hangs is a sentence in `errors`, the rest is there.

    What was not asked for is None and no error. Raises HostError if the question itself is wrong.
    """
    wanted.check(timeout)
    interval = wanted.interval if wanted.looks_at_processes else 0
    parts: dict[str, t.Callable[[], t.Any]] = {
        "memory": lambda: _host.memory(host),
        "file_systems": lambda: _host.file_systems(host),
        "units": lambda: _host.units(host, wanted.units),
        "load": lambda: _host_load.load(host, interval),
        "clock": lambda: clock(host.timex()),
    }
    optional: dict[str, tuple[bool, t.Callable[[], t.Any]]] = {
        "processes": (
            wanted.looks_at_processes,
            lambda: _host_processes.processes(
                host, wanted.processes, wanted.interval, wanted.pids, wanted.units
            ),
        ),
        "listeners": (wanted.listeners, lambda: listeners(host, sockets, wanted.ports)),
        "oom_kills": (wanted.oom_since > 0, lambda: _host_oom.oom_kills(host, wanted.oom_since)),
        "oom_kill_count": (wanted.oom_since > 0, lambda: _host_oom.oom_kill_count(host)),
    }
    parts.update({part: read for part, (asked, read) in optional.items() if asked})
    return {**dict.fromkeys(optional), **ask_all(parts, timeout)}
