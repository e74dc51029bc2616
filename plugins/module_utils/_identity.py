# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who runs: a process, not to be mistaken for a later one of the same number, and its machine."""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import os
import platform
import subprocess
import typing as t
from dataclasses import dataclass

_KERNEL_THREADS = "2"
_BOOT_ID = "/proc/sys/kernel/random/boot_id"


def process_key(pid: int) -> str:
    """`pid:starttime`, empty when there is no such process."""
    with contextlib.suppress(OSError, IndexError):
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as source:
            # The command in parentheses may contain anything, so count from its end.
            fields = source.read().rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else f"{pid}:{fields[19]}"
    if os.path.isdir("/proc/self"):
        return ""
    # Not Linux: a controller may be a Mac.
    shown = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return f"{pid}:{'_'.join(shown.stdout.split())}" if shown.stdout.strip() else ""


def processes() -> list[str]:
    """The keys of all processes, without the kernel's; empty when others' cannot be seen."""
    if not os.path.exists("/proc/1/stat"):
        return []
    keys = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or entry == _KERNEL_THREADS:
            continue
        with contextlib.suppress(OSError, IndexError):
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as source:
                fields = source.read().rpartition(")")[2].split()
            if fields[1] != _KERNEL_THREADS and fields[0] not in "ZX":
                keys.append(f"{entry}:{fields[19]}")
    return keys


def machine() -> str:
    """This boot of this machine or container: process numbers mean nothing outside of it."""
    parts = [platform.node()]
    with contextlib.suppress(OSError), open(_BOOT_ID, encoding="ascii") as source:
        parts.append(source.read().strip())
    with contextlib.suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid"))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def user() -> str:
    """The login name, or the number when the user has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


@dataclass(frozen=True)
class Run:
    """One run of Ansible, as the lock knows it.

    alive: the processes of the controller when the run asked; empty when they are not known.
    """

    id: str
    controller: str
    host: str
    user: str
    alive: tuple[str, ...] = ()

    @classmethod
    def of_process(cls, pid: int) -> Run:
        """The run that a process of this machine leads."""
        controller = machine()
        return cls(
            id=f"{controller}:{process_key(pid) or pid}",
            controller=controller,
            host=platform.node(),
            user=user(),
            alive=tuple(processes()),
        )

    @classmethod
    def from_dict(cls, content: t.Mapping[str, t.Any]) -> Run:
        """The run that a module was given; ValueError when it is none."""
        if not isinstance(content.get("id"), str) or not content["id"]:
            raise ValueError(
                "run has no id; give the value of the lookup plugspace.titan.run_identity"
            )
        return cls(
            id=content["id"],
            controller=str(content.get("controller") or ""),
            host=str(content.get("host") or "an unknown controller"),
            user=str(content.get("user") or "an unknown user"),
            alive=tuple(str(key) for key in content.get("alive") or ()),
        )

    def to_dict(self) -> dict[str, t.Any]:
        """The run as the lookup gives it."""
        return {
            "id": self.id,
            "controller": self.controller,
            "host": self.host,
            "user": self.user,
            "pid": int(self.id.split(":")[1]),
            "alive": list(self.alive),
        }

    def knows_dead(self, other: str, controller: str) -> bool:
        """Whether another run's process is certainly gone: same machine, not among the living."""
        if not self.alive or not controller or controller != self.controller:
            return False
        return other.partition(":")[2] not in self.alive
