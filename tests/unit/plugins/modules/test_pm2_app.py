# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules as Ansible starts them."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.plugspace.titan.plugins.module_utils._pm2_app import FailedError
from ansible_collections.plugspace.titan.plugins.modules import pm2_app


def call(capsys: pytest.CaptureFixture[str], **options: t.Any) -> dict[str, t.Any]:
    """Run the module and return what it prints."""
    with patch_module_args(options), pytest.raises(SystemExit):
        pm2_app.main()
    return t.cast("dict[str, t.Any]", json.loads(capsys.readouterr().out))


def test_nothing_to_stop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = str(tmp_path / "none")
    result = call(capsys, name="api", state="stopped", pm2_home=home)
    assert result["changed"] is False
    assert result["apps"] == [{"name": "api", "wanted": 0, "before": None, "after": None}]
    assert not (tmp_path / "none").exists()


def test_an_unknown_application_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = call(capsys, name="api", state="restarted", pm2_home=str(tmp_path / "none"))
    assert result["failed"]
    assert result["cause"] == "error"
    assert result["msg"].startswith("PM2 has no application api (it has: none)")


def test_another_users_pm2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = call(capsys, name="api", user="nobody", pm2_home=str(tmp_path / "none"))
    assert result["cause"] == "foreign"
    assert "become_user: nobody" in result["msg"]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"name": "api", "ecosystem": "/e.json", "script": "/a.js"},
        {"name": "api", "cwd": "/"},
        {"name": "api", "probe": {"type": "icmp"}},
    ],
)
def test_options_are_checked(options: dict[str, t.Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, **options)["failed"]


def test_a_malformed_probe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    probe = {"url": "ftp://x"}
    result = call(capsys, name="api", probe=probe, pm2_home=str(tmp_path / "none"))
    assert "begins with http:// or https://" in result["msg"]


def test_a_failure_keeps_its_fields(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def execute(run: t.Any) -> None:
        run.result.update(cause="hung", failed_app="api", failed_instance=2, logs=["x"])
        raise FailedError("api", 2, "hung", "never answered", "")

    monkeypatch.setattr(pm2_app.Run, "execute", execute)
    result = call(capsys, name="api", env={"TOKEN": "hunter2-hunter2"})
    assert result["msg"] == "api: instance 2 never answered"
    assert (result["cause"], result["failed_app"], result["logs"]) == ("hung", "api", ["x"])
    assert "hunter2" not in str(result)
