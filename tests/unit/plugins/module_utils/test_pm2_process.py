# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The white list and the verdict."""

from __future__ import annotations

import os
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.plugspace.titan.plugins.module_utils._pm2_process import (
    group,
    judge,
    read_instance,
)

NOW = 1000.0


def record(number: int = 0, status: str = "online", **env: t.Any) -> dict[str, t.Any]:
    """A record of a process that exists."""
    pid = os.getpid() if status in ("online", "launching") else 0
    values = {"pm_id": number, "status": status, "pm_uptime": (NOW - 100) * 1000, **env}
    return {"name": "api", "pid": pid, "pm2_env": values, "monit": {"memory": 7, "cpu": 0.25}}


def test_only_listed_fields_leave() -> None:
    secret = record(env={"TOKEN": "hunter2"}, TOKEN="hunter2", pm_cwd="/app")
    app = group([secret], NOW)[0].as_result()
    assert "hunter2" not in str(app)
    assert app["instances"][0]["uptime_s"] == 100.0
    assert app["instances"][0]["memory_bytes"] == 7
    assert app["instances"][0]["started"] == "1970-01-01T00:15:00Z"
    assert app["instances"][0]["cwd"] == "/app"
    assert app["instances"][0]["release_path"] == os.getcwd()
    assert app["instances"][0]["module"] is False
    assert read_instance(record(pmx_module=True), NOW).module is True


@pytest.mark.parametrize("uptime", [None, 0, -1e15, 1e300, "yesterday"])
def test_what_is_no_time_is_none(uptime: object) -> None:
    assert read_instance(record(pm_uptime=uptime), NOW).started == ""


@pytest.mark.parametrize(
    ("records", "verdict", "reason"),
    [
        ([record(0), record(1)], "online", None),
        ([record(0), record(1, "errored")], "degraded", "instance 1 is errored"),
        ([record(0, "errored"), record(1, "stopped")], "down", "instance 0 is errored"),
        ([record(0, "stopped"), record(1, "stopped")], "stopped", "all 2 instances"),
        ([record(0, "launching")], "launching", "launching"),
        ([record(0, "waiting restart")], "down", "waiting restart"),
        (
            [record(0, unstable_restarts=3, restart_time=3, pm_uptime=(NOW - 1) * 1000)],
            "down",
            "keeps crashing",
        ),
        ([record(0, unstable_restarts=3)], "online", None),
        ([{**record(0), "pid": 2**22 + 5}], "down", "has no process"),
    ],
)
def test_verdict(records: list[dict[str, t.Any]], verdict: str, reason: str | None) -> None:
    app = group(records, NOW)[0]
    assert app.verdict == verdict
    assert reason in str(app.reason) if reason else app.reason is None


def test_grouped_in_order() -> None:
    other = {**record(1), "name": "voice"}
    apps = group([record(2), other, record(0)], NOW)
    assert [(app.name, [one.id for one in app.instances]) for app in apps] == [
        ("api", [0, 2]),
        ("voice", [1]),
    ]
    assert judge([]) == ("online", None)


@given(
    st.dictionaries(
        st.sampled_from(["pm_id", "status", "pm_uptime", "restart_time", "instance_var", "x"]),
        st.none() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers()),
    ),
    st.none() | st.integers() | st.text(max_size=3),
)
def test_any_record_can_be_read(env: dict[str, t.Any], other: t.Any) -> None:
    read_instance({"name": other, "pid": other, "pm2_env": env, "monit": other}, NOW)
    read_instance({"pm2_env": other}, NOW)
