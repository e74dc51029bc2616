# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who uses a host's processors and memory: its processes, over an interval.

All of it is read from /proc, where one small file per process tells everything that the table of
all processes needs. Of a command line only the script of an interpreter leaves this module:
arguments may hold secrets. Environments are not read at all.
"""

from __future__ import annotations

import os
import re
import typing as t
from collections import Counter
from dataclasses import dataclass

from ansible_collections.plugspace.titan.plugins.module_utils._host import Report, printable
from ansible_collections.plugspace.titan.plugins.module_utils._host_cgroup import unit_of

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")

# To add up a process's pages costs the kernel far more than anything else here, so it is asked
# only for those that may matter.
PSS_CANDIDATES = 100

_INTERPRETER = re.compile(r"(node|nodejs|python|ruby|perl|sh|bash|dash)[\d.]*")
# Followed by code, not by a file: `node -e`, `python -c`, `bash -lc`, `perl -ne`.
_CODE = re.compile(r"--eval|--print|-[A-Za-z]*[ceEp]")
_WITH_VALUE = frozenset(
    (
        *("-r", "--require", "--import", "--loader", "--experimental-loader"),
        *("-C", "--conditions", "--title", "-W", "-X", "-o", "--rcfile", "--init-file"),
    )
)
# A path and nothing else: an address with a password in it has other characters too.
_SCRIPT = re.compile(r"/[\w./@+~-]+|[\w./@+~-]+\.(?:[cm]?[jt]s|pyc?|rb|pl|sh)")
_MODULE = re.compile(r"\w+(?:\.\w+)*")

T = t.TypeVar("T")


class Host(t.Protocol):
    """The few things that are asked of the operating system."""

    def read(self, path: str) -> str:
        """Return a file of /proc."""

    def names(self, path: str) -> list[str]:
        """Return what is in a folder of /proc."""

    def link(self, path: str) -> str:
        """Return what a link of /proc points at."""

    def exists(self, path: str) -> bool:
        """Return whether there is a file."""

    def user(self, path: str) -> str:
        """Return the name of whom a folder of /proc belongs to, or the number."""

    def since_boot(self) -> float:
        """Return the seconds since boot, on the clock by which processes are started."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


@dataclass(frozen=True)
class Reading:
    """One process at one moment. Times are seconds since boot; `cpu_s` is used up in total."""

    pid: int
    ppid: int
    name: str
    state: str
    started: float
    cpu_s: float
    rss_bytes: int
    at: float = 0.0

    def continues(self, other: Reading) -> bool:
        """Tell whether it is still the same process: numbers are given away again."""
        return self.pid == other.pid and self.started == other.started


def parse_stat(stat: str, at: float = 0.0) -> Reading | None:
    """Return what /proc/PID/stat says, None if it is not one."""
    head, _bracket, tail = stat.rpartition(")")  # the name may hold anything, brackets too
    pid, _bracket, name = head.partition("(")
    fields = tail.split()
    try:
        return Reading(
            pid=int(pid),
            ppid=int(fields[1]),
            name=printable(name),
            state=fields[0],
            started=int(fields[19]) / _TICKS,
            cpu_s=(int(fields[11]) + int(fields[12])) / _TICKS,
            rss_bytes=int(fields[21]) * _PAGE,
            at=at,
        )
    except (IndexError, ValueError):
        return None


def look_at(host: Host, pid: int) -> Reading | None:
    """Return a process, None if it is gone or hidden."""
    try:
        return parse_stat(host.read(f"/proc/{pid}/stat"), host.since_boot())
    except OSError:
        return None


def all_processes(host: Host) -> dict[int, Reading]:
    """Return every process that this user may see."""
    seen = (look_at(host, int(name)) for name in host.names("/proc") if name.isdigit())
    return {reading.pid: reading for reading in seen if reading}


def cpu_percent(before: Reading | None, after: Reading, elapsed: float) -> float:
    """Return the use of processors between two readings; 100 is one whole processor.

    Of a process that is new, everything that it used counts, over the time of the others.
    """
    used = after.cpu_s
    if before and after.continues(before):
        used, elapsed = after.cpu_s - before.cpu_s, after.at - before.at
    return round(100 * used / elapsed, 1) if elapsed > 0 else 0.0


def unit_of_process(host: Host, pid: int) -> str | None:
    """Return the systemd unit of a process, None for what stands in none."""
    try:
        return unit_of(host.read(f"/proc/{pid}/cgroup"))
    except OSError:
        return None


def parse_pss(rollup: str) -> int | None:
    """Return the proportional set size in bytes that /proc/PID/smaps_rollup tells."""
    found = re.search(r"^Pss:\s+(\d+) kB$", rollup, re.M)
    return int(found.group(1)) * 1024 if found else None


def parse_open_files_limit(limits: str) -> int | None:
    """Return the soft limit that /proc/PID/limits tells, None if there is none."""
    found = re.search(r"^Max open files\s+(\d+)\s", limits, re.M)
    return int(found.group(1)) if found else None


def script(program: str | None, arguments: t.Sequence[str]) -> str | None:
    """Return the file (or `-m module`) that an interpreter runs, None for any other program.

    The answer is a path without a doubt, or nothing: better no script than a secret.
    """
    words = [word for word in arguments if word]
    if len(words) == 1:  # a process that gave itself a title, as those of PM2 do
        words = words[0].split()
    called = os.path.basename((program or (words[0] if words else "")).partition(" (deleted)")[0])
    interpreter = _INTERPRETER.fullmatch(called)
    if not interpreter:
        return None
    rest = iter(words[1:])
    for word in rest:
        if word == "-m" and interpreter.group(1) == "python":
            module = next(rest, "")
            return f"-m {module}" if _MODULE.fullmatch(module) else None
        if _CODE.fullmatch(word):
            return None
        if word in _WITH_VALUE:
            next(rest, None)
        elif not word.startswith("-"):
            return word if _SCRIPT.fullmatch(word) else None
    return None


def descendants(pids: t.Iterable[int], table: t.Mapping[int, Reading]) -> set[int]:
    """Return those of the processes that are there, with all that stem from them."""
    children: dict[int, list[int]] = {}
    for reading in table.values():
        children.setdefault(reading.ppid, []).append(reading.pid)
    found: set[int] = set()
    waiting = [pid for pid in pids if pid in table]
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children.get(pid, [])
    return found


def processes(
    host: Host,
    top: int,
    interval: float,
    pids: t.Sequence[int] = (),
    unit_names: t.Sequence[str] = (),
) -> Report:
    """Return the `top` by CPU and by memory, `pids` and their descendants, and sums by unit.

    unit_names: services all of whose processes are returned as well.

    A process that ends meanwhile is left out.
    """
    started = host.since_boot()
    before = all_processes(host)
    host.sleep(interval)
    elapsed = host.since_boot() - started
    table = all_processes(host)
    cpu = {pid: cpu_percent(before.get(pid), each, elapsed) for pid, each in table.items()}
    rss = {pid: each.rss_bytes for pid, each in table.items()}
    units = {pid: unit_of_process(host, pid) for pid in table}
    services = {name if "." in name else f"{name}.service" for name in unit_names}
    certain = descendants(pids, table) | set(_highest(cpu, top))
    certain |= {pid for pid, unit in units.items() if unit in services}
    candidates = certain | set(_highest(rss, max(PSS_CANDIDATES, top)))
    pss = {pid: _pss(host, table[pid]) for pid in candidates}
    memory = {pid: _either(pss[pid], rss[pid]) for pid in candidates}
    kept = certain | set(_highest(memory, top))
    rows = []
    for pid in sorted(kept, key=lambda pid: (-cpu[pid], -memory[pid], pid)):
        details = _details(host, table[pid])
        if details:
            measured = {"cpu_percent": cpu[pid], "rss_bytes": rss[pid], "pss_bytes": pss[pid]}
            rows.append({**details, "unit": units[pid], **measured})
    return {
        "interval_s": round(elapsed, 2),
        "count": len(table),
        "states": dict(Counter(each.state for each in table.values())),
        "kept": rows,
        "by_unit": _by_unit(units, cpu, rss, pss),
    }


def _highest(values: t.Mapping[int, float], count: int) -> list[int]:
    return sorted(values, key=lambda pid: (-values[pid], pid))[:count]


def _either(pss: int | None, rss: int) -> int:
    return rss if pss is None else pss


def _pss(host: Host, reading: Reading) -> int | None:
    """Return a process's proportional set size in bytes, None if it cannot be read."""
    if not reading.rss_bytes:
        return 0  # a thread of the kernel, or a process that has ended
    if reading.state == "D":
        return None  # its memory may be locked, and who asks would hang with it
    try:
        return parse_pss(host.read(f"/proc/{reading.pid}/smaps_rollup"))
    except OSError:
        return None if look_at(host, reading.pid) else 0


def _details(host: Host, reading: Reading) -> Report | None:
    """Return who a process is, None if it is gone."""
    folder = f"/proc/{reading.pid}"
    try:
        user = host.user(folder)
    except OSError:
        return None
    program = program_of(host, reading.pid)
    limits = _allowed(lambda: host.read(f"{folder}/limits"))
    return {
        "pid": reading.pid,
        "ppid": reading.ppid,
        "name": reading.name,
        "program": printable(program) if program else None,
        "script": script_of(host, reading, program),
        "user": printable(user),
        "state": reading.state,
        "age_s": round(max(0.0, reading.at - reading.started), 1),
        "open_files": _allowed(lambda: len(host.names(f"{folder}/fd"))),
        "open_files_limit": parse_open_files_limit(limits or ""),
    }


def program_of(host: Host, pid: int) -> str | None:
    """Return the file that a process was started from, None where that is not permitted."""
    return _allowed(lambda: host.link(f"/proc/{pid}/exe"))


def script_of(host: Host, reading: Reading, program: str | None) -> str | None:
    """Return what `script` makes of a process's arguments, as an absolute path where that is sure.

    What is relative to the folder that the process was started in stays so where that folder is not
    known: it may not be, or the process works elsewhere since.
    """
    if reading.state == "D":
        return None  # its arguments stand in its memory, which may be locked
    line = _allowed(lambda: host.read(f"/proc/{reading.pid}/cmdline")) or ""
    found = script(program, line.split("\0"))
    if not found or found.startswith(("/", "-m ")):
        return found
    folder = _allowed(lambda: host.link(f"/proc/{reading.pid}/cwd")) or "/"
    if folder == "/":
        return found  # a daemon goes there after its start, so the file is elsewhere
    folder, deleted, _rest = folder.partition(" (deleted)")
    path = os.path.normpath(os.path.join(folder, found))
    sure = _SCRIPT.fullmatch(path) and (deleted or host.exists(path))
    return path if sure else found


def _allowed(ask: t.Callable[[], T]) -> T | None:
    """Return the answer, None where it is not permitted or the process is gone."""
    try:
        return ask()
    except OSError:
        return None


def _by_unit(
    units: t.Mapping[int, str | None],
    cpu: t.Mapping[int, float],
    rss: t.Mapping[int, int],
    pss: t.Mapping[int, int | None],
) -> list[Report]:
    """Return the sums of each unit, the one with the most memory first."""
    members: dict[str | None, list[int]] = {}
    for pid, unit in units.items():
        members.setdefault(unit, []).append(pid)
    rows = []
    for unit, pids in members.items():
        # Of the many small ones that were not asked, the RSS is close enough.
        sizes = [pss.get(pid, rss[pid]) for pid in pids]
        known = [size for size in sizes if size is not None]
        rows.append(
            {
                "unit": unit,
                "processes": len(pids),
                "cpu_percent": round(sum(cpu[pid] for pid in pids), 1),
                "rss_bytes": sum(rss[pid] for pid in pids),
                "pss_bytes": sum(known) if len(known) == len(sizes) else None,
            }
        )
    return sorted(rows, key=_weight, reverse=True)


def _weight(row: Report) -> int:
    return _either(row["pss_bytes"], row["rss_bytes"])
