# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reload lock."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils import _pm2_lock
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_lock import (
    LockedError,
    ReloadLock,
)


def stamp(age: float) -> str:
    """A time stamp as PM2 writes it."""
    return str(int((time.time() - age) * 1000))


@pytest.mark.parametrize("content", ["", "nonsense", 40, -100])
def test_free_or_stale(tmp_path: Path, content: str | int) -> None:
    lock = tmp_path / "reload.lock"
    # A moment from now on: between collecting the tests and this one minutes may pass.
    lock.write_text(stamp(content) if isinstance(content, int) else content)
    with ReloadLock(str(tmp_path), 0) as held:
        held.renew()
        assert abs(int(lock.read_text()) / 1000 - time.time()) < 2
    assert lock.read_text() == ""


def test_a_reload_of_pm2_is_waited_for(tmp_path: Path) -> None:
    lock = tmp_path / "reload.lock"
    lock.write_text(stamp(0))
    with pytest.raises(LockedError, match="another reload"), ReloadLock(str(tmp_path), 0.1):
        pass
    lock.write_text(stamp(_pm2_lock.LIFETIME - 0.3))
    with ReloadLock(str(tmp_path), 3):
        pass


def test_ours_exclude_each_other_and_are_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "reload.lock"
    with ReloadLock(str(tmp_path), 0) as held:
        with pytest.raises(LockedError), ReloadLock(str(tmp_path), 0):
            pass
        lock.write_text("1")
        held.renew()
        assert lock.read_text() == "1"
        monkeypatch.setattr(_pm2_lock, "_RENEW_AFTER", 0.0)
        held.renew()
        assert len(lock.read_text()) == 13
    held.renew()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "reload.lock").symlink_to(tmp_path / "other")
    with pytest.raises(OSError, match="symbolic"), ReloadLock(str(tmp_path), 0):
        pass
