# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A play that a real ansible-playbook runs, on this machine alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def run(play: str, folder: Path, /, **variables: Any) -> tuple[dict[str, Any], str]:
    """Run it in a folder, which records go to; what it gave to set_stats, and all that it said."""
    (folder / "play.yml").write_text(play)
    ran = subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible-playbook")),
            *("-i", "localhost,", "-c", "local", "-e", json.dumps(variables)),
            str(folder / "play.yml"),
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "TITAN_RECORD_DIRECTORY": str(folder),
            "ANSIBLE_SHOW_CUSTOM_STATS": "1",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    told = json.loads(ran.stdout[ran.stdout.index("{") :])
    return told["global_custom_stats"], ran.stdout + ran.stderr
