# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody else at a service's port."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_service import (
    diagnose_service,
)

from .service_samples import APP, ROOT, api, instance, sick, told, well

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
        {"pid": 79, "name": "node", "script": f"{APP}/dist/api.js", "unit": "ssh.service"},
        ("port_held_by_orphan", "end_orphan", "79"),
        "node (pid 79, ssh.service)",
        id="orphan-at-the-path",
    ),
    pytest.param(
        {"pid": 81, "name": "node", "script": f"{APP}/dist/api.js", "unit": "x.service"},
        ("port_held_by_stranger", "", ""),
        "node (pid 81, x.service)",
        id="a-unit-of-its-own",
    ),
    pytest.param(
        {"pid": 82, "name": "node", "script": f"{APP}/dist/api.js", "user": "bob"},
        ("port_held_by_stranger", "", ""),
        "node (pid 82, user bob)",
        id="somebody-elses",
    ),
    pytest.param(
        {"pid": 80, "name": "node", "script": "/home/plugspace/plugspace-other/api.js"},
        ("port_held_by_stranger", "", ""),
        "node (pid 80)",
        id="a-path-that-only-begins-alike",
    ),
    pytest.param(
        {"pid": 1, "name": "node", "script": f"{APP}/dist/api.js"},
        ("port_held_by_stranger", "", ""),
        "node (pid 1)",
        id="first-of-all-processes",
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
    seen["pm2"]["daemon"]["user"] = "plugspace"
    api(seen)["instances"] = [instance(0, 0, status="errored", restarts=16)]
    api(seen)["logs"]["err"] = ["Error: listen EADDRINUSE: address already in use :::4000"]
    assert told(seen)[0] == finding
    assert who in diagnose_service(seen)[0]["evidence"]


# Who was started from outside of a container has no parent in it.
@pytest.mark.parametrize("parent", [0, 1, 78])
def test_a_process_that_stems_from_none_of_the_instances_is_a_stranger(parent: int) -> None:
    seen = sick()
    # In a container PM2 may be the first process, to which all come that have lost their parent.
    seen["pm2"]["daemon"]["pid"] = 1
    api(seen)["instances"][1] = instance(1, 0, status="errored")
    seen["host"]["processes"]["kept"].append({"pid": 77, "ppid": parent})
    seen["host"]["listeners"] = [{"port": 4000, "protocol": "tcp", "pid": 77, "name": "nc"}]
    assert told(seen)[0] == ("port_held_by_stranger", "", "")
    # Nobody sees whose it is, so it may be of the instance that runs.
    seen["host"]["listeners"][0]["pid"] = None
    assert [one["cause"] for one in diagnose_service(seen)] == ["degraded"]


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


@pytest.mark.parametrize(
    ("unit", "user", "orphan"),
    [
        (None, "plugspace", True),
        ("session-3.scope", "plugspace", True),
        ("sshd@0-192.0.2.1:22-192.0.2.9:51234.service", "plugspace", True),
        ("user@1000.service", "plugspace", True),
        ("pm2-plugspace.service", None, True),
        # The daemon's unit, whatever its name.
        ("platform.service", "plugspace", True),
        ("cron.service", "plugspace", False),
        ("docker-0f3a.scope", "plugspace", False),
        ("session-3.scope", "root", False),
    ],
)
def test_only_what_nobody_else_watches_is_an_orphan(
    unit: str | None, user: str | None, orphan: bool
) -> None:
    seen = sick()
    seen["pm2"]["daemon"]["user"] = "plugspace"
    kept = [{"pid": 800, "unit": "platform.service"}, {"pid": 77, "unit": unit}]
    seen["host"]["processes"]["kept"] += kept
    holder = {"pid": 77, "name": "node", "script": f"{APP}/dist/api.js", "unit": unit}
    seen["host"]["listeners"] = [{"port": 4000, "protocol": "tcp", "user": user, **holder}]
    assert (told(seen)[0][0] == "port_held_by_orphan") is orphan
    # It serves well, and systemd would start it again after each end.
    seen["answer"] = {"name": "api", "ok": True, "reason": ""}
    assert (told(seen)[0][1] == "end_orphan") is orphan


def test_a_place_that_nobody_has_named_is_not_all_places() -> None:
    seen = sick()
    seen["service"]["root"] = ""
    holder = {"pid": 77, "name": "node", "script": "/opt/other/api.js"}
    seen["host"]["listeners"] = [{"port": 4000, "protocol": "tcp", **holder}]
    assert told(seen)[0] == ("port_held_by_stranger", "", "")


def test_what_a_process_has_started_is_of_the_service() -> None:
    seen = well()
    seen["host"]["processes"]["kept"] += [{"pid": 950, "ppid": 901}, {"pid": 951, "ppid": 950}]
    seen["host"]["listeners"] = [{"port": 4000, "protocol": "tcp", "pid": 951, "name": "node"}]
    assert told(seen) == []


def test_somebody_else_who_answers_well_is_not_the_service() -> None:
    seen = well()
    for one in api(seen)["instances"]:
        one.update(status="errored", pid=0)
    orphan = {"port": 4000, "protocol": "tcp", "pid": 77, "name": "node", "user": "plugspace"}
    seen["host"]["listeners"] = [{**orphan, "script": f"{APP}/dist/api.js"}]
    assert told(seen) == [("port_held_by_orphan", "end_orphan", "77")]


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
    why = "it belongs to root" if state else "PM2 could not be asked"
    assert rung or found["advice"].endswith(why)
    # A stranger is nothing that PM2 could have lost.
    seen["host"]["listeners"] = [listener]
    assert diagnose_service(seen)[0]["advice"].startswith("end node (pid 77) or give")
