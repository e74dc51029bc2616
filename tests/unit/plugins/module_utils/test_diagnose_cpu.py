# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the evidence of one host to who keeps its processors busy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.plugspace.titan.plugins.filter.cpu_report import (
    FilterModule as ReportFilter,
)
from ansible_collections.plugspace.titan.plugins.filter.diagnose_cpu import FilterModule
from ansible_collections.plugspace.titan.plugins.module_utils._cpu_report import cpu_report
from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_cpu import diagnose_cpu

from .cpu_samples import API, DAEMON, VOICE, add, instance, node, process, scaled, use, well
from .strange import ANYTHING, parts, replaced

Change = Callable[[dict[str, Any]], None]


def using(percents: dict[int, float], **changes: Any) -> Change:
    return lambda seen: use(seen, percents, **changes)


def adding(*rows: dict[str, Any]) -> Change:
    return lambda seen: add(seen, *rows)


def silent(name: str) -> Change:
    return lambda seen: seen["answers"].update({name: {"ok": False}})


def limited(**limits: float) -> Change:
    return lambda seen: seen["limits"].update(limits)


def at_most(count: int | None) -> Change:
    return lambda seen: seen["services"][0].update(max_instances=count)


def more(percent: float, age_s: float = 900.0, count: int = 2) -> Change:
    return lambda seen: scaled(seen, percent, age_s, count)


def running_for(seconds: float) -> Change:
    return lambda seen: seen.update(run_s=seconds)


def processors(count: int) -> Change:
    return lambda seen: seen["host"]["load"].update(cpus=count)


def named(name: str) -> Change:
    return lambda seen: seen.update(named=name)


def daemon_state(state: str) -> Change:
    def change(seen: dict[str, Any]) -> None:
        seen["pm2"] = {"daemon": {"state": state, "pid": DAEMON}, "apps": []}

    return change


def app(name: str, pids: dict[int, float], module: bool = False) -> Change:
    def change(seen: dict[str, Any]) -> None:
        rows = [instance(80 + n, pid, module=module) for n, pid in enumerate(pids)]
        seen["pm2"]["apps"].append({"name": name, "instances": rows})
        add(seen, *(node(pid, percent) for pid, percent in pids.items()))

    return change


def kernel(**shares: float) -> Change:
    return lambda seen: seen["host"]["load"]["cpu"].update(shares)


def waiting(count: int) -> Change:
    return lambda seen: seen["host"]["processes"]["states"].update(D=count)


def stopped(seen: dict[str, Any]) -> None:
    """Of the API, one instance that is stopped."""
    seen["pm2"]["apps"][0]["instances"].append(instance(7, 0))


BUSY_SPINNER = process(77, 99.0, unit="titan-stranger.service")
ALL_OF_API = dict.fromkeys(API.values(), 96.0)

# What is seen, and what it makes: cause, subject, rung, target, and a part of the evidence.
CASES: dict[str, tuple[list[Change], tuple[str, str, str, str, str]]] = {
    "one instance of two": (
        [using({API[1]: 99.0})],
        ("runaway", "plugspace-api", "restart_instances", "1", "instance 1 (pid 1866) uses 99 %"),
    ),
    "the children of an instance count with it": (
        [
            using({API[0]: 10.0}),
            adding(
                node(3000, 45.0, ppid=API[0], name="sh"),
                node(3001, 44.0, ppid=3000, name="ffmpeg"),
            ),
        ],
        ("runaway", "plugspace-api", "restart_instances", "0", "instance 0 (pid 1850) uses 99 %"),
    ),
    "one is busy, and the other one rests": (
        [using({API[0]: 85.0, API[1]: 35.0})],
        ("runaway", "plugspace-api", "restart_instances", "0", "the others use 35 % at most"),
    ),
    "two of four": (
        [using(ALL_OF_API), more(3.0)],
        (
            "runaway",
            "plugspace-api",
            "restart_instances",
            "0,1",
            "of plugspace-api, instance 0 (pid 1850) uses 96 %, instance 1 (pid 1866) uses 96 % of"
            " a processor; the others use 3 % at most",
        ),
    ),
    "all of them, and nobody gets an answer": (
        [using(ALL_OF_API), silent("plugspace-api")],
        ("runaway", "plugspace-api", "restart_instances", "0,1", "nobody gets an answer"),
    ),
    "the only one, and nobody gets an answer": (
        [using({VOICE[2]: 99.0}), silent("plugspace-voice")],
        ("runaway", "plugspace-voice", "restart_instances", "2", "nobody gets an answer"),
    ),
    "a module of PM2": (
        [app("pm2-logrotate", {4000: 97.0}, module=True)],
        ("runaway", "pm2-logrotate", "restart_instances", "80", "a module of PM2"),
    ),
    "an application that the site does not know": (
        [app("mailer", {4000: 97.0})],
        ("application_busy", "mailer", "", "", "all of mailer is busy"),
    ),
    "one of an application that the site does not know": (
        [app("mailer", {4000: 97.0, 4001: 0.0})],
        ("runaway", "mailer", "restart_instances", "80", "pid 4000"),
    ),
    "all were restarted by this run, and one is busy again": (
        [using({API[1]: 99.0}, age_s=40.0), using({API[0]: 0.0}, age_s=45.0), running_for(60.0)],
        ("runaway", "plugspace-api", "restart_instances", "1", "instance 1 (pid 1866) uses 99 %"),
    ),
    "it was started just now": (
        [using({API[1]: 99.0}, age_s=4.0)],
        ("starting", "plugspace-api", "wait_until_started", "", "started 4 s ago"),
    ),
    "all are busy, and a processor is idle": (
        [using(ALL_OF_API), processors(4)],
        ("saturated", "plugspace-api", "scale", "4", "all of plugspace-api is busy"),
    ),
    "all are busy, and one processor is idle": (
        [using(ALL_OF_API), processors(3)],
        ("saturated", "plugspace-api", "scale", "3", "96 %"),
    ),
    "nearly all are busy": (
        [using({API[0]: 99.0, API[1]: 70.0}), processors(4)],
        ("saturated", "plugspace-api", "scale", "4", "instance 1 (pid 1866) uses 70 %"),
    ),
    "all are busy, the last ones too": (
        [using(ALL_OF_API), more(90.0, 5.0, 1), processors(8)],
        ("saturated", "plugspace-api", "scale", "4", "instance 5"),
    ),
    "all are busy, and no processor is idle": (
        [using(ALL_OF_API)],
        ("saturated", "plugspace-api", "", "", "of 2 processors none is left idle"),
    ),
    "all are busy, and one more is stopped": (
        [using(ALL_OF_API), processors(4), stopped],
        ("saturated", "plugspace-api", "scale", "4", "all of plugspace-api is busy"),
    ),
    "all are busy, and it may have no more": (
        [using(ALL_OF_API), processors(4), at_most(2)],
        ("saturated", "plugspace-api", "", "", "all of plugspace-api is busy"),
    ),
    "all are busy, and nobody has said how many it may have": (
        [using({VOICE[2]: 96.0})],
        ("saturated", "plugspace-voice", "", "", "all of plugspace-voice is busy"),
    ),
    "PM2's daemon": (
        [using({DAEMON: 95.0})],
        ("pm2_busy", "PM2", "replace_pm2", "", "PM2's daemon (pid 1611) uses 95 %"),
    ),
    "PM2's daemon, which does not answer for it": (
        [using({DAEMON: 95.0}), daemon_state("hung")],
        ("pm2_busy", "PM2", "replace_pm2", "", "uses 95 %"),
    ),
    "PM2's daemon and an instance, and PM2 is named": (
        [using({DAEMON: 95.0, API[1]: 99.0}), named("PM2")],
        ("pm2_busy", "PM2", "replace_pm2", "", "uses 95 %"),
    ),
    "an application, and PM2 does not answer": (
        [using({API[0]: 95.0}), daemon_state("hung")],
        ("pm2_child_busy", "PM2", "", "", "its daemon is hung"),
    ),
    "a stranger": (
        [adding(BUSY_SPINNER)],
        ("foreign_busy", "python3", "end_process", "python3:77", "titan-stranger.service"),
    ),
    "two strangers, and the second one is named": (
        [adding(BUSY_SPINNER, process(78, 99.0, name="xz")), named("xz:78")],
        ("foreign_busy", "xz", "end_process", "xz:78", "xz (pid 78"),
    ),
    "a stranger takes what all instances need": (
        [using(ALL_OF_API), adding(BUSY_SPINNER)],
        ("foreign_busy", "python3", "end_process", "python3:77", "15 min"),
    ),
    "an instance is helped before a person is asked": (
        [using({API[1]: 99.0}), adding(BUSY_SPINNER)],
        ("runaway", "plugspace-api", "restart_instances", "1", ""),
    ),
    "a thread of the kernel": (
        [adding(process(60, 99.0, name="kswapd0", ppid=2, rss_bytes=0))],
        ("system_busy", "cpu", "", "", "kswapd0 (pid 60"),
    ),
    "systemd": (
        [adding(process(1, 99.0, name="systemd", ppid=0))],
        ("system_busy", "cpu", "", "", "systemd (pid 1"),
    ),
    "a database, and the host is full": (
        [using({106: 165.0})],
        ("server_busy", "mongod.service", "", "", "165 % of a processor; all of the host use"),
    ),
    "many that are none of them busy": (
        [adding(*(process(90 + n, 60.0, name="worker") for n in range(3)))],
        ("host_full", "cpu", "", "", "no process stands out; all of the host use 181 %"),
    ),
    "the machine takes its time": (
        [using(dict.fromkeys(API.values(), 60.0)), kernel(steal_percent=30.0)],
        ("stolen", "cpu", "", "", "takes 30 %"),
    ),
    "disks": (
        [kernel(iowait_percent=60.0), waiting(3)],
        ("waits_for_disk", "cpu", "", "", "60 % of the time; of its processes 3"),
    ),
    "the processes could not be read": (
        [lambda seen: seen.update(host=None, errors={"host": "no answer within 8 s"})],
        ("unknown", "cpu", "", "", "no answer within 8 s"),
    ),
    "one part of the host could not be read": (
        [lambda seen: seen["host"].update(processes=None, errors={"processes": "it is late"})],
        ("unknown", "cpu", "", "", "it is late"),
    ),
    "nobody knows why": (
        [lambda seen: seen.update(host={})],
        ("unknown", "cpu", "", "", "told nothing of them"),
    ),
}


@pytest.mark.parametrize(("changes", "expected"), CASES.values(), ids=CASES.keys())
def test_cause(changes: list[Change], expected: tuple[str, str, str, str, str]) -> None:
    seen = well()
    for change in changes:
        change(seen)
    found = diagnose_cpu(seen)
    first = found[0]
    assert all(found.count(one) == 1 for one in found)
    cause, subject, rung, target, evidence = expected
    assert (first["cause"], first["subject"]) == (cause, subject)
    assert (first["rung"], first["target"]) == (rung, target)
    assert evidence in first["evidence"]
    assert first["rung"] or first["advice"]


QUIET: dict[str, tuple[list[Change], str]] = {
    "all is well": ([], ""),
    "others on the machine are busy": (
        [kernel(idle_percent=2.0, steal_percent=60.0)],
        "processors are 98 % busy, of which this host's processes use 0 %",
    ),
    "a stranger was started just now": (
        [adding(process(77, 99.0, age_s=4.0))],
        "python3 (pid 77) uses 99 % and was started 4 s ago",
    ),
    "a whole host of strangers was started just now": (
        [adding(*(process(n, 99.0, age_s=4.0) for n in (77, 78)))],
        "python3 (pid 77)",
    ),
    "the new instances have no work yet": (
        [using(ALL_OF_API), more(2.0, 5.0), processors(4)],
        "plugspace-api has new instances, which take work as clients come",
    ),
    "this run has added instances, a while ago": (
        [using(ALL_OF_API), more(2.0, 50.0), processors(4), running_for(60.0)],
        "busiest: plugspace-api",
    ),
    "one is busy, and the others do not rest": (
        [using({API[0]: 81.0, API[1]: 45.0})],
        " 81 %, where 80 % of a processor is much",
    ),
    "a database works, and the host has room": ([using({106: 95.0})], "busiest: mongod"),
    "disks, and none of its processes waits": ([kernel(iowait_percent=60.0)], ""),
    "disks, and they are not waited for most of the time": (
        [kernel(iowait_percent=20.0), waiting(3)],
        "",
    ),
    "the machine takes a little of its time": (
        [using(dict.fromkeys(API.values(), 65.0)), kernel(steal_percent=18.0)],
        "",
    ),
    "an instance that is stopped": ([stopped], ""),
    "a process may use more": (
        [using({API[1]: 85.0}), limited(process_percent=90)],
        "85 %, where 90 % of a processor is much",
    ),
    "all of them may use more": (
        [
            adding(*(process(90 + n, 60.0, name="worker") for n in range(3))),
            limited(busy_percent=95),
        ],
        "",
    ),
    "nobody has said the limits": (
        [using({API[1]: 60.0}), lambda seen: seen["limits"].clear()],
        "",
    ),
    "no shares were measured": ([lambda seen: seen["host"]["load"].update(cpu=None)], ""),
}


@pytest.mark.parametrize(("changes", "remark"), QUIET.values(), ids=QUIET.keys())
def test_nothing_is_wrong(changes: list[Change], remark: str) -> None:
    seen = well()
    for change in changes:
        change(seen)
    assert diagnose_cpu(seen) == []
    told = cpu_report(seen)["remark"]
    assert remark in told if remark else told == ""


def test_a_scale_up_is_bounded_by_the_processors_and_by_the_site() -> None:
    seen = well()
    use(seen, ALL_OF_API)
    seen["host"]["load"]["cpus"] = 32
    assert diagnose_cpu(seen)[0]["target"] == "4"
    seen["services"][0]["max_instances"] = 3
    assert diagnose_cpu(seen)[0]["target"] == "3"


def test_an_instance_without_a_row_has_the_age_that_pm2_tells() -> None:
    seen = well()
    use(seen, {API[0]: 99.0})
    rows = seen["host"]["processes"]["kept"]
    seen["host"]["processes"]["kept"] = [one for one in rows if one["pid"] != API[1]]
    assert diagnose_cpu(seen)[0]["cause"] == "runaway"


def test_processes_that_are_each_others_parents_are_nobodys() -> None:
    seen = well()
    add(seen, process(71, 99.0, ppid=72), process(72, 0.0, ppid=71))
    assert diagnose_cpu(seen)[0]["target"] == "python3:71"


def test_shown_in_a_few_lines() -> None:
    seen = well()
    add(seen, BUSY_SPINNER)
    stopped(seen)
    lines = cpu_report(seen)["lines"]
    use(seen, {API[1]: 40.0})
    assert cpu_report(seen)["lines"]["busiest"].startswith(
        "python3 (pid 77) 99 %, plugspace-api (pid 1866) 40 %"
    )
    assert lines["processors"] == "2, 4 % busy; its own processes use 100 % of one"
    assert lines["busiest"].startswith("python3 (pid 77) 99 %, mongod (pid 106) 1 %")
    assert lines["plugspace-voice"] == "1 instance: instance 2 (pid 1930) uses 0 %"
    seen["host"]["load"]["cpu"].update(idle_percent=60.0, iowait_percent=30.0)
    # The sums by unit were not told.
    del seen["host"]["processes"]["by_unit"]
    used = "its own processes use 140 % of one"
    assert cpu_report(seen)["lines"]["processors"] == f"2, 10 % busy; {used}"
    seen["host"]["load"]["cpu"] = None
    assert cpu_report(seen)["lines"]["processors"] == f"2, {used}"
    assert cpu_report({})["lines"] == {}


@pytest.mark.parametrize("change", [adding(BUSY_SPINNER), using({DAEMON: 95.0})])
def test_what_is_advised_of_what_is_ended_holds_afterwards(change: Change) -> None:
    seen = well()
    change(seen)
    (found,) = diagnose_cpu(seen)
    assert "again" in found["advice"]
    assert "confirm" not in found["advice"]


def test_the_filters() -> None:
    assert FilterModule().filters()["diagnose_cpu"](well()) == []
    assert ReportFilter().filters()["cpu_report"](well())["remark"] == ""


@given(st.sampled_from(parts(well())), ANYTHING)
def test_any_part_may_be_anything(path: tuple[Any, ...], value: object) -> None:
    seen = replaced(well(), path, value)
    for one in diagnose_cpu(seen):
        assert one["evidence"]
    cpu_report(seen)
