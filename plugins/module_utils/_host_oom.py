# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom the kernel killed because memory ran out: from its log, and its counter."""

from __future__ import annotations

import json
import re
import typing as t
from datetime import datetime, timezone

from ansible_collections.plugspace.titan.plugins.module_utils._host import (
    HostError,
    Report,
    first_line,
    printable,
)
from ansible_collections.plugspace.titan.plugins.module_utils._host_cgroup import unit_of_path
from ansible_collections.plugspace.titan.plugins.module_utils._process import Finished

# A service that is killed and started again all day leaves thousands; the newest tell enough.
KEPT = 100

# Not `journalctl -k`, which looks at the running boot only: the kill may be why there is a new one.
_JOURNAL = ("journalctl", "--no-pager", "--output=json", "--output-fields=MESSAGE")
_OF_THE_KERNEL = "_TRANSPORT=kernel"
# In lower case, which makes it find upper case too.
_PATTERN = "--grep=oom-kill:|kill(ed)? process"

# The messages of one kill, in this order. Newer kernels say the first and the last, those before
# 4.20 the second and the last, which then lacks its beginning.
_SUMMARY = re.compile(
    r"oom-kill:constraint=.*?(?:,oom_memcg=(?P<limit>.*?)|,global_oom)?"
    r",task_memcg=(?P<cgroup>.*),task=.*,pid=(?P<pid>\d+),uid=\d+"
)
_CHOICE = re.compile(r"(?P<scope>Memory cgroup out|Out) of memory\b.*?: Kill process (?P<pid>\d+) ")
_KILL = re.compile(
    r"(?:(?P<scope>Memory cgroup out|Out) of memory\b.*?: )?"
    r"Killed process (?P<pid>\d+) \((?P<name>.*)\),? .*?total-vm:\d+kB, (?P<sizes>.*)"
)
_RSS = re.compile(r"(?:anon|file|shmem)-rss:(\d+)kB")
# Seconds since boot, and with some kernels who wrote it.
_DMESG = re.compile(r"\[ *(\d+\.\d+)\](?:\[ *\w+\])? (.*)")

# Where systemd puts itself.
_INIT = "/init.scope"

Message = tuple[float, str]  # seconds since 1970, text


class Host(t.Protocol):
    """The few things that are asked of the operating system."""

    def read(self, path: str) -> str:
        """Return a file of /proc."""

    def run(self, command: t.Sequence[str]) -> Finished:
        """Run a command that only reads; raises HostError if it cannot, or takes too long."""

    def now(self) -> float:
        """Return the seconds since 1970."""

    def monotonic(self) -> float:
        """Return the seconds since boot, on the clock of the kernel's log."""


def oom_kills(host: Host, since: float) -> list[Report]:
    """Return the kills of the last `since` seconds, newest first, 100 at most.

    Raises HostError if neither the journal nor the kernel's own buffer can be read.
    """
    start = host.now() - since
    try:
        messages = _journal(host, start)
    except HostError as error:
        try:
            messages = _dmesg(host)
        except HostError as other:
            raise HostError(f"the log of the kernel cannot be read: {error}; {other}") from other
    found = kills(message for message in messages if message[0] >= start)
    own = _own_root(host)
    return [kill for kill in found[::-1] if _is_below(kill["cgroup"], own)][:KEPT]


def _own_root(host: Host) -> str:
    """Return the control group in which all of this host is; empty on one that is no container.

    The kernel's log is the machine's, so in a container it tells of its neighbours too.
    """
    try:
        lines = host.read("/proc/1/cgroup").splitlines()
    except OSError:
        return ""
    paths = {}
    for line in lines:
        _number, _colon, rest = line.partition(":")
        controllers, _colon, path = rest.partition(":")
        paths.update(dict.fromkeys(controllers.split(","), path))
    path = paths.get("memory") or paths.get("") or "/"
    return path[: -len(_INIT)] if path.endswith(_INIT) else path.rstrip("/")


def _is_below(cgroup: str | None, root: str) -> bool:
    # Who was killed in a group that the log does not name, may have been of this host.
    return cgroup is None or not root or f"{cgroup}/".startswith(f"{root}/")


def oom_kill_count(host: Host) -> int | None:
    """Return how many were killed since boot, None for a kernel that does not count them."""
    found = re.search(r"^oom_kill (\d+)$", host.read("/proc/vmstat"), re.M)
    return int(found.group(1)) if found else None


def kills(messages: t.Iterable[Message]) -> list[Report]:
    """Return the kills that the kernel's messages tell of, in their order."""
    summaries: dict[str, re.Match[str]] = {}
    scopes: dict[str, str] = {}
    found = []
    for when, text in messages:
        summary, choice, kill = (each.match(text) for each in (_SUMMARY, _CHOICE, _KILL))
        if summary:
            summaries[summary["pid"]] = summary
        elif choice:
            scopes[choice["pid"]] = choice["scope"]
        elif kill:
            pid = kill["pid"]
            scope = kill["scope"] or scopes.pop(pid, None)
            found.append(_report(when, kill, scope, summaries.pop(pid, None)))
    return found


def _report(
    when: float, kill: re.Match[str], scope: str | None, summary: re.Match[str] | None
) -> Report:
    cgroup = printable(summary["cgroup"]) if summary else None
    limit = printable(summary["limit"]) if summary and summary["limit"] else None
    return {
        "time": datetime.fromtimestamp(when, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "pid": int(kill["pid"]),
        "name": printable(kill["name"]),
        "unit": unit_of_path(cgroup or ""),
        "cgroup": cgroup,
        "scope": {"Memory cgroup out": "cgroup", "Out": "host"}.get(scope or ""),
        "limited_cgroup": limit,
        "rss_bytes": 1024 * sum(int(size) for size in _RSS.findall(kill["sizes"])),
    }


def _journal(host: Host, start: float) -> list[Message]:
    # A journal without a word of the kernel (in a container, without a disk, or hidden from this
    # user) must not pass for a host on which nothing was killed.
    if not journal_messages(host.run([*_JOURNAL, "--lines=1", _OF_THE_KERNEL]).output):
        raise HostError(
            "the journal shows nothing of the kernel (to see it takes root or the group"
            " systemd-journal)"
        )
    done = host.run([*_JOURNAL, f"--since=@{int(start)}", _PATTERN, _OF_THE_KERNEL])
    # Like grep, it calls it a failure to find nothing.
    if done.code and done.errors.strip():
        raise HostError("journalctl: " + first_line(done.errors))
    return journal_messages(done.output)


def journal_messages(output: str) -> list[Message]:
    """Return what `journalctl --output=json` prints; lines that are no entries are left out."""
    found = []
    for line in output.splitlines():
        try:
            entry = json.loads(line)
            when, text = int(entry["__REALTIME_TIMESTAMP"]) / 1e6, entry["MESSAGE"]
            if isinstance(text, list):  # bytes that are no text
                text = bytes(text).decode(errors="replace")
        except (ValueError, KeyError, TypeError):
            continue
        if isinstance(text, str):
            found.append((when, text))
    return found


def _dmesg(host: Host) -> list[Message]:
    done = host.run(["dmesg"])
    if done.code:
        raise HostError(first_line(done.errors))
    return dmesg_messages(done.output, host.now() - host.monotonic())


def dmesg_messages(output: str, boot: float) -> list[Message]:
    """Return what `dmesg` prints; `boot` are the seconds since 1970 at which the host started."""
    lines = (_DMESG.match(line) for line in output.splitlines())
    return [(boot + float(line[1]), line[2]) for line in lines if line]
