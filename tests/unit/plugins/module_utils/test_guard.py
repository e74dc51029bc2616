# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One process at a time, and none that waits for ever."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils import _guard
from ansible_collections.plugspace.titan.plugins.module_utils._guard import GuardError, guarded


def test_who_waits_too_long_is_told_how_to_find_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "lock")
    monkeypatch.setattr(_guard, "_WAIT", 0.05)
    said = f"another process keeps {path}.guard for more than 0.05 s; find it with: fuser -v"
    with guarded(path), pytest.raises(GuardError, match=said), guarded(path):
        pass
    with guarded(path):
        assert os.stat(f"{path}.guard").st_mode & 0o777 == 0o600


def test_what_cannot_be_locked_is_told(tmp_path: Path) -> None:
    (tmp_path / "link.guard").symlink_to(tmp_path / "elsewhere")
    for name, why in (("none/lock", "No such file or directory"), ("link", "Too many levels")):
        said = f"{name}.guard cannot be opened: {why}"
        with pytest.raises(GuardError, match=said), guarded(str(tmp_path / name)):
            pass
    assert not (tmp_path / "elsewhere").exists()
