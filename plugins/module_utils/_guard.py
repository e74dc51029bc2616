# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file that one process at a time looks at and changes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import typing as t

_WAIT = 10.0


class GuardError(Exception):
    """The file could not be had for oneself; the text says why."""


@contextlib.contextmanager
def guarded(path: str) -> t.Iterator[None]:
    """Nobody else is in here for the same path meanwhile; the kernel lets go when a process dies.

    A file beside it is locked, since the file itself is replaced when it is written.
    """
    guard = f"{path}.guard"
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        descriptor = os.open(guard, flags, 0o600)
    except OSError as error:
        raise GuardError(f"the lock {guard} cannot be opened: {error.strerror}") from None
    try:
        deadline = time.monotonic() + _WAIT
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise GuardError(
                        f"another process keeps {guard} for more than {_WAIT:g} s; "
                        f"find it with: fuser -v {guard}"
                    ) from None
                time.sleep(0.01)
        yield
    finally:
        os.close(descriptor)
