# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host says about itself: memory, file systems, systemd units. Reads only."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import time
import typing as t
from datetime import datetime, timezone

from ansible_collections.plugspace.titan.plugins.module_utils._process import (
    Finished,
    ProcessError,
    capture,
    clean_environment,
)
from ansible_collections.plugspace.titan.plugins.module_utils._timex import Timex, read_timex

# No disk of the host's own: kernel views, images that are always full, and network shares,
# which can block whoever asks for ever.
FOREIGN_FILE_SYSTEMS = frozenset(
    (
        *("9p", "autofs", "binfmt_misc", "bpf", "ceph", "cgroup", "cgroup2", "cifs", "configfs"),
        *("debugfs", "devpts", "devtmpfs", "efivarfs", "fuse", "fusectl", "glusterfs"),
        *("hugetlbfs", "iso9660", "mqueue", "nfs", "nfs4", "nsfs", "proc", "pstore", "ramfs"),
        *("rpc_pipefs", "securityfs", "selinuxfs", "smb3", "squashfs", "sysfs", "tracefs"),
    )
)
# Below these stand the layers of containers and packages: the same disk once more.
FOREIGN_FOLDERS = ("/proc", "/sys", "/dev", "/snap", "/var/lib/docker", "/var/lib/containers")

UNIT_PROPERTIES = (
    "Id",
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "NRestarts",
    "StateChangeTimestampMonotonic",
    "ExecMainExitTimestamp",
    "ExecMainExitTimestampMonotonic",
)
# systemd 247 and later: in UTC, to the microsecond.
_EXACT_TIMES = "--timestamp=us+utc"
_EXACT_TIME = "%Y-%m-%d %H:%M:%S.%f UTC"

_MARGIN = 0.1

Report = dict[str, t.Any]


class HostError(Exception):
    """A part of the host could not be read."""


class Host(t.Protocol):
    """The few things that are asked of the operating system."""

    def read(self, path: str) -> str:
        """Return a file of /proc."""

    def is_directory(self, path: str) -> bool:
        """Tell whether a mount point is a directory (containers mount single files)."""

    def statvfs(self, path: str) -> os.statvfs_result:
        """Return the numbers of a file system."""

    def show_units(self, units: t.Sequence[str], properties: t.Sequence[str]) -> str:
        """Return what `systemctl show` prints."""

    def monotonic(self) -> float:
        """Return the seconds since boot, on systemd's clock."""

    def now(self) -> float:
        """Return the seconds since 1970."""


class LocalHost:
    """The host that this runs on."""

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.deadline = time.monotonic() + timeout

    def read(self, path: str) -> str:
        """Return a file of /proc."""
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()

    def is_directory(self, path: str) -> bool:
        """Tell whether a mount point is a directory."""
        return stat.S_ISDIR(os.stat(path).st_mode)

    def statvfs(self, path: str) -> os.statvfs_result:
        """Return the numbers of a file system."""
        return os.statvfs(path)

    def show_units(self, units: t.Sequence[str], properties: t.Sequence[str]) -> str:
        """Return what `systemctl show` prints."""
        asked = ["--property=" + ",".join(properties), "--", *units]
        done = self._systemctl_show([_EXACT_TIMES, *asked])
        if done.returncode and "--timestamp" in done.stderr:
            # An older systemd does not know the option.
            done = self._systemctl_show(asked)
        if done.returncode:
            raise HostError("systemctl show: " + first_line(done.stderr or done.stdout))
        return done.stdout

    def _systemctl_show(self, arguments: t.Sequence[str]) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                ["systemctl", "show", *arguments],
                capture_output=True,
                text=True,
                timeout=self.timeout,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except FileNotFoundError as error:
            raise HostError("this host has no systemctl") from error
        except subprocess.TimeoutExpired as error:
            raise HostError(f"systemd did not answer within {self.timeout:g} s") from error

    def monotonic(self) -> float:
        """Return the seconds since boot, on systemd's clock."""
        return time.clock_gettime(time.CLOCK_MONOTONIC)

    def since_boot(self) -> float:
        """Return the seconds since boot, on the clock by which processes are started."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def now(self) -> float:
        """Return the seconds since 1970."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def timex(self) -> Timex:
        """Return what the kernel knows of its clock."""
        return read_timex()

    def names(self, path: str) -> list[str]:
        """Return what is in a folder of /proc."""
        return os.listdir(path)

    def link(self, path: str) -> str:
        """Return what a link of /proc points at."""
        return os.readlink(path)

    def exists(self, path: str) -> bool:
        """Return whether there is a file."""
        return os.path.exists(path)

    def user(self, path: str) -> str:
        """Return the name of whom a folder of /proc belongs to, or the number."""
        number = os.stat(path).st_uid
        try:
            return pwd.getpwuid(number).pw_name
        except KeyError:
            return str(number)

    def run(self, command: t.Sequence[str]) -> Finished:
        """Run a command that only reads; it ends before this host's time is up."""
        # A little earlier, or it would outlive the module that gave up on it.
        left = max(_MARGIN, self.deadline - time.monotonic() - _MARGIN)
        try:
            return capture(command, clean_environment(), left)
        except ProcessError as error:
            raise HostError(str(error)) from error


def first_line(text: str) -> str:
    """Return what a command says first: its reason, as a rule."""
    return (text.strip().splitlines() or ["no message"])[0][:200]


def printable(text: str) -> str:
    """Return a name that a process chose for itself without what could confuse a terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)


def memory(host: Host) -> Report:
    """Return the host's memory in bytes and the share that programs can still get."""
    found: dict[str, int] = {}
    for line in host.read("/proc/meminfo").splitlines():
        words = line.replace(":", " ").split()
        if len(words) > 1 and words[1].isdigit():
            found[words[0]] = int(words[1]) * 1024
    try:
        total, available = found["MemTotal"], found["MemAvailable"]
    except KeyError as error:
        raise HostError(f"/proc/meminfo has no {error.args[0]}") from error
    shared = found.get("Shmem", 0)
    # What is shared counts as cached, and is not given back.
    cached = sum(found.get(name, 0) for name in ("Cached", "Buffers", "SReclaimable"))
    return {
        "total_bytes": total,
        "available_bytes": available,
        "available_percent": round(100 * available / max(total, 1), 1),
        "free_bytes": found.get("MemFree", 0),
        "page_cache_bytes": max(0, cached - shared),
        "shared_bytes": shared,
        "swap_total_bytes": found.get("SwapTotal", 0),
        "swap_free_bytes": found.get("SwapFree", 0),
    }


def _unescape(field: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(code, character)
    return field


def mounts(mountinfo: str) -> list[tuple[str, str]]:
    """Return (mount point, type) of the file systems that can fill up, each device once."""
    found: dict[str, tuple[str, str]] = {}
    for line in mountinfo.splitlines():
        left, separator, right = line.partition(" - ")
        fields = left.split()
        if not separator or len(fields) < 5 or not right.split():
            continue
        device, point, kind = fields[2], _unescape(fields[4]), right.split()[0]
        if kind in FOREIGN_FILE_SYSTEMS or kind.startswith("fuse."):
            continue
        if any(point == folder or point.startswith(folder + "/") for folder in FOREIGN_FOLDERS):
            continue
        # The shortest path is the mount itself; longer ones are bind mounts of parts of it.
        if device not in found or len(point) < len(found[device][0]):
            found[device] = (point, kind)
    return sorted(found.values())


def file_systems(host: Host) -> list[Report]:
    """Return how full each local file system is, fullest first."""
    result = []
    for point, kind in mounts(host.read("/proc/self/mountinfo")):
        try:
            if not host.is_directory(point):
                continue
            numbers = host.statvfs(point)
        except OSError:
            continue  # hidden from this user, or gone meanwhile
        if not numbers.f_blocks:
            continue
        used = numbers.f_blocks - numbers.f_bfree
        result.append(
            {
                "mount": point,
                "type": kind,
                "size_bytes": numbers.f_blocks * numbers.f_frsize,
                "available_bytes": numbers.f_bavail * numbers.f_frsize,
                "used_percent": _percent(used, used + numbers.f_bavail),
                # Some file systems (btrfs) count no inodes at all.
                "inodes_used_percent": _percent(numbers.f_files - numbers.f_ffree, numbers.f_files),
            }
        )
    return sorted(result, key=_fullness, reverse=True)


def _fullness(file_system: Report) -> float:
    return float(max(file_system["used_percent"], file_system["inodes_used_percent"]))


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole > 0 else 0.0


def units(host: Host, names: t.Sequence[str]) -> list[Report]:
    """Return the state of each unit, in the order asked for."""
    if not names:
        return []
    blocks = host.show_units(names, UNIT_PROPERTIES).strip().split("\n\n")
    if len(blocks) != len(names):
        raise HostError(f"systemctl show answered for {len(blocks)} of {len(names)} units")
    now = host.monotonic()
    boot = host.now() - now
    result = []
    for name, block in zip(names, blocks):
        values = dict(line.partition("=")[::2] for line in block.splitlines())
        changed = int(values.get("StateChangeTimestampMonotonic") or 0)
        result.append(
            {
                "name": name,
                "id": values.get("Id", ""),
                "load": values.get("LoadState", "unknown"),
                "active": values.get("ActiveState", "unknown"),
                "sub": values.get("SubState", "unknown"),
                "result": values.get("Result", ""),
                "restarts": int(values.get("NRestarts") or 0),
                "since_s": round(max(0.0, now - changed / 1e6)) if changed else None,
                "ended_at": _ended_at(values, boot),
            }
        )
    return result


def _ended_at(values: t.Mapping[str, str], boot: float) -> float | None:
    """When a unit's main process ended, in seconds since 1970; None when none has."""
    monotonic = int(values.get("ExecMainExitTimestampMonotonic") or 0)
    if not monotonic:
        return None
    # Without the day of the week.
    told = values.get("ExecMainExitTimestamp", "").partition(" ")[2]
    try:
        moment = datetime.strptime(told, _EXACT_TIME).replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        # Wrong where the clock was set, or the host was suspended, since it was booted.
        moment = boot + monotonic / 1e6
    return round(moment, 3)
