# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module as Ansible starts it: in a process of its own, its arguments on standard input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

COLLECTIONS = Path(__file__).resolve().parents[2] / "collections"


def started(module: ModuleType, check_mode: bool = False, **options: Any) -> tuple[str, bool]:
    """All that it printed, and whether it says that it failed."""
    arguments = {**options, "_ansible_check_mode": check_mode}
    done = subprocess.run(
        [sys.executable, str(module.__file__)],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(COLLECTIONS)},
    )
    return done.stdout + done.stderr, done.returncode != 0


def result(module: ModuleType, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    """What it returned; its exit code has to agree."""
    output, failed = started(module, check_mode, **options)
    told: dict[str, Any] = json.loads(output)
    assert failed is bool(told.get("failed"))
    return told
