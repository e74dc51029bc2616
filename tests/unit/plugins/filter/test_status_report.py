# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report over many observed situations."""

from __future__ import annotations

import base64
import copy
import typing as t
from datetime import datetime, timezone

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.plugspace.titan.plugins.filter.status_report import (
    FilterModule,
    status_report,
)
from ansible_collections.plugspace.titan.plugins.module_utils._status import (
    age,
    covers,
    dns_names,
    plain,
    size,
)

NOW = 1_800_000_000.0
GB = 1 << 30
ALL = (
    "pm2",
    "units",
    "redis",
    "mongodb",
    "certificate",
    "prometheus",
    "disk",
    "memory",
    "release",
)
SSH_MESSAGE = (
    'Data could not be sent to remote host "10.0.0.2". '
    "Make sure this host can be reached over ssh: "
)
V2 = "v2 20261123T101500Z-a1b2c3d since 2026-11-23 10:16"
LIMITS = {
    "disk_warn": 80,
    "disk_fail": 90,
    "memory_warn": 15,
    "memory_fail": 7,
    "certificate_warn": 21,
    "certificate_fail": 7,
    "lag_warn": 10,
    "lag_fail": 60,
    "redis_memory_warn": "80",  # a number given with -e is a string
    "redis_memory_fail": "95",
}


def alternative_names(*names: str) -> str:
    body = b"".join(bytes([0x82, len(name)]) + name.encode() for name in names)
    return base64.b64encode(bytes([0x30, len(body)]) + body).decode()


def certificate(days: float, *names: str, item: str = "plugspace.test") -> dict[str, t.Any]:
    end = datetime.fromtimestamp(NOW + days * 86400, timezone.utc)
    names = names or (item,)
    return {
        "item": item,
        "not_after": end.strftime("%Y%m%d%H%M%SZ"),
        "extensions": [
            {"name": "keyUsage", "asn1_data": "AwIFoA=="},
            {"name": "subjectAltName", "asn1_data": alternative_names(*names)},
        ],
    }


def disk(used: float = 30, inodes: float = 5, mount: str = "/") -> dict[str, t.Any]:
    return {
        "mount": mount,
        "used_percent": used,
        "inodes_used_percent": inodes,
        "available_bytes": 20 * GB,
    }


def unit(name: str, active: str = "active", **more: t.Any) -> dict[str, t.Any]:
    known = {"load": "loaded", "sub": "", "result": "success", "since_s": 720}
    return {"name": name, "active": active, **known, **more}


def app(name: str, verdict: str = "online", reason: str = "") -> dict[str, t.Any]:
    return {"name": name, "verdict": verdict, "reason": reason, "instances": [{"id": 0}]}


def member(name: str, role: str, own: bool, lag: float | None = 0.0) -> dict[str, t.Any]:
    return {"name": f"{name}:27017", "self": own, "role": role, "error": "", "lag_s": lag}


def target(job: str, instance: str, health: str = "up", error: str = "") -> dict[str, t.Any]:
    return {"labels": {"job": job, "instance": instance}, "health": health, "lastError": error}


def alert(name: str, severity: str, state: str = "firing", **more: t.Any) -> dict[str, t.Any]:
    labels = {"alertname": name, "severity": severity, "instance": "titan2:9100"}
    return {"labels": labels, "state": state, "annotations": {"summary": "CPU is at 97 %"}, **more}


def view(host: str, primary: str = "titan1") -> dict[str, t.Any]:
    members = [
        member(name, "PRIMARY" if name == primary else "SECONDARY", name == host)
        for name in ("titan1", "titan2", "titan3")
    ]
    role = "PRIMARY" if host == primary else "SECONDARY"
    return {"state": "ok", "error": "", "set": "rs0", "role": role, "members": members}


def answer(item: str, data: dict[str, t.Any]) -> dict[str, t.Any]:
    return {"item": item, "status": 200, "json": {"status": "success", "data": data}}


def prometheus(targets: list[dict[str, t.Any]], alerts: list[dict[str, t.Any]]) -> dict[str, t.Any]:
    results = [answer("targets", {"activeTargets": targets}), answer("alerts", {"alerts": alerts})]
    return {"results": results}


def healthy(host: str) -> dict[str, t.Any]:
    seen: dict[str, t.Any] = {
        "parts": [part for part in ALL if part != "prometheus"],
        "services": ["plugspace-api", "plugspace-voice"],
        "interrupted": "",
        "limits": LIMITS,
        "host": {
            "memory": {
                "total_bytes": 8 * GB,
                "available_bytes": 6 * GB,
                "available_percent": 75.0,
            },
            "file_systems": [disk()],
            "units": [unit("nginx"), unit("mongod")],
            "errors": {},
        },
        "pm2": {
            "daemon": {"state": "running"},
            "apps": [app("plugspace-api"), app("plugspace-voice")],
        },
        "release": {
            "releases": [],
            "current": {
                "name": "20261123T101500Z-a1b2c3d",
                "commit": "a1b2c3d4e5",
                "ref": "v2",
                "status": "active",
                "activated": "2026-11-23T10:16:00Z",
            },
        },
        "redis": {
            "state": "ok",
            "error": "",
            "role": "master",
            "loading": False,
            "save_ok": True,
            "master": None,
            "memory": {
                "used_bytes": 10 << 20,
                "max_bytes": 100 << 20,
                "policy": "noeviction",
            },
        },
        "mongodb": view(host),
        "certificate": {"results": [certificate(60)]},
        "prometheus": {"skipped": True},
    }
    if host == "titan1":
        seen["parts"] = list(ALL)
        seen["prometheus"] = prometheus([target("node", f"titan{n}:9100") for n in (1, 2, 3)], [])
    return seen


@pytest.fixture
def three() -> dict[str, t.Any]:
    return copy.deepcopy({host: healthy(host) for host in ("titan1", "titan2", "titan3")})


def bad(observed: dict[str, t.Any], **options: t.Any) -> list[tuple[str, str, str, str]]:
    rows = status_report(observed, now=NOW, **options)["rows"]
    return [
        (row["state"], row["host"], row["what"], row["detail"])
        for row in rows
        if row["state"] != "OK"
    ]


def test_healthy_platform_is_one_sentence_and_a_line_for_each_host(three: dict[str, t.Any]) -> None:
    result = status_report(three, now=NOW)
    assert result["healthy"] is True
    assert result["text"].splitlines() == [
        "3 hosts: all is well, 26 checks.",
        "OK  titan1  all  2/2 apps, 2/2 units, redis master, mongodb PRIMARY, certificate 60 d, "
        "3/3 targets, no alerts, disk 30 %, memory 75 % free, release a1b2c3d",
        "OK  titan2  all  2/2 apps, 2/2 units, redis master, mongodb SECONDARY, certificate 60 d, "
        "disk 30 %, memory 75 % free, release a1b2c3d",
        "OK  titan3  all  2/2 apps, 2/2 units, redis master, mongodb SECONDARY, certificate 60 d, "
        "disk 30 %, memory 75 % free, release a1b2c3d",
    ]


def test_verbose_tells_each_healthy_check(three: dict[str, t.Any]) -> None:
    lines = status_report(three, now=NOW, verbose=True)["text"].splitlines()
    assert len(lines) == 1 + 26
    assert "OK  titan1  release      v2 20261123T101500Z-a1b2c3d since 2026-11-23 10:16" in lines


def test_one_problem_is_named_in_the_first_line(three: dict[str, t.Any]) -> None:
    error = "127.0.0.1:6379 refused the connection"
    three["titan2"]["redis"] = {"state": "refused", "error": error}
    lines = status_report(three, now=NOW)["text"].splitlines()
    assert lines[0] == f"3 hosts: 1 problem: titan2 redis does not answer: {error}."
    assert lines[1] == f"FAIL  titan2  redis     does not answer: {error}"
    assert lines[3].startswith("OK    titan2  the rest  2/2 apps,")


def test_worst_comes_first_whatever_the_host(three: dict[str, t.Any]) -> None:
    three["titan1"]["host"]["file_systems"] = [disk(85)]
    three["titan2"]["release"] = {"msg": "Permission denied"}
    three["titan3"]["pm2"] = {"daemon": {"state": "hung"}, "apps": []}
    result = status_report(three, now=NOW)
    assert [row["state"] for row in result["rows"][:4]] == ["FAIL", "UNKNOWN", "WARN", "OK"]
    assert result["summary"] == (
        "3 hosts: 1 problem, 1 unknown, 1 warning; "
        "the worst: titan3 pm2 the PM2 daemon does not answer."
    )


def test_unreachable_host_is_one_line_and_no_member_of_the_set_twice(
    three: dict[str, t.Any],
) -> None:
    three["titan2"]["host"] = {"unreachable": True, "msg": SSH_MESSAGE + "ssh: connect timed out"}
    for host in ("titan1", "titan3"):
        three[host]["mongodb"]["members"][1].update(role="", error="refused", lag_s=None)
    assert bad(three) == [
        ("FAIL", "titan2", "host", "cannot be reached: ssh: connect timed out"),
    ]


def test_member_outside_the_run_is_told_by_one_witness(three: dict[str, t.Any]) -> None:
    del three["titan2"]
    for host in three:
        three[host]["mongodb"]["members"][1].update(role="", error="it refused", lag_s=None)
    assert bad(three) == [
        ("FAIL", "titan1", "mongodb", "cannot reach titan2:27017: it refused"),
    ]


def test_member_that_answers_at_home_but_not_its_peers(three: dict[str, t.Any]) -> None:
    three["titan1"]["mongodb"]["members"][1].update(role="", error="timed out", lag_s=None)
    assert bad(three) == [
        ("FAIL", "titan1", "mongodb", "cannot reach titan2:27017: timed out"),
    ]


def test_host_that_hangs(three: dict[str, t.Any]) -> None:
    three["titan3"].update(
        interrupted="Task failed: Timed out after 30 second(s).", redis={}, mongodb={}
    )
    three["titan1"]["mongodb"]["members"][2].update(role="", error="timed out", lag_s=None)
    assert bad(three) == [
        (
            "FAIL",
            "titan3",
            "host",
            "hangs: Timed out after 30 second(s); not looked at: redis, mongodb",
        )
    ]


def test_host_lost_meanwhile(three: dict[str, t.Any]) -> None:
    three["titan3"]["redis"] = {"unreachable": True, "msg": "closed"}
    three["titan3"]["certificate"] = {
        "unreachable": True,
        "msg": "All items completed",
        "results": [certificate(60), {"unreachable": True, "msg": "gone"}],
    }
    assert bad(three) == [
        ("UNKNOWN", "titan3", "redis", "the host was lost meanwhile: closed"),
        ("UNKNOWN", "titan3", "certificate", "the host was lost meanwhile: gone"),
    ]


def test_no_primary_and_two_primaries(three: dict[str, t.Any]) -> None:
    for seen in three.values():
        seen["mongodb"]["role"] = "SECONDARY"
        for one in seen["mongodb"]["members"]:
            one.update(role="SECONDARY", lag_s=None)
    assert bad(three) == [
        ("FAIL", "platform", "mongodb", "replica set rs0 has no primary: no writes")
    ]
    three["titan1"]["mongodb"] = view("titan1")
    three["titan2"]["mongodb"] = view("titan2", primary="titan2")
    assert bad(three) == [
        (
            "FAIL",
            "platform",
            "mongodb",
            "replica set rs0 has two primaries: titan1:27017, titan2:27017",
        )
    ]


@pytest.mark.parametrize(
    ("role", "lag", "state", "detail"),
    [
        ("SECONDARY", 10, "WARN", "is 10 s behind the primary"),
        ("SECONDARY", 3700, "FAIL", "is 1 h behind the primary"),
        (
            "NOT_READY",
            None,
            "FAIL",
            "neither primary nor secondary (starting, recovering, rolling back or removed)",
        ),
        (
            "NOT_INITIALIZED",
            None,
            "FAIL",
            "a replica set is configured but was never initiated",
        ),
    ],
)
def test_member_of_the_replica_set(
    three: dict[str, t.Any], role: str, lag: float | None, state: str, detail: str
) -> None:
    three["titan2"]["mongodb"]["role"] = role
    three["titan2"]["mongodb"]["members"][1].update(role=role, lag_s=lag)
    assert bad(three) == [(state, "titan2", "mongodb", detail)]


@pytest.mark.parametrize(
    ("result", "detail"),
    [
        ({"state": "hung", "error": "no answer in 3 s"}, "hangs: no answer in 3 s"),
        ({"state": "refused", "error": "refused"}, "does not answer: refused"),
    ],
)
def test_mongod_does_not_answer(
    three: dict[str, t.Any], result: dict[str, t.Any], detail: str
) -> None:
    three["titan2"]["mongodb"] = {"set": "", "role": "", "members": [], **result}
    assert bad(three) == [("FAIL", "titan2", "mongodb", detail)]


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        ("absent", "no PM2 daemon runs, so no application does"),
        ("stale", "the PM2 daemon is dead and has left its socket behind"),
        ("foreign", "the PM2 daemon belongs to another user"),
        ("odd", "the PM2 daemon is odd"),
    ],
)
def test_pm2_daemon(three: dict[str, t.Any], state: str, wanted: str) -> None:
    three["titan1"]["pm2"] = {"daemon": {"state": state}, "apps": []}
    assert bad(three) == [("FAIL", "titan1", "pm2", wanted)]


def test_pm2_applications(three: dict[str, t.Any]) -> None:
    three["titan1"]["pm2"]["apps"] = [
        app("plugspace-api", "degraded", "1 of 2 instances is errored"),
        app("worker", "stopped", "it was stopped"),
        app("batch", "launching", "0 s old"),
    ]
    assert bad(three) == [
        ("FAIL", "titan1", "pm2", "plugspace-voice is not known to PM2"),
        ("FAIL", "titan1", "pm2", "plugspace-api is degraded: 1 of 2 instances is errored"),
        ("WARN", "titan1", "pm2", "worker is stopped: it was stopped"),
        ("WARN", "titan1", "pm2", "batch is launching: 0 s old"),
    ]


def test_units(three: dict[str, t.Any]) -> None:
    three["titan1"]["host"]["units"] = [
        unit("nginx"),
        unit("mongod", "failed", result="oom-kill"),
        unit("redis-server", "inactive"),
        unit("typo", "inactive", load="not-found", since_s=None),
        unit("off", "inactive", load="masked", since_s=None),
        unit("slow", "activating", since_s=3),
    ]
    assert [row[3] for row in bad(three)] == [
        "mongod has failed for 12 min (oom-kill)",
        "redis-server is inactive for 12 min",
        "typo is not installed",
        "off is masked",
        "slow is activating for 3 s",
    ]


def test_disk_inodes_and_memory(three: dict[str, t.Any]) -> None:
    three["titan1"]["host"]["file_systems"] = [disk(90, 85, "/var"), disk(10, 99, "/srv")]
    three["titan2"]["host"]["memory"]["available_percent"] = 15.0
    three["titan3"]["host"]["memory"]["available_percent"] = 6.9
    assert bad(three) == [
        ("FAIL", "titan1", "disk", "/var is 90 % full, 20 GB left"),
        ("FAIL", "titan1", "disk", "/srv has 99 % of its inodes in use"),
        ("FAIL", "titan3", "memory", "7 % available (6.0 GB of 8.0 GB)"),
        ("WARN", "titan1", "disk", "/var has 85 % of its inodes in use"),
        ("WARN", "titan2", "memory", "15 % available (6.0 GB of 8.0 GB)"),
    ]


def test_part_of_the_host_that_hangs(three: dict[str, t.Any]) -> None:
    three["titan1"]["host"]["units"] = None
    three["titan1"]["host"]["errors"] = {"units": "systemd did not answer within 5 s"}
    three["titan2"]["host"] = {"msg": "MODULE FAILURE\nSee stdout", "failed": False}
    unseen = "could not be looked at: MODULE FAILURE See stdout"
    assert bad(three) == [
        (
            "UNKNOWN",
            "titan1",
            "units",
            "could not be looked at: systemd did not answer within 5 s",
        ),
        ("UNKNOWN", "titan2", "units", unseen),
        ("UNKNOWN", "titan2", "disk", unseen),
        ("UNKNOWN", "titan2", "memory", unseen),
    ]


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("busy", "is blocked"),
        ("misconf", "refuses writes"),
        ("oom", "refuses writes"),
        ("hung", "hangs"),
        ("refused", "does not answer"),
    ],
)
def test_why_redis_is_of_no_use(three: dict[str, t.Any], state: str, told: str) -> None:
    three["titan1"]["redis"] = {"state": state, "error": "because"}
    assert bad(three) == [("FAIL", "titan1", "redis", f"{told}: because")]


def test_redis_faults(three: dict[str, t.Any]) -> None:
    three["titan1"]["redis"] = {"state": "auth", "error": "WRONGPASS"}
    three["titan2"]["redis"].update(
        loading=True, save_ok=False, master={"address": "titan1:6379", "link": "down"}
    )
    three["titan2"]["redis"]["memory"]["used_bytes"] = 96 << 20
    three["titan3"]["redis"]["memory"].update(used_bytes=100 << 20, policy="allkeys-lru")
    assert bad(three) == [
        ("FAIL", "titan1", "redis", "refuses the login: WRONGPASS"),
        ("FAIL", "titan2", "redis", "has lost its master titan1:6379 (link down)"),
        ("FAIL", "titan2", "redis", "96 % of maxmemory 100 MB in use (noeviction)"),
        ("WARN", "titan2", "redis", "is still loading its data"),
        ("WARN", "titan2", "redis", "could not write its data to disk"),
        ("WARN", "titan3", "redis", "100 % of maxmemory 100 MB in use (allkeys-lru)"),
    ]


@pytest.mark.parametrize(
    ("item", "state", "detail"),
    [
        (certificate(20.5), "WARN", "plugspace.test: expires in 20 d"),
        (certificate(6.5), "FAIL", "plugspace.test: expires in 6 d"),
        (certificate(-2.5), "FAIL", "plugspace.test: expired 2 d ago"),
        (certificate(60, "other.test"), "FAIL", "plugspace.test: served is one for other.test"),
        (
            {"item": "plugspace.test", "msg": "Failed to get cert from 127.0.0.1:443, error: x"},
            "FAIL",
            "plugspace.test: none is served: Failed to get cert from 127.0.0.1:443, error: x",
        ),
    ],
)
def test_certificate(
    three: dict[str, t.Any], item: dict[str, t.Any], state: str, detail: str
) -> None:
    three["titan2"]["certificate"] = {"results": [item, certificate(60, item="www.test")]}
    assert bad(three) == [(state, "titan2", "certificate", detail)]


def test_targets_and_alerts(three: dict[str, t.Any]) -> None:
    error = 'Get "http://titan2:9100/metrics": dial tcp 10.0.0.2:9100: connect: connection refused'
    three["titan1"]["prometheus"] = prometheus(
        [
            target("node", "titan1:9100"),
            target("node", "titan2:9100", "down", error),
            target("api", "titan3:4000", "unknown"),
        ],
        [
            alert("LowDiskSpace", "critical"),
            alert("HighCPUUsage", "warning"),
            alert("HighMemoryUsage", "critical", "pending"),
        ],
    )
    assert bad(three) == [
        (
            "FAIL",
            "titan1",
            "prometheus",
            "target node: 1 of 2 down: titan2:9100 (connection refused)",
        ),
        ("FAIL", "titan1", "alert", "LowDiskSpace on titan2:9100 (critical): CPU is at 97 %"),
        ("WARN", "titan1", "prometheus", "target api: not read yet"),
        ("WARN", "titan1", "alert", "HighCPUUsage on titan2:9100 (warning): CPU is at 97 %"),
    ]


def test_prometheus_does_not_answer(three: dict[str, t.Any]) -> None:
    message = (
        "Status code was -1 and not [200]: "
        "Request failed: <urlopen error [Errno 111] Connection refused>"
    )
    for result in three["titan1"]["prometheus"]["results"]:
        result.update(status=-1, msg=message)
        del result["json"]
    assert bad(three) == [("FAIL", "titan1", "prometheus", "does not answer: Connection refused")]


def test_prometheus_answers_with_a_page(three: dict[str, t.Any]) -> None:
    for result in three["titan1"]["prometheus"]["results"]:
        result.update(status=200, msg="OK (24 bytes)")
        del result["json"]
    says = "answers with no JSON: see whether titan_prometheus_url is its address"
    assert bad(three) == [("FAIL", "titan1", "prometheus", says)]


def test_answer_of_another_shape_is_told(three: dict[str, t.Any]) -> None:
    three["titan1"]["prometheus"] = {"results": [answer("targets", {}), answer("alerts", {})]}
    three["titan2"]["redis"] = {"state": "ok"}
    assert [row[:3] for row in bad(three)] == [
        ("UNKNOWN", "titan2", "redis"),
        ("UNKNOWN", "titan1", "prometheus"),
    ]


def test_hosts_that_differ(three: dict[str, t.Any]) -> None:
    three["titan2"]["release"]["current"].update(
        name="20261123T120000Z-ffffff0", commit="ffffff0aa", ref="v3"
    )
    assert bad(three) == [
        (
            "WARN",
            "platform",
            "release",
            "the hosts differ: titan1, titan3: v2 20261123T101500Z-a1b2c3d; "
            "titan2: v3 20261123T120000Z-ffffff0",
        )
    ]


def test_release_missing_or_marked(three: dict[str, t.Any]) -> None:
    three["titan1"]["release"]["current"].update(status="failed", reason="the canary hung")
    three["titan2"]["release"]["current"] = {}
    assert [row[3] for row in bad(three)] == [
        f"{V2} is live, but marked failed: the canary hung",
        "no release is live",
    ]


@pytest.mark.parametrize(
    ("result", "state", "detail"),
    [
        ({"live": "dangling"}, "FAIL", "the link to the live release leads nowhere"),
        ({"current": {"status": "activating"}}, "WARN", f"{V2} is live, but was never verified"),
        (
            {"current": {"complete": False, "reason": "dist is gone"}},
            "WARN",
            f"{V2} is live, but incomplete: dist is gone",
        ),
        (
            {"lock": {"user": "al", "host": "bastion", "procedure": "deploy", "age": 75}},
            "WARN",
            "deploy by al@bastion has held the lock for 1 min",
        ),
    ],
)
def test_state_of_the_release(
    three: dict[str, t.Any], result: dict[str, t.Any], state: str, detail: str
) -> None:
    release = three["titan1"]["release"]
    current = release["current"] | result.pop("current", {})
    release.update(result, current=current)
    assert bad(three) == [(state, "titan1", "release", detail)]


def test_process_that_still_runs_an_old_release(three: dict[str, t.Any]) -> None:
    three["titan1"]["release"]["current"]["directory"] = "/deploy/releases/new"
    api = three["titan1"]["pm2"]["apps"][0]
    api["instances"] = [
        {"release_path": "/deploy/releases/new"},
        {"release_path": "/deploy/releases/new/api"},
        {"release_path": ""},
        {"release_path": "/deploy/releases/newer"},
    ]
    assert bad(three) == [
        ("WARN", "titan1", "pm2", "plugspace-api still runs from /deploy/releases/newer")
    ]
    api["instances"] = [{"release_path": "/gone (deleted)"}]
    del three["titan1"]["release"]["current"]["directory"]
    assert bad(three) == [
        ("WARN", "titan1", "pm2", "plugspace-api still runs from /gone (deleted)")
    ]


def test_what_is_not_configured_is_told(three: dict[str, t.Any]) -> None:
    three["titan1"]["prometheus"] = {"skipped": True}
    three["titan2"]["host"]["units"] = []
    assert bad(three, homeless={"redis": "titan_redis"}) == [
        (
            "UNKNOWN",
            "titan2",
            "units",
            "not configured: set titan_system_units or leave units out of status_parts",
        ),
        (
            "UNKNOWN",
            "platform",
            "redis",
            "not configured: put a host into titan_redis or leave redis out of status_parts",
        ),
        (
            "UNKNOWN",
            "titan1",
            "prometheus",
            "not configured: set titan_prometheus_url or leave prometheus out of status_parts",
        ),
    ]


def test_every_single_part_may_be_missing(three: dict[str, t.Any]) -> None:
    three["titan1"] = {"parts": list(ALL), "limits": LIMITS}
    rows = bad(three)
    assert {row[2] for row in rows} == set(ALL)
    assert {row[0] for row in rows} == {"UNKNOWN"}


def test_host_of_which_nothing_is_known() -> None:
    assert bad({"titan1": None}) == [("UNKNOWN", "titan1", "host", "nothing was seen of it")]


def test_text_from_outside_cannot_break_the_table(three: dict[str, t.Any]) -> None:
    three["titan1"]["redis"] = {"state": "foreign", "error": "a\nFAIL \x1b[31m" + "x" * 500}
    text = status_report(three, now=NOW)["text"]
    assert len(text.splitlines()) == 5
    assert "\x1b" not in text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_what_is_no_dictionary_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="dictionary"):
        status_report(["titan1"])
    assert FilterModule().filters()["status_report"] is status_report


def test_words() -> None:
    assert [size(n) for n in (0, 1536, 20 << 20, 3 << 40)] == ["0 B", "1.5 KB", "20 MB", "3.0 TB"]
    assert [age(n) for n in (-1, 59, 60, 7200, 90000)] == ["0 s", "59 s", "1 min", "2 h", "1 d"]
    assert plain("  a\tb\n") == "a b"
    assert covers("*.a.test", "x.a.test")
    assert covers("A.test", "a.test")
    assert not covers("*.a.test", "x.y.a.test")
    assert not covers("*.a.test", "a.test")
    assert dns_names(base64.b64decode(alternative_names("a.test", "*.b.test"))) == [
        "a.test",
        "*.b.test",
    ]
    long = bytes([0x30, 0x81, 130, 0x82, 0x80 | 1, 127]) + b"a" * 127
    assert dns_names(long) == ["a" * 127]
