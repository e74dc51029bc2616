# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible starts it, over a set of one member; the logic has tests of its own."""

from __future__ import annotations

import copy
import json
import typing as t
from datetime import datetime

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.plugspace.titan.plugins.module_utils._mongodb import MongoError
from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_documents import Document
from ansible_collections.plugspace.titan.plugins.modules import mongodb_replica_set

SECRET = "sesame-open"


class FakeClient:
    """A set of one member."""

    config_now: Document
    calls: t.ClassVar[list[str]] = []

    def __init__(self, params: t.Mapping[str, t.Any]) -> None:
        assert params["login_password"] == SECRET

    def hello(self, address: str) -> Document:
        return {"setName": "rs0", "me": "titan1:27017", "isWritablePrimary": True}

    def status(self, address: str) -> Document:
        version = self.config_now["version"]
        one = {"name": "titan1:27017", "health": 1, "state": 1, "stateStr": "PRIMARY"}
        return {
            "members": [{**one, "configVersion": version, "optimeDate": datetime(2026, 11, 23)}]
        }

    def config(self, address: str) -> Document:
        return copy.deepcopy(self.config_now)

    def reconfigure(self, address: str, config: Document, force: bool) -> None:
        self.calls.append("reconfigure")
        if config["members"][0]["priority"] > 1000:
            raise MongoError("invalid_config", "priority must be less than 1000")
        FakeClient.config_now = config


@pytest.fixture(autouse=True)
def mongo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mongodb_replica_set, "PyMongoClient", FakeClient)
    monkeypatch.setattr(FakeClient, "calls", [])
    config = {"version": 1, "members": [{"_id": 0, "host": "titan1:27017", "priority": 1.0}]}
    monkeypatch.setattr(FakeClient, "config_now", config, raising=False)


def run(capsys: pytest.CaptureFixture[str], **arguments: t.Any) -> dict[str, t.Any]:
    login = {"name": "rs0", "login_user": "admin", "login_password": SECRET}
    with patch_module_args({**login, **arguments}), pytest.raises(SystemExit):
        mongodb_replica_set.main()
    output = capsys.readouterr().out
    assert SECRET not in output
    result: dict[str, t.Any] = json.loads(output)
    return result


def test_check_mode_then_changed_then_not(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = [{"host": "titan1", "priority": 2}]
    planned = run(capsys, members=wanted, _ansible_check_mode=True)
    assert FakeClient.calls == []
    done = run(capsys, members=wanted)
    assert FakeClient.calls == ["reconfigure"]
    again = run(capsys, members=wanted)
    assert FakeClient.calls == ["reconfigure"]
    assert [one["changed"] for one in (planned, done, again)] == [True, True, False]
    assert planned["actions"] == done["actions"]
    assert done["actions"] == ["Change titan1:27017 (priority from 1.0 to 2.0)"]
    assert done["members"][0]["priority"] == 2
    assert (done["primary"], done["missing"]) == ("titan1:27017", [])
    assert planned["diff"] == done["diff"]
    assert done["diff"]["before"] != done["diff"]["after"]


@pytest.mark.parametrize(
    ("arguments", "cause", "words"),
    [
        ({"members": [{"host": "titan1", "priority": 1001}]}, "invalid_config", "less than 1000"),
        ({"name": "other"}, "other_set", "belongs to the replica set rs0"),
        ({"step_down_s": 5}, "invalid", "more than 10"),
        ({"state": "stepped_down", "wait": False}, "no_successor", "was not stepped down"),
    ],
)
def test_failures_name_their_cause(
    arguments: dict[str, t.Any], cause: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(capsys, **arguments)
    assert result["failed"]
    assert (result["cause"], result["actions"], result["changed"]) == (cause, [], False)
    assert words in result["msg"]


def test_who_is_not_listed_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    warnings: list[str] = []
    # Ansible shows a warning once for each process, here one for all tests.
    monkeypatch.setattr(
        "ansible.module_utils.basic.AnsibleModule.warn",
        lambda module, text: warnings.append(text),
    )
    gone = [{"host": "titan9", "state": "absent"}]
    assert not run(capsys, members=gone, _ansible_check_mode=True)["changed"]
    assert "left alone: titan1:27017" in warnings[0]


def test_missing_library_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(mongodb_replica_set, "HAS_PYMONGO", False)
    assert "pymongo" in run(capsys)["msg"]
