# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The size of the cache in mongod's configuration: read, and written without touching the rest.

A host has no YAML library, and a file that is parsed and written again loses its comments. So the
one line is found by its place and changed as text; mongod itself then says whether the file means
what it meant before, but for this size.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
import typing as t
from dataclasses import dataclass

from ansible_collections.plugspace.titan.plugins.module_utils._process import (
    ProcessError,
    capture,
    clean_environment,
)

SECTIONS = ("storage", "wiredTiger", "engineConfig")
SETTING = ".".join((*SECTIONS, "cacheSizeGB"))
# What mongod takes.
LEAST_GB, MOST_GB = 0.25, 10000.0
PLACE: dict[str, dict[str, t.Any]] = {"path": {"type": "path", "required": True}}
# A key of a mapping, in dotted form too, with its value and without a comment.
_ENTRY = re.compile(
    r"(?P<indent> *)(?P<quote>[\"']?)(?P<key>\w[\w.]*)(?P=quote) *:"
    r"(?: +(?P<value>[^#\s](?:[^\n]*?[^\s])??))? *(?: #.*)?$"
)
_NUMBER = re.compile(r"([\"']?)(\d+(?:\.\d*)?|\.\d+)\1")
# What mongod says of the call itself and not of the configuration.
_CALL = ("config", "outputConfig")


class ConfigError(Exception):
    """The file cannot be read or must not be changed; the text says why and what to do."""


@dataclass(frozen=True)
class Entry:
    """A key in the file. line: counted from 0. start, end: of its value in the line."""

    line: int
    indent: int
    path: str
    value: str
    start: int
    end: int


def entries(text: str) -> list[Entry]:
    """Every key of the file, by its path with dots."""
    found: list[Entry] = []
    above: list[Entry] = []
    for number, line in enumerate(text.splitlines()):
        match = _ENTRY.match(line)
        if not match:
            continue
        indent = len(match["indent"])
        while above and above[-1].indent >= indent:
            above.pop()
        path = f"{above[-1].path}.{match['key']}" if above else match["key"]
        value = match["value"] or ""
        start, end = match.span("value") if value else (match.end(), match.end())
        above.append(Entry(number, indent, path, value, start, end))
        found.append(above[-1])
    return found


def _setting(found: t.Sequence[Entry]) -> Entry | None:
    lines = [one for one in found if one.path == SETTING]
    if len(lines) > 1:
        raise ConfigError(f"it says {SETTING} {len(lines)} times: leave one of them")
    return lines[0] if lines else None


def size_in(text: str) -> float | None:
    """The size of the cache in GB that the file says; None where it leaves it to MongoDB."""
    found = entries(text)
    entry = _setting(found)
    if not entry:
        for one in found:
            if one.value and (SETTING + ".").startswith(one.path + "."):
                raise ConfigError(
                    f"{one.path} is written in one line: write {SETTING} in lines of its own"
                )
        return None
    number = _NUMBER.fullmatch(entry.value)
    if not number:
        raise ConfigError(f"{SETTING} is {entry.value!r}, which is no number: put it right")
    return float(number[2])


def changed_text(text: str, size_gb: float) -> str:
    """The file with another size, and nothing else changed."""
    size_in(text)
    wanted, lines, found = f"{size_gb:g}", text.splitlines(keepends=True), entries(text)
    entry = _setting(found)
    if entry:
        line = lines[entry.line]
        lines[entry.line] = line[: entry.start] + wanted + line[entry.end :]
        return "".join(lines)
    for depth in range(len(SECTIONS), 0, -1):
        path = ".".join(SECTIONS[:depth])
        place = next((index for index, one in enumerate(found) if one.path == path), -1)
        if place < 0:
            continue
        section = found[place]
        child = found[place + 1] if place + 1 < len(found) else section
        step = child.indent if child.indent > section.indent else section.indent + 2
        lines[section.line] = _ended(lines[section.line])
        lines[section.line + 1 : section.line + 1] = _block(SECTIONS[depth:], step, wanted)
        return "".join(lines)
    if lines:
        lines[-1] = _ended(lines[-1])
    return "".join([*lines, *_block(SECTIONS, 0, wanted)])


def _ended(line: str) -> str:
    return line if line.endswith("\n") else line + "\n"


def _block(sections: t.Sequence[str], indent: int, wanted: str) -> list[str]:
    lines = [f"{' ' * (indent + 2 * depth)}{name}:\n" for depth, name in enumerate(sections)]
    return [*lines, f"{' ' * (indent + 2 * len(sections))}cacheSizeGB: {wanted}\n"]


class Server(t.Protocol):
    """The file, and the program that it is for."""

    def read(self) -> str:
        """The file."""

    def understood(self, text: str) -> str:
        """What mongod makes of such a file; ConfigError with its words when it refuses it."""

    def replace(self, text: str) -> str:
        """Put the text in the file's place at once, and return where the old one is kept."""


@dataclass(frozen=True)
class Plan:
    """Sizes in GB, None where the file leaves it to MongoDB."""

    before: float | None
    after: float
    text: str

    @property
    def changed(self) -> bool:
        """Whether there is something to write."""
        return self.before != self.after


def plan(server: Server, size_gb: float) -> Plan:
    """What is to be written, which mongod has seen."""
    if not LEAST_GB <= size_gb <= MOST_GB:
        raise ConfigError(
            f"{size_gb:g} GB is no size for the cache: it is {LEAST_GB:g} to {MOST_GB:g}"
        )
    text = server.read()
    planned = Plan(size_in(text), size_gb, changed_text(text, size_gb))
    if planned.changed:
        _compare(server.understood(text), server.understood(planned.text), size_gb)
    return planned


def apply(server: Server, planned: Plan) -> str:
    """Write it; where the old file is kept, empty when nothing was to be done."""
    return server.replace(planned.text) if planned.changed else ""


def _compare(old: str, new: str, size_gb: float) -> None:
    """Refuse a change of anything else."""
    before, after = _meaning(old), _meaning(new)
    size = after.pop(SETTING, "")
    before.pop(SETTING, None)
    if size != f"{size_gb:g}" or before != after:
        names = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
        raise ConfigError(
            f"with {size_gb:g} mongod would understand {', '.join(names) or SETTING} in another way"
            f" than now: change {SETTING} by hand"
        )


def _meaning(output: str) -> dict[str, str]:
    """The values by path; lines that are no key, such as those of a list, by their place."""
    found = entries(output)
    lines = {one.line for one in found}
    meaning = {one.path: one.value for one in found if one.value and one.path not in _CALL}
    others = [line for number, line in enumerate(output.splitlines()) if number not in lines]
    return {**meaning, **{f"line {place}": line for place, line in enumerate(others)}}


class LocalServer:
    """This host's. mongod: the program."""

    def __init__(self, path: str, mongod: str, timeout: float = 10) -> None:
        # What a link points at is replaced, not the link.
        self.path = os.path.realpath(path)
        self._mongod = mongod
        self._timeout = timeout

    def read(self) -> str:
        """The file."""
        return read(self.path)

    def understood(self, text: str) -> str:
        """What mongod makes of such a file, which it reads from memory: nothing is written."""
        descriptor = os.memfd_create("mongod.conf")
        try:
            with open(descriptor, "w", encoding="utf-8", newline="", closefd=False) as target:
                target.write(text)
            place = f"/proc/{os.getpid()}/fd/{descriptor}"
            command = [self._mongod, "--config", place, "--outputConfig"]
            done = capture(command, clean_environment(), self._timeout)
        except ProcessError as error:
            raise ConfigError(str(error)) from error
        finally:
            os.close(descriptor)
        if done.code:
            # Of its own words the first line: the others may show a line of the file.
            said = (done.errors.strip() or done.output.strip() or "no reason").splitlines()[0]
            raise ConfigError(f"mongod refuses the configuration: {said[:200]}")
        return done.output

    def replace(self, text: str) -> str:
        """Put the text in the file's place at once, and return where the old one is kept."""
        backup = f"{self.path}.{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}"
        place = self._write(text)
        try:
            shutil.copy2(self.path, backup)
            _same_owner(self.path, backup)
            os.replace(place, self.path)
        except OSError:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(place)
            raise
        return backup

    def _write(self, text: str) -> str:
        """Beside the file, readable for nobody else than the file is."""
        place = f"{self.path}.titan-new"
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with open(descriptor, "w", encoding="utf-8", newline="") as target:
            target.write(text)
            target.flush()
            os.fsync(target.fileno())
        shutil.copymode(self.path, place)
        _same_owner(self.path, place)
        return place


def _same_owner(path: str, other: str) -> None:
    status = os.stat(path)
    os.chown(other, status.st_uid, status.st_gid)


def read(path: str) -> str:
    """A configuration; ConfigError for what is no text."""
    try:
        with open(path, encoding="utf-8", newline="") as source:
            return source.read()
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is no text") from None


def look(path: str) -> dict[str, t.Any]:
    """The size that a file says, as evidence; OSError with a sentence when it says none clearly."""
    try:
        return {"path": path, "cache_size_gb": size_in(read(path))}
    except ConfigError as error:
        raise OSError(f"{path}: {error}") from error
