# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the hosts that a run is for."""

from __future__ import annotations

import pytest

from ansible_collections.plugspace.titan.plugins.filter.target_problem import FilterModule

GROUPS = {
    "all": ["titan1", "titan2", "ci"],
    "ungrouped": [],
    "titan_app": ["titan1", "titan2"],
    "titan_edge": [],
}


def told(pattern: str, found: list[str], group: str = "titan_app") -> str:
    """What the filter says."""
    said = FilterModule().filters()["target_problem"](pattern, found, GROUPS, group)
    assert isinstance(said, str)
    return said


@pytest.mark.parametrize(
    "pattern",
    [
        "titan1",
        "titan1,titan2",
        "titan1, titan2",
        "titan_app",
        "titan*,!titan2",
        "titan[1:2]",
        "all:!ci",
    ],
)
def test_hosts_of_the_group_are_right(pattern: str) -> None:
    assert told(pattern, ["titan1"]) == ""


@pytest.mark.parametrize("pattern", ["", " "])
def test_an_empty_pattern_is_not_all_hosts(pattern: str) -> None:
    assert told(pattern, ["titan1", "titan2"]).startswith(
        "The hosts to look at are given and empty;"
    )


def test_a_pattern_without_a_host_is_told_with_the_groups_that_there_are() -> None:
    assert (
        told("web1", []) == "web1 names no host of this inventory (groups: titan_app, titan_edge)."
    )


def test_one_of_several_that_is_not_there_is_named() -> None:
    assert told("titan1,titan9", ["titan1"]) == "titan9 is no host and no group of this inventory."
    both = told("titan8, titan1, titan9", ["titan1"])
    assert both == "titan8, titan9 are no host and no group of this inventory."


def test_a_host_of_another_group_is_named_with_those_that_are_in_it() -> None:
    assert told("all", ["titan1", "ci"]) == "ci is not in the group titan_app (titan1, titan2)."
    both = told("localhost,ci", ["localhost", "ci"])
    assert both == "localhost, ci are not in the group titan_app (titan1, titan2)."


@pytest.mark.parametrize("group", ["titan_edge", "titan_redis"])
def test_a_group_without_a_host_is_told(group: str) -> None:
    said = told("titan1", ["titan1"], group)
    assert said == f"titan1 is not in the group {group} (which has no host)."


def test_without_a_group_any_host_is_right() -> None:
    assert told("localhost", ["localhost"], "") == ""
