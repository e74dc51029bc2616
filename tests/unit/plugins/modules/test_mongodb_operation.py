# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible starts it, over a stand-in for PyMongo; the logic has tests of its own."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.plugspace.titan.plugins.module_utils import _mongodb
from ansible_collections.plugspace.titan.plugins.modules import mongodb_operation

from .fake_pymongo import FakeError, FakePyMongo

SECRET = "sesame-open"
RUNNING = {
    "opid": 4711,
    "active": True,
    "ns": "plugspace.users",
    "client": "127.0.0.1:51234",
    "microsecs_running": 12_300_000,
}


@pytest.fixture
def mongo(monkeypatch: pytest.MonkeyPatch) -> FakePyMongo:
    library = FakePyMongo()
    running = [RUNNING]

    def kill(**_more: t.Any) -> dict[str, int]:
        running.clear()
        return {"ok": 1}

    library.answers = {
        "aggregate": lambda **_more: {"cursor": {"firstBatch": list(running)}},
        "killOp": kill,
    }
    monkeypatch.setattr(_mongodb, "pymongo", library)
    return library


def run(capsys: pytest.CaptureFixture[str], **arguments: t.Any) -> dict[str, t.Any]:
    login = {"opid": 4711, "login_user": "admin", "login_password": SECRET}
    with patch_module_args({**login, **arguments}), pytest.raises(SystemExit):
        mongodb_operation.main()
    output = capsys.readouterr().out
    assert SECRET not in output
    result: dict[str, t.Any] = json.loads(output)
    return result


def test_check_mode_then_changed_then_not(
    capsys: pytest.CaptureFixture[str], mongo: FakePyMongo
) -> None:
    planned = run(capsys, _ansible_check_mode=True)
    assert "killOp" not in [name for name, _options in mongo.ran]
    done = run(capsys, namespace="plugspace.users", age_s=12)
    again = run(capsys)
    assert [one["changed"] for one in (planned, done, again)] == [True, True, False]
    assert planned["operation"]["opid"] == 4711
    assert again["operation"] is None
    assert mongo.open == 0


def test_another_operation_is_refused(
    capsys: pytest.CaptureFixture[str], mongo: FakePyMongo
) -> None:
    assert "nothing was killed" in run(capsys, namespace="plugspace.rooms")["msg"]
    mongo.answers["aggregate"] = FakeError("not authorized on admin", 13)
    assert "admin may not run $currentOp" in run(capsys)["msg"]


def test_without_pymongo_it_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongodb_operation, "HAS_PYMONGO", False)
    assert "pymongo" in run(capsys)["msg"]
