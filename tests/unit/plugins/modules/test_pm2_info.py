# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible starts it."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args

from ansible_collections.plugspace.titan.plugins.module_utils import _pm2_home
from ansible_collections.plugspace.titan.plugins.modules import pm2_info


def call(capsys: pytest.CaptureFixture[str], **options: t.Any) -> dict[str, t.Any]:
    """Run the module and return what it prints."""
    with patch_module_args(options), pytest.raises(SystemExit):
        pm2_info.main()
    return t.cast("dict[str, t.Any]", json.loads(capsys.readouterr().out))


@pytest.mark.parametrize("check", [False, True])
def test_no_daemon_is_a_normal_answer(
    check: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "none"
    result = call(capsys, pm2_home=str(home), _ansible_check_mode=check)
    assert result["daemon"]["state"] == "absent"
    assert result["apps"] == []
    assert result["changed"] is False
    assert not home.exists()


def test_apps_with_masked_logs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "err.log"
    log.write_text("one\nlogin failed: hunter2-hunter2 and other\n")
    env = {"name": "api", "pm_err_log_path": str(log), "env": {"DB_PASSWORD": "hunter2-hunter2"}}
    records = [{"name": "api", "pm2_env": env}, {"name": "voice", "pm2_env": {}}]
    daemon = _pm2_home.Daemon("running", "app", str(tmp_path), warnings=["careful"])
    monkeypatch.setattr(_pm2_home, "look", lambda *_args: (daemon, records))
    # Ansible sends a warning elsewhere once its controller side was imported, as other tests do.
    warned: list[str] = []
    monkeypatch.setattr(AnsibleModule, "warn", lambda _module, text: warned.append(text))
    result = call(capsys, name="api", log_lines=1, mask=["other"], pm2_home=str(tmp_path))
    assert [app["name"] for app in result["apps"]] == ["api"]
    logs = {"out": [], "err": ["login failed: ******** and ********"]}
    assert result["apps"][0]["logs"] == logs
    assert "hunter2" not in json.dumps(result)
    assert warned == ["careful"]


def test_log_lines_need_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert "log_lines needs name" in call(capsys, log_lines=5)["msg"]


def test_an_unknown_user(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no user nobody-here" in call(capsys, user="nobody-here")["msg"]
