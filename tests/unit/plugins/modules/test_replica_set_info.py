# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible starts it, with a stand-in for PyMongo."""

from __future__ import annotations

import json
import types
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.plugspace.titan.plugins.modules import replica_set_info

TOPOLOGY = ", Timeout: 3.0s, Topology Description: <TopologyDescription id: 1>"


class FakeError(Exception):
    """What PyMongo raises."""


class FakeMongo:
    """Answers hello, or raises what it is given, and remembers how it was made."""

    answer: t.ClassVar[dict[str, t.Any] | Exception] = {}
    options: t.ClassVar[list[dict[str, t.Any]]] = []
    closed = 0

    def __init__(self, address: str, **options: t.Any) -> None:
        self.options.append({"address": address, **options})
        self.admin = self

    def command(self, name: str) -> dict[str, t.Any]:
        assert name == "hello"
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def close(self) -> None:
        FakeMongo.closed += 1


@pytest.fixture(autouse=True)
def mongo(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = types.SimpleNamespace(
        MongoClient=FakeMongo, errors=types.SimpleNamespace(PyMongoError=FakeError)
    )
    monkeypatch.setattr(replica_set_info, "pymongo", fake, raising=False)
    monkeypatch.setattr(replica_set_info, "HAS_PYMONGO", True)
    monkeypatch.setattr(FakeMongo, "options", [])
    monkeypatch.setattr(FakeMongo, "closed", 0)


def run(capsys: pytest.CaptureFixture[str], **arguments: t.Any) -> dict[str, t.Any]:
    with patch_module_args(arguments), pytest.raises(SystemExit):
        replica_set_info.main()
    result: dict[str, t.Any] = json.loads(capsys.readouterr().out)
    return result


@pytest.mark.parametrize("check_mode", [False, True])
def test_asks_that_very_member_within_the_limit(
    check_mode: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(FakeMongo, "answer", {"setName": "rs0", "isWritablePrimary": True})
    result = run(capsys, timeout=1.5, _ansible_check_mode=check_mode)
    assert (result["changed"], result["state"], result["role"]) == (False, "ok", "PRIMARY")
    assert FakeMongo.options == [
        {
            "address": "mongodb://127.0.0.1:27017/?directConnection=true",
            "connectTimeoutMS": 1500,
            "serverSelectionTimeoutMS": 1500,
            "socketTimeoutMS": 1500,
        }
    ]
    assert FakeMongo.closed == 1


@pytest.mark.parametrize(
    ("message", "state", "error"),
    [
        (
            "127.0.0.1:1: [Errno 111] Connection refused" + TOPOLOGY,
            "refused",
            "127.0.0.1:1 refused the connection",
        ),
        ("127.0.0.1:1: timed out" + TOPOLOGY, "hung", "127.0.0.1:1 did not answer within 3 s"),
        ("SSL handshake failed" + TOPOLOGY, "error", "127.0.0.1:1: SSL handshake failed"),
    ],
)
def test_silent_member_is_an_answer(
    message: str,
    state: str,
    error: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(FakeMongo, "answer", FakeError(message))
    result = run(capsys, port=1)
    assert (result["state"], result["error"]) == (state, error)
    assert FakeMongo.closed == 1


def test_missing_library_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(replica_set_info, "HAS_PYMONGO", False)
    result = run(capsys)
    assert result["failed"] is True
    assert "pymongo" in result["msg"]
