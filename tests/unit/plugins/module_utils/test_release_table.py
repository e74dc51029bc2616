# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of releases."""

from __future__ import annotations

from ansible_collections.plugspace.titan.plugins.module_utils._release_table import releases_table

CURRENT = {
    "name": "20261103T000000Z-3333333",
    "commit": "3" * 40,
    "ref": "v3",
    "status": "active",
    "complete": True,
    "current": True,
    "activated": "2026-11-03T00:01:00Z",
    "by": "ann",
}
PREVIOUS = {**CURRENT, "name": "20261102T000000Z-2222222", "current": False}
FAILED = {
    **PREVIOUS,
    "name": "20261101T000000Z-1111111",
    "status": "failed",
    "reason": "it crashed",
}
HALF = {"name": "20261031T000000Z-0000000", "status": "preparing", "complete": False}


def test_newest_first_with_a_word_for_each() -> None:
    info = {"releases": [HALF, FAILED, PREVIOUS, CURRENT], "previous": PREVIOUS}
    lines = releases_table({"titan1": info}).splitlines()
    assert [line.split()[2] for line in lines[1:5]] == [
        "current",
        "previous",
        "failed",
        "incomplete",
    ]
    assert lines[5] == "titan1: 20261101T000000Z-1111111: it crashed"
    assert "never" in lines[4]


def test_a_switch_that_was_never_confirmed_shows() -> None:
    info = {"releases": [{**CURRENT, "status": "activating"}], "previous": None}
    assert "current, not confirmed" in releases_table({"titan1": info})


def test_hosts_without_releases_or_answer_are_named() -> None:
    infos = {
        "titan1": {"releases": []},
        "titan2": None,
        "titan3": {"failed": True, "msg": "no root\nat all"},
    }
    assert releases_table(infos).splitlines() == [
        "titan1: no release yet",
        "titan2: no answer",
        "titan3: no root at all",
    ]
