# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which systemd unit a control group belongs to."""

from __future__ import annotations

_UNITS = (".service", ".scope", ".socket", ".mount", ".swap")


def unit_of_path(path: str) -> str | None:
    """Return the innermost unit in the path of a control group; slices only hold others."""
    for name in reversed(path.split("/")):
        if name.endswith(_UNITS):
            return name
    return None


def unit_of(cgroup: str) -> str | None:
    """Return the unit that /proc/PID/cgroup names, None for what stands in none.

    With version 1 the hierarchy of systemd counts, with version 2 the only one, number 0; where
    both are mounted systemd keeps them alike, or leaves the second empty.
    """
    found = {}
    for line in cgroup.splitlines():
        number, _colon, rest = line.partition(":")
        controllers, _colon, path = rest.partition(":")
        if controllers == "name=systemd" or (number == "0" and not controllers):
            found[controllers] = unit_of_path(path)
    return found.get("name=systemd") or found.get("")
