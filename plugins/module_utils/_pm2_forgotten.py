# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that a PM2 daemon started and does not know any more.

PM2 7 takes an instance that ends before it was ready for one that crashed, also when it is just
being deleted: it starts it again, and then forgets the new process together with the old one. Such
a process shares the port of its application, and would go on to serve an old release.
"""

from __future__ import annotations

import contextlib
import json
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils import _signals

# Seconds until it is killed: nobody waits for what it does.
_GRACE = 2.0


def forgotten(daemon: int, number: int, listed: t.Container[int]) -> list[int]:
    """The daemon's processes with this id of PM2 that are not in its list.

    daemon: its pid. number: the id of an instance that PM2 has deleted. listed: the pids in PM2's
    list.
    """
    try:
        with open(f"/proc/{daemon}/task/{daemon}/children", encoding="ascii") as source:
            children = [int(pid) for pid in source.read().split()]
    except OSError:
        return []
    return [pid for pid in children if pid not in listed and _id_of(pid) == number]


def end(pids: t.Iterable[int]) -> None:
    """End them; SignalError when one stays."""
    kernel = _signals.LocalKernel()
    for pid in pids:
        _signals.apply(kernel, _signals.plan(kernel, pid, _signals.ENDED), _GRACE)


def _id_of(pid: int) -> int | None:
    """The id that PM2 gave to a process; none when it is not of PM2, or gone."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as source:
            variables = source.read().split(b"\0")
    except OSError:
        return None
    found = dict(one.split(b"=", 1) for one in variables if b"=" in one)
    number: object = found.get(b"pm_id")
    # A worker gets everything that PM2 knows of it in one variable.
    with contextlib.suppress(ValueError, TypeError, KeyError):
        number = json.loads(found[b"pm2_env"])["pm_id"]
    try:
        return int(number) if isinstance(number, (int, bytes)) else None
    except ValueError:
        return None
