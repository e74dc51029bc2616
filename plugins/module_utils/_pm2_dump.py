# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PM2's dump, from which it starts everything at boot: does it say what runs now?"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._pm2_process import environment_of

FILES = ("dump.pm2", "dump.pm2.bak")

# Two saves of the same applications differ in these.
_VOLATILE = re.compile(
    r"pm_id|instances|pm_uptime|created_at|restart_time|unstable_restarts|exit_code|axm_\w+"
    r"|versioning|vizion_running|unique_id|prev_restart_delay|node_version|_tree_pids|_pm2_version"
    r"|version|km_link|restart_task"
)


def _normal(env: t.Mapping[str, t.Any]) -> str:
    kept = {key: value for key, value in env.items() if not _VOLATILE.fullmatch(key)}
    if isinstance(kept.get("env"), dict):
        kept["env"] = {k: v for k, v in kept["env"].items() if k != "unique_id"}
    if kept.get("status") not in ("stopped", "errored"):
        kept["status"] = "online"
    return json.dumps(kept, sort_keys=True)


def differs(home: str, records: t.Iterable[t.Mapping[str, t.Any]]) -> bool:
    """Whether a save would change what PM2 starts at boot."""
    wanted = sorted(
        _normal(env) for env in map(environment_of, records) if not env.get("pmx_module")
    )
    return _saved(home) != wanted


def _saved(home: str) -> list[str] | None:
    try:
        with open(os.path.join(home, FILES[0]), encoding="utf-8") as source:
            content = json.load(source)
        return sorted(_normal(env) for env in content)
    except (OSError, ValueError, AttributeError, TypeError):
        return None


def saved_count(home: str) -> int:
    """How many processes PM2 would start at boot."""
    return len(_saved(home) or [])


def open_files(home: str) -> list[str]:
    """The dumps that others than the owner can read: they hold every secret."""
    found = []
    for name in FILES:
        path = os.path.join(home, name)
        with contextlib.suppress(OSError):
            if stat.S_IMODE(os.lstat(path).st_mode) & 0o077:
                found.append(path)
    return found
