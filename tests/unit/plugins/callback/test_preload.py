# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The callback in a process of its own, as Ansible loads it: what a fork would find there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
PROGRAM = """
import json, sys
from ansible.plugins.loader import callback_loader, init_plugin_loader
init_plugin_loader()
callback = callback_loader.get("plugspace.titan.preload")
before = sorted(sys.modules)
callback.v2_playbook_on_start(None)
print(json.dumps([before, sorted(sys.modules)]))
"""
FILTERS = "ansible_collections.plugspace.titan.plugins.filter."


def test_every_filter_and_nothing_heavy_is_loaded() -> None:
    output = subprocess.check_output(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
        cwd=ROOT,
        text=True,
    )
    before, after = json.loads(output)
    files = {path.stem for path in (ROOT / "plugins/filter").glob("*.py")}
    assert not any(name.startswith(FILTERS) for name in before)
    assert {name.removeprefix(FILTERS) for name in after if name.startswith(FILTERS)} == files
    assert any(name.startswith("ansible.plugins.test.core") for name in after)
    # It would be imported on the controller, where nothing needs it and it may be missing.
    assert "pymongo" not in after
