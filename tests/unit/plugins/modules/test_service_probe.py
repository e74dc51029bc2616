# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible starts it."""

from __future__ import annotations

import json
import socket
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.plugspace.titan.plugins.modules import service_probe


def call(capsys: pytest.CaptureFixture[str], **options: t.Any) -> dict[str, t.Any]:
    """Run the module and return what it prints."""
    with patch_module_args(options), pytest.raises(SystemExit):
        service_probe.main()
    return t.cast("dict[str, t.Any]", json.loads(capsys.readouterr().out))


@pytest.mark.parametrize("check", [False, True])
def test_all_well(check: bool, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        probe = {"type": "tcp", "port": listener.getsockname()[1], "interval": 0.01}
        result = call(capsys, probes=[probe, dict(probe, name="b")], _ansible_check_mode=check)
    assert result["changed"] is False
    assert [one["ok"] for one in result["results"]] == [True, True]
    assert result["results"][1]["name"] == "b"


def test_each_failure_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    probes = [{"name": name, "type": "tcp", "port": port, "within": 0.1} for name in ("a", "b")]
    result = call(capsys, probes=probes)
    assert result["failed"]
    assert result["msg"].startswith("2 of 2 probes failed: a: TCP 127.0.0.1:")
    assert "; b: TCP" in result["msg"]
    assert len(result["results"]) == 2


def test_a_wrong_probe(capsys: pytest.CaptureFixture[str]) -> None:
    assert "needs a port" in call(capsys, probes=[{"type": "tcp"}])["msg"]


def test_no_probe(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, probes=[])["results"] == []


def test_a_password_is_masked(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    probe = {"type": "redis", "port": port, "password": "hush-hush", "within": 0.1}
    result = call(capsys, probes=[probe | {"name": "cache hush-hush"}])
    assert result["failed"]
    assert "hush" not in json.dumps(result)
