# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PM2's reload.lock: a timestamp in milliseconds that is good for 30 s, one for a PM2_HOME."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._pm2_client import Pm2Error

LIFETIME = 30.0
_RENEW_AFTER = 5.0


class LockedError(Pm2Error):
    """Somebody else reloads."""

    cause = "locked"


class ReloadLock:
    """Keeps PM2's own commands from reloading while we do, and us from meeting them.

    PM2's protocol is not atomic, so that two of ours exclude each other by a lock of the kernel.
    """

    def __init__(self, home: str, wait: float = 60.0) -> None:
        self._path = os.path.join(home, "reload.lock")
        self._wait = wait
        self._file: int | None = None
        self._renewed = 0.0

    def __enter__(self) -> ReloadLock:
        deadline = time.monotonic() + self._wait
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._file = os.open(self._path, flags, 0o600)
        while not _taken(self._file):
            if time.monotonic() >= deadline:
                os.close(self._file)
                self._file = None
                raise LockedError(
                    f"another reload holds {self._path} and did not end within {self._wait:g} s:"
                    " let it end, then try again"
                )
            time.sleep(0.2)
        self.renew()
        return self

    def __exit__(self, *_exc: t.Any) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None

    def renew(self) -> None:
        """Set the timestamp anew; called from every waiting loop."""
        if self._file is None or time.monotonic() - self._renewed < _RENEW_AFTER:
            return
        stamp = str(int(time.time() * 1000)).encode("ascii")
        os.pwrite(self._file, stamp, 0)
        os.ftruncate(self._file, len(stamp))
        self._renewed = time.monotonic()


def _taken(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    text = os.pread(file, 32, 0).decode("ascii", "replace").strip()
    age = time.time() - int(text) / 1000 if text.isdigit() else LIFETIME
    if 0 <= age < LIFETIME:
        fcntl.flock(file, fcntl.LOCK_UN)
        return False
    return True
