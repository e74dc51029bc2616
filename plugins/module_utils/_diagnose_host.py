# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every diagnosis reads from host_info and from logs: full disks, units, holders of a port."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._finding import (
    CERTAIN,
    LIKELY,
    Finding,
    finding,
)
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen
from ansible_collections.plugspace.titan.plugins.module_utils._words import size

EMPTY = Seen(None)
NO_SPACE = re.compile(r"ENOSPC|no space left on device", re.I)
# With less than this a program can write nothing that matters.
_FULL_BYTES = 1024 * 1024
# What the journal writes in front of a line, in its own format (short) and with -o short-iso.
_JOURNAL = re.compile(
    r"^(?:[A-Z][a-z]{2} [ \d]\d [\d:]{8}|\d{4}-\d\d-\d\dT[\d:.,+Z-]+) \S+ [\w.@/-]+(?:\[\d+\])?: "
)


def last_line(lines: t.Sequence[str], pattern: t.Pattern[str], healed: str = "") -> str:
    """The newest line in which the pattern is, or empty.

    healed: a pattern; what was said before the newest line that has it, is over.
    """
    for line in reversed(lines):
        if pattern.search(line):
            return line.strip()
        if healed and re.search(healed, line):
            break
    return ""


def words_of(line: str) -> str:
    """A line of the journal without date, host and program."""
    return _JOURNAL.sub("", line).strip()


def unsteady(name: str, answer: Seen) -> list[Finding]:
    """It looks well, and did not answer a visitor each time."""
    if answer.flag("ok") is not False:
        return []
    why = f"it looks well, but a visitor was told: {answer.text('reason') or answer.text('msg')}"
    advice = "look again in a minute; what comes and goes is in its log"
    return [finding("unsteady", name, why, LIKELY, advice=advice)]


def find_unit(host: Seen, name: str) -> Seen:
    """The systemd unit of this name, as it was asked for."""
    return next((unit for unit in host.rows("units") if name and unit.text("name") == name), EMPTY)


def who(listener: Seen) -> str:
    """A process that listens, for a person."""
    pid, name = listener.whole("pid"), listener.text("name") or "a process"
    if not pid:
        return "a process that this user cannot see"
    unit, user = listener.text("unit"), listener.text("user")
    more = ", ".join(filter(None, [f"user {user}" if user else "", unit]))
    return f"{name} (pid {pid}{', ' + more if more else ''})"


def tcp_listeners(host: Seen, port: int) -> list[Seen]:
    """Who listens on the TCP port."""
    return [
        one
        for one in host.rows("listeners")
        if port and one.whole("port") == port and not one.text("protocol").startswith("udp")
    ]


def full_disks(host: Seen, paths: t.Sequence[str], told: str = "") -> t.Iterator[Finding]:
    """File systems without space: those that hold the paths, or any when a log line told so."""
    for system in host.rows("file_systems"):
        mount = system.text("mount")
        no_bytes = system.has("available_bytes") and system.number("available_bytes") < _FULL_BYTES
        no_inodes = system.number("inodes_used_percent") >= 100
        if not (no_bytes or no_inodes):
            continue
        holds = any(_holds(host, mount, path) for path in paths or [""])
        if not (holds or told):
            continue
        what = "no inode" if no_inodes and not no_bytes else "no space"
        said = f"; its log: {told}" if told else ""
        yield finding(
            "disk_full",
            mount,
            f"{what} is left on {mount} ({size(system.number('size_bytes'))}){said}",
            CERTAIN if holds else LIKELY,
            advice=f"free space on {mount}; nothing that is started now could write",
        )


def small_disks(host: Seen, path: str, needed: float, what: str, told: str) -> t.Iterator[Finding]:
    """The file system that holds the path, when it has no room for what is to be written there.

    A program that could not write a file to its end removes it, so afterwards there is space again.
    """
    for system in host.rows("file_systems"):
        mount, left = system.text("mount"), system.number("available_bytes")
        if not system.has("available_bytes") or left >= needed or not _holds(host, mount, path):
            continue
        yield finding(
            "disk_full",
            mount,
            f"{size(left)} are left on {mount}, and {what} takes up to {size(needed)}; its log:"
            f" {told}",
            LIKELY,
            advice=f"free space on {mount}, or give {path} a larger disk",
        )


def _holds(host: Seen, mount: str, path: str) -> bool:
    """Whether the path, or all that has no file system of its own, is on it."""
    mounts = [one.text("mount") for one in host.rows("file_systems")]
    path = path or "/"
    over = [m for m in mounts if m and (path + "/").startswith(m.rstrip("/") + "/")]
    return mount == max(over, key=len, default="/")
