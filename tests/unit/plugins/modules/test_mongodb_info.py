# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible starts it, and the client, with a stand-in for PyMongo."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.plugspace.titan.plugins.module_utils import _mongodb, _mongodb_report
from ansible_collections.plugspace.titan.plugins.module_utils._mongodb import (
    MongoError,
    PyMongoClient,
)
from ansible_collections.plugspace.titan.plugins.modules import mongodb_info

from .fake_pymongo import FakeError, FakePyMongo

SECRET = "sesame-open"
LOGIN = {"login_user": "admin", "login_password": SECRET}
TOPOLOGY = ", Timeout: 3.0s, Topology Description: <TopologyDescription id: 1>"
# As MongoDB 6.0.5 and PyMongo 3.11 say it.
AUTH = FakeError("Authentication failed., full error: {'ok': 0.0, 'code': 18}", 18)
DENIED = FakeError("not authorized on admin to execute command { serverStatus: 1 }", 13)
NEVER = FakeError("no replset config has been received, full error: {'code': 94}", 94)
REMOVED = FakeError("Our replica set config is invalid or we are not a member of it", 93)


@pytest.fixture
def mongo(monkeypatch: pytest.MonkeyPatch) -> FakePyMongo:
    fake = FakePyMongo()
    monkeypatch.setattr(_mongodb, "pymongo", fake)
    fake.answers["hello"] = {"setName": "rs0", "isWritablePrimary": True, "me": "titan1:27017"}
    for name in ("serverStatus", "getCmdLineOpts", "aggregate", "find", "replSetGetStatus"):
        fake.answers[name] = {}
    fake.answers["replSetGetConfig"] = {"config": {}}
    return fake


def run(capsys: pytest.CaptureFixture[str], **arguments: t.Any) -> dict[str, t.Any]:
    with patch_module_args(arguments), pytest.raises(SystemExit):
        mongodb_info.main()
    output = capsys.readouterr().out
    assert SECRET not in output
    result: dict[str, t.Any] = json.loads(output)
    return result


def client(**params: t.Any) -> PyMongoClient:
    defaults = {name: option.get("default") for name, option in _mongodb.CONNECTION.items()}
    return PyMongoClient({**defaults, **params})


@pytest.mark.parametrize("check_mode", [False, True])
def test_without_a_login_only_hello_is_asked(
    check_mode: bool, mongo: FakePyMongo, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(capsys, timeout=1.5, _ansible_check_mode=check_mode)
    result.pop("invocation")
    assert result == {
        "changed": False,
        "state": "ok",
        "error": "",
        "set": "rs0",
        "role": "PRIMARY",
        "members": [
            {"name": "titan1:27017", "self": True, "role": "PRIMARY", "error": "", "lag_s": None}
        ],
    }
    assert mongo.made == [
        {
            "address": "mongodb://127.0.0.1:27017/?directConnection=true",
            "connectTimeoutMS": 1500,
            "serverSelectionTimeoutMS": 1500,
            "socketTimeoutMS": 1500,
        }
    ]
    assert mongo.open == 0


@pytest.mark.parametrize(
    ("message", "state", "error"),
    [
        (
            "127.0.0.1:1: [Errno 111] Connection refused" + TOPOLOGY,
            "refused",
            "127.0.0.1:1 refused the connection",
        ),
        ("127.0.0.1:1: timed out" + TOPOLOGY, "hung", "127.0.0.1:1 did not answer within 3 s"),
        ("connection closed", "closed", "127.0.0.1:1 closed the connection"),
        ("[Errno 104] Connection reset by peer", "closed", "127.0.0.1:1 closed the connection"),
        ("SSL handshake failed" + TOPOLOGY, "error", "127.0.0.1:1: SSL handshake failed"),
    ],
)
def test_silent_member_is_an_answer(
    message: str, state: str, error: str, mongo: FakePyMongo, capsys: pytest.CaptureFixture[str]
) -> None:
    mongo.answers["hello"] = FakeError(message)
    result = run(capsys, port=1, **LOGIN)
    assert (result["state"], result["error"]) == (state, error)
    assert "server" not in result
    assert mongo.open == 0


def test_a_login_adds_the_server(mongo: FakePyMongo, capsys: pytest.CaptureFixture[str]) -> None:
    mongo.answers["serverStatus"] = {"version": "6.0.5"}
    result = run(capsys, slow_ms=50, **LOGIN)
    assert (result["state"], result["errors"]) == ("ok", [])
    assert result["server"]["version"] == "6.0.5"
    assert [("password" in made) for made in mongo.made] == [False, True]
    assert mongo.made[1]["authSource"] == "admin"
    match = dict(mongo.ran)["aggregate"]["pipeline"][1]["$match"]
    assert match["microsecs_running"] == {"$gte": 50_000}
    assert mongo.open == 0


def test_what_the_user_may_not_read_is_named(
    mongo: FakePyMongo, capsys: pytest.CaptureFixture[str]
) -> None:
    mongo.answers.update(serverStatus=DENIED, aggregate=DENIED, find=DENIED)
    result = run(capsys, **LOGIN)
    assert result["state"] == "ok"
    assert result["errors"] == [
        "admin may not run serverStatus on 127.0.0.1:27017",
        "admin may not run $currentOp on 127.0.0.1:27017",
        "admin may not run find oplog.rs on 127.0.0.1:27017",
    ]


def test_a_wrong_password_is_an_answer(
    mongo: FakePyMongo, capsys: pytest.CaptureFixture[str]
) -> None:
    mongo.answers["serverStatus"] = AUTH
    result = run(capsys, **LOGIN)
    assert result["state"] == "auth"
    assert result["error"].startswith("127.0.0.1:27017 refused the login of admin")
    assert (result["role"], result["server"], len(result["errors"])) == ("PRIMARY", {}, 1)


@pytest.mark.parametrize(
    ("said", "state"), [(NEVER, "not_initialized"), (REMOVED, "removed"), ({}, "ok")]
)
def test_never_initiated_and_removed_are_told_apart(
    said: t.Any, state: str, mongo: FakePyMongo, capsys: pytest.CaptureFixture[str]
) -> None:
    mongo.answers["hello"] = {"isreplicaset": True}
    assert run(capsys)["state"] == "ok"
    mongo.answers.update(serverStatus=said and AUTH, replSetGetStatus=AUTH)
    mongo.anonymous["replSetGetStatus"] = said  # there is no user yet
    result = run(capsys, **LOGIN)
    assert (result["state"], result["role"]) == (state, "NOT_INITIALIZED")
    if state == "ok":
        assert result["server"]["version"] == ""
    mongo.anonymous.clear()
    assert run(capsys, **LOGIN)["state"] == "auth"


def test_missing_library_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(mongodb_info, "HAS_PYMONGO", False)
    result = run(capsys)
    assert result["failed"] is True
    assert "pymongo" in result["msg"]


# -- the client ---------------------------------------------------------------------------------


def test_tls_is_asked_for_and_an_unreadable_file_told(mongo: FakePyMongo) -> None:
    client(tls=True).hello("titan1:27017")
    assert mongo.made[0]["tls"] is True
    assert "tlsAllowInvalidHostnames" not in mongo.made[0]
    with pytest.raises(MongoError, match=r"titan1:27017: .*No such file.*/nowhere.pem"):
        client(tls_ca_file="/nowhere.pem").hello("titan1:27017")
    assert mongo.made[1]["tls"] is True


def test_only_reading_is_tried_without_a_login(mongo: FakePyMongo) -> None:
    mongo.answers.update(replSetGetConfig=AUTH, replSetReconfig=AUTH)
    mongo.anonymous["replSetGetConfig"] = {"config": {"version": 1}}
    mongo.anonymous["replSetReconfig"] = {}
    asked = client(**LOGIN)
    assert asked.config("titan1:27017") == {"version": 1}
    with pytest.raises(MongoError, match="refused the login"):
        asked.reconfigure("titan1:27017", {}, force=False)


@pytest.mark.parametrize(
    ("anonymous", "state"),
    [(DENIED, "auth"), (NEVER, "not_initialized"), (REMOVED, "invalid_config")],
)
def test_a_refused_login_is_told_unless_there_is_more_to_tell(
    anonymous: FakeError, state: str, mongo: FakePyMongo
) -> None:
    mongo.answers["replSetGetStatus"] = AUTH
    mongo.anonymous["replSetGetStatus"] = anonymous
    with pytest.raises(MongoError) as caught:
        client(**LOGIN).status("titan1:27017")
    assert caught.value.state == state
    assert "full error" not in str(caught.value)


def test_without_a_login_it_is_asked_once(mongo: FakePyMongo) -> None:
    mongo.answers["replSetGetStatus"] = DENIED
    with pytest.raises(MongoError, match="titan1:27017 wants a login for replSetGetStatus"):
        client().status("titan1:27017")
    assert len(mongo.made) == 1


def test_changes_get_more_time(mongo: FakePyMongo) -> None:
    mongo.answers.update(replSetInitiate={}, replSetReconfig={}, replSetStepDown={})
    asked = client(timeout=2.0)
    asked.initiate("titan1:27017", {"_id": "rs0"})
    asked.reconfigure("titan1:27017", {"version": 2}, force=True)
    asked.step_down("titan1:27017", 60, 10)
    assert [made["socketTimeoutMS"] for made in mongo.made] == [32_000, 32_000, 12_000]
    assert mongo.ran == [
        ("replSetInitiate", {"value": {"_id": "rs0"}}),
        ("replSetReconfig", {"value": {"version": 2}, "force": True}),
        ("replSetStepDown", {"value": 60, "secondaryCatchUpPeriodSecs": 10}),
    ]


def test_an_old_primary_hangs_up_when_it_steps_down(mongo: FakePyMongo) -> None:
    mongo.answers["replSetStepDown"] = FakeError("connection closed")
    client().step_down("titan1:27017", 60, 10)
    mongo.answers["replSetStepDown"] = DENIED
    with pytest.raises(MongoError, match="wants a login for replSetStepDown"):
        client().step_down("titan1:27017", 60, 10)


class Client:
    """Says who it is, as often as it is asked; the time passes while it sleeps."""

    has_login = False

    def __init__(self, *hellos: dict[str, t.Any]) -> None:
        self.hellos = list(hellos)
        self.now = 0.0

    def hello(self, address: str) -> dict[str, t.Any]:
        return self.hellos.pop(0) if len(self.hellos) > 1 else self.hellos[0]

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_the_module_gives_the_set_its_time(
    mongo: FakePyMongo, capsys: pytest.CaptureFixture[str]
) -> None:
    hellos = [STARTING, PRIMARY]
    mongo.answers["hello"] = lambda: hellos.pop(0) if len(hellos) > 1 else hellos[0]
    assert run(capsys)["role"] == "NOT_READY"
    hellos[:] = [STARTING, PRIMARY]
    assert run(capsys, settle_s=30)["role"] == "PRIMARY"


ALONE = {"setName": "rs0", "me": "a:1", "hosts": ["a:1"]}
PRIMARY = {**ALONE, "isWritablePrimary": True, "primary": "a:1"}
STARTING = {**ALONE, "isWritablePrimary": False, "secondary": False}


@pytest.mark.parametrize(
    ("hellos", "settle_s", "role", "waited"),
    [
        ([PRIMARY], 5, "PRIMARY", 0),
        ([STARTING], 0, "NOT_READY", 0),
        ([STARTING], 1, "NOT_READY", 1),
        ([STARTING] * 4 + [PRIMARY], 30, "PRIMARY", 1),
    ],
)
def test_the_set_is_given_time(
    hellos: list[dict[str, t.Any]], settle_s: float, role: str, waited: float
) -> None:
    client = Client(*hellos)
    report = _mongodb_report.look(
        t.cast("t.Any", client), "a:1", 1000, settle_s, lambda: client.now, client.sleep
    )
    assert report["role"] == role
    assert (client.now >= waited) is True
    assert (client.now > 0) is (waited > 0)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("PRIMARY", 0.0), ("SECONDARY", 2.0), ("ARBITER", None)], True),
        ([("PRIMARY", 0.0), ("SECONDARY", 34.0)], False),
        ([("SECONDARY", 0.0), ("SECONDARY", 0.0)], False),
        ([("PRIMARY", 0.0), ("", None)], False),
        ([], False),
    ],
)
def test_a_set_has_settled(rows: list[tuple[str, float | None]], expected: bool) -> None:
    members = [{"role": role, "lag_s": lag} for role, lag in rows]
    assert _mongodb_report.settled({"state": "ok", "members": members}) is expected
    assert not _mongodb_report.settled({"state": "auth", "members": members})
