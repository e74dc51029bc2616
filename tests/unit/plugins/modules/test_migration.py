# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible starts it, on real commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SECRET = "hunter2-hunter2"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A release whose tool keeps what is applied in a file, beside a secret environment file."""
    tool = tmp_path / "tool"
    tool.write_text(
        "#!/bin/sh\n"
        'case "$1" in\n'
        "  status) test -e applied || { echo 1 pending; exit 1; };;\n"
        f'  deploy) test ! -e broken || {{ echo "cannot reach db:{SECRET}@host"; exit 7; }}\n'
        "          touch applied;;\n"
        "  backup) touch backup;;\n"
        "esac\n"
    )
    tool.chmod(0o755)
    (tmp_path / ".env").write_text(f"PASSWORD={SECRET}\n")
    return tmp_path


def run(site: Path, check_mode: bool = False) -> dict[str, Any]:
    """Run the module and return its result."""
    arguments = {
        "directory": str(site),
        "command": ["./tool", "deploy"],
        "status_command": ["./tool", "status"],
        "backup_command": ["./tool", "backup"],
        "mask_env_files": [str(site / ".env")],
        "_ansible_check_mode": check_mode,
    }
    program = (
        "import json, sys\n"
        "from ansible.module_utils.testing import patch_module_args\n"
        "from ansible_collections.plugspace.titan.plugins.modules import migration\n"
        "with patch_module_args(json.load(sys.stdin)):\n"
        "    migration.main()\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(arguments),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stderr == ""
    result: dict[str, Any] = json.loads(process.stdout)
    return result


def test_migrates_once_and_then_changes_nothing(site: Path) -> None:
    first = run(site)
    assert (first["changed"], first["pending"]) == (True, True)
    assert (site / "backup").exists()
    (site / "backup").unlink()
    assert run(site)["changed"] is False
    assert not (site / "backup").exists()


def test_check_mode_only_looks(site: Path) -> None:
    assert run(site, check_mode=True)["changed"] is True
    assert not (site / "applied").exists()
    assert not (site / "backup").exists()


def test_a_failure_names_its_step_and_shows_no_secret(site: Path) -> None:
    (site / "broken").touch()
    result = run(site)
    assert result["failed"]
    assert result["cause"] == "migrate"
    assert result["msg"].startswith("./tool deploy failed with exit code 7; a backup was made")
    assert result["logs"]
    assert SECRET not in json.dumps(result)


def test_a_missing_directory_is_one_sentence(site: Path) -> None:
    result = run(site / "gone")
    assert result["failed"]
    assert result["msg"] == f"the directory {site / 'gone'} does not exist"
