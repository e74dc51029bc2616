# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the evidence of one host to why Redis does not serve.

The log lines and the answers are those that Redis 7.0.15 gave, unless it is said otherwise; the
lines of systemd, and those of too many open files and of no memory to fork, were not provoked.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.plugspace.titan.plugins.filter.diagnose_redis import FilterModule
from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_redis import (
    clean,
    diagnose_redis,
)

from .strange import ANYTHING, parts, replaced

GB = 1024**3
AT = "5017:M 24 Nov 2026 02:26:51.140"
JOURNAL = "Nov 24 02:26:45 titan1 redis-server[4868]:"
READY = f"{AT} * Ready to accept connections"
START = ("start_unit", "redis-server")


def well() -> dict[str, Any]:
    """A host on which all is well."""
    return {
        "service": {
            "name": "Redis",
            "unit": "redis-server",
            "port": 6379,
            "data_path": "/var/lib/redis",
            "config_file": "/etc/redis/redis.conf",
            "user": "redis",
        },
        "redis": {
            "state": "ok",
            "error": "",
            "role": "master",
            "memory": {
                "used_bytes": 2057288,
                "max_bytes": 256 * 1024 * 1024,
                "policy": "noeviction",
                "used_percent": 0.8,
                "refusals": 0,
            },
            "persistence": {
                "error": "",
                "rdb": {"ok": True, "changes": 0},
                "aof": {"enabled": False, "write_ok": True},
            },
            "keyspace": {"db0": {"keys": 19, "expires": 4}, "db1": {"keys": 2, "expires": 2}},
            "config": {"dir": "/var/lib/redis"},
            "master": None,
        },
        "host": {
            "memory": {"total_bytes": 8 * GB, "available_bytes": 4 * GB},
            "file_systems": [{"mount": "/", "size_bytes": 1e10, "available_bytes": 4e9}],
            "units": [
                {
                    "name": "redis-server",
                    "id": "redis-server.service",
                    "load": "loaded",
                    "active": "active",
                    "sub": "running",
                    "result": "success",
                    "since_s": 100,
                }
            ],
            "listeners": [
                {
                    "port": 6379,
                    "protocol": "tcp",
                    "pid": 500,
                    "name": "redis-server",
                    "unit": "redis-server.service",
                }
            ],
            "processes": {
                "kept": [
                    {
                        "pid": 500,
                        "name": "redis-server",
                        "unit": "redis-server.service",
                        "state": "S",
                        "cpu_percent": 1.5,
                        "open_files": 20,
                        "open_files_limit": 65535,
                    },
                    {"pid": 1, "name": "systemd", "unit": "init.scope", "state": "T"},
                ]
            },
            "oom_kills": [],
        },
        "unit_log": [READY],
        "config_test": {"ok": None, "output": ""},
    }


def sick(state: str = "refused", error: str = "", **unit: Any) -> dict[str, Any]:
    """The same host, and Redis gives this answer."""
    seen = well()
    said = {"refused": "refused the connection", "hung": "did not answer within 3 s"}.get(state, "")
    seen["redis"] = {"state": state, "error": f"127.0.0.1:6379 {error or said}"}
    seen["host"]["units"][0].update(unit)
    return seen


def down(result: str = "success", *log: str) -> dict[str, Any]:
    seen = sick(active="inactive" if result == "success" else "failed", result=result)
    seen["host"]["listeners"] = []
    seen["unit_log"] = list(log)
    return seen


def with_(seen: dict[str, Any], state: str, error: str) -> dict[str, Any]:
    """All the other values are there, too."""
    seen["redis"].update(state=state, error=f"127.0.0.1:6379 {error}")
    return seen


def told(seen: object) -> list[tuple[str, str, str]]:
    return [(one["cause"], one["rung"], one["target"]) for one in diagnose_redis(seen)]


def evidence(seen: object) -> str:
    return str(diagnose_redis(seen)[0]["evidence"])


def test_nothing_is_found_where_all_is_well() -> None:
    assert FilterModule().filters()["diagnose_redis"](well()) == []
    # The kills and words of an illness that is over are nobody's any more.
    seen = well()
    seen["host"]["oom_kills"] = [{"unit": "redis-server.service", "name": "redis-server"}]
    seen["unit_log"] = ["*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***", READY]
    assert diagnose_redis(seen) == []


ENDINGS = [
    ("success", ("stopped", *START), "redis-server is inactive: somebody stopped it"),
    ("signal", ("killed", *START), "redis-server is failed (signal): a signal ended it"),
    ("oom-kill", ("out_of_memory", *START), "killed it for want of memory"),
    ("core-dump", ("crashed", *START), "it crashed"),
    ("watchdog", ("crashed", *START), "lives"),
    ("exit-code", ("failed", *START), "systemd says exit-code"),
    ("timeout", ("failed", *START), "systemd says timeout"),
]


@pytest.mark.parametrize(("result", "finding", "said"), ENDINGS)
def test_a_unit_that_is_down_is_started(
    result: str, finding: tuple[str, str, str], said: str
) -> None:
    assert told(down(result)) == [finding]
    assert said in evidence(down(result))


def test_the_last_words_are_shown() -> None:
    line = "redis-server.service: Main process exited, code=killed, status=9/KILL"
    assert line in evidence(down("signal", f"Nov 24 02:26:45 titan1 systemd[1]: {line}"))
    # Not provoked either.
    crash = "5017:M 24 Nov 2026 02:26:51.140 # Redis 7.0.15 crashed by signal: 11, si_code: 1"
    assert evidence(down("core-dump", crash)).endswith(
        "its last words: Redis 7.0.15 crashed by signal: 11, si_code: 1"
    )


def test_a_unit_that_systemd_keeps_restarting_is_down() -> None:
    seen = down("exit-code")
    seen["host"]["units"][0].update(active="activating", sub="auto-restart")
    assert told(seen) == [("failed", *START)]


def test_a_kill_for_memory_names_the_process_and_the_time() -> None:
    seen = down("signal")
    seen["host"]["oom_kills"] = [
        {"name": "mongod", "pid": 5, "unit": "mongod.service", "time": "x"},
        {"name": "redis-server", "pid": 500, "unit": "redis-server.service", "time": "02:26Z"},
    ]
    assert told(seen) == [("out_of_memory", *START)]
    assert "killed redis-server (pid 500) for want of memory, at 02:26Z" in evidence(seen)
    assert "high_memory" in diagnose_redis(seen)[0]["advice"]
    for result, cause in (("oom-kill", "out_of_memory"), ("exit-code", "failed")):
        seen["host"]["units"][0]["result"] = result
        assert told(seen) == [(cause, *START)]
        assert ("redis-server (pid 500)" in evidence(seen)) is (cause == "out_of_memory")
    # Stopped afterwards by a person: not by the kernel.
    seen["host"]["units"][0].update(active="inactive", result="success")
    assert told(seen) == [("stopped", *START)]


@pytest.mark.parametrize("load", ["not-found", "masked"])
def test_a_unit_that_cannot_be_started_needs_a_person(load: str) -> None:
    seen = down()
    seen["host"]["units"][0]["load"] = load
    assert told(seen)[0] == ("unit_unusable", "", "")
    assert load in evidence(seen)


def test_a_start_that_takes_too_long_is_not_repeated() -> None:
    line = "redis-server.service: start operation timed out. Terminating."
    seen = down("timeout", f"Nov 24 02:26:45 titan1 systemd[1]: {line}")
    assert told(seen) == [("start_too_slow", "", "")]


BAD_STARTS = [
    (["# Fatal error, can't open config file '/etc/x.conf': No such file or directory"], "c"),
    (
        ["# No tls-cert-file configured!", "# Failed to configure TLS. Check logs for more info."],
        "c",
    ),
    (
        [
            "# Error loading ACL rule '+fooo' for the user named 'bob': Unknown command",
            "# Critical error while loading ACLs. Exiting.",
        ],
        "c",
    ),
    (["# Aborting Redis startup because of ACL errors: /x:1: unknown command"], "c"),
    (
        [
            "# Your current 'ulimit -n' of 10 is not enough for the server to start. Please"
            " increase your open file limit to at least 10032. Exiting."
        ],
        "c",
    ),
    (
        [
            "# Warning: Could not create server TCP listening socket 9.9.9.9:6379: bind:"
            " Cannot assign requested address",
            "# Failed listening on port 6379 (TCP), aborting.",
        ],
        "c",
    ),
    (
        [
            "# Bad file format reading the append only file appendonly.aof.1.incr.aof: make a"
            " backup of your AOF file, then use ./redis-check-aof --fix <filename.manifest>"
        ],
        "aof_damaged",
    ),
    (
        ["# Unexpected end of file reading the append only file appendonly.aof.1.incr.aof. You"],
        "aof_damaged",
    ),
    (
        [
            "# Unable to obtain the AOF file appendonly.aof.1.incr.aof length. stat: No such file"
            " or directory"
        ],
        "aof_damaged",
    ),
    (["# \n*** FATAL AOF MANIFEST FILE ERROR ***"], "aof_damaged"),
    # These three were not provoked.
    (["# Unrecoverable error reading the append only file a.aof: Input/output"], "aof_damaged"),
    (["# Unknown command 'x' reading the append only file a.aof"], "aof_damaged"),
    (["# The append log file a.aof doesn't exist: No such file or directory"], "aof_damaged"),
    (["# Short read or OOM loading DB. Unrecoverable error, aborting now."], "snapshot_damaged"),
    (["--- RDB ERROR DETECTED ---"], "snapshot_damaged"),
    (["# Can't open the append-only file x: Permission denied"], "not_permitted"),
]


@pytest.mark.parametrize(("lines", "cause"), BAD_STARTS)
def test_a_start_that_fails_again_each_time_needs_a_person(lines: list[str], cause: str) -> None:
    cause = "configuration" if cause == "c" else cause
    lines = [f"{AT} {line}" for line in lines]
    found = diagnose_redis(down("exit-code", READY, *lines))
    assert (found[0]["cause"], found[0]["rung"]) == (cause, "")
    assert "redis-server is failed (exit-code); its log: " in found[0]["evidence"]
    assert found[0]["advice"]
    # Once it has been ready, these words are over; it was started and stopped since.
    assert told(down("exit-code", *lines, READY)) == [("failed", *START)]
    assert told(down("success", *lines)) == [("stopped", *START)]
    assert told(down("signal", *lines)) == [("killed", *START)]


def test_an_address_that_it_goes_on_without_is_no_reason() -> None:
    warning = (
        f"{AT} # Warning: Could not create server TCP listening socket ::1:6379: bind:"
        " Cannot assign requested address"
    )
    full = f"{AT} # Can't open or create append-only dir: No space left on device"
    assert told(down("exit-code", warning, full)) == [("disk_was_full", *START)]
    assert told(down("exit-code", full, warning)) == [("disk_was_full", *START)]


HELPED_BY_A_START = [
    (
        "# Warning: Could not create server TCP listening socket *:6379: bind: Address already in"
        " use",
        "port_was_taken",
    ),
    (
        "# Error trying to write the temporary AOF manifest file: No space left on device",
        "disk_was_full",
    ),
]


@pytest.mark.parametrize(("line", "cause"), HELPED_BY_A_START)
def test_a_hindrance_that_is_gone_is_tried_again(line: str, cause: str) -> None:
    assert told(down("exit-code", f"{AT} {line}")) == [(cause, *START)]


CONFIGURATION = [
    "*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***",
    "Reading the configuration file, at line 2",
    ">>> 'maxmemoryy 3'",
    "Bad directive or wrong number of arguments",
]
SYSTEMD = "Nov 24 02:26:45 titan1 systemd[1]: redis-server.service: Main process exited"


@pytest.mark.parametrize(
    "prefix", ["", f"{JOURNAL} ", "2026-11-24T02:26:45+0000 titan1 redis[1]: "]
)
def test_a_wrong_configuration_is_told_with_its_line(prefix: str) -> None:
    seen = down("exit-code", *(prefix + line for line in CONFIGURATION), "", SYSTEMD)
    assert told(seen) == [("configuration", "", "")]
    assert evidence(seen) == (
        "/etc/redis/redis.conf is wrong: Reading the configuration file, at line 2;"
        " >>> maxmemoryy ...; Bad directive or wrong number of arguments"
    )
    # Put right since: systemd says that it started, or a test says so.
    seen["config_test"]["ok"] = True
    assert told(seen) == [("failed", *START)]
    seen["config_test"]["ok"] = None
    seen["unit_log"].append("Nov 24 02:27:45 titan1 systemd[1]: Started redis-server.service.")
    assert told(seen) == [("failed", *START)]


def test_a_configuration_test_counts_where_the_log_says_nothing() -> None:
    seen = down("exit-code")
    seen["config_test"] = {"ok": False, "output": "line 2:\n bad"}
    assert told(seen)[0] == ("configuration", "", "")
    assert evidence(seen) == "line 2: bad"
    seen = down("exit-code", CONFIGURATION[0])
    assert "Redis says no more" in evidence(seen)


NOW = 1_764_000_000.0
FILE, FOLDER, DATA = "/etc/redis/redis.conf", "/etc/redis", "/var/lib/redis"


def ended(seen: dict[str, Any], **changed: float) -> dict[str, Any]:
    """Its last process ended at NOW; each place was changed so many seconds later."""
    places = {"file": FILE, "folder": FOLDER, "data": DATA}
    seen["host"]["units"][0]["ended_at"] = NOW
    seen["paths"] = {
        place: {"exists": True, "changed_at": NOW + changed.get(name, -60)}
        for name, place in places.items()
    }
    return seen


BAD_DATA = [
    CONFIGURATION[0],
    "Reading the configuration file, at line 504",
    ">>> 'dir /var/lib/redis'",
    "Permission denied",
]
LISTENING = f"{AT} # Failed to configure TLS. Check logs for more info."


@pytest.mark.parametrize(
    ("lines", "cause", "changed", "place"),
    [
        (CONFIGURATION, "configuration", "file", FILE),
        # A file that it includes.
        (CONFIGURATION, "configuration", "folder", FOLDER),
        ([LISTENING], "configuration", "file", FILE),
        (BAD_DATA, "not_permitted", "data", DATA),
    ],
)
def test_a_complaint_ends_with_a_change_of_what_it_is_about(
    lines: list[str], cause: str, changed: str, place: str
) -> None:
    seen = ended(down("exit-code", *lines))
    assert told(seen) == [(cause, "", "")]
    assert told(ended(seen, **{changed: 0.0})) == [(cause, "", "")]
    assert told(ended(seen, **{changed: 0.5})) == [("failed", *START)]
    assert evidence(seen) == (
        f"redis-server is failed (exit-code): it failed over {place}, which was changed since"
    )
    # It was started again, and failed again.
    seen["host"]["units"][0]["ended_at"] = NOW + 1
    assert told(seen) == [(cause, "", "")]
    # Nobody knows when it ended.
    seen["host"]["units"][0]["ended_at"] = None
    assert told(seen) == [(cause, "", "")]


BEGUN = f"{AT} # oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo"
STARTING = "Starting redis-server.service - Advanced key-value store..."
DAMAGED = f"{AT} # Bad file format reading the append only file: make a backup of your AOF file"
NO_RDB = f"{AT} # Wrong signature trying to load DB from file"
CANNOT_OPEN = "Fatal error, can't open config file '/etc/redis/redis.conf': Permission denied"
NO_LOG = [
    CONFIGURATION[0],
    "Reading the configuration file, at line 260",
    ">>> 'logfile /var/log/redis/redis-server.log'",
    "Can't open the log file: Permission denied",
]


@pytest.mark.parametrize(
    ("file", "journal", "cause"),
    [
        ([DAMAGED], [*CONFIGURATION, STARTING, SYSTEMD], "aof_damaged"),
        ([DAMAGED], [CANNOT_OPEN, STARTING, SYSTEMD], "aof_damaged"),
        ([LISTENING, BEGUN, DAMAGED], [STARTING, SYSTEMD], "aof_damaged"),
        ([NO_RDB], [*BAD_DATA, STARTING, SYSTEMD], "snapshot_damaged"),
        ([NO_RDB], [*NO_LOG, STARTING, SYSTEMD], "snapshot_damaged"),
        # The last start said nothing in the file, where an older one has.
        ([BEGUN, NO_RDB, READY], [STARTING, *CONFIGURATION, SYSTEMD], "configuration"),
        ([BEGUN, READY], [STARTING, CANNOT_OPEN, SYSTEMD], "configuration"),
    ],
)
def test_what_the_last_start_failed_over_is_not_hidden_by_what_was_put_right(
    file: list[str], journal: list[str], cause: str
) -> None:
    assert told(down("exit-code", *file, *journal)) == [(cause, "", "")]


def test_a_log_that_is_closed_to_it_is_no_wrong_configuration() -> None:
    seen = ended(down("exit-code", READY, STARTING, *NO_LOG, SYSTEMD))
    assert told(seen) == [("log_not_writable", "", "")]
    assert evidence(seen) == (
        "it cannot write its log: Reading the configuration file, at line 260; >>> logfile ...;"
        " Can't open the log file: Permission denied"
    )
    assert diagnose_redis(seen)[0]["advice"] == (
        "let Redis write the logfile of /etc/redis/redis.conf: make its folder if there is none,"
        " and chown -R redis:redis /var/log/redis; then systemctl reset-failed redis-server, and"
        " run this again"
    )
    # Its own folder tells nothing of it; that systemd forgot the start does.
    assert told(ended(seen, data=1, folder=1)) == [("log_not_writable", "", "")]
    seen["host"]["units"][0].update(active="inactive", result="success")
    assert told(seen) == [("stopped", *START)]


def test_a_change_elsewhere_does_not_end_a_complaint() -> None:
    assert told(ended(down("exit-code", *CONFIGURATION), data=1)) == [("configuration", "", "")]
    assert told(ended(down("exit-code", *BAD_DATA), file=1)) == [("not_permitted", "", "")]
    # A person may be in the middle of it.
    damaged = f"{AT} # Short read or OOM loading DB. Unrecoverable error, aborting now."
    assert told(ended(down("exit-code", damaged), data=1)) == [("snapshot_damaged", "", "")]


def test_data_that_is_closed_to_it_is_no_wrong_configuration() -> None:
    assert evidence(down("exit-code", *BAD_DATA)) == (
        "it may not enter its data: Reading the configuration file, at line 504; >>> dir ...;"
        " Permission denied"
    )


def test_a_test_of_the_configuration_is_newer_than_its_change() -> None:
    seen = ended(down("exit-code", *CONFIGURATION), file=1)
    seen["config_test"] = {"ok": False, "output": "still wrong"}
    assert told(seen) == [("configuration", "", "")]


ADVICE = [
    (
        CONFIGURATION,
        "put /etc/redis/redis.conf right, then run this again; if something else was changed, first"
        " systemctl reset-failed redis-server",
    ),
    (
        [LISTENING],
        "put /etc/redis/redis.conf, or what it names, right; then systemctl reset-failed"
        " redis-server, and run this again",
    ),
    (
        BAD_DATA,
        "give Redis its files back: chown -R redis:redis /var/lib/redis, then run this again",
    ),
    (
        [f"{AT} # Unexpected end of file reading the append only file appendonly.aof.1.incr.aof"],
        "a person decides what is to be kept of the data: copy /var/lib/redis/appendonlydir away,"
        " then redis-check-aof --fix; what it cuts off is lost; then systemctl reset-failed"
        " redis-server, and run this again",
    ),
]


@pytest.mark.parametrize(("lines", "advice"), ADVICE)
def test_the_advice_says_how_to_go_on(lines: list[str], advice: str) -> None:
    assert diagnose_redis(down("exit-code", *lines))[0]["advice"] == advice


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (">>> 'requirepass s3cret word'", ">>> requirepass ..."),
        (">>> 's3cret'", ">>> ..."),
        (">>> 'hunter'", ">>> ..."),
        (
            f"{AT} # Error loading ACL rule '>s3cret' for the user named 'bob': Syntax error",
            "Error loading ACL rule '...' for the user named 'bob': Syntax error",
        ),
        (
            f"{AT} # Aborting Redis startup because of ACL errors: /x:1: Error in applying"
            " operation '#s3cret': The provided",
            "Aborting Redis startup because of ACL errors: /x:1: Error in applying"
            " operation '...': The provided",
        ),
        ("Error in applying operation '#s3cret': x", "Error in applying operation '...': x"),
        (
            f"{AT} # Unknown command 's3cret' reading the append only file a.aof",
            "Unknown command reading the append only file a.aof",
        ),
    ],
)
def test_no_secret_is_taken_from_the_log(line: str, shown: str) -> None:
    assert clean(line) == shown


def test_a_full_disk_explains_what_follows() -> None:
    seen = down("exit-code")
    seen["host"]["file_systems"][0]["available_bytes"] = 0
    assert told(seen) == [("disk_full", "", ""), ("failed", *START)]
    # Full elsewhere, and nothing in the log says that it matters.
    seen["host"]["file_systems"] += [{"mount": "/var/lib/redis", "available_bytes": 1e9}]
    assert told(seen) == [("failed", *START)]


STRANGER = {"port": 6379, "protocol": "tcp", "pid": 77, "name": "nc", "user": "bob"}


def test_a_stranger_at_the_port_comes_before_the_start() -> None:
    seen = down()
    seen["host"]["listeners"] = [STRANGER]
    assert told(seen) == [("port_held_by_stranger", "", ""), ("stopped", *START)]
    assert evidence(seen) == (
        "port 6379 is held by nc (pid 77, user bob), which is not of redis-server"
    )
    seen["host"]["listeners"] = [{**STRANGER, "pid": None}]
    assert diagnose_redis(seen)[0]["confidence"] == "likely"
    seen["host"]["listeners"] = [{**STRANGER, "protocol": "udp"}, {**STRANGER, "port": 6380}]
    assert told(seen) == [("stopped", *START)]


def test_whoever_closes_the_connection_may_be_a_stranger() -> None:
    seen = sick("closed", "closed the connection")
    seen["host"]["listeners"] = [STRANGER]
    assert told(seen) == [("port_held_by_stranger", "", "")]
    # Nobody said which unit is its own.
    seen["service"]["unit"] = ""
    assert told(seen) == [("unknown", "", "")]


@pytest.mark.parametrize(
    ("service", "user", "path", "file"),
    [
        ({}, "redis", "/var/lib/redis", "/etc/redis/redis.conf"),
        (
            {
                "name": "the cache",
                "user": "cache",
                "data_path": "/srv/cache",
                "config_file": "/srv/cache.conf",
            },
            "cache",
            "/srv/cache",
            "/srv/cache.conf",
        ),
    ],
)
def test_places_are_those_of_the_site_or_of_the_package(
    service: dict[str, str], user: str, path: str, file: str
) -> None:
    seen = down("exit-code", *CONFIGURATION)
    seen["service"] = {"unit": "redis-server", **service}
    assert diagnose_redis(seen)[0]["advice"].startswith(f"put {file} right")
    assert diagnose_redis(seen)[0]["subject"] == service.get("name", "Redis")
    seen = down("exit-code", *BAD_DATA)
    seen["service"] = {"unit": "redis-server", **service}
    assert f"chown -R {user}:{user} {path}, then" in diagnose_redis(seen)[0]["advice"]
    seen = unsaved(SAVES[0][0])
    seen["service"] = {"unit": "redis-server", **service}
    del seen["redis"]["config"]
    assert f"chown {user}:{user} {path}, then" in diagnose_redis(seen)[0]["advice"]


@pytest.mark.parametrize("listeners", [[STRANGER], None])
def test_what_does_not_speak_redis_is_a_stranger(listeners: Any) -> None:
    seen = sick("foreign", "does not speak Redis: 'HTTP/1.1 400'")
    seen["host"]["listeners"] = listeners
    assert told(seen) == [("port_held_by_stranger", "", "")]
    assert ("held by nc (pid 77, user bob)" in evidence(seen)) is bool(listeners)
    # Of an active unit nobody is suspected for holding the port, as long as it might be its own.
    seen = sick("refused")
    seen["host"]["listeners"] = listeners
    assert told(seen) == [("not_listening", "restart_unit", "redis-server")]


def process(seen: dict[str, Any], **facts: Any) -> dict[str, Any]:
    seen["host"]["processes"]["kept"][0].update(facts)
    return seen


SILENCES = [
    (sick("hung"), ("hung", "restart_unit", "redis-server")),
    (sick("closed", "closed the connection"), ("hung", "restart_unit", "redis-server")),
    (process(sick("hung"), state="T"), ("paused", "continue_processes", "500")),
    (process(sick("hung"), state="t"), ("traced", "", "")),
    (process(sick("hung"), state="D"), ("waits_for_disk", "", "")),
    (process(sick("hung"), cpu_percent=99.7), ("slow_command", "wait", "")),
    # It would say so itself that it is at work.
    (process(sick(), cpu_percent=99.7), ("not_listening", "restart_unit", "redis-server")),
    (sick(load="masked"), ("unit_unusable", "", "")),
    (process(sick("closed"), open_files=65535), ("too_many_open_files", "", "")),
    (sick(active="activating", sub="start"), ("starting", "wait", "")),
    (sick("unreachable", "cannot be reached: No route to host"), ("unknown", "", "")),
]


@pytest.mark.parametrize(("seen", "finding"), SILENCES)
def test_a_unit_that_runs_and_does_not_answer(
    seen: dict[str, Any], finding: tuple[str, str, str]
) -> None:
    assert told(seen) == [finding]


def test_the_busiest_of_its_processes_is_what_counts() -> None:
    seen = process(sick("hung"), cpu_percent=99.7)
    idle = {"pid": 501, "unit": "redis-server.service", "cpu_percent": 0.0}
    seen["host"]["processes"]["kept"].append(idle)
    assert told(seen) == [("slow_command", "wait", "")]


def test_open_files_are_told_by_the_log_where_nobody_counted_them() -> None:
    line = "# Error accepting a client connection: accept: Too many open files"
    seen = process(sick("closed"), open_files=None)
    seen["unit_log"] = [f"{AT} {line}"]
    assert told(seen) == [("too_many_open_files", "", "")]
    assert told(process(seen, open_files=20))[0][0] == "hung"


ANSWERS = [
    ("loading", "still reads its data from disk: 12 % done, about 40 s left", "loading", "wait"),
    ("tls", "speaks no TLS: WRONG_VERSION_NUMBER", "tls", ""),
    ("error", "answered: ERR max number of clients reached", "max_clients", ""),
    ("error", "answered: DENIED Redis is running in protected mode because", "protected_mode", ""),
    ("error", "answered: ERR something new", "unknown", ""),
]


@pytest.mark.parametrize(("state", "error", "cause", "rung"), ANSWERS)
def test_an_answer_says_what_is_wrong(state: str, error: str, cause: str, rung: str) -> None:
    seen = sick(state, error)
    assert told(seen) == [(cause, rung, "")]
    assert evidence(seen) == f"127.0.0.1:6379 {error}"


PASSWORDS = [
    ("WRONGPASS invalid username-password pair or user is disabled.", "correct titan_redis_passw"),
    ("NOAUTH Authentication required.", "set titan_redis_password"),
    (
        "ERR AUTH <password> called without any password configured for the default user.",
        "empty titan_redis_password",
    ),
    ("NOPERM this user has no permissions to run the 'ping' command", "access list"),
]


@pytest.mark.parametrize(("error", "advice"), PASSWORDS)
def test_a_wrong_password_is_never_restarted(error: str, advice: str) -> None:
    seen = sick("auth", f"answered: {error}")
    assert told(seen) == [("wrong_password", "", "")]
    assert advice in diagnose_redis(seen)[0]["advice"]


SCRIPT = (
    "is blocked by a Lua script, for how long it does not tell; until it ends, nothing is served"
    " (SCRIPT KILL ends one that has not written yet)"
)
FUNCTION = (
    "is blocked by the function f for 1 s; until it ends, nothing is served"
    " (FUNCTION KILL ends one that has not written yet)"
)


@pytest.mark.parametrize(("error", "target"), [(SCRIPT, "script"), (FUNCTION, "function")])
def test_a_script_is_ended_unless_it_has_written(error: str, target: str) -> None:
    seen = sick("busy", error)
    assert told(seen) == [("busy_script", "kill_script", target)]
    seen["kill_output"] = (
        "UNKILLABLE Sorry the script already executed write commands against the dataset. You can"
        " either wait the script termination or kill the server in a hard way using the SHUTDOWN"
        " NOSAVE command."
    )
    assert told(seen) == [("unkillable", "", "")]
    assert "SHUTDOWN NOSAVE" in diagnose_redis(seen)[0]["advice"]


def unsaved(line: str, state: str = "misconf", aof: bool = False) -> dict[str, Any]:
    error = (
        "answered: MISCONF Errors writing to the AOF file: No space left on device"
        if aof
        else "refuses writes (MISCONF): its last snapshot to /var/lib/redis failed"
    )
    seen = with_(well(), state, error)
    seen["redis"]["persistence"]["rdb"].update(ok=aof, changes=41)
    seen["redis"]["persistence"]["aof"]["write_ok"] = not aof
    seen["unit_log"] = [READY, line, f"{AT} # Background saving error"]
    return seen


SAVES = [
    (
        "9273:C 24 Nov 2026 02:30:19.292 # Failed opening the temp RDB file temp-9273.rdb (in"
        " server root dir /var/lib/redis) for saving: Permission denied",
        "save_not_permitted",
        "",
    ),
    (
        "9328:C 24 Nov 2026 02:30:20.863 # Write error saving DB on disk(rdbSaveRio): No space left"
        " on device",
        "save_failing",
        "retry_save",
    ),
    # The words of rdb.c on the way to 8.0
    (
        "9:C 24 Nov 2026 02:30:20.863 # Write error while saving DB to the disk(rdbSaveRio): No"
        " space left on device",
        "save_failing",
        "retry_save",
    ),
    (
        "9:M 24 Nov 2026 02:30:20.863 # Can't save in background: fork: Cannot allocate memory",
        "save_cannot_fork",
        "",
    ),
    # These three were not provoked.
    (
        "9273:C 24 Nov 2026 02:30:19.292 # Failed opening the temp RDB file temp-9273.rdb (in"
        " server root dir /var/lib/redis) for saving: No such file or directory",
        "save_not_permitted",
        "",
    ),
    (
        "9:C 24 Nov 2026 02:30:19.292 # Error moving temp DB file x on the final destination y:"
        " Read-only file system",
        "save_not_permitted",
        "",
    ),
    (
        "9:C 24 Nov 2026 02:30:19.292 # Failed to fsync directory of x while saving DB:"
        " Permission denied",
        "save_not_permitted",
        "",
    ),
    ("", "save_failing", "retry_save"),
]


@pytest.mark.parametrize("state", ["misconf", "ok"])
@pytest.mark.parametrize(("line", "cause", "rung"), SAVES)
def test_a_snapshot_that_failed_is_tried_again_where_it_can_be(
    state: str, line: str, cause: str, rung: str
) -> None:
    seen = unsaved(line, state)
    assert told(seen) == [(cause, rung, "")]
    assert "41 changes not saved yet" in evidence(seen)
    assert ("refuses writes" in evidence(seen)) == (state == "misconf")
    seen["host"]["file_systems"][0]["available_bytes"] = 0
    assert told(seen) == [
        ("disk_full", "", ""),
        ("save_failing", "", ""),
    ]


@pytest.mark.parametrize(
    ("left", "place", "found"),
    [
        (500e6, "/var/lib/redis", True),
        # There is room by now, or it is another disk that has none.
        (900e6, "/var/lib/redis", False),
        (500e6, "/var/lib/mysql", False),
    ],
)
def test_a_disk_on_which_no_snapshot_has_room_is_full_though_it_has_space(
    left: float, place: str, found: bool
) -> None:
    # The unfinished snapshot is removed at once.
    seen = unsaved(SAVES[1][0], "misconf")
    seen["redis"]["memory"]["used_bytes"] = 800e6
    seen["host"]["file_systems"] += [{"mount": place, "available_bytes": left}]
    if not found:
        assert told(seen) == [("save_failing", "retry_save", "")]
        return
    assert told(seen) == [("disk_full", "", ""), ("save_failing", "", "")]
    assert "477 MB are left on /var/lib/redis" in evidence(seen)
    assert "takes up to 763 MB; its log: Write error saving DB on disk" in evidence(seen)


def test_a_failing_append_only_file_heals_by_itself_with_the_disk() -> None:
    seen = unsaved("", aof=True)
    assert told(seen) == [("aof_failing", "wait", "")]
    assert "No space left on device" in evidence(seen)
    seen["host"]["file_systems"] += [{"mount": "/data", "available_bytes": 0}]
    assert told(seen) == [("disk_full", "", ""), ("aof_failing", "", "")]


def test_misconf_without_further_words_is_a_failed_snapshot() -> None:
    seen = sick("misconf", "answered: MISCONF Redis is configured to save RDB snapshots")
    assert told(seen) == [("save_failing", "retry_save", "")]
    assert "changes" not in evidence(seen)


def full(state: str = "oom", **memory: Any) -> dict[str, Any]:
    seen = with_(well(), state, "refuses writes (OOM)")
    most = 256 * 1024 * 1024
    seen["redis"]["memory"].update(used_bytes=most, used_percent=100, refusals=21, **memory)
    return seen


def test_full_memory_is_told_with_numbers() -> None:
    seen = full()
    assert told(seen) == [("memory_full", "raise_maxmemory", "384mb")]
    assert evidence(seen) == (
        "256 MB are in use, maxmemory is 256 MB and the policy noeviction; 21 writes refused;"
        " 15 of 19 keys of db0 never expire"
    )
    assert "maxmemory 384mb" in diagnose_redis(seen)[0]["advice"]
    seen["redis"]["keyspace"] = {}
    assert evidence(seen).endswith("21 writes refused")


@pytest.mark.parametrize(
    ("memory", "target"),
    [
        ({"total_bytes": 600 * 1024**2, "available_bytes": GB}, "300mb"),
        ({"total_bytes": 8 * GB, "available_bytes": 200 * 1024**2}, ""),
        ({"total_bytes": 512 * 1024**2, "available_bytes": GB}, ""),
        ({}, ""),
    ],
)
def test_more_memory_is_offered_only_where_the_host_has_it(
    memory: dict[str, Any], target: str
) -> None:
    seen = full()
    seen["host"]["memory"] = memory
    rung = "raise_maxmemory" if target else ""
    assert told(seen) == [("memory_full", rung, target)]


def test_memory_that_is_nearly_full_refuses_large_writes() -> None:
    # 7.0.15 answered PING with 98.1 % in use, and had refused 21 writes.
    assert diagnose_redis(full("ok"))[0]["confidence"] == "likely"
    assert diagnose_redis(full("ok", policy="allkeys-lru")) == []
    seen = full("ok")
    seen["redis"]["memory"]["refusals"] = 0
    assert diagnose_redis(seen) == []


@pytest.mark.parametrize("state", ["ok", "replica"])
def test_a_replica_without_its_master_is_not_healed_here(state: str) -> None:
    seen = with_(well(), state, "answered: MASTERDOWN Link with MASTER is down")
    seen["redis"]["master"] = {"address": "titan1:6379", "link": "down", "silent_s": -1}
    assert told(seen) == [("master_down", "", "")]
    assert "titan1:6379" in evidence(seen)
    seen["redis"]["master"]["link"] = "up"
    assert (told(seen) == []) == (state == "ok")


def test_without_evidence_nobody_is_blamed() -> None:
    assert told({}) == [("unknown", "", "")]
    assert "nobody could look" in evidence({})
    assert evidence({"redis": {"msg": "the module failed"}}) == "the module failed"
    # Nobody looked at the unit, so nobody says that it runs.
    assert told({"redis": {"state": "hung", "error": "x"}}) == [("unknown", "", "")]


WHOLE = [
    well(),
    down("exit-code", *CONFIGURATION),
    ended(down("exit-code", *CONFIGURATION), file=1),
    sick("hung"),
    unsaved(""),
    full(),
]


def test_one_that_answers_now_and_then_is_told() -> None:
    seen = {"redis": {"state": "ok"}, "answer": {"ok": False, "msg": "did not answer"}}
    assert [(one["cause"], one["rung"]) for one in diagnose_redis(seen)] == [("unsteady", "")]
    assert diagnose_redis({**seen, "answer": {"ok": True}}) == []


@given(data=st.data(), seen=st.sampled_from(WHOLE), value=ANYTHING)
def test_no_observation_is_too_strange(data: Any, seen: dict[str, Any], value: object) -> None:
    path = data.draw(st.sampled_from(parts(seen)))
    for one in diagnose_redis(replaced(seen, path, value)):
        assert one["cause"]
        assert one["evidence"]
        assert one["rung"] or one["advice"]
