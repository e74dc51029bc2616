# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible starts it."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.plugspace.titan.plugins.modules import host_info


@pytest.mark.parametrize("check_mode", [False, True])
def test_reads_and_changes_nothing(check_mode: bool, capsys: pytest.CaptureFixture[str]) -> None:
    with patch_module_args({"_ansible_check_mode": check_mode}), pytest.raises(SystemExit):
        host_info.main()
    result = json.loads(capsys.readouterr().out)
    assert result["changed"] is False
    assert result["memory"]["total_bytes"] > 0
    assert result["units"] == []
    assert result["errors"] == {}
