# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes of an application that are not as PM2 should have them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_service import (
    diagnose_service,
)

from .service_samples import api, instance, sick, told, well

# What Node.js really prints, the finding, and whether a restart may help.
WORDS = [
    ("Error: EMFILE: too many open files, open '/x'", "too_many_open_files", "restart"),
    ("Error: EMFILE, open '/x'", "too_many_open_files", "restart"),
    ("Error: ENFILE: file table overflow, open '/x'", "too_many_open_files", "restart"),
    ("/app/start.sh: 3: cannot open /x: Too many open files", "too_many_open_files", "restart"),
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
    (["    indented alone", "  "], "indented alone"),
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
        ({"restarts": 3, "uptime_s": 9.9}, "got no connection: refused", "crashing"),
        ({"restarts": 2, "uptime_s": 9.9}, "got no connection: refused", "not_listening"),
        ({"restarts": 3, "uptime_s": 10.0}, "got no connection: refused", "not_listening"),
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
    said = f"online after {facts['restarts']} restarts; its last words: Error: no licence"
    assert (said in first["evidence"]) is (cause == "crashing")


def test_none_that_is_online_is_a_crash_whatever_else_answers_in_its_place() -> None:
    seen = sick("GET http://x gave no answer within 2 s")
    for one in api(seen)["instances"]:
        one.update(status="errored", pid=0)
    assert told(seen) == [("crashing", "restart", "")]


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
        (killed(time="2026-11-23T09:59:57Z"), False),
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


def test_a_kill_is_told_after_what_is_wrong_with_all_that_run_again() -> None:
    seen = sick("GET http://x gave no answer within 2 s")
    seen["host"]["oom_kills"] = [killed()]
    assert told(seen) == [("hung", "restart", ""), ("out_of_memory", "restart", "")]


def test_a_kill_in_the_unit_of_a_login_needs_the_name_of_an_application() -> None:
    for name, causes in (("node", ["out_of_memory", "crashing"]), ("python3", ["crashing"])):
        seen = crashed_and_killed(killed(name=name, unit="ssh.service"))
        seen["host"]["processes"]["kept"][-1]["unit"] = "ssh.service"
        assert [one["cause"] for one in diagnose_service(seen)] == causes


SILENCES = [
    ("GET http://x gave no answer within 2 s", "hung", "restart"),
    ("GET http://x was cut off", "hung", "restart"),
    ("GET http://x got no connection: Connection refused", "not_listening", "restart"),
    ("WebSocket ws://x answered the handshake of somebody else", "handshake_refused", "reload"),
    ("WebSocket ws://x closed the connection without an answer", "handshake_dead", "restart"),
    ("WebSocket ws://x closed the WebSocket instead of a reply", "handshake_dead", "restart"),
    ("WebSocket ws://x sent too much instead of a pong", "handshake_dead", "restart"),
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
# PM2 may call one online that has no process.
@pytest.mark.parametrize("status", ["errored", "online", "stopped"])
def test_one_bad_instance_is_restarted_alone(answers: bool, status: str) -> None:
    seen = well() if answers else sick()
    api(seen)["instances"][1] = instance(1, 0, status=status)
    assert told(seen) == [("degraded", "restart_instances", "1")]
    assert "1 of 2 instances" in diagnose_service(seen)[0]["evidence"]


@pytest.mark.parametrize(("paused", "target"), [([902], "902"), ([901, 902], "901,902")])
@pytest.mark.parametrize("state", ["T", "t"])
def test_a_process_that_a_signal_stopped_is_let_go_on(
    state: str, paused: list[int], target: str
) -> None:
    seen = sick("GET http://x gave no answer within 2 s")
    for process in seen["host"]["processes"]["kept"]:
        process["state"] = state if process["pid"] in paused else "S"
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


@pytest.mark.parametrize(("opened", "limit", "found"), [(95, 100, True), (94, 100, False)])
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


def test_of_instances_that_look_well_nothing_is_said_when_nobody_saw_how_they_answer() -> None:
    assert told(sick("")) == [("unknown", "", "")]
