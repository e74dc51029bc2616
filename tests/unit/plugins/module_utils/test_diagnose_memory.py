# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the evidence of one host to who has its memory.

The shapes are those that the local platform gave; the sizes are those of a host of 8 GB.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.plugspace.titan.plugins.filter import diagnose_memory as filter_findings
from ansible_collections.plugspace.titan.plugins.filter import memory_evidence as filter_lines
from ansible_collections.plugspace.titan.plugins.filter import memory_remark as filter_remark
from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_memory import (
    diagnose_memory,
    remark,
)
from ansible_collections.plugspace.titan.plugins.module_utils._memory_users import shown

from .strange import ANYTHING, parts, replaced

MB, GB = 1024**2, 1024**3
API = "plugspace-api"
SHORT = "only 819 MB (10 %) are available"


def process(pid: int, name: str, held: float, unit: str | None = None, ppid: int = 1) -> Any:
    return {
        "pid": pid,
        "ppid": ppid,
        "name": name,
        "unit": unit,
        "user": "root",
        "pss_bytes": int(held),
        "rss_bytes": int(held * 1.1),
    }


def unit(name: str, held: float, processes: int = 1) -> Any:
    return {"unit": name, "processes": processes, "pss_bytes": int(held), "rss_bytes": int(held)}


def well() -> dict[str, Any]:
    """A host on which all is well."""
    return {
        "limits": {"available_percent": 15, "available_mb": 0},
        "services": [
            {"name": API, "memory_limit_mb": 400},
            {"name": "plugspace-voice"},
        ],
        "units": {
            "mongodb": "mongod",
            "redis": "redis-server",
            "nginx": "nginx",
            "pm2": "pm2-plugspace",
        },
        "platform_units": ["prometheus-node-exporter"],
        "host": {
            "memory": {
                "total_bytes": 8 * GB,
                "available_bytes": 5 * GB,
                "free_bytes": 4 * GB,
                "page_cache_bytes": GB,
                "shared_bytes": 12 * MB,
                "swap_total_bytes": 0,
                "swap_free_bytes": 0,
            },
            "file_systems": [
                {"mount": "/", "type": "ext4", "size_bytes": 9 * GB, "available_bytes": GB},
                {"mount": "/run", "type": "tmpfs", "size_bytes": 4 * GB, "available_bytes": 4 * GB},
                {"mount": "/tmp", "type": "tmpfs", "size_bytes": 4 * GB, "available_bytes": GB},
            ],
            "processes": {
                "kept": [
                    process(1, "systemd", 3 * MB, "init.scope", 0),
                    process(50, "PM2 v7.0.4: God", 24 * MB, "pm2-plugspace.service"),
                    process(60, "node /home/plug", 60 * MB, "pm2-plugspace.service", 50),
                    process(61, "node /home/plug", 70 * MB, "pm2-plugspace.service", 50),
                    process(62, "node /home/plug", 50 * MB, "pm2-plugspace.service", 50),
                    process(70, "mongod", 600 * MB, "mongod.service"),
                    process(80, "redis-server", 12 * MB, "redis-server.service"),
                    process(90, "sshd", 4 * MB, "ssh.service"),
                ],
                "by_unit": [
                    unit("mongod.service", 600 * MB),
                    unit("pm2-plugspace.service", 204 * MB, 4),
                    unit("redis-server.service", 12 * MB),
                    unit("ssh.service", 4 * MB),
                    {"unit": None, "pss_bytes": 5 * MB},
                ],
            },
            "oom_kills": [],
        },
        "pm2": {
            "daemon": {"state": "running", "pid": 50},
            "apps": [
                {
                    "name": API,
                    "instances": [
                        {"id": 0, "pid": 60, "memory_bytes": 90 * MB},
                        {"id": 1, "pid": 61, "memory_bytes": 90 * MB},
                    ],
                },
                {
                    "name": "plugspace-voice",
                    "instances": [{"id": 2, "pid": 62}, {"id": 3, "pid": 0}],
                },
            ],
        },
        "mongodb": {
            "state": "ok",
            "role": "PRIMARY",
            "server": {"cache": {"max_bytes": 2 * GB, "used_bytes": 400 * MB}},
        },
        "mongodb_config": {"path": "/etc/mongod.conf", "cache_size_gb": 2.0},
        "redis": {"state": "ok", "memory": {"rss_bytes": 12 * MB, "max_bytes": 0}},
    }


def short(**memory: Any) -> dict[str, Any]:
    """The same host, and 10 % of the memory are available."""
    seen = well()
    seen["host"]["memory"].update({"available_bytes": int(0.8 * GB), **memory})
    # What others do with it is not what the cases are about.
    seen["mongodb_config"], seen["mongodb"] = {}, {}
    return seen


def kept(seen: dict[str, Any], *rows: Any) -> dict[str, Any]:
    """Further processes, or others in the place of those with their numbers."""
    processes = seen["host"]["processes"]
    pids = {row["pid"] for row in rows}
    processes["kept"] = [*(row for row in processes["kept"] if row["pid"] not in pids), *rows]
    return seen


def leaking(seen: dict[str, Any], pid: int = 61, held: float = 1.3 * GB) -> dict[str, Any]:
    return kept(seen, process(pid, "node /home/plug", held, "pm2-plugspace.service", 50))


def cache(size: float, file: float | None = None, role: str = "PRIMARY", **of: Any) -> Any:
    seen = well()
    seen["mongodb"]["role"] = role
    seen["mongodb"]["server"]["cache"].update({"max_bytes": size * GB, **of})
    seen["mongodb_config"]["cache_size_gb"] = file
    return seen


def in_login(login: str, seen: dict[str, Any]) -> None:
    """PM2 was started by somebody who had logged in, and who has 300 MB besides."""
    processes = seen["host"]["processes"]
    for row in processes["kept"]:
        if row["pid"] in (50, 60, 61, 62):
            row["unit"] = login
    processes["by_unit"] = [unit(login, 504 * MB, 9)]


def causes(seen: object) -> list[str]:
    return [one["cause"] for one in diagnose_memory(seen)]


def test_a_host_that_is_well_has_no_finding() -> None:
    assert diagnose_memory(well()) == []
    assert remark(well()) == ""


def test_the_filters_have_their_names() -> None:
    assert filter_findings.FilterModule().filters()["diagnose_memory"](well()) == []
    assert filter_lines.FilterModule().filters()["memory_evidence"](well()) == shown(well())
    assert filter_remark.FilterModule().filters()["memory_remark"](well()) == ""


def by_pm2_alone() -> dict[str, Any]:
    """The processes could not be looked at; PM2 knows its own."""
    seen = well()
    seen["host"]["processes"] = None
    seen["pm2"]["apps"][0]["instances"][0]["memory_bytes"] = 500 * MB
    return seen


def with_a_child() -> dict[str, Any]:
    """What npm starts has the memory."""
    return kept(well(), process(65, "node", 500 * MB, "pm2-plugspace.service", 61))


def uneven(seen: dict[str, Any]) -> dict[str, Any]:
    del seen["services"][0]["memory_limit_mb"]
    return leaking(seen, held=600 * MB)


def unknown_to_the_site(seen: dict[str, Any]) -> dict[str, Any]:
    seen["services"] = []
    return leaking(seen)


def foreign(seen: dict[str, Any], name: str = "python3", pid: int = 4711) -> dict[str, Any]:
    return kept(seen, process(pid, name, 1.2 * GB, "titan-hog.service"))


def many_small() -> dict[str, Any]:
    seen = kept(short(), process(4711, "php", 20 * MB, "php-fpm.service"))
    seen["host"]["processes"]["by_unit"].append(unit("php-fpm.service", 900 * MB, 40))
    return seen


def large_redis(most: float) -> dict[str, Any]:
    seen = short()
    seen["redis"]["memory"] = {"rss_bytes": 900 * MB, "max_bytes": most}
    return seen


def filled_cache() -> dict[str, Any]:
    """It would just fit, and now that it is full too little is left."""
    seen = cache(4, 4.0, used_bytes=3.9 * GB)
    seen["host"]["memory"]["available_bytes"] = GB
    seen["host"]["processes"]["by_unit"][0] = unit("mongod.service", 4.2 * GB)
    return seen


def outside_of_a_set() -> dict[str, Any]:
    return cache(30, 30.0, "STANDALONE")


@pytest.mark.parametrize(
    ("seen", "cause", "subject", "rung", "target", "evidence"),
    [
        # Over its own limit, whether the host is short or not.
        (
            leaking(well()),
            "leak",
            API,
            "reload",
            "",
            "plugspace-api has 1.4 GB in 2 instances: its largest (pid 61) 1.3 GB, its smallest"
            " 60 MB; memory_limit_mb is 400",
        ),
        (leaking(short()), "leak", API, "reload", "", SHORT),
        (by_pm2_alone(), "leak", API, "reload", "", "(pid 60) 500 MB"),
        (with_a_child(), "leak", API, "reload", "", "(pid 61) 570 MB"),
        # Without a limit: many times its sibling, or large by any measure.
        (uneven(short()), "leak", API, "reload", "", "600 MB, its smallest 60 MB; only"),
        (
            leaking(short(), 62, 1.1 * GB),
            "leak",
            "plugspace-voice",
            "reload",
            "",
            "plugspace-voice has 1.1 GB in 1 instance: its largest (pid 62) 1.1 GB; only",
        ),
        (
            unknown_to_the_site(short()),
            "leak",
            API,
            "",
            "",
            "plugspace-api has 1.4 GB",
        ),
        (
            cache(30, 30.0),
            "mongodb_cache_too_large",
            "mongodb",
            "shrink_cache",
            "3.5 GB",
            "a cache of 30 GB, and by its own rule 3.5 GB are right for 8.0 GB of memory",
        ),
        # The file is not read yet, or the size comes from the command line.
        (cache(2, 30.0), "mongodb_cache_too_large", "mongodb", "shrink_cache", "3.5 GB", "30 GB"),
        (cache(30), "mongodb_cache_too_large", "mongodb", "shrink_cache", "3.5 GB", "30 GB, and"),
        (
            cache(30, 1.5),
            "mongodb_cache_too_large",
            "mongodb",
            "shrink_cache",
            "1.5 GB",
            "a cache of 30 GB, and this host has no room for that; /etc/mongod.conf says 1.5 GB",
        ),
        (
            filled_cache(),
            "mongodb_cache_too_large",
            "mongodb",
            "shrink_cache",
            "3.25 GB",
            "a cache of 4.0 GB, and this host can give it 3.25 GB: of 8.0 GB memory 3.1 GB are"
            " used by all else, and 1.2 GB have to stay available",
        ),
        (outside_of_a_set(), "mongodb_cache_too_large", "mongodb", "", "3.5 GB", "30 GB"),
        (
            foreign(short()),
            "foreign",
            "python3",
            "end_process",
            "python3:4711",
            "python3 (pid 4711, user root, titan-hog.service) has 1.2 GB and belongs to nothing",
        ),
        (foreign(short(), ""), "foreign", "a process", "end_process", "a process:4711", "1.2 GB"),
        (foreign(short(), "dockerd"), "system_process", "dockerd", "", "", "dockerd (pid 4711"),
        (foreign(short(), "x", 1), "system_process", "x", "", "", "x (pid 1"),
        (
            many_small(),
            "foreign",
            "php-fpm.service",
            "",
            "",
            "php-fpm.service has 900 MB in 40 processes",
        ),
        (large_redis(0), "redis_large", "redis", "", "", "nothing bounds it"),
        (large_redis(2 * GB), "redis_large", "redis", "", "", "maxmemory is 2.0 GB"),
        (
            short(shared_bytes=4 * GB),
            "shared_memory",
            "tmpfs",
            "",
            "",
            "4.0 GB are files in memory (tmpfs) or shared memory; /tmp holds 3.0 GB",
        ),
        (
            short(),
            "memory_short",
            "memory",
            "",
            "",
            "the largest: mongod.service 600 MB, plugspace-api 130 MB, plugspace-voice 50 MB",
        ),
        ({}, "unknown", "memory", "", "", "nobody could look at the host's memory"),
        (
            {"host": {"errors": {"memory": "no /proc"}}},
            "unknown",
            "memory",
            "",
            "",
            "memory: no /proc",
        ),
        (
            {"host": {"msg": "the module failed"}},
            "unknown",
            "memory",
            "",
            "",
            "memory: the module failed",
        ),
    ],
)
def test_findings(
    seen: object, cause: str, subject: str, rung: str, target: str, evidence: str
) -> None:
    found = diagnose_memory(seen)
    assert [one["cause"] for one in found] == [cause]
    one = found[0]
    assert (one["subject"], one["rung"], one["target"]) == (subject, rung, target)
    assert evidence in one["evidence"]
    assert one["advice"]


@pytest.mark.parametrize(
    "seen",
    [
        # Enough is available: nobody is blamed for being large.
        foreign(well()),
        uneven(well()),
        leaking(well(), 62),
        # As many as MongoDB takes by itself, and more on a host that has it.
        cache(3.5, 3.5),
        cache(5, None),
        # It is as small as it can be.
        cache(0.25, 0.25, used_bytes=0),
        {**well(), "mongodb": {"state": "refused"}},
    ],
)
def test_nobody_is_blamed(seen: object) -> None:
    assert diagnose_memory(seen) == []


@pytest.mark.parametrize("name", ["prometheus-node-exporter", "prometheus-node-exporter.service"])
def test_a_unit_of_the_platform_is_no_stranger_however_it_is_written(name: str) -> None:
    unit_of_it = "prometheus-node-exporter.service"
    seen = kept(short(), process(4711, "node_exporter", 1.2 * GB, unit_of_it))
    seen["host"]["processes"]["by_unit"].append(unit(unit_of_it, 1.2 * GB))
    seen["platform_units"] = [name]
    assert causes(seen) == ["memory_short"]
    seen["platform_units"] = []
    assert causes(seen) == ["foreign"]


def test_a_stranger_is_one_without_pm2_as_well_and_has_what_it_maps_where_no_more_is_told() -> None:
    seen = foreign(short())
    seen["pm2"]["daemon"] = {"state": "absent", "pid": None}
    seen["host"]["processes"]["kept"][-1]["pss_bytes"] = None
    (found,) = diagnose_memory(seen)
    assert (found["cause"], found["target"]) == ("foreign", "python3:4711")
    assert " has 1.3 GB" in found["evidence"]


def test_what_is_in_no_unit_is_no_unit() -> None:
    seen = short()
    seen["host"]["processes"]["by_unit"].append({"unit": None, "pss_bytes": 900 * MB})
    assert causes(seen) == ["memory_short"]


def test_a_unit_that_has_little_is_not_blamed_beside_one_that_has_much() -> None:
    seen = many_small()
    seen["host"]["processes"]["by_unit"].append(unit("cron.service", 2 * MB))
    assert [one["subject"] for one in diagnose_memory(seen)] == ["php-fpm.service"]


def test_a_cache_that_is_right_is_not_called_too_large_the_next_time() -> None:
    seen = cache(30, 30.0)
    for used in range(7):
        seen["host"]["memory"]["available_bytes"] = (7 - used) * GB
        size = next(
            (
                float(one["target"].removesuffix(" GB"))
                for one in diagnose_memory(seen)
                if one["cause"] == "mongodb_cache_too_large"
            ),
            0,
        )
        assert 0.25 <= size <= 3.5
        after = replaced(seen, ("mongodb", "server", "cache", "max_bytes"), size * GB)
        after["mongodb_config"]["cache_size_gb"] = size
        assert "mongodb_cache_too_large" not in causes(after), used


def test_whoever_has_most_comes_first() -> None:
    seen = leaking(foreign(short()), held=1.1 * GB)
    seen["redis"]["memory"]["rss_bytes"] = 2 * GB
    assert causes(seen) == ["redis_large", "foreign", "leak"]
    # What is given back by others is there for the cache again.
    seen = leaking(cache(3, 3.0, used_bytes=100 * MB), held=2.5 * GB)
    seen["host"]["memory"]["available_bytes"] = int(2.4 * GB)
    assert causes(seen) == ["leak"]
    seen["mongodb"]["server"]["cache"]["max_bytes"] = 30 * GB
    assert causes(seen) == ["leak", "mongodb_cache_too_large"]


def test_a_limit_in_mb_counts_when_it_is_the_larger_one() -> None:
    seen = replaced(well(), ("limits", "available_mb"), "6000")
    assert "memory_short" in causes(seen)


def test_applications_that_were_started_from_a_login_are_counted_once() -> None:
    seen = short()
    in_login("ssh.service", seen)
    largest = "plugspace-api 130 MB, plugspace-voice 50 MB"
    assert shown(seen)["largest"] == f"ssh.service 300 MB, {largest}"
    # Nobody is told to stop the unit that they are in.
    in_login("session-4.scope", seen)
    assert causes(seen) == ["memory_short"]


def test_what_is_told_before_and_after_an_end_is_true_at_both_times() -> None:
    (found,) = diagnose_memory(foreign(short()))
    assert found["advice"] == "find out whose it is: whoever started it may start it again"


def test_whom_the_kernel_killed_is_told() -> None:
    kill = {"name": "node", "pid": 9, "time": "2026-11-27T18:00:00Z"}
    seen = replaced(leaking(short()), ("host", "oom_kills"), [kill, {}])
    said = "the kernel killed node at 2026-11-27T18:00:00Z and 1 more for want of memory"
    assert said in diagnose_memory(seen)[0]["evidence"]
    # Nothing is said of a shortage where there is none.
    assert diagnose_memory(leaking(well()))[0]["evidence"].endswith("memory_limit_mb is 400")
    assert remark(replaced(well(), ("host", "oom_kills"), [kill])) == (
        "the kernel killed node at 2026-11-27T18:00:00Z for want of memory"
    )
    kill["scope"] = "cgroup"
    assert remark(replaced(well(), ("host", "oom_kills"), [kill])).endswith("within its own limit")


def test_the_page_cache_is_no_illness() -> None:
    seen = well()
    seen["host"]["memory"].update(free_bytes=300 * MB, page_cache_bytes=5 * GB)
    assert diagnose_memory(seen) == []
    assert remark(seen) == (
        "only 300 MB are free, but 5.0 GB of page cache are given back when a program needs them,"
        " so 5.0 GB are available"
    )
    seen["host"]["memory"]["page_cache_bytes"] = 0
    assert remark(seen) == ""


def test_the_state_is_said_in_lines() -> None:
    assert shown(well()) == {
        "memory": "5.0 GB of 8.0 GB available, 1.0 GB page cache",
        "largest": "mongod.service 600 MB, plugspace-api 130 MB, plugspace-voice 50 MB",
        "cache of MongoDB": "400 MB of 2.0 GB",
        "Redis": "12 MB",
    }
    seen = replaced(well(), ("redis", "memory", "max_bytes"), GB)
    seen["host"]["memory"].update(swap_total_bytes=GB, swap_free_bytes=GB / 4)
    lines = shown(seen)
    assert lines["swap"] == "768 MB of 1.0 GB used"
    assert lines["Redis"] == "12 MB of 1.0 GB"
    assert shown({}) == {}


def test_processes_that_call_each_other_parents_are_counted_once() -> None:
    seen = kept(well(), process(61, "a", MB, None, 66), process(66, "b", MB, None, 61))
    assert diagnose_memory(seen) == []


WHOLE = replaced(foreign(leaking(short(shared_bytes=GB))), ("mongodb",), well()["mongodb"])


@given(st.sampled_from(parts(WHOLE)), ANYTHING)
def test_whatever_is_observed_blames_or_does_not_but_never_breaks(path: Any, value: object) -> None:
    seen = replaced(WHOLE, path, value)
    for one in diagnose_memory(seen):
        assert one["cause"]
        assert one["evidence"]
    assert isinstance(remark(seen), str)
    assert isinstance(shown(seen), dict)


@given(ANYTHING)
def test_anything_at_all(seen: object) -> None:
    assert isinstance(diagnose_memory(seen), list)
    assert isinstance(remark(seen), str)
    assert isinstance(shown(seen), dict)
