# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""File system steps that are whole or not done at all."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import stat
import subprocess
import typing as t

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2

# What is written here takes the place of something else at once. The name tells whose place, since
# another process may be writing another file of the directory, and a leftover is known by its end.
_NEW = ".titan-new"


def read_json(path: str) -> t.Any:
    """The content of a JSON file; FileNotFoundError without it, ValueError when it is damaged."""
    with open(path, encoding="utf-8") as source:
        return json.load(source)


def write_json(path: str, content: t.Any, mode: int = 0o600) -> None:
    """Replace a JSON file: a reader sees the old content or the new one, also after a crash."""
    temporary = _new(path)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    with open(descriptor, "w", encoding="utf-8") as target:
        json.dump(content, target, indent=1, sort_keys=True)
        target.write("\n")
        target.flush()
        os.fsync(target.fileno())
    os.replace(temporary, path)


def replace_link(path: str, target: str) -> None:
    """Point a symbolic link elsewhere (or create it) without a moment in which it is missing."""
    temporary = _new(path)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)
    os.symlink(target, temporary)
    os.replace(temporary, path)


def _new(path: str) -> str:
    """Where the successor of a file or a link is written."""
    return os.path.join(os.path.dirname(path), f".{os.path.basename(path)}{_NEW}")


def remove_leftover(directory: str) -> None:
    """Remove what a process that was killed had begun to write in a directory.

    Only for who holds the lock for all of the directory, or another one's work is lost.
    """
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        for name in os.listdir(directory):
            if name.startswith(".") and name.endswith(_NEW):
                os.unlink(os.path.join(directory, name))


def exchange(first: str, second: str, swap: str) -> bool:
    """Let two names change places; whether that was atomic.

    Where the file system cannot do it, three renames by way of `swap` do, and `first` is missing
    between two of them.
    """
    try:
        _exchange(first, second)
    except OSError as error:
        if error.errno not in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
            raise
        os.rename(first, swap)
        os.rename(second, first)
        os.rename(swap, second)
        return False
    return True


def _exchange(first: str, second: str) -> None:
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    names = os.fsencode(first), os.fsencode(second)
    if renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), first, None, second)


def remove_tree(path: str) -> None:
    """Remove a directory with everything in it; no error when it is not there."""
    if not os.path.lexists(path):
        return
    # rm takes half the time of shutil on the tens of thousands of files of a node_modules.
    if subprocess.run(["rm", "-rf", "--", path], capture_output=True, check=False).returncode:
        for parent, _directories, _files in os.walk(path):
            os.chmod(parent, stat.S_IRWXU)
        subprocess.run(["rm", "-rf", "--", path], capture_output=True, check=True)
