# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The timeline of a run as a picture: a lane for each host, a bar for each phase."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._record import moment
from ansible_collections.plugspace.titan.plugins.module_utils._record_markup import (
    Markup,
    join,
    tag,
)
from ansible_collections.plugspace.titan.plugins.module_utils._record_text import span
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen
from ansible_collections.plugspace.titan.plugins.module_utils._words import plain, plural

MAX_LANES = 30
STATES = {
    "ok": "looked, or nothing to do",
    "changed": "changed something",
    "failed": "failed",
    "unreachable": "gave no answer",
    "cut": "cut off",
    "at_work": "at work when this was written",
}
_WIDTH, _LEFT, _RIGHT, _TOP, _LANE, _BAR = 960, 150, 24, 26, 40, 22
_CHARACTER = 6.6
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
_MOST_TICKS = 8


def timeline(record: Seen) -> Markup:
    """The picture; empty when no task ran."""
    lanes = lanes_of(record)
    if not lanes:
        return Markup("")
    total = max(
        record.number("seconds"),
        *(one.number("began") + one.number("seconds") for _host, spans in lanes for one in spans),
        0.1,
    )
    scale = (_WIDTH - _LEFT - _RIGHT) / total
    height = _TOP + len(lanes) * _LANE + 8
    title = f"Timeline of {record.text('procedure')}: {plural(len(lanes), 'host')}, {span(total)}"
    described = "; ".join(
        f"{host}: " + ", ".join(f"{one.text('phase')} {one.text('state')}" for one in spans[:20])
        for host, spans in lanes
    )
    return tag(
        "svg",
        tag("title", title, id="timeline-title"),
        tag("desc", plain(described, 2000), id="timeline-desc"),
        _axis(total, scale, height),
        *(
            _lane(host, spans, row, scale, recoveries(record, host))
            for row, (host, spans) in enumerate(lanes)
        ),
        viewBox=f"0 0 {_WIDTH} {height}",
        role="img",
        aria_labelledby="timeline-title timeline-desc",
    )


def lanes_of(record: Seen) -> list[tuple[str, list[Seen]]]:
    """Hosts and their spans; where there are too many, those in trouble come first."""
    every = record.part("timeline")
    hosts = every.keys()
    in_trouble = {one.text("host") for one in record.rows("failures")} | {
        one.text("host")
        for one in record.rows("results")
        if one.text("outcome") not in ("well", "planned")
    }
    if len(hosts) > MAX_LANES:
        hosts = sorted(hosts, key=lambda host: host not in in_trouble)[:MAX_LANES]
    return [(host, every.rows(host)) for host in hosts if every.rows(host)]


def recoveries(record: Seen, host: str) -> list[tuple[float, str]]:
    """When what was healed on a host was seen to be back, in seconds since the run began."""
    start = moment(record.text("began"))
    found = []
    for one in record.rows("results"):
        began = moment(one.text("began"))
        if one.text("host") != host or one.text("outcome") != "healed" or not start or not began:
            continue
        at = (began - start).total_seconds() + one.number("seconds")
        if 0 <= at <= record.number("seconds") + 1:
            found.append((at, f"{one.text('subject')} is well again"))
    return found


def _axis(total: float, scale: float, height: int) -> Markup:
    step = next((one for one in _STEPS if total / one <= _MOST_TICKS), total / _MOST_TICKS)
    ticks = []
    for number in range(int(total / step) + 1):
        x = round(_LEFT + number * step * scale, 1)
        ticks.append(tag("line", x1=x, x2=x, y1=_TOP - 6, y2=height - 4, class_="tick"))
        ticks.append(tag("text", _tick(number * step), x=x, y=12, class_="axis"))
    return join(*ticks)


def _tick(seconds: float) -> str:
    if seconds >= 60:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes}:{rest:02d} min"
    return f"{seconds:.1f} s" if seconds % 1 else f"{seconds:.0f} s"


def _lane(
    host: str,
    spans: t.Sequence[Seen],
    row: int,
    scale: float,
    recovered: t.Sequence[tuple[float, str]],
) -> Markup:
    middle = _TOP + row * _LANE + _LANE / 2
    parts = [
        tag("title", host),
        tag("text", plain(host, 20), x=_LEFT - 14, y=middle + 4, class_="host"),
        tag("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=middle, y2=middle, class_="lane"),
    ]
    parts += [_bar(one, middle, scale) for one in spans]
    parts += [
        tag(
            "circle",
            tag("title", f"{told} after {span(at)}"),
            cx=f"{min(_LEFT + at * scale, _WIDTH - _RIGHT):.1f}",
            cy=f"{middle - _BAR / 2 - 1:.1f}",
            r=4.5,
            class_="back",
        )
        for at, told in recovered
    ]
    return tag("g", *parts)


def _bar(one: Seen, middle: float, scale: float) -> Markup:
    phase, state = one.text("phase"), one.text("state")
    width = max(2.0, one.number("seconds") * scale)
    x = _LEFT + one.number("began") * scale
    told = f"{phase}: {STATES.get(state, state)}, {span(one.number('seconds'))}"
    children = [
        tag("title", told),
        tag(
            "rect",
            x=f"{x:.1f}",
            y=f"{middle - _BAR / 2:.1f}",
            width=f"{max(1.5, width - 1):.1f}",
            height=_BAR,
            rx=3,
            class_=f"bar {state if state in STATES else 'ok'}",
        ),
    ]
    if len(phase) * _CHARACTER + 10 <= width:
        children.append(
            tag("text", phase, x=f"{x + 6:.1f}", y=f"{middle + 4:.1f}", class_=f"on {state}")
        )
    return tag("g", *children)
