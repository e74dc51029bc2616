# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the hosts that a run is for, as somebody has named them."""

from __future__ import annotations

import re
import typing as t

# A name, and no pattern: no exclusion or intersection, wildcard, range or expression.
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
# Ansible takes it for a host of any inventory.
_LOCALHOST = "localhost"
_NO_GROUPS = ("all", "ungrouped")


def problem(
    pattern: str, found: t.Sequence[str], groups: t.Mapping[str, t.Sequence[str]], group: str
) -> str:
    """The sentence; empty when the hosts are right.

    found: the hosts that the pattern names. groups: the hosts of each group of the inventory.
    group: the one that they have to be in; empty for any, and for what is in none.
    """
    # An empty one is a mistake of whoever filled it in, and must not become all hosts.
    if not pattern.strip():
        return "The hosts to look at are given and empty; name them, or leave the option out."
    # It would end as a run without a task, which looks like success.
    if not found:
        named = ", ".join(sorted(name for name in groups if name not in _NO_GROUPS))
        return f"{pattern} names no host of this inventory (groups: {named})."
    # Of several names, Ansible leaves out what it does not find.
    known = {*groups, *groups["all"], _LOCALHOST}
    names = [name.strip() for name in pattern.split(",")]
    lost = [name for name in names if _NAME.fullmatch(name) and name not in known]
    if lost:
        return f"{_are(lost)} no host and no group of this inventory."
    members = groups.get(group, ())
    strangers = [host for host in found if host not in members]
    if group and strangers:
        hosts = ", ".join(members) or "which has no host"
        return f"{_are(strangers)} not in the group {group} ({hosts})."
    return ""


def _are(names: t.Sequence[str]) -> str:
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}"
