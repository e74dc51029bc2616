# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the evidence of one host to why its service does not answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.plugspace.titan.plugins.filter import service_remark
from ansible_collections.plugspace.titan.plugins.filter.diagnose_service import FilterModule
from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_service import (
    diagnose_service,
)

from .strange import ANYTHING, parts, replaced

APP = "/home/plugspace/plugspace"
ROOT = "/home/plugspace/deploy"


def instance(number: int, pid: int, **facts: Any) -> dict[str, Any]:
    return {"id": number, "pid": pid, "status": "online", "restarts": 0, **facts}


def well() -> dict[str, Any]:
    """A host on which all is well."""
    return {
        "service": {
            "name": "api",
            "port": 4000,
            "depends_on": ["redis", "mongodb"],
            "path": APP,
            "root": ROOT,
        },
        "answer": {"name": "api", "ok": True, "reason": ""},
        "site": {"name": "site", "ok": True, "reason": ""},
        "pm2": {
            "daemon": {"state": "running", "reason": None, "pid": 800},
            "apps": [
                {
                    "name": "api",
                    "verdict": "online",
                    "instances": [instance(0, 901), instance(1, 902)],
                    "logs": {"out": [], "err": []},
                },
                {"name": "voice", "verdict": "online", "instances": [instance(2, 903)]},
            ],
        },
        "release": {"live": "link", "current": {"name": "r1", "complete": True}},
        "host": {
            "file_systems": [
                {"mount": "/", "size_bytes": 1e10, "available_bytes": 4e9},
                {"mount": "/backups", "size_bytes": 1e10, "available_bytes": 4e9},
            ],
            "units": [
                {"name": "nginx", "load": "loaded", "active": "active"},
                {"name": "redis-server", "load": "loaded", "active": "active"},
            ],
            "listeners": [{"port": 4000, "protocol": "tcp", "pid": 800, "name": "PM2"}],
            "processes": {"kept": [{"pid": 901, "state": "S"}, {"pid": 902, "state": "S"}]},
            "oom_kills": [],
        },
        "redis": {"state": "ok", "error": ""},
        "mongodb": {"state": "ok", "error": ""},
        "dependency_units": {"redis": "redis-server", "mongodb": "mongod"},
        "dependency_hosts": {"redis": "127.0.0.1", "mongodb": "127.0.0.1"},
        "own_names": ["app1", "192.0.2.11"],
        "nginx": {"unit": "nginx", "ok": True, "output": ""},
        "edge": ["app1", "app2"],
    }


def sick(reason: str = "GET http://127.0.0.1:4000/ got no connection: refused") -> dict[str, Any]:
    """The same, and the service does not answer."""
    seen = well()
    seen["answer"] = {"name": "api", "ok": False, "reason": reason}
    seen["site"] = {"name": "site", "ok": False, "reason": "answered 502"}
    return seen


def api(seen: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = seen["pm2"]["apps"][0]
    return found


def told(seen: object) -> list[tuple[str, str, str]]:
    return [(one["cause"], one["rung"], one["target"]) for one in diagnose_service(seen)]


def test_nothing_is_found_where_all_is_well() -> None:
    assert diagnose_service(well()) == []


def test_the_filter_is_the_diagnosis() -> None:
    assert FilterModule().filters()["diagnose_service"](well()) == []


def test_a_service_that_is_called_well_and_not_asked_is_not_called_well() -> None:
    seen = well()
    del seen["answer"]
    assert told(seen) == [("unknown", "", "")]
    assert "nobody could look" in diagnose_service(seen)[0]["evidence"]
    seen["answer"] = {"ok": False}
    assert "nothing that was seen says why" in diagnose_service(seen)[0]["evidence"]


@pytest.mark.parametrize(
    ("state", "finding"),
    [
        ("absent", ("pm2_absent", "start_pm2", "")),
        ("stale", ("pm2_dead", "start_pm2", "")),
        ("hung", ("pm2_hung", "replace_pm2", "")),
        ("foreign", ("pm2_foreign", "", "")),
    ],
)
def test_a_daemon_that_cannot_be_asked_says_nothing_of_its_processes(
    state: str, finding: tuple[str, str, str]
) -> None:
    seen = sick()
    seen["pm2"] = {"daemon": {"state": state, "reason": "it is ill", "pid": None}, "apps": []}
    seen["host"]["listeners"] = []
    assert told(seen) == [finding]
    assert diagnose_service(seen)[0]["evidence"] == "it is ill"
    del seen["pm2"]["daemon"]["reason"]
    assert "daemon" in diagnose_service(seen)[0]["evidence"]


@pytest.mark.parametrize("live", ["absent", "dangling", "foreign_link", "other"])
def test_a_release_that_is_gone_needs_a_person(live: str) -> None:
    seen = sick()
    seen["release"] = {"live": live, "current": {}}
    api(seen)["instances"] = [instance(0, 0, status="errored", restarts=16)]
    found = diagnose_service(seen)
    assert [one["cause"] for one in found] == ["release_gone", "crashing"]
    assert "rollback" in found[0]["advice"]


def test_a_damaged_release_comes_before_the_crash_that_it_explains() -> None:
    seen = sick()
    seen["release"]["current"] = {"name": "r1", "complete": False, "reason": "dist is missing"}
    api(seen)["instances"] = [instance(0, 0, status="errored", restarts=16)]
    found = diagnose_service(seen)
    assert [one["cause"] for one in found] == ["release_damaged", "crashing"]
    assert "dist is missing" in found[0]["evidence"]


@pytest.mark.parametrize(
    ("active", "finding"),
    [
        ("failed", ("redis_down", "start_unit", "redis-server")),
        ("inactive", ("redis_down", "start_unit", "redis-server")),
        # It runs and does not answer: that is for its own procedure.
        ("active", ("redis_down", "", "")),
    ],
)
def test_a_dependency_is_healed_in_place_of_the_service(
    active: str, finding: tuple[str, str, str]
) -> None:
    seen = sick('GET http://127.0.0.1:4000/ answered 503 (wanted 200): {"status":"failing"}')
    seen["redis"] = {"state": "refused", "error": "127.0.0.1:6379 refused the connection"}
    seen["host"]["units"][1]["active"] = active
    found = told(seen)
    assert found[0] == finding
    assert "refused the connection" in diagnose_service(seen)[0]["evidence"]
    # Its own health comes last: it is a consequence.
    assert found[1:] == [("unhealthy", "reload", "")]


def without_redis(address: str = "127.0.0.1", **unit: str) -> dict[str, Any]:
    """The service misses Redis, which the inventory says to be there, and whose unit is stopped."""
    seen = sick("GET http://127.0.0.1:4000/ answered 503 (wanted 200): {}")
    seen["redis"] = {"state": "hung", "error": f"{address}:6379 gave no answer within 2 s"}
    seen["dependency_hosts"]["redis"] = address
    seen["host"]["units"][1].update({"active": "inactive", **unit})
    return seen


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("127.0.0.1", True),
        ("127.0.1.1", True),
        ("::1", True),
        ("localhost", True),
        ("app1", True),
        ("App1", True),
        ("192.0.2.11", True),
        ("redis9", False),
        ("192.0.2.9", False),
        ("app11", False),
        # Nobody said where it is.
        ("", False),
    ],
)
def test_a_unit_is_started_only_on_the_host_that_the_dependency_is_on(
    address: str, here: bool
) -> None:
    first = diagnose_service(without_redis(address))[0]
    assert first["cause"] == "redis_down"
    assert (first["rung"], first["target"]) == (
        ("start_unit", "redis-server") if here else ("", "")
    )
    # What stands on this host says nothing about another one.
    assert ("redis-server is inactive" in first["evidence"]) is here
    if not here:
        where = f" ({address})" if address else ""
        assert (
            first["advice"] == f"run playbooks/redis_down.yml for the host that redis is on{where}"
        )


def test_an_idle_mongodb_is_not_started_in_place_of_the_one_that_is_elsewhere() -> None:
    seen = sick("GET http://127.0.0.1:4000/ answered 503 (wanted 200): {}")
    seen["mongodb"] = {"state": "refused", "error": "db9:27017 refused the connection"}
    seen["dependency_hosts"]["mongodb"] = "db9"
    seen["host"]["units"].append({"name": "mongod", "load": "loaded", "active": "inactive"})
    assert told(seen)[0] == ("mongodb_down", "", "")
    assert (
        "mongodb_down.yml for the host that mongodb is on (db9)"
        in (diagnose_service(seen)[0]["advice"])
    )


@pytest.mark.parametrize(
    ("load", "state", "advice"),
    [
        ("not-found", "is not-found", "say its unit in titan_redis_unit"),
        ("masked", "is masked", "systemctl unmask --now redis-server"),
        ("", "is unknown", "say its unit in titan_redis_unit"),
    ],
)
def test_a_unit_that_systemd_cannot_start_is_for_a_person(
    load: str, state: str, advice: str
) -> None:
    first = diagnose_service(without_redis(load=load))[0]
    assert (first["cause"], first["rung"], first["target"]) == ("redis_down", "", "")
    assert f"redis-server {state}" in first["evidence"]
    assert advice in first["advice"]


@pytest.mark.parametrize(
    ("state", "facts", "remark"),
    [
        ("ok", {}, ""),
        (
            "refused",
            {"error": "127.0.0.1:6379 refused the connection"},
            "but api needs redis, and 127.0.0.1:6379 refused the connection; redis-server is"
            " inactive: run playbooks/redis_down.yml",
        ),
        ("oom", {}, "but api needs redis, and redis is oom; redis-server is inactive: run "),
    ],
)
def test_a_service_that_answers_is_well_and_what_it_needs_is_told(
    state: str, facts: dict[str, Any], remark: str
) -> None:
    seen = well()
    seen["redis"] = {"state": state, **facts}
    seen["host"]["units"][1]["active"] = "inactive"
    assert told(seen) == []
    said = service_remark.FilterModule().filters()["service_remark"](seen)
    assert said.startswith(remark)
    assert bool(said) is bool(remark)


def test_what_a_service_needs_on_another_host_is_told_with_the_host() -> None:
    seen = {**without_redis("redis9"), "answer": {"ok": True}}
    said = service_remark.FilterModule().filters()["service_remark"](seen)
    assert said.endswith(": run playbooks/redis_down.yml for the host that redis is on (redis9)")


def test_a_dependency_that_was_not_looked_at_is_not_blamed() -> None:
    seen = sick()
    del seen["redis"], seen["mongodb"]
    assert [one["cause"] for one in diagnose_service(seen)] == ["not_listening"]


HOLDERS = [
    pytest.param(
        {"pid": 77, "name": "nc", "user": "bob"},
        ("port_held_by_stranger", "", ""),
        "nc (pid 77, user bob)",
        id="stranger",
    ),
    pytest.param(
        {"pid": 78, "name": "node", "script": f"{ROOT}/releases/r0/dist/api.js"},
        ("port_held_by_orphan", "end_orphan", "78"),
        "node (pid 78)",
        id="orphan-of-a-release",
    ),
    pytest.param(
        {"pid": 79, "name": "node", "script": f"{APP}/dist/api.js", "unit": "x.service"},
        ("port_held_by_orphan", "end_orphan", "79"),
        "node (pid 79, x.service)",
        id="orphan-at-the-path",
    ),
    pytest.param(
        {"pid": 80, "name": "node", "script": "/home/plugspace/plugspace-other/api.js"},
        ("port_held_by_stranger", "", ""),
        "node (pid 80)",
        id="a-path-that-only-begins-alike",
    ),
    pytest.param(
        {"pid": None, "name": None},
        ("port_held_by_stranger", "", ""),
        "cannot see",
        id="hidden",
    ),
]


@pytest.mark.parametrize(("holder", "finding", "who"), HOLDERS)
def test_whoever_holds_the_port_is_named(
    holder: dict[str, Any], finding: tuple[str, str, str], who: str
) -> None:
    seen = sick()
    seen["host"]["listeners"] = [{"port": 4000, "protocol": "tcp", **holder}]
    api(seen)["instances"] = [instance(0, 0, status="errored", restarts=16)]
    api(seen)["logs"]["err"] = ["Error: listen EADDRINUSE: address already in use :::4000"]
    assert told(seen)[0] == finding
    assert who in diagnose_service(seen)[0]["evidence"]


@pytest.mark.parametrize(
    "listener",
    [
        {"port": 4001, "protocol": "tcp", "pid": 77},
        {"port": 4000, "protocol": "udp", "pid": 77},
        {"port": 4000, "protocol": "tcp", "pid": 901},
        # Not seen by this user: it may well be one of the instances that are online.
        {"port": 4000, "protocol": "tcp", "pid": None},
    ],
)
def test_others_ports_and_own_listeners_are_nobodys_fault(listener: dict[str, Any]) -> None:
    seen = sick()
    seen["host"]["listeners"] = [listener]
    assert [one["cause"] for one in diagnose_service(seen)] == ["not_listening"]


def full(mount: str, **numbers: Any) -> dict[str, Any]:
    return {"mount": mount, "size_bytes": 1e10, "available_bytes": 0, **numbers}


@pytest.mark.parametrize(
    ("systems", "log", "expected"),
    [
        ([full("/")], [], [("/", "certain")]),
        ([full("/"), {"mount": "/home", "available_bytes": 1e9}], [], []),
        ([full("/home")], [], [("/home", "certain")]),
        # Full, and the application says so, though its files are elsewhere.
        ([full("/var")], ["Error: ENOSPC: no space left on device, write"], [("/var", "likely")]),
        ([full("/var")], [], []),
        (
            [full("/", available_bytes=1e9, inodes_used_percent=100)],
            [],
            [("/", "certain")],
        ),
    ],
)
def test_a_full_disk_counts_where_the_application_writes(
    systems: list[dict[str, Any]], log: list[str], expected: list[tuple[str, str]]
) -> None:
    seen = sick()
    seen["host"]["file_systems"] = systems
    api(seen)["logs"]["err"] = log
    found = [one for one in diagnose_service(seen) if one["cause"] == "disk_full"]
    assert [(one["subject"], one["confidence"]) for one in found] == expected
    assert all(one["rung"] == "" and one["advice"] for one in found)


# What Node.js really prints, the finding, and whether a restart may help.
WORDS = [
    ("Error: EMFILE: too many open files, open '/x'", "too_many_open_files", "restart"),
    (
        "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
        "heap_exhausted",
        "restart",
    ),
    ("Error: Cannot find module './config'", "broken_release", ""),
    ("Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'x'", "broken_release", ""),
    ("Error: listen EADDRINUSE: address already in use :::4000", "port_was_taken", "restart"),
    ("Error: EACCES: permission denied, open '/x'", "not_permitted", "restart"),
    ("TypeError: x is not a function", "crashing", "restart"),
]


@pytest.mark.parametrize(("line", "cause", "rung"), WORDS)
def test_a_crash_is_told_by_the_last_words(line: str, cause: str, rung: str) -> None:
    seen = sick()
    api(seen)["instances"] = [instance(0, 0, status="errored", restarts=16)]
    seen["host"]["listeners"] = []
    api(seen)["logs"]["err"] = ["an older line", line, ""]
    assert told(seen) == [(cause, rung, "")]
    evidence = diagnose_service(seen)[0]["evidence"]
    assert evidence.startswith("errored after 16 restarts; its ")
    assert evidence.endswith(line)


# As PM2 7.0.4 keeps them of Node.js 20: an exception, and an error that was printed with its parts.
CRASHES = [
    (
        ["Error: no licence", "    at Object.<anonymous> (/app/api.js:1:7)", "    at Module._load"],
        "Error: no licence",
    ),
    (
        [
            "/app/dist/api.js:1",
            "throw new Error('no licence');",
            "^",
            "",
            "Error: no licence",
            "    at Module._compile (node:internal/modules/cjs/loader:1554:14)",
            "",
            "Node.js v20.19.2",
        ],
        "Error: no licence",
    ),
    (
        ["MongoServerError: bad auth", "    at Connection.x {", "  code: 18,", "  ok: 0", "}"],
        "MongoServerError: bad auth",
    ),
    (["    indented alone"], "indented alone"),
]


@pytest.mark.parametrize(("log", "words"), CRASHES)
def test_the_last_words_are_those_of_the_error_and_not_of_its_stack(
    log: list[str], words: str
) -> None:
    seen = sick()
    api(seen)["instances"] = [instance(0, 0, status="errored", restarts=16)]
    api(seen)["logs"]["err"] = log
    said = f"errored after 16 restarts; its last words: {words}"
    assert diagnose_service(seen)[0]["evidence"] == said


def test_a_crash_without_words_is_still_one() -> None:
    seen = sick()
    api(seen)["instances"] = [instance(0, 0, status="errored", restarts=1)]
    del api(seen)["logs"]
    assert diagnose_service(seen)[0]["evidence"] == "errored after 1 restart"


def test_a_service_that_is_stopped_is_started_and_one_that_is_unknown_too() -> None:
    seen = sick()
    api(seen)["instances"] = [instance(n, 0, status="stopped") for n in (0, 1)]
    assert told(seen) == [("stopped", "start", "")]
    seen["pm2"]["apps"] = []
    assert told(seen) == [("not_started", "start", "")]


def test_a_kill_for_memory_explains_what_follows() -> None:
    seen = sick()
    api(seen)["instances"] = [instance(0, 0, status="errored", restarts=3)]
    seen["host"]["oom_kills"] = [
        {"name": "mongod", "pid": 5, "unit": "mongod.service", "time": "x"},
        {"name": "node", "pid": 901, "unit": "pm2-plugspace.service", "time": "2026-11-23"},
    ]
    assert told(seen) == [("out_of_memory", "restart", ""), ("crashing", "restart", "")]
    assert "node (pid 901)" in diagnose_service(seen)[0]["evidence"]


@pytest.mark.parametrize(
    ("facts", "reason", "cause"),
    [
        ({"restarts": 7, "uptime_s": 1.2}, "got no connection: refused", "crashing"),
        # It was restarted now and then, and runs since.
        ({"restarts": 7, "uptime_s": 90.0}, "got no connection: refused", "not_listening"),
        ({"restarts": 1, "uptime_s": 1.2}, "got no connection: refused", "not_listening"),
        ({"restarts": 7, "uptime_s": 1.2}, "gave no answer within 2 s", "hung"),
    ],
)
def test_what_dies_after_a_while_is_online_for_pm2_and_crashes_all_the_same(
    facts: dict[str, Any], reason: str, cause: str
) -> None:
    seen = sick(f"GET http://127.0.0.1:4000/ {reason}")
    api(seen)["instances"] = [instance(n, 901 + n, **facts) for n in (0, 1)]
    api(seen)["logs"]["err"] = ["Error: no licence"]
    first = diagnose_service(seen)[0]
    assert (first["cause"], first["rung"]) == (cause, "restart")
    assert ("online after 7 restarts; its last words: Error: no licence" in first["evidence"]) is (
        cause == "crashing"
    )


def test_of_two_that_keep_crashing_one_is_seen_while_it_starts() -> None:
    seen = sick("GET http://127.0.0.1:4000/api/health got no connection: Connection refused")
    api(seen)["instances"] = [
        instance(0, 4877, restarts=21, uptime_s=2.1, exit_code=0),
        instance(1, 4969, status="launching", restarts=26, uptime_s=1.0, exit_code=0),
    ]
    assert told(seen) == [("crashing", "restart", "")]


UNIT = "pm2-plugspace.service"


def killed(**facts: Any) -> dict[str, Any]:
    return {"name": "node", "pid": 901, "unit": UNIT, "time": "2026-11-23T10:00:09Z", **facts}


def crashed_and_killed(*kills: dict[str, Any]) -> dict[str, Any]:
    """Of two instances, PM2 started the second one last; then both were gone."""
    seen = sick()
    gone = {"status": "errored", "restarts": 16}
    api(seen)["instances"] = [
        instance(0, 0, **gone, started="2026-11-23T10:00:02Z"),
        instance(1, 0, **gone, started="2026-11-23T10:00:08Z"),
    ]
    seen["host"]["processes"]["kept"].append({"pid": 800, "state": "S", "unit": UNIT})
    seen["host"]["oom_kills"] = list(kills)
    return seen


@pytest.mark.parametrize(
    ("kill", "found"),
    [
        (killed(), True),
        # An application of PM2 may be of another kind.
        (killed(name="python3"), True),
        # The kernel did not tell where.
        (killed(unit=None), True),
        (killed(unit=None, name="python3"), False),
        (killed(time=None), True),
        # Between two crashes the last start is later than the last kill.
        (killed(time="2026-11-23T10:00:07Z"), True),
        # What was killed long before has run again, so it is not what is wrong now.
        (killed(time="2026-11-23T09:59:50Z"), False),
        (killed(unit="build-agent.service"), False),
    ],
)
def test_a_kill_is_this_services_or_nobodys(kill: dict[str, Any], found: bool) -> None:
    expected = [("out_of_memory", "restart", "")] if found else []
    assert told(crashed_and_killed(kill)) == [*expected, ("crashing", "restart", "")]


def test_a_loop_of_kills_is_told_once_and_its_limit_with_it() -> None:
    kills = [killed(pid=pid, scope="cgroup") for pid in (903, 902, 901)]
    first = diagnose_service(crashed_and_killed(*kills))[0]
    assert first["evidence"] == (
        "the kernel killed node (pid 903) of pm2-plugspace.service at its limit of memory,"
        " at 2026-11-23T10:00:09Z, the last of 3 such kills"
    )
    assert "raise MemoryMax (systemctl edit pm2-plugspace.service)" in first["advice"]


def test_a_kill_explains_why_one_of_the_instances_is_bad() -> None:
    seen = crashed_and_killed(killed())
    api(seen)["instances"][1].update(status="online", pid=902, uptime_s=100.0)
    assert told(seen) == [("degraded", "restart_instances", "0"), ("out_of_memory", "restart", "")]


def test_a_kill_in_the_unit_of_a_login_needs_the_name_of_an_application() -> None:
    for name, causes in (("node", ["out_of_memory", "crashing"]), ("python3", ["crashing"])):
        seen = crashed_and_killed(killed(name=name, unit="ssh.service"))
        seen["host"]["processes"]["kept"][-1]["unit"] = "ssh.service"
        assert [one["cause"] for one in diagnose_service(seen)] == causes


SILENCES = [
    ("GET http://x gave no answer within 2 s", "hung", "restart"),
    ("GET http://x got no connection: Connection refused", "not_listening", "restart"),
    ("WebSocket ws://x did not become a WebSocket: HTTP/1.1 403", "handshake_refused", "reload"),
    ("WebSocket ws://x closed the WebSocket instead of a pong", "handshake_dead", "restart"),
    ("WebSocket ws://x accepted the handshake and sent no pong", "handshake_dead", "restart"),
    ("GET http://x answered 503 (wanted 200): {}", "unhealthy", "reload"),
]


@pytest.mark.parametrize(("reason", "cause", "rung"), SILENCES)
def test_online_for_pm2_and_not_answering(reason: str, cause: str, rung: str) -> None:
    seen = sick(reason)
    assert told(seen) == [(cause, rung, "")]
    assert reason in diagnose_service(seen)[0]["evidence"]


@pytest.mark.parametrize("answers", [True, False])
def test_one_bad_instance_is_restarted_alone(answers: bool) -> None:
    seen = well() if answers else sick()
    api(seen)["instances"][1] = instance(1, 0, status="errored")
    assert told(seen) == [("degraded", "restart_instances", "1")]
    assert "1 of 2 instances" in diagnose_service(seen)[0]["evidence"]


@pytest.mark.parametrize(("paused", "target"), [([902], "902"), ([901, 902], "901,902")])
def test_a_process_that_a_signal_stopped_is_let_go_on(paused: list[int], target: str) -> None:
    seen = sick("GET http://x gave no answer within 2 s")
    for process in seen["host"]["processes"]["kept"]:
        process["state"] = "T" if process["pid"] in paused else "S"
    assert told(seen) == [("paused", "continue_processes", target)]


def test_who_was_stopped_was_not_killed() -> None:
    seen = sick()
    seen["host"]["oom_kills"] = [{"name": "node", "pid": 5, "time": "today", "unit": None}]
    for one in api(seen)["instances"]:
        one.update(status="stopped", pid=0)
    assert told(seen) == [("stopped", "start", "")]


def test_a_stopped_and_an_errored_instance_are_both_restarted() -> None:
    seen = sick()
    api(seen)["instances"].append(instance(5, 0, status="errored"))
    seen["host"]["processes"]["kept"][0]["state"] = "T"
    assert told(seen) == [("degraded", "restart_instances", "5,0")]


def test_a_daemon_that_a_signal_stopped_is_let_go_on() -> None:
    seen = sick()
    seen["pm2"] = {"daemon": {"state": "hung", "reason": "no answer", "pid": 800}, "apps": []}
    seen["host"]["processes"]["kept"].append({"pid": 800, "state": "T"})
    assert told(seen) == [("pm2_hung", "continue_processes", "800")]


HANGS = "the PM2 daemon did not answer"
OTHERS = [
    # The others answer, or nobody could see it; a name that is none of them says nothing.
    ({"voice": True, "mailer": True}, "", "", f"voice, mailer still answer, but {HANGS}"),
    ({"voice": True, "mailer": False}, "", "", f"voice still answers, but {HANGS}"),
    (
        {"voice": None, "mailer": False},
        "",
        "",
        f"nobody could see whether voice still serves, but {HANGS}",
    ),
    ({"voice": True}, "api", "", f"voice still answers, but {HANGS}"),
    ({"voice": False, "mailer": False}, "", "replace_pm2", HANGS),
    ({}, "", "replace_pm2", HANGS),
    ({"voice": True, "mailer": True}, "PM2", "replace_pm2", HANGS),
]


@pytest.mark.parametrize(("others", "named", "rung", "evidence"), OTHERS)
def test_a_daemon_that_hangs_is_ended_when_nothing_is_lost_with_it_or_a_person_says_so(
    others: dict[str, bool | None], named: str, rung: str, evidence: str
) -> None:
    seen = sick("GET http://x gave no answer within 2 s")
    seen["pm2"] = {"daemon": {"state": "hung", "reason": HANGS, "pid": 800}, "apps": []}
    seen["others"], seen["named"] = list(others), named
    seen["other_answers"] = [
        {"name": name, "ok": ok} for name, ok in others.items() if ok is not None
    ]
    first = diagnose_service(seen)[0]
    assert (first["cause"], first["rung"], first["evidence"]) == ("pm2_hung", rung, evidence)
    assert rung or "-e service_down_confirm=PM2" in first["advice"]


@pytest.mark.parametrize(("opened", "limit", "found"), [(98, 100, True), (60, 100, False)])
def test_an_instance_that_may_open_nothing_more_is_restarted(
    opened: int, limit: int, found: bool
) -> None:
    seen = sick("GET http://x answered 500, not 200")
    seen["host"]["processes"]["kept"][1].update(open_files=opened, open_files_limit=limit)
    cause = ("too_many_open_files", "restart_instances", "1")
    assert (told(seen)[0] == cause) is found


def test_instances_that_may_open_nothing_more_are_restarted_together() -> None:
    seen = sick("GET http://x gave no answer within 2 s")
    for process in seen["host"]["processes"]["kept"]:
        process.update(open_files=40, open_files_limit=40)
    assert told(seen)[0] == ("too_many_open_files", "restart_instances", "0,1")
    assert "instance 0 has 40 of 40 files open; instance 1" in diagnose_service(seen)[0]["evidence"]


def test_what_a_process_has_started_is_of_the_service() -> None:
    seen = well()
    seen["host"]["processes"]["kept"] += [{"pid": 950, "ppid": 901}, {"pid": 951, "ppid": 950}]
    seen["host"]["listeners"] = [{"port": 4000, "protocol": "tcp", "pid": 951, "name": "node"}]
    assert told(seen) == []


def test_somebody_else_who_answers_well_is_not_the_service() -> None:
    seen = well()
    for one in api(seen)["instances"]:
        one.update(status="errored", pid=0)
    orphan = {"port": 4000, "protocol": "tcp", "pid": 77, "name": "node"}
    seen["host"]["listeners"] = [{**orphan, "script": f"{APP}/dist/api.js"}]
    assert told(seen) == [("port_held_by_orphan", "end_orphan", "77")]


@pytest.mark.parametrize(
    ("roles", "found"),
    [(["SECONDARY", "SECONDARY"], True), (["PRIMARY", "SECONDARY"], False), ([], False)],
)
def test_a_replica_set_without_a_primary_is_waited_for(roles: list[str], found: bool) -> None:
    seen = sick("GET http://x answered 503, not 200")
    seen["mongodb"]["members"] = [{"role": role} for role in roles]
    assert (told(seen)[0] == ("mongodb_down", "wait", "")) is found


def test_a_full_disk_that_the_link_leads_to_is_the_applications() -> None:
    seen = sick()
    seen["release"]["current"]["directory"] = f"{ROOT}/releases/r1"
    full = {"mount": f"{ROOT}/releases/r1", "size_bytes": 1e8, "available_bytes": 0}
    seen["host"]["file_systems"].append(full)
    assert told(seen)[0] == ("disk_full", "", "")


@pytest.mark.parametrize(
    ("state", "rung"), [("running", "end_orphan"), ("foreign", ""), ("absent", ""), ("", "")]
)
def test_who_answers_is_left_alone_when_pm2_cannot_say_whose_it_is(state: str, rung: str) -> None:
    seen = well()
    listener = {"port": 4000, "protocol": "tcp", "pid": 77, "name": "node"}
    seen["host"]["listeners"] = [{**listener, "script": f"{APP}/dist/api.js"}]
    seen["pm2"]["daemon"] = {"state": state, "reason": "it belongs to root" if state else None}
    (found,) = diagnose_service(seen)
    assert (found["cause"], found["rung"]) == ("port_held_by_orphan", rung)
    assert rung or ("nobody watches it" in found["advice"] and not found["target"])


def measured(*rows: tuple[int, int, int], silent: tuple[int, ...] = ()) -> dict[str, Any]:
    """How each process answered: its pid, its answers, and how many of them were bad."""
    answers = [{"pid": pid, "count": count, "failures": bad} for pid, count, bad in rows]
    return {"reason": "", "answers": answers, "silent": list(silent)}


ONE_BY_ONE = [
    (measured((901, 2, 0), (902, 2, 0)), []),
    # Silent, or bad each time; a process of another application is none of this service's.
    (measured((901, 19, 0), silent=(902,)), [("bad_instance", "restart_instances", "1")]),
    (measured((901, 2, 2), (902, 2, 0)), [("bad_instance", "restart_instances", "0")]),
    (measured((901, 2, 0), (902, 2, 0), silent=(777,)), []),
    # Once may be chance; and when nobody answers well, no one of them is to blame.
    (measured((901, 2, 0)), []),
    (measured((901, 2, 0), (902, 1, 1)), []),
    (measured((901, 2, 1), (902, 2, 1)), []),
    (measured((901, 2, 2), (902, 2, 2)), []),
    (measured(), []),
]


@pytest.mark.parametrize(("instances", "findings"), ONE_BY_ONE)
def test_each_instance_has_to_answer(
    instances: dict[str, Any], findings: list[tuple[str, str, str]]
) -> None:
    seen = {**well(), "instances": instances}
    assert told(seen) == findings
    # Whichever of them was asked first: no more is restarted than has to be.
    ill = {**sick("GET http://x gave no answer within 2 s"), "instances": instances}
    assert told(ill)[0][0] == ("bad_instance" if findings else "hung")


def through_nginx(reason: str, ok: bool | None = True, active: str = "active") -> dict[str, Any]:
    seen = well()
    seen["site"] = {"ok": False, "reason": reason}
    output = 'nginx: [emerg] unknown directive "x" in /etc/nginx/nginx.conf:3\nnginx: failed\n'
    seen["nginx"] = {"unit": "nginx", "ok": ok, "output": "" if ok else output}
    seen["host"]["units"][0]["active"] = active
    return seen


NGINX = [
    (through_nginx("refused", active="inactive"), ("nginx_stopped", "start_unit", "nginx")),
    (through_nginx("refused", ok=False, active="failed"), ("nginx_configuration", "", "")),
    (through_nginx("GET https://x shows a bad certificate: expired"), ("certificate", "", "")),
    (through_nginx("answered 502"), ("nginx_stale", "reload_unit", "nginx")),
    (through_nginx("answered 502", ok=None), ("nginx_stale", "", "")),
]


@pytest.mark.parametrize(("seen", "finding"), NGINX)
def test_nginx_is_blamed_where_the_service_answers_itself(
    seen: dict[str, Any], finding: tuple[str, str, str]
) -> None:
    assert told(seen) == [finding]


@pytest.mark.parametrize(
    ("edge", "load", "where"),
    [
        (["edge1", "edge2"], "loaded", "look on edge1, edge2 (titan_edge) whether nginx runs"),
        (["edge1"], "not-found", "look on edge1 (titan_edge) whether nginx runs"),
        (["app1", "edge1"], "not-found", "look on edge1 (titan_edge) whether nginx runs"),
        (["app1"], "not-found", "look where it runs (titan_edge) whether nginx runs"),
        ([], "not-found", "look where it runs (titan_edge) whether nginx runs"),
    ],
)
@pytest.mark.parametrize("ok", [None, False])
def test_nginx_on_another_host_is_looked_for_there(
    edge: list[str], load: str, where: str, ok: bool | None
) -> None:
    seen = through_nginx("answered 502", ok=ok, active="inactive")
    seen["edge"] = edge
    seen["host"]["units"][0]["load"] = load
    (found,) = diagnose_service(seen)
    assert (found["cause"], found["rung"], found["target"]) == ("nginx_elsewhere", "", "")
    assert found["evidence"].endswith("answered 502; nginx does not run on this host")
    assert found["advice"].startswith(where)


def test_nginx_on_another_host_is_not_blamed_for_its_certificate_or_what_the_service_needs() -> (
    None
):
    seen = {**through_nginx("shows a bad certificate: expired"), "edge": ["edge1"]}
    assert told(seen) == [("certificate", "", "")]
    seen = {**through_nginx("answered 502"), "edge": ["edge1"]}
    seen["redis"] = {"state": "busy"}
    assert told(seen) == [("redis_down", "", "")]


def test_nginx_that_somebody_masked_is_for_a_person() -> None:
    seen = through_nginx("refused", active="inactive")
    seen["host"]["units"][0]["load"] = "masked"
    (found,) = diagnose_service(seen)
    assert (found["cause"], found["rung"], found["target"]) == ("nginx_stopped", "", "")
    assert found["evidence"].endswith("nginx is masked")
    assert "systemctl unmask --now nginx" in found["advice"]


def test_a_site_that_nobody_looked_at_is_not_well() -> None:
    seen = {**well(), "site": {"unseen": "the host that probes gave no answer"}}
    (found,) = diagnose_service(seen)
    assert (found["cause"], found["rung"]) == ("site_unseen", "")
    assert "the host that probes gave no answer" in found["evidence"]


def test_nginx_is_not_blamed_for_what_the_service_needs() -> None:
    seen = through_nginx("GET https://x gave no answer within 2 s")
    seen["mongodb"] = {"state": "refused", "error": "mongod refuses connections"}
    assert told(seen) == [("mongodb_down", "", "")]


def test_the_line_of_nginx_is_shown() -> None:
    evidence = diagnose_service(through_nginx("refused", ok=False))[0]["evidence"]
    assert 'unknown directive "x" in /etc/nginx/nginx.conf:3' in evidence


@given(data=st.data(), seen=st.sampled_from([well(), sick()]), value=ANYTHING)
def test_no_observation_is_too_strange(data: Any, seen: dict[str, Any], value: object) -> None:
    path = data.draw(st.sampled_from(parts(seen)))
    for one in diagnose_service(replaced(seen, path, value)):
        assert one["cause"]
        assert one["evidence"]
        assert one["rung"] or one["advice"]
