# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory of records: one JSON file and one page for each run, never another run's."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import secrets
import stat
import time
import typing as t

MAX_BYTES = 20 * 1024 * 1024
_NAME = re.compile(r"\d{8}T\d{6}Z-[a-z0-9_-]+\.json")
_TRIES = 10


class RecordError(Exception):
    """A record cannot be written or read."""


class Entry(t.NamedTuple):
    """A file of the directory: the record in it, or what is wrong with it."""

    path: str
    record: dict[str, t.Any]
    problem: str


class Store:
    """Writes one run's record. Its name is taken once, and from then on is only this run's."""

    def __init__(self, directory: str, procedure: str, moment: float) -> None:
        self._directory = os.path.abspath(os.path.expanduser(directory))
        self._numbers = itertools.count()
        try:
            os.makedirs(self._directory, mode=0o700, exist_ok=True)
            self.id = self._reserve(procedure, moment)
        except OSError as error:
            raise RecordError(
                f"cannot write records in {self._directory}: {error.strerror}"
            ) from error

    @property
    def json_path(self) -> str:
        """The record for programs."""
        return os.path.join(self._directory, f"{self.id}.json")

    @property
    def page_path(self) -> str:
        """The record for people."""
        return os.path.join(self._directory, f"{self.id}.html")

    def write(self, record: t.Mapping[str, t.Any]) -> None:
        """Replace what is there of this run; a reader sees the old content or the new one."""
        lasting = record.get("status") != "running"
        self._replace(self.json_path, json.dumps(record, indent=1) + "\n", lasting)

    def write_page(self, page: str) -> None:
        """Replace the page of this run."""
        self._replace(self.page_path, page, False)

    def _reserve(self, procedure: str, moment: float) -> str:
        name = re.sub(r"[^a-z0-9_]+", "-", procedure.lower()).strip("-")[:40] or "run"
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(moment))
        for _attempt in range(_TRIES):
            self.id = f"{stamp}-{name}-{secrets.token_hex(3)}"
            with contextlib.suppress(FileExistsError):
                os.close(_create(self.json_path))
                return self.id
        raise RecordError(f"no free name for a record in {self._directory}")

    def _replace(self, path: str, text: str, lasting: bool) -> None:
        # A number of its own: a signal may come in the middle of one writing, and begin another.
        temporary = os.path.join(self._directory, f".{self.id}.{next(self._numbers)}")
        try:
            with open(_create(temporary), "w", encoding="utf-8", errors="replace") as target:
                target.write(text)
                target.flush()
                if lasting:
                    os.fsync(target.fileno())
            os.replace(temporary, path)
        except OSError as error:
            raise RecordError(f"cannot write {path}: {error.strerror}") from error
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)


def _create(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def entries(directory: str) -> t.Iterator[Entry]:
    """The records of a directory, the newest first; RecordError when it cannot be listed."""
    folder = os.path.abspath(os.path.expanduser(directory))
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise RecordError(f"cannot list the records in {folder}: {error.strerror}") from error
    for name in sorted(names, reverse=True):
        if _NAME.fullmatch(name):
            yield _read(os.path.join(folder, name))


def _read(path: str) -> Entry:
    try:
        # Neither what a link points at nor a pipe that would never answer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            about = os.fstat(descriptor)
            if not stat.S_ISREG(about.st_mode):
                return Entry(path, {}, "is no file")
            if about.st_size > MAX_BYTES:
                return Entry(path, {}, "is too large for a record")
            if not about.st_size:
                return Entry(path, {}, "is empty: its run has just begun, or ended as it began")
            with open(descriptor, "rb", closefd=False) as source:
                content = json.loads(source.read())
        finally:
            os.close(descriptor)
    except OSError as error:
        return Entry(path, {}, f"cannot be read: {error.strerror}")
    except (ValueError, RecursionError):
        return Entry(path, {}, "is damaged: it holds no JSON")
    if not isinstance(content, dict) or not isinstance(content.get("procedure"), str):
        return Entry(path, {}, "is damaged: it holds no record")
    return Entry(path, content, "")
