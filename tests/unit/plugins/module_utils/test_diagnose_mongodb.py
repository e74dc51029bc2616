# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the evidence of one host to why MongoDB, or its replica set, does not serve.

The log lines and the answers are those that MongoDB 6.0.5 and mongodb_info gave. Not provoked were
the lines of systemd, a stale member, different keys, TLS, and connections that are used up.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.plugspace.titan.plugins.filter.diagnose_mongodb import FilterModule
from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_mongod_log import read
from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_mongodb import (
    diagnose_mongodb,
)

from .strange import ANYTHING, parts, replaced

ONE, TWO, THREE = "titan1:27017", "titan2:27017", "titan3:27017"
START = ("start_unit", "mongod")
JOURNAL = "Nov 24 02:26:45 titan1 mongod[4868]: "
SYSTEMD = "Nov 24 02:26:45 titan1 systemd[1]: "


def row(name: str, role: str, error: str = "", lag_s: float | None = 0.0) -> dict[str, Any]:
    return {"name": name, "self": name == ONE, "role": role, "error": error, "lag_s": lag_s}


def state(name: str, answers: bool = True, message: str = "", **more: Any) -> dict[str, Any]:
    return {"name": name, "answers": answers, "last_heartbeat_message": message, **more}


def logged(severity: str, message: str, attributes: object = None) -> str:
    """A line of mongod.log."""
    when = {"$date": "2026-11-24T02:43:18.105+00:00"}
    entry = {"t": when, "s": severity, "c": "CONTROL", "id": 1, "ctx": "-", "msg": message}
    return json.dumps({**entry, **({"attr": attributes} if attributes else {})})


RESTARTED = logged("I", "***** SERVER RESTARTED *****")
READY = logged("I", "Waiting for connections", {"port": 27017, "ssl": "off"})


def well() -> dict[str, Any]:
    """A host on which all is well, and the primary."""
    return {
        "service": {
            "name": "MongoDB",
            "unit": "mongod",
            "port": 27017,
            "data_path": "/var/lib/mongodb",
            "config_file": "/etc/mongod.conf",
            "user": "mongodb",
            "replica_set": "rs0",
        },
        "mongodb": {
            "state": "ok",
            "error": "",
            "set": "rs0",
            "role": "PRIMARY",
            "members": [row(ONE, "PRIMARY"), row(TWO, "SECONDARY"), row(THREE, "SECONDARY")],
            "server": {
                "state_str": "PRIMARY",
                "connections": {"current": 12, "available": 15988},
                "oplog_window_h": 1.0,
                "members": [state(ONE), state(TWO), state(THREE)],
                "config": {
                    "members": [
                        {"host": name, "votes": 1, "delay_s": 0} for name in (ONE, TWO, THREE)
                    ]
                },
            },
            "errors": [],
        },
        "members": {
            "titan2": {"state": "ok", "set": "rs0", "members": [row(ONE, "PRIMARY")]},
            "titan3": {"state": "ok", "set": "rs0", "members": [row(ONE, "PRIMARY")]},
        },
        "host": {
            "file_systems": [{"mount": "/", "size_bytes": 1e10, "available_bytes": 4e9}],
            "units": [
                {
                    "name": "mongod",
                    "id": "mongod.service",
                    "load": "loaded",
                    "active": "active",
                    "sub": "running",
                    "result": "success",
                }
            ],
            "listeners": [{"port": 27017, "protocol": "tcp", "pid": 600, "unit": "mongod.service"}],
            "processes": {
                "kept": [{"pid": 600, "name": "mongod", "unit": "mongod.service", "state": "S"}]
            },
            "oom_kills": [],
        },
        "unit_log": [RESTARTED, READY],
        "data": {
            "path": "/var/lib/mongodb",
            "owner": "mongodb",
            "group": "mongodb",
            "exists": True,
            "lock_file": {"exists": True, "owner": "mongodb"},
        },
        "member": ONE,
        "expected_members": [ONE, TWO, THREE],
        "lag_max_s": 10,
    }


def silent(kind: str = "refused", said: str = "refused the connection") -> dict[str, Any]:
    seen = well()
    error = f"127.0.0.1:27017 {said}"
    seen["mongodb"] = {"state": kind, "error": error, "set": "", "role": "", "members": []}
    return seen


def down(result: str, *log: str) -> dict[str, Any]:
    seen = silent()
    active = "inactive" if result == "success" else "failed"
    seen["host"]["units"][0].update(active=active, result=result)
    seen["host"]["listeners"] = []
    seen["unit_log"] = list(log)
    return seen


def told(seen: object) -> list[tuple[str, str, str]]:
    return [(one["cause"], one["rung"], one["target"]) for one in diagnose_mongodb(seen)]


def evidence(seen: object) -> str:
    return str(diagnose_mongodb(seen)[0]["evidence"])


def advice(seen: object) -> str:
    return str(diagnose_mongodb(seen)[0]["advice"])


def test_nothing_is_found_where_all_is_well() -> None:
    assert FilterModule().filters()["diagnose_mongodb"](well()) == []
    seen = well()
    # Without a login there is less to see, and nothing to blame.
    del seen["mongodb"]["server"], seen["members"], seen["data"], seen["host"]
    assert diagnose_mongodb(seen) == []
    seen["mongodb"]["members"] = []
    assert diagnose_mongodb(seen) == []


@pytest.mark.parametrize(
    ("result", "cause"),
    [("success", "stopped"), ("signal", "killed"), ("oom-kill", "out_of_memory")],
)
def test_a_unit_that_is_down_is_started(result: str, cause: str) -> None:
    assert told(down(result, RESTARTED, READY)) == [(cause, *START)]


def test_a_kill_for_memory_is_told_with_where_to_look() -> None:
    seen = down("signal")
    seen["host"]["oom_kills"] = [{"name": "mongod", "pid": 600, "unit": "mongod.service"}]
    assert told(seen) == [("out_of_memory", *START)]
    assert "high_memory" in advice(seen)


def test_a_full_disk_comes_first() -> None:
    seen = down("exit-code")
    seen["host"]["file_systems"][0]["available_bytes"] = 0
    assert told(seen) == [("disk_full", "", ""), ("failed", *START)]


def test_a_stranger_at_the_port_comes_before_the_start() -> None:
    seen = down("exit-code")
    holder = {"port": 27017, "protocol": "tcp", "pid": 77, "name": "nc", "user": "bob"}
    seen["host"]["listeners"] = [holder]
    assert told(seen) == [("port_held_by_stranger", "", ""), ("failed", *START)]
    # The unit runs, and somebody else answers in its place.
    for kind in ("closed", "error"):
        seen = silent(kind, "closed the connection")
        seen["host"]["listeners"] = [holder]
        assert told(seen) == [("port_held_by_stranger", "", "")]


NO_KEY = logged(
    "F",
    "Error creating service context",
    {"error": "Location5579201: Unable to acquire security key[s]"},
)
BAD_STARTS = [
    ([JOURNAL + "Unrecognized option: storage.dbPathh"], "configuration", "storage.dbPathh"),
    (
        [
            JOURNAL + "Error parsing YAML config file: yaml-cpp: error at line 3, column 7:"
            " illegal map value",
            JOURNAL + "try '/usr/bin/mongod --help' for more information",
        ],
        "configuration",
        "line 3, column 7",
    ),
    ([JOURNAL + 'Error parsing option "net.port" as int: x'], "configuration", "net.port"),
    ([JOURNAL + "Error opening config file '/x': No such file"], "configuration", "/x"),
    (
        [SYSTEMD + "mongod.service: Main process exited, code=exited, status=2/INVALIDARGUMENT"],
        "configuration",
        "status=2",
    ),
    (
        [
            logged(
                "F",
                "Error during global initialization",
                {
                    "error": {
                        "code": 38,
                        "codeName": "FileNotOpen",
                        "errmsg": "Can't initialize rotatable log file :: caused by :: Failed to"
                        " open /nonexistent/x.log",
                    }
                },
            )
        ],
        "configuration",
        "Failed to open /nonexistent/x.log",
    ),
    (
        [
            logged(
                "I",
                "Read security file failed",
                {"error": {"code": 30, "errmsg": "permissions on /etc/mongod.key are too open"}},
            ),
            NO_KEY,
        ],
        "keyfile",
        "",
    ),
    ([NO_KEY], "keyfile", "Unable to acquire security key"),
    (
        [
            logged(
                "E",
                "DBException in initAndListen, terminating",
                {
                    "error": "DBPathInUse: Unable to lock the lock file:"
                    " /var/lib/mongodb/mongod.lock"
                    " (Resource temporarily unavailable). Another mongod instance is already"
                    " running on the /var/lib/mongodb directory"
                },
            )
        ],
        "data_in_use",
        "Another mongod",
    ),
    (
        [
            logged(
                "E",
                "DBException in initAndListen, terminating",
                {"error": "NonExistentPath: Data directory /x not found. Create the missing"},
            )
        ],
        "data_missing",
        "/x not found",
    ),
    (
        [
            logged(
                "E",
                "DBException in initAndListen, terminating",
                {
                    "error": "IllegalOperation: Attempted to create a lock file on a read-only"
                    " directory: /var/lib/mongodb"
                },
            )
        ],
        "wrong_owner",
        "read-only directory",
    ),
    (
        [logged("F", "Terminating.", {"reason": "13: Permission denied"})],
        "wrong_owner",
        "13: Permission denied",
    ),
]


def test_a_lock_that_another_mongod_holds_is_not_somebody_elses_file() -> None:
    lines = next(lines for lines, cause, _said in BAD_STARTS if cause == "data_in_use")
    assert [one[0] for one in told(down("exit-code", RESTARTED, *lines))] == ["data_in_use"]


@pytest.mark.parametrize("result", ["exit-code", "signal"])
@pytest.mark.parametrize(("lines", "cause", "said"), BAD_STARTS)
def test_a_start_that_fails_again_each_time_needs_a_person(
    result: str, lines: list[str], cause: str, said: str
) -> None:
    seen = down(result, RESTARTED, *lines)
    assert told(seen)[0] == (cause, "", "")
    assert said in evidence(seen)
    assert advice(seen)
    # What was said before the last start is over.
    started = SYSTEMD + "Started mongod.service - MongoDB."
    seen["unit_log"] = [*lines, started, RESTARTED, READY]
    assert [rung for _cause, rung, _target in told(seen)] == ["start_unit"]


# Not provoked, each of them alone.
WORDS = [
    ("Read security file failed", "keyfile"),
    ("unrecognised option '--x'", "configuration"),
    ("BadValue: storage.x is not supported", "configuration"),
    ("Unable to determine status of lock file in /var/lib/mongodb", "wrong_owner"),
    ("Unable to create/open the lock file: /var/lib/mongodb/mongod.lock", "wrong_owner"),
    ("/var/lib/mongodb/mongod.lock: Operation not permitted", "wrong_owner"),
    ("WT_PANIC: the process must exit and restart", "data_damaged"),
    ("WT_TRY_SALVAGE: database corruption detected", "data_damaged"),
    ("unable to read root page from file:x.wt", "data_damaged"),
    ("UPGRADE PROBLEM: Found an invalid document", "data_damaged"),
    ("Invalid featureCompatibilityVersion document", "data_damaged"),
    ("Wrong mongod version", "data_damaged"),
    ("DBPathInUse: of another one", "data_in_use"),
    ("write failed: No space left on device", "disk_was_full"),
]


@pytest.mark.parametrize(("words", "cause"), WORDS)
def test_each_word_of_a_failed_start_counts_until_the_next_start(words: str, cause: str) -> None:
    rung = START if cause == "disk_was_full" else ("", "")
    assert told(down("exit-code", words)) == [(cause, *rung)]
    error = {"error": -31804, "message": words}
    assert told(down("exit-code", logged("E", "WiredTiger error", error))) == (
        # At the beginning of a line, as a parser of options says it.
        [("failed", *START)] if words.startswith("BadValue") else [(cause, *rung)]
    )
    started = SYSTEMD + "Started mongod.service - MongoDB."
    assert told(down("exit-code", words, started, READY)) == [("failed", *START)]


def test_a_hindrance_that_is_gone_is_tried_again() -> None:
    error = {"error": {"code": 9001, "errmsg": "Address already in use"}}
    seen = down("exit-code", RESTARTED, logged("E", "Error setting up listener", error))
    assert told(seen) == [("port_was_taken", *START)]


@pytest.mark.parametrize(
    ("service", "owner", "path", "file"),
    [
        ({}, "mongodb:mongodb", "/var/lib/mongodb", "/etc/mongod.conf"),
        (
            {
                "name": "the store",
                "user": "mongo",
                "group": "db",
                "data_path": "/srv/db",
                "config_file": "/srv/mongod.conf",
            },
            "mongo:db",
            "/srv/db",
            "/srv/mongod.conf",
        ),
    ],
)
def test_places_are_those_of_the_site_or_of_the_package(
    service: dict[str, str], owner: str, path: str, file: str
) -> None:
    seen = down("exit-code", DENIED)
    seen["service"] = {"unit": "mongod", **service}
    del seen["data"]
    assert f"chown -R {owner} {path}, then" in advice(seen)
    assert diagnose_mongodb(seen)[0]["subject"] == service.get("name", "MongoDB")
    seen["unit_log"] = [JOURNAL + "Unrecognized option: x"]
    assert advice(seen).startswith(f"put {file} right")
    there = {**elsewhere("exit-code"), "paths": {path: {"exists": True, "owner": "root"}}}
    assert evidence({"service": seen["service"], "evidence": there}).startswith(
        f"{path} belongs to root"
    )


CONFIG, DATA, LOCK = "/etc/mongod.conf", "/var/lib/mongodb", "/var/lib/mongodb/mongod.lock"
DENIED = logged("F", "Terminating.", {"reason": "13: Permission denied"})
NO_LOG = logged("F", "Error during global initialization", {"error": {"errmsg": "Failed to open"}})


@pytest.mark.parametrize(
    ("lines", "cause", "place", "then"),
    [
        (
            [JOURNAL + "Unrecognized option: storage.dbPathh"],
            "configuration",
            CONFIG,
            "right, then run this again; if something else was changed, first systemctl"
            " reset-failed mongod",
        ),
        (
            [SYSTEMD + "mongod.service: Main process exited, status=2/INVALIDARGUMENT"],
            "configuration",
            CONFIG,
            "right, then run this again; if something else was changed, first systemctl"
            " reset-failed mongod",
        ),
        (
            [NO_LOG],
            "configuration",
            CONFIG,
            "or what it names, right; then systemctl reset-failed mongod, and run this again",
        ),
        ([NO_KEY], "keyfile", CONFIG, "; then systemctl reset-failed mongod, and run this again"),
        ([DENIED], "wrong_owner", DATA, "/var/lib/mongodb, then run this again"),
        ([DENIED], "wrong_owner", LOCK, "/var/lib/mongodb, then run this again"),
    ],
)
def test_a_complaint_ends_with_a_change_of_what_it_is_about(
    lines: list[str], cause: str, place: str, then: str
) -> None:
    seen = down("exit-code", *lines)
    seen["host"]["units"][0]["ended_at"] = 1_764_000_000.0
    seen["paths"] = {place: {"changed_at": 1_764_000_000.0}}
    assert told(seen) == [(cause, "", "")]
    assert advice(seen).endswith(then)
    seen["paths"][place]["changed_at"] += 1
    assert told(seen) == [("failed", *START)]
    assert evidence(seen) == (
        f"mongod is failed (exit-code): it failed over {place}, which was changed since"
    )
    # It was started again, and failed again.
    seen["host"]["units"][0]["ended_at"] += 2
    assert told(seen) == [(cause, "", "")]


@pytest.mark.parametrize(
    "before",
    [
        "Unrecognized option: x",
        "mongod.service: Main process exited, status=2/INVALIDARGUMENT",
        "Read security file failed",
    ],
)
def test_what_was_put_right_does_not_hide_what_the_last_start_failed_over(before: str) -> None:
    # systemd says of a start that failed only that it began, where mongod tells it when it is up.
    starting = "Starting mongod.service - MongoDB Database Server..."
    seen = down("exit-code", RESTARTED, DENIED, before, starting)
    assert told(seen)[0] == ("wrong_owner", "", "")


def test_what_explains_more_decides_over_what_was_changed() -> None:
    seen = down("exit-code", JOURNAL + "Unrecognized option: x", DENIED)
    seen["host"]["units"][0]["ended_at"] = 1.0
    seen["paths"] = {DATA: {"changed_at": 2.0}}
    assert told(seen) == [("configuration", "", ""), ("failed", *START)]
    seen["paths"][CONFIG] = {"changed_at": 2.0}
    assert told(seen) == [("failed", *START)]


def test_advice_for_a_wrong_owner_is_exact() -> None:
    seen = down("success")
    seen["data"]["owner"] = "root"
    assert told(seen)[0] == ("wrong_owner", "", "")
    assert evidence(seen) == "/var/lib/mongodb belongs to root, and mongod runs as mongodb"
    assert "chown -R mongodb:mongodb /var/lib/mongodb" in advice(seen)
    seen["data"]["owner"] = "mongodb"
    seen["data"]["lock_file"]["owner"] = "root"
    assert evidence(seen).startswith("/var/lib/mongodb/mongod.lock belongs to root")
    seen["data"]["lock_file"]["exists"] = False
    assert told(seen) == [("stopped", *START)]
    seen["data"]["exists"] = False
    assert told(seen)[0] == ("data_missing", "", "")


def test_what_was_looked_at_is_not_told_again_by_the_log() -> None:
    seen = down("exit-code", logged("F", "Terminating.", {"reason": "13: Permission denied"}))
    seen["data"]["owner"] = "root"
    assert told(seen) == [("wrong_owner", "", "")]


def test_the_log_is_read_for_a_person() -> None:
    bad_key = {"errmsg": "invalid char in key file /etc/mongod.key: s3cret"}
    log = read(
        [
            logged("E", "of an older start"),
            RESTARTED,
            logged("I", "Read security file failed", {"error": bad_key}),
            logged("F", "Terminating.", {"reason": "13: Permission denied", "user": "bob"}),
            logged("F", "\n\n***aborting after fassert() failure\n\n"),
            logged("I", "Shutting down", {"exitCode": 14}),
            logged("I", "odd", ["attributes"]),
            JOURNAL + "words { of the journal",
            SYSTEMD + "{" * 5 + "[" * 5,
            '{"msg": 3}',
        ]
    )
    assert log.last_words == "Terminating.: 13: Permission denied"
    assert log.lines == [
        "words { of the journal",
        "{{{{{[[[[[",
        '{"msg": 3}',
        "***** SERVER RESTARTED *****",
        "Read security file failed: invalid char in key file /etc/mongod.key",
        "Terminating.: 13: Permission denied",
        "***aborting after fassert() failure",
        "Shutting down: exit code 14",
        "odd",
    ]


def process(seen: dict[str, Any], **facts: Any) -> dict[str, Any]:
    seen["host"]["processes"]["kept"][0].update(facts)
    return seen


def connections_refused() -> dict[str, Any]:
    seen = silent("closed", "closed the connection")
    message = "Connection refused because there are too many open connections"
    seen["unit_log"].append(logged("I", message, {"connectionCount": 301}))
    return seen


HUNG = ("error", "No servers found yet")  # what PyMongo 4.20 says of a process that is stopped
SILENCES = [
    (silent(*HUNG), ("hung", "restart_unit", "mongod")),
    (silent(), ("not_listening", "restart_unit", "mongod")),
    (process(silent(*HUNG), state="T"), ("paused", "continue_processes", "600")),
    (
        process(silent("closed"), open_files=64000, open_files_limit=64000),
        ("too_many_open_files", "", ""),
    ),
    (connections_refused(), ("connections_used_up", "", "")),
    # What a person has to do something about comes before what the log says.
    (process(connections_refused(), state="T"), ("paused", "continue_processes", "600")),
    (silent("error", "SSL handshake failed"), ("tls", "", "")),
    (silent("error", "certificate verify failed"), ("tls", "", "")),
    (silent("error", "TLS is required"), ("tls", "", "")),
    (silent("unreachable", "no route"), ("unknown", "", "")),
]


@pytest.mark.parametrize(("seen", "finding"), SILENCES)
def test_a_unit_that_runs_and_does_not_answer(
    seen: dict[str, Any], finding: tuple[str, str, str]
) -> None:
    assert told(seen) == [finding]


def test_a_unit_that_is_masked_while_it_runs_could_not_be_started_again() -> None:
    seen = silent()
    seen["host"]["units"][0]["load"] = "masked"
    assert told(seen) == [("unit_unusable", "", "")]


def test_a_wrong_password_comes_after_what_is_wrong_with_the_set() -> None:
    seen = well()
    error = "127.0.0.1:27017 refused the login of admin (database admin): check the password"
    seen["mongodb"].update(state="auth", error=error, server={})
    assert told(seen) == [("wrong_password", "", "")]
    assert evidence(seen) == error
    seen["mongodb"]["members"][2] = row(THREE, "", f"{THREE} refused the connection", None)
    assert [cause for cause, _rung, _target in told(seen)] == ["member_down", "wrong_password"]


def test_connections_that_are_used_up() -> None:
    seen = well()
    seen["mongodb"]["server"]["connections"] = {"current": 300, "available": 0}
    assert told(seen) == [("connections_used_up", "", "")]
    assert evidence(seen) == "300 connections are open, and 0 more are possible"
    # One in a hundred is kept for administrators.
    seen["mongodb"]["server"]["connections"] = {"current": 396, "available": 4}
    assert told(seen) == [("connections_used_up", "", "")]
    seen["mongodb"]["server"]["connections"] = {"current": 395, "available": 5}
    assert told(seen) == []


# -- the set --------------------------------------------------------------------------------------


def fresh() -> dict[str, Any]:
    """Nobody has a set."""
    seen = well()
    own = {"name": "127.0.0.1:27017", "self": True, "role": "NOT_INITIALIZED", "error": ""}
    answer = {
        "state": "not_initialized",
        "error": "127.0.0.1:27017 runs for a replica set that was never initiated",
        "set": "",
        "role": "NOT_INITIALIZED",
        "members": [own],
    }
    seen["mongodb"] = answer
    seen["members"] = {"titan2": dict(answer), "titan3": dict(answer)}
    return seen


def test_a_set_is_initiated_only_where_nobody_has_one() -> None:
    seen = fresh()
    assert told(seen) == [("never_initiated", "initiate_set", "rs0")]
    assert causes(seen) == [("never_initiated", "rs0")]
    # Nobody said who belongs to it, or one was not asked.
    for expected in ([], [ONE, TWO, THREE, "titan4:27017"]):
        assert told({**seen, "expected_members": expected}) == [("never_initiated", "", "")]
    assert "3 members answered, and none" in evidence(seen)
    # One that was removed looks the same to those it does not let in.
    for word in ("auth", "ok", "removed"):
        seen["members"]["titan3"]["state"] = word
        assert told(seen)[0] == ("never_initiated", "", "")
        assert "with a login" in advice(seen)
    # One that is silent may have it.
    seen["members"]["titan3"] = {"state": "refused", "error": "x", "set": "", "members": []}
    assert told(seen) == [("never_initiated", "", "")]
    assert "start titan3 first" in advice(seen)
    # Nobody asked it.
    del seen["members"]["titan3"]
    assert told(seen) == [("never_initiated", "", "")]
    del seen["members"]
    assert told(seen) == [("never_initiated", "", "")]


def test_a_member_without_a_set_does_not_initiate_another_one() -> None:
    seen = fresh()
    rows = [row(TWO, "PRIMARY"), row(THREE, "SECONDARY")]
    seen["members"]["titan2"] = {"state": "ok", "set": "rs0", "members": rows}
    assert told(seen) == [("not_a_member", "", "")]
    assert evidence(seen).startswith(f"{ONE} is in no set, while the other hosts have the set rs0")
    # In the configuration of the others, which it gets from them.
    rows.append(row(ONE, ""))
    seen["mongodb"]["members"][0]["name"] = ONE
    assert told(seen) == [("joining", "wait", "")]


def test_a_member_that_was_removed_is_added_when_a_person_names_it() -> None:
    seen = fresh()
    seen["mongodb"].update(state="removed", error="it is no member any more")
    assert told(seen) == [("member_missing", "add_member", ONE)]
    del seen["member"]
    assert told(seen) == [("member_missing", "add_member", "127.0.0.1:27017")]


def test_a_member_without_a_set_is_named_as_in_the_inventory() -> None:
    asked_at = "192.0.2.1:27017"
    seen = fresh()
    seen["mongodb"]["members"][0]["name"] = asked_at
    seen["mongodb"].update(state="removed", error="it is no member any more")
    assert told(seen) == [("member_missing", "add_member", ONE)]
    seen["mongodb"]["state"] = "not_initialized"
    rows = [row(TWO, "PRIMARY"), row(THREE, "SECONDARY")]
    seen["members"]["titan2"] = {"state": "ok", "set": "rs0", "members": rows}
    assert causes(seen) == [("not_a_member", ONE)]
    # The set calls it by its address.
    rows.append(row(asked_at, ""))
    assert causes(seen) == [("joining", ONE)]


def test_a_server_without_a_set_is_told_where_there_should_be_one() -> None:
    seen = well()
    seen["mongodb"].update(role="STANDALONE", members=[row(ONE, "STANDALONE")], server={})
    assert told(seen) == [("standalone", "", "")]
    seen["expected_members"] = [ONE]
    assert told(seen) == []


def lost(*names: str, role: str = "SECONDARY") -> dict[str, Any]:
    """No primary, and these do not answer."""
    seen = well()
    seen["mongodb"]["role"] = role
    seen["mongodb"]["members"] = [
        row(name, "", f"{name} refused the connection", None)
        if name in names
        else row(name, role if name == ONE else "SECONDARY", "", None)
        for name in (ONE, TWO, THREE)
    ]
    seen["mongodb"]["server"]["members"] = [
        state(name, name not in names) for name in (ONE, TWO, THREE)
    ]
    for host in ("titan2", "titan3"):
        seen["members"][host] = {"state": "refused", "set": "", "members": []}
    return seen


def causes(seen: object) -> list[tuple[str, str]]:
    return [(one["cause"], one["subject"]) for one in diagnose_mongodb(seen)]


@pytest.mark.parametrize("login", [True, False])
def test_a_lost_majority_is_told_where_the_hosts_were_not_looked_at(login: bool) -> None:
    seen = lost(TWO, THREE)
    if not login:
        del seen["mongodb"]["server"]
    assert causes(seen) == [("majority_lost", "rs0"), ("member_down", TWO), ("member_down", THREE)]
    assert evidence(seen) == (
        f"no member is primary: only 1 of 3 voting members answer, without {TWO}, {THREE}"
    )
    assert diagnose_mongodb(seen)[0]["rung"] == ""


WITHOUT = ("majority_lost", "force_set", f"rs0-without-{TWO},{THREE}")


def lost_for_good() -> dict[str, Any]:
    """The hosts of those that do not answer were tried, and cannot help them."""
    seen = lost(TWO, THREE)
    seen["others"] = {TWO: {"unreachable": True}, THREE: {"unreachable": True}}
    seen["member"] = ONE
    seen["expected_members"] = [ONE, TWO, THREE]
    return seen


def test_a_majority_that_is_lost_for_good_can_be_given_up_by_name() -> None:
    seen = lost_for_good()
    assert told(seen)[0] == WITHOUT
    assert diagnose_mongodb(seen)[0]["advice"].startswith(f"start {TWO}, {THREE}; without them")
    # Who has no login cannot know who has a vote.
    del seen["mongodb"]["server"]["config"]
    assert told(seen)[0] == ("majority_lost", "", "")


@pytest.mark.parametrize("left_out", [ONE, TWO, THREE])
def test_a_majority_is_not_given_up_before_all_hosts_were_looked_at(left_out: str) -> None:
    seen = lost_for_good()
    seen["others"].pop(left_out, None)
    if left_out == ONE:
        seen["member"] = ""
    assert told(seen)[0] == ("majority_lost", "", "")


def test_a_majority_is_not_given_up_for_one_that_cannot_be_primary() -> None:
    seen = lost_for_good()
    seen["mongodb"]["server"]["config"]["members"][0]["priority"] = 0
    assert told(seen)[0] == ("majority_lost", "", "")
    seen["mongodb"]["server"]["config"]["members"][0]["priority"] = 0.5
    assert told(seen)[0] == WITHOUT


@pytest.mark.parametrize("role", ["NOT_READY", "ARBITER"])
def test_a_majority_is_not_given_up_for_one_that_is_not_ready(role: str) -> None:
    seen = lost_for_good()
    seen["mongodb"]["members"][0]["role"] = seen["mongodb"]["role"] = role
    assert told(seen)[0] == ("majority_lost", "", "")


@pytest.mark.parametrize(
    "there",
    [
        {"failed": True, "msg": "Missing sudo password"},
        {"mongodb": None},
        {"mongodb": {"state": "hung"}},
        {"mongodb": {"state": "error", "error": "SSL handshake failed"}},
        {"unreachable": False},
    ],
)
def test_a_member_that_may_run_is_not_given_up(there: dict[str, Any]) -> None:
    seen = lost_for_good()
    seen["others"][THREE] = there
    assert told(seen)[0][1] != "force_set"
    # Nobody is at its port, and its own host cannot help it.
    stuck = elsewhere("exit-code", "Unrecognized option: nonsense")
    seen["others"][THREE] = {**stuck, "mongodb": {"state": "refused"}}
    assert told(seen)[0] == WITHOUT


def test_a_member_that_no_host_of_the_inventory_has_is_not_given_up() -> None:
    seen = renamed_all(lost_for_good())
    assert told(seen)[0] == ("majority_lost", "", "")


def renamed_all(seen: dict[str, Any]) -> dict[str, Any]:
    """The inventory has other names, and none of the silent members can say its own."""
    names = {name: name.replace("titan", "plugspace") for name in (ONE, TWO, THREE)}
    seen["member"] = names[ONE]
    seen["expected_members"] = list(names.values())
    seen["others"] = {names[name]: there for name, there in seen["others"].items()}
    return seen


def test_a_majority_that_comes_back_is_not_given_up() -> None:
    seen = lost_for_good()
    seen["others"][THREE] = elsewhere("success")
    assert told(seen)[0] == ("majority_lost", "wait", "")


def test_a_member_that_is_cut_off_is_not_a_lost_majority() -> None:
    seen = lost(TWO, THREE)
    seen["members"]["titan2"] = {"state": "ok", "set": "rs0", "members": [row(TWO, "PRIMARY")]}
    assert causes(seen)[0] == ("cut_off", ONE)
    assert f"{TWO} is primary" in evidence(seen)


def test_members_that_answer_on_their_own_hosts_are_not_lost() -> None:
    seen = lost_for_good()
    there = {**row(TWO, "SECONDARY"), "self": True}
    seen["others"][TWO] = {"mongodb": {"state": "ok", "members": [there]}}
    assert told(seen)[0] == ("cut_off", "", "")
    assert evidence(seen).endswith(f"while on their own hosts {TWO} answer")


def test_an_election_is_waited_for() -> None:
    seen = lost(THREE)
    assert told(seen) == [("electing", "wait", ""), ("member_down", "", "")]
    assert evidence(seen).endswith("2 of 3 voting members answer: an election is due")


def test_members_without_a_vote_are_no_majority() -> None:
    seen = lost(THREE)
    seen["mongodb"]["server"]["config"]["members"][1]["votes"] = 0
    assert causes(seen)[0] == ("majority_lost", "rs0")


def test_one_member_down_is_for_its_own_host() -> None:
    seen = well()
    seen["mongodb"]["members"][2] = row(THREE, "", f"{THREE} refused the connection", None)
    assert told(seen) == [("member_down", "", "")]
    assert evidence(seen) == f"{THREE} gives no answer: {THREE} refused the connection"
    # A hidden one is seen only by the heartbeats.
    seen["mongodb"]["members"].pop()
    message = f"Error connecting to {THREE} :: caused by :: Connection refused"
    seen["mongodb"]["server"]["members"][2] = state(THREE, False, message)
    assert causes(seen) == [("member_down", THREE)]
    assert "Connection refused" in evidence(seen)


def elsewhere(result: str, *log: str) -> dict[str, Any]:
    """What evidence_info brings from another host, whose member is down."""
    seen = down(result, *log)
    return {
        "mongodb": seen["mongodb"],
        "host": seen["host"],
        "logs": {"mongod": seen["unit_log"], "/var/log/mongodb/mongod.log": []},
        "paths": {
            "/var/lib/mongodb": {"exists": True, "owner": "mongodb", "group": "mongodb"},
            "/var/lib/mongodb/mongod.lock": {"exists": True, "owner": "mongodb"},
        },
        "probes": [{"ok": False, "reason": "refused the connection"}],
    }


def test_a_member_that_its_own_host_can_help_is_waited_for() -> None:
    seen = lost(THREE)
    seen["mongodb"]["members"][1] = row(TWO, "PRIMARY")
    seen["others"] = {THREE: elsewhere("success"), TWO: {"mongodb": well()["mongodb"]}}
    assert told(seen) == [("member_down", "wait", "")]
    # Its own host heals it, and tells what is left to do.
    assert diagnose_mongodb(seen)[0]["advice"] == ""
    seen = lost(TWO, THREE)
    seen["others"] = {THREE: elsewhere("success")}
    assert told(seen) == [
        ("majority_lost", "wait", ""),
        ("member_down", "", ""),
        ("member_down", "wait", ""),
    ]
    # What is waited for is not asked of a person, neither before nor after.
    assert diagnose_mongodb(seen)[0]["advice"].startswith(f"start {TWO}; without them")
    seen["others"][TWO] = elsewhere("success")
    assert diagnose_mongodb(seen)[0]["advice"] == ""


def test_a_member_that_needs_a_person_is_not_waited_for() -> None:
    for there in (
        elsewhere("exit-code", "Unrecognized option: nonsense"),
        {"unreachable": True},
        {"mongodb": None},
        # It could be started, but nobody knows whether it is silent.
        {**elsewhere("success"), "mongodb": None},
    ):
        seen = lost(TWO, THREE)
        seen["others"] = {TWO: there}
        assert {rung for _cause, rung, _target in told(seen)} == {""}, there


def test_evidence_is_read_as_it_comes() -> None:
    there = elsewhere("success")
    there["paths"]["/var/lib/mongodb"]["owner"] = "root"
    seen = {"service": well()["service"], "evidence": there}
    assert told(seen)[0] == ("wrong_owner", "", "")
    assert "/var/lib/mongodb belongs to root" in evidence(seen)


def test_a_condition_that_was_met_later_is_over() -> None:
    skipped = (
        "mongod.service - MongoDB was skipped because of an unmet condition check"
        " (ConditionPathExists=/etc/mongod.keyfile)."
    )
    assert told(down("exit-code", skipped))[0][0] == "keyfile"
    started = "Started mongod.service - MongoDB."
    assert told(down("exit-code", skipped, started))[0] == ("failed", "start_unit", "mongod")


def test_one_that_answers_now_and_then_is_told() -> None:
    assert told({**well(), "answer": {"ok": True}}) == []
    seen = {**well(), "answer": {"ok": False, "reason": "did not answer within 2 s"}}
    assert told(seen) == [("unsteady", "", "")]
    assert "did not answer within 2 s" in evidence(seen)


@pytest.mark.parametrize("message", ["Authentication failed.", "not authorized", "Unauthorized"])
def test_members_with_different_keys_are_told(message: str) -> None:
    seen = lost()
    for number, name in ((1, TWO), (2, THREE)):
        seen["mongodb"]["server"]["members"][number] = state(name, False, message)
    assert causes(seen) == [
        ("keyfile_mismatch", TWO),
        ("keyfile_mismatch", THREE),
        ("majority_lost", "rs0"),
    ]
    seen["mongodb"]["members"] = seen["mongodb"]["members"][:1]
    assert ("member_down", TWO) not in causes(seen)


def test_a_member_of_the_inventory_that_is_not_in_the_set() -> None:
    seen = well()
    seen["mongodb"]["members"].pop()
    seen["mongodb"]["server"]["config"]["members"].pop()
    assert told(seen) == [("member_missing", "add_member", THREE)]
    assert diagnose_mongodb(seen)[0]["confidence"] == "certain"
    del seen["mongodb"]["server"]
    assert diagnose_mongodb(seen)[0]["confidence"] == "likely"


def test_a_missing_member_that_is_silent_is_started_before_it_is_added() -> None:
    seen = well()
    seen["mongodb"]["members"].pop()
    seen["mongodb"]["server"]["config"]["members"].pop()
    for there in ({"unreachable": True}, elsewhere("exit-code", "Unrecognized option: nonsense")):
        seen["others"] = {THREE: there}
        assert told(seen) == [("member_missing", "", "")]
        assert diagnose_mongodb(seen)[0]["advice"].startswith("start it on its own host first")
    seen["others"] = {THREE: elsewhere("success")}
    assert told(seen) == [("member_missing", "wait", "")]


def renamed() -> dict[str, Any]:
    """The inventory calls the members otherwise than the set does."""
    seen = well()
    seen["member"] = "plugspace1:27017"
    seen["expected_members"] = ["plugspace1:27017", "plugspace2:27017", "plugspace3:27017"]
    seen["others"] = {
        f"plugspace{number}:27017": {
            "mongodb": {"state": "ok", "set": "rs0", "members": [{"name": name, "self": True}]}
        }
        for number, name in ((2, TWO), (3, THREE))
    }
    return seen


@pytest.mark.parametrize("login", [True, False])
def test_a_member_that_the_set_calls_otherwise_is_not_missing(login: bool) -> None:
    seen = renamed()
    if not login:
        del seen["mongodb"]["server"]
    assert told(seen) == []
    # Of another set, though that has the same name.
    stranger = seen["others"]["plugspace3:27017"]["mongodb"]
    stranger["members"][0]["name"] = "plugspace3:27017"
    assert told(seen) == [("member_missing", "add_member", "plugspace3:27017")]
    # One that was removed knows only the address that it was asked at.
    stranger["members"][0]["name"] = "127.0.0.1:27017"
    stranger.update(state="removed", set="")
    assert told(seen) == [("member_missing", "add_member", "plugspace3:27017")]
    # One that nobody asked may be the member that is not accounted for.
    del seen["others"]["plugspace3:27017"]
    assert told(seen) == []
    seen["mongodb"]["members"].pop()
    seen["mongodb"].pop("server", None)
    assert told(seen) == [("member_missing", "add_member", "plugspace3:27017")]


def test_the_only_member_may_be_called_otherwise() -> None:
    seen = renamed()
    seen.update(others={}, members={}, expected_members=["plugspace1:27017"])
    assert told(seen) == []


def test_a_member_that_says_its_name_before_it_is_silent_is_waited_for_by_it() -> None:
    seen = renamed()
    seen["mongodb"]["members"][2] = row(THREE, "", f"{THREE} did not answer within 3 s", None)
    there = elsewhere("success")
    there["mongodb"]["members"] = [{"name": THREE, "self": True}]
    seen["others"]["plugspace3:27017"] = there
    assert told(seen) == [("member_down", "wait", "")]


def lagging(seconds: float, **config: Any) -> dict[str, Any]:
    seen = well()
    seen["mongodb"]["members"][1]["lag_s"] = seconds
    seen["mongodb"]["server"]["config"]["members"][1].update(config)
    return seen


def test_a_member_that_is_behind_catches_up_or_cannot() -> None:
    # An idle set is written to every 10 s, which is all that such a lag says.
    assert diagnose_mongodb(lagging(10.0)) == []
    assert diagnose_mongodb(lagging(3605, delay_s=3600)) == []
    assert diagnose_mongodb({**lagging(75), "lag_max_s": 80}) == []
    for seconds, found in ((10.0, []), (10.1, [("lagging", "", "")])):
        assert told({**lagging(seconds), "lag_max_s": None}) == found
    assert told(lagging(75)) == [("lagging", "", "")]
    assert evidence(lagging(75)) == (
        f"{TWO} is 1 min behind the primary, more than 10 s; the oplog holds 1 h"
    )
    assert "catches up" in advice(lagging(75))
    assert "cannot catch up" in advice(lagging(7200))
    seen = lagging(75)
    del seen["mongodb"]["server"]["oplog_window_h"]
    assert "oplog" not in evidence(seen)
    assert "catches up" in advice(seen)
    # A hidden one
    seen = well()
    seen["mongodb"]["members"].pop()
    seen["mongodb"]["server"]["members"][2]["lag_s"] = 75
    assert causes(seen) == [("lagging", THREE)]
    assert evidence(seen).startswith(f"{THREE} is 1 min behind the primary")
    # It was heard of a moment ago, before the set was written to.
    seen["mongodb"]["server"]["members"][2]["lag_s"] = 22
    assert causes(seen) == []


def test_a_member_that_is_not_ready_is_waited_for_unless_it_is_too_stale() -> None:
    seen = well()
    seen["mongodb"]["role"] = "NOT_READY"
    seen["mongodb"]["server"]["state_str"] = "RECOVERING"
    seen["mongodb"]["members"] = [
        row(TWO, "PRIMARY"),
        row(THREE, "SECONDARY"),
        row(ONE, "NOT_READY"),
    ]
    assert told(seen) == [("member_not_ready", "wait", "")]
    assert f"{ONE} answers and is RECOVERING" in evidence(seen)
    seen["unit_log"].append(logged("W", "Too stale to catch up"))
    assert told(seen) == [("too_stale", "", "")]
    assert "cannot catch up" in advice(seen)


def test_without_evidence_nobody_is_blamed() -> None:
    assert told({}) == [("unknown", "", "")]
    assert evidence({"mongodb": {"msg": "the module failed"}}) == "the module failed"
    assert evidence(silent("unreachable", "no route")) == "127.0.0.1:27017 no route"


WHOLE = [well(), fresh(), lost(TWO, THREE), down("exit-code", NO_KEY), silent(*HUNG), lagging(75)]


@given(data=st.data(), seen=st.sampled_from(WHOLE), value=ANYTHING)
def test_no_observation_is_too_strange(data: Any, seen: dict[str, Any], value: object) -> None:
    path = data.draw(st.sampled_from(parts(seen)))
    for one in diagnose_mongodb(replaced(seen, path, value)):
        assert one["cause"]
        assert one["subject"]
        assert one["evidence"]
        assert one["rung"] or one["advice"]
