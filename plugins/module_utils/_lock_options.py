# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the host's lock, which modules for releases have too."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._identity import Run
from ansible_collections.plugspace.titan.plugins.module_utils._release import ReleaseError

LOCK: dict[str, dict[str, t.Any]] = {
    "procedure": {"type": "str", "default": "release"},
    "run": {"type": "dict"},
    "lock_wait": {"type": "float", "default": 0},
    "lock_max_age": {"type": "float", "default": 3600},
}


def run_of(params: t.Mapping[str, t.Any]) -> Run:
    """The run that the module works for: the one given, else this process alone."""
    try:
        return Run.from_dict(params["run"]) if params["run"] else Run.of_process(os.getpid())
    except ValueError as error:
        raise ReleaseError(str(error), "invalid") from None
