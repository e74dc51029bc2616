# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which records are wanted, and how they are listed."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._identity import machine, process_key
from ansible_collections.plugspace.titan.plugins.module_utils._record import (
    FAILED,
    FINISHED,
    INTERRUPTED,
    OUTCOMES,
    RUNNING,
)
from ansible_collections.plugspace.titan.plugins.module_utils._record_store import (
    Entry,
    RecordError,
    entries,
)
from ansible_collections.plugspace.titan.plugins.module_utils._record_text import (
    NO_RESULT,
    by_urgency,
    span,
    state,
    worked_on,
)
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen
from ansible_collections.plugspace.titan.plugins.module_utils._words import plain, plural

COLUMNS = ("began", "procedure", "state", "subject", "hosts", "cause", "recovery", "by", "record")
KILLED, NOT_TOLD = "killed", "end not told"
# All that a run can be asked for by.
STATES = (*OUTCOMES, NO_RESULT, FINISHED, FAILED, INTERRUPTED, RUNNING, KILLED, NOT_TOLD)


class Listed(t.TypedDict):
    """One record of a list. problem: what is wrong with its file; then there is no record."""

    path: str
    state: str
    problem: str
    record: dict[str, t.Any]


def listed(
    directory: str,
    last: int = 0,
    host: str = "",
    procedure: t.Collection[str] = (),
    outcome: str = "",
) -> list[Listed]:
    """The newest records that fit, and every damaged file on the way to them.

    procedure: any of these names; see names_of. Raises RecordError when no record could be asked
    for so, or when the directory cannot be listed.
    """
    if last < 0:
        raise RecordError(f"last is {last}; it is a number of records, or 0 for all")
    if outcome and outcome not in STATES:
        raise RecordError(
            f"outcome is {outcome!r}, which no run has; there are {', '.join(STATES)}"
        )
    found: list[Listed] = []
    count = 0
    for entry in entries(directory):
        if entry.problem:
            found.append(Listed(path=entry.path, state="", problem=entry.problem, record={}))
            continue
        seen = Seen(entry.record)
        stands = standing(seen)
        if (
            (host and host not in hosts_of(seen))
            or (procedure and names_of(seen).isdisjoint(procedure))
            or (outcome and outcome not in (stands, seen.text("outcome"), seen.text("status")))
        ):
            continue
        found.append(_fitting(entry, stands))
        count += 1
        if last and count >= last:
            break
    return found


def standing(seen: Seen) -> str:
    """How a run stands. One that never told its end is at work only while its process lives."""
    if seen.text("status") != RUNNING:
        return state(seen)
    controller, _colon, process = seen.text("run").partition(":")
    if controller != machine():
        return NOT_TOLD
    alive = process and process_key(_number(process)) == process
    return RUNNING if alive else KILLED


def hosts_of(seen: Seen) -> list[str]:
    """The hosts that a record tells of, the worst first."""
    told = [one.text("host") for one in by_urgency(seen.rows("results"))]
    names = [*told, *seen.part("hosts").keys(), *seen.part("timeline").keys()]
    return [name for name in dict.fromkeys(names) if name]


def names_of(seen: Seen) -> set[str]:
    """The names that a run is known by: those of its playbook, its procedures and their subjects.

    A service goes by its procedure as well: C(service_down plugspace-api).
    """
    results = seen.rows("results")
    names = {os.path.splitext(os.path.basename(seen.text("playbook")))[0], seen.text("procedure")}
    names |= {one.text("procedure") for one in results}
    return names | {f"{one.text('procedure')} {one.text('subject')}" for one in results}


def records_table(
    rows: t.Sequence[t.Mapping[str, t.Any]],
    wanted: t.Sequence[str] = (),
    among: t.Sequence[t.Mapping[str, t.Any]] = (),
) -> str:
    """One line for each record, newest first; then a note for each file that is damaged.

    wanted: what the records were asked for by. among: all that there are, to tell when none fits.
    """
    lines: list[tuple[str, ...]] = [COLUMNS]
    notes: list[str] = []
    for row in rows:
        one = Seen(row)
        if one.text("problem"):
            notes.append(plain(f"{one.text('path')} {one.text('problem')}", 400))
        else:
            lines.append(_line(one))
    if len(lines) == 1:
        return "\n".join([_none(wanted, among), *notes])
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    table = ["  ".join(cell.ljust(w) for cell, w in zip(line, widths)).rstrip() for line in lines]
    return "\n".join(table + notes)


def _fitting(entry: Entry, stands: str) -> Listed:
    return Listed(path=entry.path, state=stands, problem="", record=entry.record)


def _none(wanted: t.Sequence[str], among: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    paths = [str(one["path"]) for one in among if not one["problem"]]
    of = f" of {', '.join(wanted)}" if wanted else ""
    where = f" among {plural(len(paths), 'record')} in {os.path.dirname(paths[0])}" if paths else ""
    return f"no record{of}{where}"


def _line(one: Seen) -> tuple[str, ...]:
    record = one.part("record")
    hosts = worked_on(hosts_of(record))
    results = by_urgency(record.rows("results"))
    healed = record.has("recovery_seconds")
    subjects = list(dict.fromkeys(filter(None, (result.text("subject") for result in results))))
    checked = record.flag("check") and one.text("state") != "planned"
    cells = (
        record.text("began"),
        record.text("procedure"),
        one.text("state") + (" (check)" if checked else ""),
        _few(subjects, "subject"),
        _few(hosts, "host"),
        next((result.text("cause") for result in results if result.text("cause")), ""),
        span(record.number("recovery_seconds")) if healed else "",
        record.text("by"),
    )
    return (*(plain(cell, 40) for cell in cells), plain(one.text("path"), 300))


def _few(names: t.Sequence[str], noun: str) -> str:
    return ", ".join(names) if len(names) <= 3 else plural(len(names), noun)


def _number(process: str) -> int:
    digits = process.partition(":")[0]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 12 else 0
