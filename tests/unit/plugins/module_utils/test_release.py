# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases as data: which may be returned to, and which may go."""

from __future__ import annotations

import datetime

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils._release import (
    ACTIVATING,
    ACTIVE,
    FAILED,
    PREPARED,
    PREPARING,
    Entry,
    Release,
    ReleaseError,
    is_name,
    moment,
    new_name,
    superfluous,
    way_back,
)


def entry(number: int, status: str = ACTIVE, **more: str | bool) -> Entry:
    place = {key: more.pop(key) for key in ("current", "previous", "damage") if key in more}
    release = Release(f"r{number}", status=status, created=f"2026-01-0{number}", **more)  # type: ignore[arg-type]
    return Entry(release, "/x", **place)  # type: ignore[arg-type]


def by_name(*entries: Entry) -> dict[str, Entry]:
    return {one.name: one for one in entries}


def test_names() -> None:
    now = moment("20261123T101500Z")
    assert now == moment("2026-11-23T10:15:00Z")
    assert new_name("a1b2c3d4" * 5, now) == "20261123T101500Z-a1b2c3d"
    assert moment().tzinfo == datetime.timezone.utc
    assert is_name("20261123T101500Z-a1b2c3d")
    assert not any(is_name(text) for text in ("", ".", "..", "a/b", "a.b", "-x", "a b", "x" * 65))
    with pytest.raises(ReleaseError, match="not a time"):
        moment("yesterday")


@pytest.mark.parametrize(
    "content",
    [None, [], {}, {"status": "x"}, {"status": "active"}, {"name": 1, "status": "active"},
     {"name": "r", "status": "active", "migrations": "x"}],
)  # fmt: skip
def test_damaged_metadata_is_no_release(content: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        Release.from_dict(content)


def test_metadata_of_a_later_version_is_read() -> None:
    release = Release("r1", status=ACTIVE, migrations=["001"])
    assert Release.from_dict({**release.to_dict(), "something": "new"}) == release


def test_the_way_back_is_what_was_live_before() -> None:
    newest = entry(3)
    current = entry(2, current=True, before="r1")
    assert way_back(by_name(entry(1), current, newest), current) == entry(1)


@pytest.mark.parametrize(
    "unusable",
    [{"status": FAILED}, {"damage": "gone"}, {"status": PREPARED}, {"status": PREPARING}],
)
def test_the_way_back_leaves_out_what_cannot_be_used(unusable: dict[str, str]) -> None:
    current = entry(3, current=True, before="r2")
    middle = entry(2, **{"before": "r1", **unusable})  # type: ignore[arg-type]
    assert way_back(by_name(entry(1), middle, current), current) == entry(1)
    assert way_back(by_name(middle, current), current) is None


def test_an_interrupted_switch_has_changed_nothing() -> None:
    assert entry(1, ACTIVATING).status == PREPARED
    assert entry(1, ACTIVATING, activated="2026").status == ACTIVE
    assert entry(1, ACTIVATING, current=True).status == ACTIVATING


def test_a_circle_of_releases_ends() -> None:
    current = entry(2, current=True, before="r1")
    other = entry(1, FAILED, before="r2")
    assert way_back(by_name(current, other), current) is None


@pytest.mark.parametrize(
    ("keep", "keep_failed", "gone"),
    [
        (5, 2, ["r4", "r5"]),
        (3, 2, ["r3", "r4", "r5"]),
        (0, 0, ["r3", "r4", "r5", "r6", "r7", "r8"]),
        (3, 1, ["r3", "r4", "r5", "r6"]),
    ],
)
def test_what_may_go(keep: int, keep_failed: int, gone: list[str]) -> None:
    entries = [
        entry(1, current=True),
        entry(2, previous=True),
        entry(3),
        entry(4, PREPARING),
        entry(5, FAILED),
        entry(6, damage="x"),
        entry(7, PREPARED),
        entry(8),
    ]
    assert [one.name for one in superfluous(entries, keep, keep_failed)] == gone
