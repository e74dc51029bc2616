# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible starts it: what it takes, and what it never shows."""

from __future__ import annotations

import os
from typing import Any

import pytest
import started_module

from ansible_collections.plugspace.titan.plugins.modules import evidence_info

SECRETS = ("redis-sesame", "mongo-sesame", "Bearer sesame", "probe-sesame", "pm2-sesame")
GLANCE = {"successes": 1, "within": 0.2, "timeout": 0.2}


def test_nothing_that_was_not_asked_for_is_looked_at() -> None:
    result = started_module.result(evidence_info)
    assert (result["changed"], result["probes"], result["errors"]) == (False, [], {})
    assert result["settled"] is False
    assert not set(result) & {"host", "pm2", "redis", "mongodb", "release", "logs"}


@pytest.mark.parametrize("check_mode", [True, False])
def test_parts_that_are_sick_are_told_beside_those_that_are_not(
    check_mode: bool, tmp_path: Any
) -> None:
    result = started_module.result(
        evidence_info,
        check_mode,
        host={"processes": 1, "interval": 0.05, "pids": [os.getpid()]},
        pm2={"pm2_home": str(tmp_path / "none")},
        redis={"port": 1, "timeout": 1},
        paths={"paths": [str(tmp_path)]},
        mongodb_config={"path": str(tmp_path / "mongod.conf")},
        check={"unit": "x", "command": ["no-such-program"]},
        probes=[{"type": "tcp", "port": 1, **GLANCE}],
        settle=True,
    )
    assert (result["changed"], result["settled"]) == (False, True)
    assert result["pm2"]["daemon"]["state"] == "absent"
    assert result["redis"]["state"] == "refused"
    assert result["paths"][str(tmp_path)]["exists"]
    assert os.getpid() in [one["pid"] for one in result["host"]["processes"]["kept"]]
    assert result["probes"][0]["ok"] is False
    assert (result["check"], result["mongodb_config"]) == (None, None)
    assert sorted(result["errors"]) == ["check", "mongodb_config"]
    assert "no-such-program was not found" in result["errors"]["check"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"host": {"nosuch": 1}}, "host: nosuch"),
        ({"redis": {"port": "abc"}}, "redis: argument 'port'"),
        ({"check": {}}, "check: missing required arguments"),
        ({"probes": [{"type": "ftp"}]}, "probes: value of type must be one of"),
        ({"probes": [{"url": "ftp://x"}]}, "probes: a http probe needs a url"),
    ],
)
def test_a_wrong_option_is_named_with_its_part(options: dict[str, Any], sentence: str) -> None:
    assert sentence in started_module.result(evidence_info, **options)["msg"]


def test_no_secret_is_shown() -> None:
    output, failed = started_module.started(
        evidence_info,
        redis={"port": 1, "timeout": 1, "password": SECRETS[0]},
        mongodb={"port": 1, "timeout": 1, "login_user": "a", "login_password": SECRETS[1]},
        pm2={"pm2_home": "/nonexistent/pm2", "mask": [SECRETS[4]]},
        probes=[
            {"url": "http://127.0.0.1:1/", "headers": {"Authorization": SECRETS[2]}, **GLANCE},
            {"type": "redis", "port": 1, "password": SECRETS[3], **GLANCE},
        ],
    )
    assert not failed
    for secret in SECRETS:
        assert secret not in output
