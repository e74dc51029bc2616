# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host's processors do, in a few lines, and what is said of it when nothing is wrong."""

from __future__ import annotations

from ansible_collections.plugspace.titan.plugins.module_utils._cpu_usage import (
    Report,
    Usage,
    in_line,
)
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen
from ansible_collections.plugspace.titan.plugins.module_utils._words import age, plain

# Of what a process has to use to be called busy.
_NEAR = 0.9


def cpu_report(observed: object) -> Report:
    """The report of an observation, as diagnose_cpu takes it."""
    seen = Seen(observed)
    usage = Usage(seen.part("host"), seen.part("pm2"))
    return Report(lines=_lines(seen, usage), remark=_remark(seen, usage))


def _lines(seen: Seen, usage: Usage) -> dict[str, str]:
    if not usage.watched:
        return {}
    own = f"its own processes use {usage.total:.0f} % of one"
    kernel = "" if usage.machine is None else f" {usage.machine:.0f} % busy;"
    lines = {
        "processors": f"{usage.processors},{kernel} {own}",
        "busiest": plain(usage.busiest(3)),
    }
    for app in seen.part("pm2").rows("apps"):
        lines[app.text("name")] = in_line(usage.instances(app))
    return lines


def _remark(seen: Seen, usage: Usage) -> str:
    limits = seen.part("limits")
    much, full = limits.number("process_percent") or 80.0, limits.number("busy_percent") or 80.0
    young = limits.number("min_age_s", 30.0)
    told = []
    for app in seen.part("pm2").rows("apps"):
        running = usage.instances(app)
        fresh = [one for one in running if one.age_s < young and one.percent < much]
        if fresh and any(one.percent >= much for one in running):
            told.append(f"{app.text('name')} has new instances, which take work as clients come")
    for row in usage.rows:
        seconds, percent = row.number("age_s"), row.number("cpu_percent")
        if percent >= much and seconds < young and not usage.owner(row):
            who = f"{row.text('name')} (pid {row.whole('pid')})"
            told.append(f"{who} uses {percent:.0f} % and was started {age(seconds)} ago")
    busiest = max((row.number("cpu_percent") for row in usage.rows), default=0.0)
    # Near the limit, it may be above it the next time.
    if not told and busiest >= much * _NEAR:
        told.append(f"busiest: {usage.busiest(1)}, where {much:.0f} % of a processor is much")
    share = usage.total / usage.processors
    if usage.machine is not None and usage.machine >= full and share < full / 2:
        told.append(
            f"the processors are {usage.machine:.0f} % busy, of which this host's processes use"
            f" {share:.0f} %; the rest is work of others on the same machine"
        )
    return plain("; ".join(told), 300)
