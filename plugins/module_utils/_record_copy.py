# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of single procedures that are kept on another host than the controller.

They have the shape of the record of a run, without what only the controller knows of it, so that
both are read and listed alike.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._procedure import BAD
from ansible_collections.plugspace.titan.plugins.module_utils._record import (
    FAILED,
    FINISHED,
    Recorder,
    moment,
)
from ansible_collections.plugspace.titan.plugins.module_utils._record_list import Listed
from ansible_collections.plugspace.titan.plugins.module_utils._record_store import (
    RecordError,
    Store,
)
from ansible_collections.plugspace.titan.plugins.module_utils._record_text import summary
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen


def record_of(
    procedure: str,
    results: t.Iterable[t.Mapping[str, t.Any]],
    about: t.Mapping[str, t.Any],
    now: float,
) -> dict[str, t.Any]:
    """The record of one procedure, which began with its first result and ends now."""
    told = list(results)
    known = [found for one in told if (found := moment(Seen(one).text("began")))]
    began = min((one.timestamp() for one in known), default=now)
    times = itertools.chain((began,), itertools.repeat(now))
    recorder = Recorder(about, began, lambda: next(times))
    recorder.play_started(procedure, procedure)
    for one in told:
        recorder.add_result(one)
    recorder.end(FAILED if any(one.get("outcome") in BAD for one in told) else FINISHED)
    record = recorder.to_dict()
    return {**record, "summary": summary(record)}


def keep(directory: str, record: t.Mapping[str, t.Any]) -> str:
    """Write a record as a file of its own; its path. RecordError when it cannot be."""
    seen = Seen(record)
    began = moment(seen.text("began"))
    if began is None or not seen.text("procedure"):
        raise RecordError("what was given is no record: it names no procedure, or no time")
    store = Store(directory, seen.text("procedure"), began.timestamp())
    try:
        store.write({"id": store.id, **record})
    except RecordError:
        # An empty file would be told as a damaged record for ever.
        with contextlib.suppress(OSError):
            os.unlink(store.json_path)
        raise
    return store.json_path


def of_hosts(answers: t.Iterable[t.Mapping[str, t.Any]], last: int = 0) -> list[Listed]:
    """The newest records that hosts have, and what is wrong with a file or a host.

    answers: what M(plugspace.titan.record_info) returned in a loop over the hosts.
    """
    found: list[Listed] = []
    wrong: list[Listed] = []
    for answer in map(Seen, answers):
        host = answer.text("item")
        if not isinstance(answer.value.get("records"), list):
            told = "" if answer.flag("unreachable") else answer.text("msg")
            problem = told or "gave no answer"
            wrong.append(Listed(path=host, state="", problem=problem, record={}))
        for row in answer.rows("records"):
            listed = Listed(
                path=f"{host}:{row.text('path')}",
                state=row.text("state"),
                problem=row.text("problem"),
                record=row.part("record").value,
            )
            (wrong if listed["problem"] else found).append(listed)
    found.sort(key=lambda one: os.path.basename(one["path"]), reverse=True)
    return (found[:last] if last else found) + wrong
