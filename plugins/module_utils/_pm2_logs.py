# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log files of PM2's applications: last lines, what was added since, and emptying them."""

from __future__ import annotations

import os
import re
import stat
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils import _dotenv
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_process import environment_of
from ansible_collections.plugspace.titan.plugins.module_utils._redact import Redactor

MAX_TAIL = 256 * 1024
MAX_FOLD = 4 * 1024 * 1024
_LINE_SHOWN = 2000
_LOG_KEYS = {"out": "pm_out_log_path", "err": "pm_err_log_path"}
_SECRET_NAME = re.compile(
    r"secret|passw|token|credential|private|api_?key|_key$|^key$|auth|dsn|_ur[il]$|salt", re.I
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Mark(t.NamedTuple):
    """Where a log file ended at some moment."""

    inode: int
    size: int


def paths(records: t.Iterable[t.Mapping[str, t.Any]], stream: str) -> list[str]:
    """The files of one stream (out or err) of these processes, each once."""
    found = []
    for record in records:
        path = environment_of(record).get(_LOG_KEYS[stream])
        if isinstance(path, str) and path.startswith("/") and path != "/dev/null":
            found.append(path)
    return list(dict.fromkeys(found))


def _open(path: str, flags: int) -> int | None:
    # The application writes into this folder: never follow a link, never wait for a pipe.
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return descriptor


def mark(path: str) -> Mark:
    """The present end of a log file."""
    try:
        status = os.lstat(path)
    except OSError:
        return Mark(0, 0)
    return Mark(status.st_ino, status.st_size)


def tail(path: str, lines: int, since: Mark | None = None) -> list[str]:
    """The last lines of a file, of those written after the mark when there is one."""
    descriptor = _open(path, os.O_RDONLY) if lines > 0 else None
    if descriptor is None:
        return []
    with open(descriptor, "rb") as source:
        status = os.fstat(source.fileno())
        same = since is not None and since.inode == status.st_ino and since.size <= status.st_size
        begin = since.size if same and since is not None else 0
        start = max(begin, status.st_size - MAX_TAIL)
        source.seek(start)
        text = source.read(MAX_TAIL).decode("utf-8", "replace")
    found = text.splitlines()
    if start > begin and found:
        del found[0]
    return [_COLOUR.sub("", line)[:_LINE_SHOWN] for line in found[-lines:]]


def empty(path: str, dry: bool) -> bool:
    """Truncate a log file; whether there was something in it."""
    descriptor = _open(path, os.O_RDONLY if dry else os.O_WRONLY)
    if descriptor is None:
        return False
    try:
        filled = os.fstat(descriptor).st_size > 0
        if filled and not dry:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)
    return filled


class Watch:
    """Remembers where the logs end now, so that later only new lines are shown."""

    def __init__(self, home: str, records: t.Iterable[t.Mapping[str, t.Any]]) -> None:
        known = [path for stream in _LOG_KEYS for path in paths(records, stream)]
        # A new process may continue a file that is there already from an earlier one of its id.
        folders = {os.path.dirname(path) for path in known} | {os.path.join(home, "logs")}
        self._marks = {
            path: mark(path)
            for folder in folders
            for path in (os.path.join(folder, name) for name in _names(folder))
        }

    def new_lines(self, records: t.Sequence[t.Mapping[str, t.Any]], count: int) -> list[str]:
        """The last of the new lines, errors last."""
        lines: list[str] = []
        for stream, most in (("out", count // 2), ("err", count)):
            for path in paths(records, stream):
                lines += tail(path, most, self._marks.get(path, Mark(0, 0)))
        return lines[-count:]


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def redactor(
    records: t.Iterable[t.Mapping[str, t.Any]],
    files: t.Iterable[str] = (),
    values: t.Iterable[str] = (),
) -> Redactor:
    """A redactor that knows the secrets of these processes, of .env files and of the caller."""
    secrets = {value for value in values if value}
    for path in files:
        try:
            with open(path, encoding="utf-8", errors="replace") as source:
                secrets |= _dotenv.secrets(source.read(1024 * 1024))
        except FileNotFoundError:
            continue
    for record in records:
        env = environment_of(record).get("env")
        for name, value in env.items() if isinstance(env, dict) else ():
            if isinstance(value, str) and len(value) >= 6 and _SECRET_NAME.search(name):
                secrets.add(value)
    return Redactor(secrets)


def fold(record: t.Mapping[str, t.Any], into: t.Mapping[str, t.Any]) -> None:
    """Append the logs of a process that is gone to those of another one, and remove them.

    PM2 gives each id a log file of its own; a temporary process would leave one behind every time.
    """
    number = environment_of(record).get("pm_id")
    for stream in _LOG_KEYS:
        source, target = paths([record], stream), paths([into], stream)
        if not source or not target or source == target:
            continue
        if not source[0].endswith(f"-{number}.log"):
            continue
        reader = _open(source[0], os.O_RDONLY)
        writer = _open(target[0], os.O_WRONLY | os.O_APPEND)
        try:
            if reader is not None and writer is not None:
                os.lseek(reader, max(0, os.fstat(reader).st_size - MAX_FOLD), os.SEEK_SET)
                os.write(writer, os.read(reader, MAX_FOLD))
                os.unlink(source[0])
        finally:
            for descriptor in (reader, writer):
                if descriptor is not None:
                    os.close(descriptor)
