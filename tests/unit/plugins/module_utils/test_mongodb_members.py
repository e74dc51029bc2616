# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A replica set of fake members."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils._mongodb import MongoError
from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_members import (
    observe,
    role,
)

WRITTEN = datetime(2026, 11, 23, 10, 0, 0)


def hello(name: str, behind: float = 0, **more: t.Any) -> dict[str, t.Any]:
    return {
        "setName": "rs0",
        "me": f"{name}:27017",
        "hosts": [f"titan{n}:27017" for n in (1, 2, 3)],
        "lastWrite": {"lastWriteDate": WRITTEN - timedelta(seconds=behind)},
        **more,
    }


class FakeSet:
    """Members by address; a missing one refuses."""

    def __init__(self, **members: dict[str, t.Any]) -> None:
        self.members = {f"{name}:27017": answer for name, answer in members.items()}

    def hello(self, address: str) -> dict[str, t.Any]:
        name = "titan1:27017" if address.startswith("127.") else address
        if name not in self.members:
            raise MongoError("refused", f"{name} refused the connection")
        return self.members[name]


def test_primary_secondary_and_lag() -> None:
    found = observe(
        FakeSet(
            titan1=hello("titan1", 3.5, secondary=True),
            titan2=hello("titan2", isWritablePrimary=True),
            titan3=hello("titan3", -1, secondary=True),
        ),
        "127.0.0.1:27017",
        pause=lambda seconds: None,
    )
    assert (found["state"], found["set"], found["role"]) == ("ok", "rs0", "SECONDARY")
    assert [(m["name"], m["self"], m["role"], m["lag_s"]) for m in found["members"]] == [
        ("titan1:27017", True, "SECONDARY", 3.5),
        ("titan2:27017", False, "PRIMARY", 0.0),
        ("titan3:27017", False, "SECONDARY", 0.0),
    ]


@pytest.mark.parametrize(("behind", "lag"), [(0, 1.0), (0.5, 60)])
@pytest.mark.parametrize("late", ["titan1", "titan3"])
def test_who_was_only_asked_too_soon_is_not_behind(late: str, behind: float, lag: float) -> None:
    """Another primary was just elected, after a minute without one."""
    members = FakeSet(
        titan1=hello("titan1", secondary=True),
        titan2=hello("titan2", isWritablePrimary=True),
        titan3=hello("titan3", secondary=True),
    )
    members.members[f"{late}:27017"] = hello(late, 60, secondary=True)
    waits: list[float] = []

    def pause(seconds: float) -> None:
        waits.append(seconds)
        members.members[f"{late}:27017"] = hello(late, behind, secondary=True)
        # What was written meanwhile is on its way itself.
        members.members["titan2:27017"] = hello("titan2", -1, isWritablePrimary=True)

    found = observe(members, "127.0.0.1:27017", pause)
    assert waits == [1.0]
    assert {one["name"]: one["lag_s"] for one in found["members"]} == {
        **{f"titan{number}:27017": 0.0 for number in (1, 2, 3)},
        f"{late}:27017": lag,
    }


def test_nobody_waits_for_who_is_not_behind() -> None:
    members = FakeSet(
        titan1=hello("titan1", 1, secondary=True),
        titan2=hello("titan2", isWritablePrimary=True),
        titan3=hello("titan3", 60, arbiterOnly=True),
    )
    waits: list[float] = []
    assert observe(members, "127.0.0.1:27017", waits.append)["members"][0]["lag_s"] == 1.0
    assert waits == []


def test_missing_member_is_named_and_lag_without_primary_is_unknown() -> None:
    found = observe(
        FakeSet(
            titan1=hello("titan1", secondary=True, arbiters=["titan4:27017"]),
            titan3=hello("titan3", secondary=True),
            titan4=hello("titan4", arbiterOnly=True),
        ),
        "127.0.0.1:27017",
    )
    assert [(m["role"], m["error"], m["lag_s"]) for m in found["members"]] == [
        ("SECONDARY", "", None),
        ("", "titan2:27017 refused the connection", None),
        ("SECONDARY", "", None),
        ("ARBITER", "", None),
    ]


def test_own_member_is_silent() -> None:
    assert observe(FakeSet(), "127.0.0.1:27017") == {
        "state": "refused",
        "error": "titan1:27017 refused the connection",
        "set": "",
        "role": "",
        "members": [],
    }


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ({}, "STANDALONE"),
        ({"isreplicaset": True}, "NOT_INITIALIZED"),
        ({"setName": "rs0"}, "NOT_READY"),
        ({"setName": "rs0", "ismaster": True}, "PRIMARY"),
    ],
)
def test_roles(answer: dict[str, t.Any], wanted: str) -> None:
    assert role(answer) == wanted


def test_standalone_server_is_its_own_only_member() -> None:
    found = observe(FakeSet(titan1={}), "127.0.0.1:27017")
    assert [(m["name"], m["role"]) for m in found["members"]] == [("127.0.0.1:27017", "STANDALONE")]
