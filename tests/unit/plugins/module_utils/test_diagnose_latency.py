# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the evidence of one host to why a service is slow."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.plugspace.titan.plugins.filter.diagnose_latency import FilterModule
from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_latency import (
    diagnose_latency,
)
from ansible_collections.plugspace.titan.plugins.module_utils._service_site import shown

from .strange import ANYTHING, parts, replaced

URL = "GET http://127.0.0.1:4000/api/health"
LATE = f"{URL} gave no answer within 1 s"


def route(name: str, count: int, p95: float) -> dict[str, Any]:
    return {
        "route": name,
        "count": count,
        "p50_ms": p95 / 3,
        "p95_ms": p95,
        "p99_ms": p95 * 1.5,
        "statuses": {"2xx": count},
        "gateway_errors": 0,
    }


def instance(number: int, pid: int, **facts: Any) -> dict[str, Any]:
    return {"id": number, "pid": pid, "status": "online", "exec_mode": "cluster_mode", **facts}


def answers(
    *rows: tuple[int, float],
    failures: int = 0,
    reason: str = "",
    silent: tuple[int, ...] = (),
) -> dict[str, Any]:
    return {
        "attempts": 2 * len(rows) + failures,
        "failures": failures,
        "reason": reason,
        "silent": list(silent),
        "answers": [
            {"pid": pid, "count": 2, "least_ms": least, "most_ms": least * 1.2}
            for pid, least in rows
        ],
        "busy": [
            {"pid": 11, "busy_percent": 12.0, "waited_percent": 0.1},
            {"pid": 12, "busy_percent": 99.0, "waited_percent": 0.1},
        ],
    }


def quick(**facts: Any) -> dict[str, Any]:
    """A service that is as quick as it should be."""
    return {
        "limits": {"answer_ms": 1000, "operation_s": 10, "since_s": 300},
        "service": {"name": "plugspace-api", "port": 4000, "max_instances": 6},
        "confirmed": "",
        "settled": False,
        "answer": {"name": URL, "ok": True, "reason": "", "latency_ms": {"max": 4.0}},
        "site": {"name": "site", "ok": True, "reason": ""},
        "access_log": {
            "lines": 420,
            "lines_without_time": 0,
            "all": route("all", 420, 35.0),
            "routes": [route("/api/items/:id", 120, 61.0), route("/api/health", 300, 12.0)],
        },
        "instances": answers((11, 4.1), (12, 4.9)),
        "pm2": {
            "daemon": {"state": "running", "pid": 8},
            "apps": [
                {
                    "name": "plugspace-api",
                    "instances": [
                        instance(0, 11),
                        instance(1, 12),
                        instance(3, 0, status="stopped"),
                    ],
                }
            ],
        },
        "host": {"load": {"cpu": {"idle_percent": 40.0}}},
        "redis": {"state": "ok", "error": "", "slowlog": []},
        "mongodb": {"state": "ok", "server": {"operations": []}},
        "slow_queries": {"count": 0, "left_out": 0, "queries": []},
        **facts,
    }


def slow(**facts: Any) -> dict[str, Any]:
    """The same one, and its visitors wait, as the log says."""
    seen = quick()
    seen["access_log"]["all"] = route("all", 420, 1520.0)
    seen["access_log"]["routes"] = [
        route("/api/search", 90, 2100.0),
        route("/api/items/:id", 120, 1100.0),
        route("/api/health", 210, 12.0),
    ]
    return {**seen, **facts}


UNEVEN = [
    # The second instance has all the work, and there is somebody to share it out anew.
    ((12, 1600.0), 12.0, "active", ("uneven", "reload_unit", "nginx")),
    # Now and then it has a moment for somebody.
    ((12, 450.0), 12.0, "active", ("uneven", "reload_unit", "nginx")),
    ((12, 1600.0), 60.0, "active", ("slow_instance", "restart_instances", "1")),
    ((12, 1600.0), 12.0, "failed", ("slow_instance", "restart_instances", "1")),
    ((12, 1600.0), 95.0, "active", ("slow_instance", "restart_instances", "1")),
    # One that sleeps is not busy, and one that answers nobody hangs.
    ((11, 1600.0), 12.0, "active", ("slow_instance", "restart_instances", "0")),
    (None, 12.0, "active", ("slow_instance", "restart_instances", "1")),
]


@pytest.mark.parametrize(("late", "idle", "active", "finding"), UNEVEN)
def test_work_that_nginx_does_not_share_out(
    late: tuple[int, float] | None, idle: float, active: str, finding: tuple[str, str, str]
) -> None:
    other = 11 if late is None or late[0] == 12 else 12
    rows = [(other, 4.0)] if late is None else [(other, 4.0), late]
    measured = answers(*rows, silent=() if late else (12,))
    measured["busy"][0]["busy_percent"] = idle
    host = {"units": [{"name": "nginx", "active": active}]}
    seen = slow(instances=measured, nginx_unit="nginx", host=host)
    assert told(seen)[0] == finding


def told(seen: object) -> list[tuple[str, str, str]]:
    return [(one["cause"], one["rung"], one["target"]) for one in diagnose_latency(seen)]


def evidence(seen: object) -> str:
    return diagnose_latency(seen)[0]["evidence"]


def test_one_that_is_quick() -> None:
    assert FilterModule().filters()["diagnose_latency"](quick()) == []
    assert shown(quick())["requests"] == (
        "95 % of 420 requests took 35 ms or less; the slowest route is /api/items/:id, with 61 ms"
    )


def test_after_a_rung_the_probes_are_the_proof_and_the_log_is_none() -> None:
    assert shown(slow())["answer"] == "good within 4 ms"
    after = shown(slow(settled=True, answer={"ok": True, "latency_ms": {"max": 12.6}}))
    assert (after["answer"], after["site"]) == ("good within 13 ms", "good")
    assert "requests" not in after


def test_without_evidence_nobody_is_blamed() -> None:
    assert diagnose_latency({}) == []
    assert diagnose_latency(None) == []


@pytest.mark.parametrize(
    ("log", "line"),
    [
        ({"all": {"count": 0}}, "the access log has no requests of that time"),
        ({"all": {"count": 3, "p95_ms": 5.4}}, "95 % of 3 requests took 5 ms or less"),
        (
            {
                "all": {"count": 30, "p95_ms": 5.4, "gateway_errors": 12},
                "last_gateway_error_s": 130,
            },
            "95 % of 30 requests took 5 ms or less; nginx got no good answer for 12,"
            " the last 2 min ago",
        ),
        (
            {"all": {"count": 3}, "lines_without_time": 3},
            "3 requests, of which the access log tells no time",
        ),
    ],
)
def test_what_the_log_says_in_a_line(log: dict[str, Any], line: str) -> None:
    assert shown({"access_log": log}) == {"requests": line}


@pytest.mark.parametrize(
    ("ago_s", "count", "line"),
    [
        (41.8, 0, "the access log has no requests since high_cpu healed the CPU 41 s ago"),
        (41.8, 3, "95 % of 3 requests since high_cpu healed the CPU 41 s ago took 5 ms or less"),
        (300, 0, "the access log has no requests of that time"),
    ],
)
def test_the_log_counts_from_when_something_was_healed(ago_s: float, count: int, line: str) -> None:
    log = {"all": {"count": count, "p95_ms": 5.4}}
    healed = {"procedure": "high_cpu the CPU", "ago_s": ago_s}
    seen = {"access_log": log, "healed": healed, "limits": {"since_s": 300}}
    assert shown(seen) == {"requests": line}


def test_the_slowest_routes_are_told_when_nothing_explains_them() -> None:
    seen = slow()
    assert told(seen) == [("slow_route", "", "")]
    assert evidence(seen) == (
        "1520 ms is what 95 % of 420 requests stayed within;"
        " /api/search 90 times, p95 2100 ms, p99 3150 ms;"
        " /api/items/:id 120 times, p95 1100 ms, p99 1650 ms"
    )
    assert diagnose_latency(seen)[0]["advice"] == (
        "look what these routes do and wait for: neither databases, instances nor processors"
        " explain it"
    )
    # All routes a little, none of them beyond the limit.
    seen["access_log"]["routes"] = [route("/api/health", 420, 900.0)]
    assert "/api/health 420 times" in evidence(seen)


def test_too_few_requests_say_nothing() -> None:
    seen = slow()
    seen["access_log"]["all"]["count"] = 9
    assert diagnose_latency(seen) == []
    seen["access_log"]["all"]["count"] = 100
    seen["access_log"]["lines_without_time"] = 95
    assert diagnose_latency(seen) == []
    seen["access_log"]["lines_without_time"] = 0
    seen["access_log"]["all"]["statuses"] = {"1xx": 95, "2xx": 5}
    assert diagnose_latency(seen) == []


def test_after_a_rung_the_log_does_not_count() -> None:
    assert diagnose_latency(slow(settled=True)) == []
    errors = slow(settled=True)
    errors["access_log"]["all"]["gateway_errors"] = 200
    assert diagnose_latency(errors) == []
    still = slow(settled=True, site={"ok": False, "reason": "GET https://x gave no answer within"})
    assert told(still) == [("slow_route", "", "")]
    assert evidence(still) == "GET https://x gave no answer within"


# -- it does not answer ---------------------------------------------------------------------------

REFUSED = {"ok": False, "reason": f"{URL} got no connection: Connection refused"}
ERRORS: list[tuple[dict[str, Any], str]] = [
    (quick(answer=REFUSED), "got no connection"),
    (quick(site={"ok": False, "reason": "GET https://x answered 502 (wanted 200)"}), "502"),
    (quick(site={"ok": False, "msg": "no such host"}), "no such host"),
    (quick(answer={"ok": False}), "it does not answer well"),
    (
        quick(
            answer={"ok": False, "reason": LATE},
            instances=answers(failures=2, reason=f"{URL} gave no answer within 3 s"),
        ),
        "within 3 s",
    ),
    (quick(instances=answers(failures=2)), "no instance answered"),
]


@pytest.mark.parametrize(("seen", "words"), ERRORS)
def test_who_does_not_answer_is_not_slow(seen: dict[str, Any], words: str) -> None:
    assert told(seen) == [("upstream_errors", "", "")]
    assert words in evidence(seen)
    assert "playbooks/api_down.yml" in diagnose_latency(seen)[0]["advice"]


@pytest.mark.parametrize(
    ("count", "requests", "found"),
    [(9, 30, 0), (10, 30, 1), (20, 420, 0), (21, 420, 1)],
)
def test_many_errors_of_nginx_are_told(count: int, requests: int, found: int) -> None:
    seen = quick()
    seen["access_log"]["all"].update(gateway_errors=count, count=requests)
    assert len(diagnose_latency(seen)) == found
    if found:
        assert evidence(seen) == f"nginx got no good answer for {count} of {requests} requests"
        assert diagnose_latency(seen)[0]["confidence"] == "likely"
        assert evidence({**seen, "answer": REFUSED}).endswith("; " + evidence(seen))


@pytest.mark.parametrize(("seconds", "found"), [(None, 1), (59.9, 1), (60.0, 0)])
def test_errors_of_nginx_that_are_over_are_no_illness(seconds: float | None, found: int) -> None:
    seen = quick()
    seen["access_log"]["all"]["gateway_errors"] = 400
    seen["access_log"]["last_gateway_error_s"] = seconds
    assert len(diagnose_latency(seen)) == found


def test_a_blocked_redis_is_another_procedures() -> None:
    seen = quick(redis={"state": "busy", "error": "127.0.0.1:6379 is blocked by a Lua script"})
    assert told(seen) == [("redis_blocked", "", "")]
    assert "redis_down.yml" in diagnose_latency(seen)[0]["advice"]
    assert evidence({"redis": {"state": "busy"}}) == "a script blocks it"


# -- one of several -------------------------------------------------------------------------------


def test_one_slow_instance_is_restarted_alone() -> None:
    seen = quick(instances=answers((11, 4.1), (12, 1502.3)))
    assert told(seen) == [("slow_instance", "restart_instances", "1")]
    assert evidence(seen) == (
        "instance 1 takes 1502 ms or more for an answer, while the others answer within 4 ms"
    )
    # After the restart it is judged in the same way.
    assert told({**seen, "settled": True}) == told(seen)


def test_one_that_says_nothing_while_its_sibling_answers() -> None:
    seen = quick(
        answer={"ok": False, "reason": LATE},
        instances=answers((11, 0.4), failures=2, reason=LATE, silent=(12, 13, 99)),
    )
    # Nobody expects an answer of one that only starts.
    seen["pm2"]["apps"][0]["instances"].append(instance(4, 13, status="launching"))
    assert told(seen) == [("slow_instance", "restart_instances", "1")]
    assert evidence(seen) == (
        "instance 1 gave no answer in time, while the others answer within 1 ms"
    )


@pytest.mark.parametrize(
    "seen",
    [
        # All of them are slow, one is hardly slower, or PM2 does not know it.
        quick(instances=answers((11, 1400.0), (12, 1502.3))),
        quick(instances=answers((11, 900.0), (12, 1502.3))),
        quick(instances=answers((11, 4.0), (12, 1502.3), (99, 900.0))),
        quick(instances=answers((11, 4.0), (99, 1502.3))),
        quick(instances=answers((11, 4.0), (12, 1502.3)), pm2={}),
        quick(instances=answers((11, 900.0), failures=3, reason=LATE, silent=(12,))),
    ],
)
def test_what_is_slow_as_a_whole_is_no_matter_of_one(seen: dict[str, Any]) -> None:
    assert told(seen) == [("slow_route", "", "")]
    assert "process " in evidence(seen)


# -- databases ------------------------------------------------------------------------------------


def running(**facts: Any) -> dict[str, Any]:
    return {
        "opid": 4711,
        "age_s": 75.2,
        "op": "command",
        "namespace": "plugspace.users",
        "plan_summary": "IXSCAN { email: 1 }",
        "waiting_for_lock": False,
        "application": "report",
        "client": "172.29.80.11:51234",
        "shape": {"find": "?", "filter": {"email": "?"}},
        **facts,
    }


def operations(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"state": "ok", "server": {"operations": list(rows)}}


def test_a_long_operation_is_named_for_a_person() -> None:
    seen = slow(mongodb=operations(running()))
    assert told(seen) == [("slow_operation", "kill_operation", "4711")]
    assert evidence(seen) == (
        "operation 4711 (command) on plugspace.users has been running for 1 min, sent by report,"
        ' IXSCAN { email: 1 }: {"find": "?", "filter": {"email": "?"}}'
    )
    # True before it is ended, and afterwards.
    assert diagnose_latency(seen)[0]["advice"] == (
        "find out who sends it, and why it takes so long: whoever sends it again makes it run again"
    )
    waiting = running(waiting_for_lock=True, application="", plan_summary="")
    assert "for 1 min, waiting for a lock, sent by 172.29.80.11:51234: {" in evidence(
        slow(mongodb=operations(waiting))
    )
    # A router has another kind of number, by which nothing is killed here.
    assert told(slow(mongodb=operations(running(opid=None)))) == [("slow_operation", "", "")]


def test_a_long_operation_that_nobody_waits_for_is_shown_and_ended_when_it_is_named() -> None:
    both = operations(running(), running(opid=4712, age_s=99))
    assert diagnose_latency(quick(mongodb=both)) == []
    assert shown(quick(mongodb=both))["operations"].startswith("operation 4712 (command) on")
    assert "operations" not in shown(quick(mongodb=operations(running(age_s=9.9))))
    asked = told(quick(mongodb=both, confirmed="4711"))
    assert asked[0] == ("slow_operation", "kill_operation", "4711")
    # No other one in its place.
    assert diagnose_latency(quick(mongodb=both, confirmed="4799")) == []
    assert diagnose_latency(quick(mongodb=operations(running(opid=None)), confirmed="")) == []


def test_an_operation_that_still_runs_keeps_a_service_slow_whatever_a_probe_says() -> None:
    still = operations(running(opid=4712, age_s=99))
    seen = slow(settled=True, confirmed="4711", mongodb=still)
    assert told(seen) == [("slow_operation", "kill_operation", "4712")]
    # It is over when none is left, and when it was slow for those alone who are quick now.
    over = operations(running(age_s=9.9))
    assert diagnose_latency(slow(settled=True, confirmed="4711", mongodb=over)) == []
    assert diagnose_latency(quick(settled=True, confirmed="4711", mongodb=still)) == []
    # Where something else helped, such as a restart, nobody waited for it.
    assert diagnose_latency(slow(settled=True, mongodb=still)) == []


@pytest.mark.parametrize(
    "other",
    [
        {"age_s": 9.9},
        {"client": ""},
        {"namespace": "local.oplog.rs"},
        {"namespace": "admin.$cmd"},
        {"namespace": ""},
    ],
)
def test_a_short_one_and_the_servers_own_are_left(other: dict[str, Any]) -> None:
    assert told(slow(mongodb=operations(running(**other)))) == [("slow_route", "", "")]


def test_the_longest_comes_first_unless_another_one_was_named() -> None:
    seen = slow(mongodb=operations(running(), running(opid=4712, age_s=99)))
    assert [target for _cause, _rung, target in told(seen)] == ["4712", "4711"]
    seen["confirmed"] = "4711"
    assert [target for _cause, _rung, target in told(seen)] == ["4711", "4712"]


def slow_query(**facts: Any) -> dict[str, Any]:
    row = {
        "namespace": "plugspace.users",
        "operation": "command",
        "plan_summary": "COLLSCAN",
        "shape": {"find": "?", "filter": {"email": "?"}},
        "count": 12,
        "longest_ms": 840,
        "total_ms": 6120,
        "documents_examined": 1200000,
        "keys_examined": 0,
        "returned": 12,
        "examined_per_returned": 100000.0,
    }
    return {"count": 12, "left_out": 0, "queries": [{**row, **facts}]}


def test_a_missing_index_is_told_with_collection_and_shape() -> None:
    seen = slow(slow_queries=slow_query())
    assert told(seen) == [("missing_index", "", "")]
    assert evidence(seen) == (
        "plugspace.users is read as a whole (COLLSCAN), 12 times, 840 ms at the longest, 100000"
        ' documents read for one that is wanted: {"find": "?", "filter": {"email": "?"}}'
    )
    advice = diagnose_latency(seen)[0]["advice"]
    assert advice.endswith('since each write pays for it: db.users.createIndex({"email": 1})')


@pytest.mark.parametrize(
    "other",
    [
        {"plan_summary": "IXSCAN { email: 1 }"},
        {"documents_examined": 9000},
        {"examined_per_returned": 20.0},
        {"longest_ms": 80},
        {"shape": {"aggregate": "?", "pipeline": [{"$group": {"_id": "?"}}]}},
    ],
)
def test_not_every_slow_query_lacks_an_index(other: dict[str, Any]) -> None:
    seen = slow(slow_queries=slow_query(**other))
    assert told(seen) == [("slow_route", "", "")]
    plan = other.get("plan_summary", "COLLSCAN")
    told_of = f"took the most time is plugspace.users, {plan}, 12 times"
    assert told_of in diagnose_latency(seen)[0]["advice"]


def test_each_collection_and_each_field_lacks_an_index_of_its_own() -> None:
    seen = slow(slow_queries=slow_query())
    by_name = {"find": "?", "filter": {"name": "?"}}
    for other in ({"shape": by_name}, {"namespace": "plugspace.orders"}, {"count": 1}):
        seen["slow_queries"]["queries"] += slow_query(**other)["queries"]
    assert [(one["cause"], one["subject"]) for one in diagnose_latency(seen)] == [
        ("missing_index", "plugspace.users"),
        ("missing_index", "plugspace.users"),
        ("missing_index", "plugspace.orders"),
    ]


def test_a_running_scan_lacks_an_index_as_well() -> None:
    scan = running(plan_summary="COLLSCAN", age_s=3.4)
    seen = slow(mongodb=operations(scan))
    assert told(seen) == [("missing_index", "", "")]
    assert diagnose_latency(seen)[0]["confidence"] == "possible"
    assert "(COLLSCAN), now, for 3 s: {" in evidence(seen)
    # Known already from the log.
    assert len(diagnose_latency({**seen, "slow_queries": slow_query()})) == 1


def command(name: str, ms: float, age_s: int = 20) -> dict[str, Any]:
    return {"age_s": age_s, "ms": ms, "command": name, "arguments": 1, "client": "127.0.0.1:5"}


def test_slow_commands_of_redis_are_counted() -> None:
    rows = [command("KEYS", 210), command("EVAL", 1100.5), command("KEYS", 450)]
    seen = slow(redis={"state": "ok", "slowlog": rows})
    assert told(seen) == [("redis_slow", "", "")]
    assert evidence(seen).endswith(
        "slow at some: EVAL 1 time, 1100 ms at the longest; KEYS 2 times, 450 ms at the longest"
    )
    assert diagnose_latency(seen)[0]["advice"].startswith("find who sends EVAL ")
    # Five minutes and a second, where nobody says how far to look back.
    del seen["limits"]
    seen["redis"]["slowlog"] = [command("KEYS", 450, age_s=300)]
    assert told(seen) == [("redis_slow", "", "")]
    seen["redis"]["slowlog"] = [command("KEYS", 450, age_s=301)]
    assert told(seen) == [("slow_route", "", "")]
    # Nor is held against it what was before something was healed.
    healed = {"procedure": "high_cpu the CPU", "ago_s": 19.5}
    recent = {"state": "ok", "slowlog": [command("KEYS", 450)]}
    assert told(slow(redis=recent, healed=healed)) == [("slow_route", "", "")]
    assert told(slow(redis=recent, healed={**healed, "ago_s": 20})) == [("redis_slow", "", "")]
    old = [command("KEYS", 450, age_s=301), command("GET", 99), command("", 5)]
    assert told(slow(redis={"state": "ok", "slowlog": old})) == [("slow_route", "", "")]


# -- too much for what there is -------------------------------------------------------------------


def busy(*percent: float, **facts: Any) -> dict[str, Any]:
    seen = slow(**facts)
    seen["instances"]["busy"] = [
        {"pid": pid, "busy_percent": one, "waited_percent": 0.4}
        for pid, one in zip((11, 12), percent, strict=False)
    ]
    return seen


def test_busy_instances_get_more_beside_them() -> None:
    seen = busy(97.0, 99.5)
    assert told(seen) == [("saturated", "scale", "5")]
    assert evidence(seen) == (
        "2 instances of plugspace-api, busy 97 % of the time; the host's processors are 40 % idle"
    )
    seen["host"]["load"]["cpu"] = None
    seen["instances"]["busy"][1]["waited_percent"] = 31.2
    assert evidence(seen).endswith("97 % of the time (up to 31 % waiting for a processor)")
    seen["service"]["max_instances"] = 0
    assert told(seen) == [("saturated", "", "")]
    # More instances would ask a slow database for more.
    assert [one[0] for one in told(busy(97.0, 99.5, slow_queries=slow_query()))] == [
        "missing_index",
        "saturated",
    ]


def test_busy_instances_that_answer_too_late_for_a_probe_are_saturated_all_the_same() -> None:
    seen = busy(97.0, 99.5, answer={"ok": False, "reason": LATE})
    seen["instances"].update(answers=[], failures=3, reason=LATE)
    assert told(seen) == [("saturated", "scale", "5")]
    seen["instances"]["busy"] = []
    assert told(seen) == [("upstream_errors", "", "")]


def test_instances_that_wait_for_a_processor_get_no_further_ones() -> None:
    seen = busy(97.0, 99.5)
    seen["instances"]["busy"][1]["waited_percent"] = 90.0
    assert told(seen) == [("processors_busy", "", "")]
    assert "playbooks/high_cpu.yml" in diagnose_latency(seen)[0]["advice"]


@pytest.mark.parametrize("percent", [(97.0, 60.0), (97.0,), ()])
def test_one_that_has_time_left_is_not_saturated(percent: tuple[float, ...]) -> None:
    assert told(busy(*percent)) == [("slow_route", "", "")]


WHOLE = [
    quick(),
    busy(97.0, 99.5, slow_queries=slow_query(), mongodb=operations(running())),
    quick(instances=answers((11, 4.1), (12, 1502.3)), answer={"ok": False, "reason": LATE}),
    slow(redis={"state": "ok", "slowlog": [command("KEYS", 450)]}),
    slow(mongodb=operations(running(plan_summary="COLLSCAN"))),
]


@given(data=st.data(), seen=st.sampled_from(WHOLE), value=ANYTHING)
def test_no_observation_is_too_strange(data: Any, seen: dict[str, Any], value: object) -> None:
    path = data.draw(st.sampled_from(parts(seen)))
    changed = replaced(seen, path, value)
    shown(changed)
    for one in diagnose_latency(changed):
        assert one["cause"]
        assert one["evidence"]
        assert one["rung"] or one["advice"]
