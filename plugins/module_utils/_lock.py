# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of a host: one run at a time changes what is deployed there."""

from __future__ import annotations

import contextlib
import datetime
import os
import signal
import time
import typing as t
from dataclasses import asdict, dataclass

from ansible_collections.plugspace.titan.plugins.module_utils._files import read_json, write_json
from ansible_collections.plugspace.titan.plugins.module_utils._guard import GuardError, guarded
from ansible_collections.plugspace.titan.plugins.module_utils._identity import Run, process_key

_POLL = 0.3
_WORKER_GRACE = 5.0
_TEXTS = ("id", "controller", "host", "user", "procedure", "worker")


class LockError(Exception):
    """The lock cannot be had, or was lost."""

    def __init__(self, message: str, holder: dict[str, t.Any] | None = None) -> None:
        super().__init__(message)
        self.holder = holder


@dataclass(frozen=True)
class Holder:
    """Who holds the lock.

    since, renewed: seconds since the epoch. worker: the module at work on this host.
    """

    id: str
    controller: str
    host: str
    user: str
    procedure: str
    since: float
    renewed: float
    worker: str = ""
    damaged: bool = False

    def told(self, now: float) -> str:
        """The holder in words."""
        age = _duration(now - self.since)
        if self.damaged:
            return f"somebody (the lock file is damaged; it was written {age} ago)"
        since = datetime.datetime.fromtimestamp(self.since, datetime.timezone.utc)
        return (
            f"{self.user} on {self.host} (procedure {self.procedure}, "
            f"since {since:%Y-%m-%d %H:%M:%S} UTC, {age} ago)"
        )

    def shown(self, now: float) -> dict[str, t.Any]:
        """The holder as a module returns it."""
        since = datetime.datetime.fromtimestamp(self.since, datetime.timezone.utc)
        return {
            "id": self.id,
            "user": self.user,
            "host": self.host,
            "procedure": self.procedure,
            "since": since.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "age": max(0, int(now - self.since)),
        }


@dataclass(frozen=True)
class Acquired:
    """How the lock was got.

    taken_over_from: the former holder in words, and why it lost the lock; empty when it was free.
    """

    changed: bool
    taken_over_from: str = ""
    waited: float = 0.0


class HostLock:
    """The lock file at `path`, as one run sees it."""

    def __init__(self, path: str, run: Run, max_age: float = 3600) -> None:
        self.path = path
        self.run = run
        self._max_age = max_age

    def holder(self) -> Holder | None:
        """Who holds it now; what is no lock is told as damaged, with the time of its writing."""
        try:
            content = read_json(self.path)
            texts = {key: str(content[key]) for key in _TEXTS}
            times = {key: float(content[key]) for key in ("since", "renewed")}
            return Holder(**texts, **times)  # type: ignore[arg-type]
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            written = os.stat(self.path).st_mtime
            return Holder("", "", "", "", "", written, written, damaged=True)
        except OSError as error:
            raise LockError(f"the lock {self.path} cannot be read: {error.strerror}") from None

    def foreign(self) -> Holder | None:
        """Another run's lock that stands in the way, None when this run could have it at once."""
        held = self.holder()
        if held is None or held.id == self.run.id or self._stale(held, time.time()):
            return None
        return held

    def refused(self) -> LockError:
        """Why the lock cannot be had now."""
        held = self.foreign()
        now = time.time()
        if held is None:
            return LockError(f"{self.path} was given back meanwhile; try again")
        return LockError(self._refusal(held, now), held.shown(now))

    def acquire(self, procedure: str, wait: float = 0) -> Acquired:
        """Take the lock, or renew it when this run has it."""
        started = time.monotonic()
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        while True:
            now = time.time()
            with self._guard():
                held = self.holder()
                reason = self._stale(held, now) if held and held.id != self.run.id else ""
                if held is None or held.id == self.run.id or reason:
                    ours = held if held and held.id == self.run.id else None
                    self._write(procedure, ours.since if ours else now, now)
                    break
            if time.monotonic() - started >= wait:
                raise LockError(self._refusal(held, now), held.shown(now))
            time.sleep(min(_POLL, max(0.0, wait - (time.monotonic() - started))))
        told = ""
        if held is not None and reason:
            told = f"{held.told(now)}: {reason}"
            if _end_worker(held.worker):
                told += "; its module was still at work here and was ended"
        return Acquired(ours is None, told, round(time.monotonic() - started, 3))

    def check(self) -> None:
        """Stop when the lock was lost to another run, so that two never work at once."""
        held = self.holder()
        if held is None or held.id != self.run.id:
            by = held.told(time.time()) if held else "a person or program that removed it"
            raise LockError(f"the lock {self.path} was lost to {by}; nothing more was done")

    def not_ours(self, held: Holder) -> LockError:
        """Why the lock cannot be given back."""
        now = time.time()
        told = f"the lock {self.path} is not this run's: it is held by {held.told(now)}"
        return LockError(told, held.shown(now))

    def release(self, force: bool = False) -> bool:
        """Give the lock back; whether there was one. Another run's stays, unless forced."""
        if not os.path.lexists(self.path):
            return False
        with self._guard():
            held = self.holder()
            if held is None:
                return False
            if held.id != self.run.id and not force:
                raise self.not_ours(held)
            os.unlink(self.path)
        return True

    def _write(self, procedure: str, since: float, now: float) -> None:
        run = self.run
        worker = process_key(os.getpid())
        holder = Holder(run.id, run.controller, run.host, run.user, procedure, since, now, worker)
        content = asdict(holder)
        del content["damaged"]
        write_json(self.path, content)

    def _stale(self, held: Holder, now: float) -> str:
        """Why the holder has lost its right; empty while it has not."""
        if not held.damaged and self.run.knows_dead(held.id, held.controller):
            return "its process is gone"
        # A clock that was set back must not make a lock last for ever.
        if abs(now - held.renewed) > self._max_age:
            return f"it was not renewed for {_duration(abs(now - held.renewed))}"
        return ""

    def _refusal(self, held: Holder, now: float) -> str:
        return (
            f"{self.path} is held by {held.told(now)}; let that run end, wait for it with "
            "lock_wait, or, when it is certain that it is gone, remove the lock with the module "
            "plugspace.titan.lock, state=absent and force=true"
        )

    @contextlib.contextmanager
    def _guard(self) -> t.Iterator[None]:
        """Nobody else looks at the lock file and changes it meanwhile."""
        try:
            with guarded(self.path):
                yield
        except GuardError as error:
            raise LockError(str(error)) from None


def _end_worker(key: str) -> bool:
    """End the module that a vanished run left at work, or it would go on beside its successor."""
    if not key or key.startswith(f"{os.getpid()}:"):
        return False
    pid = int(key.partition(":")[0])
    if process_key(pid) != key:
        return False
    deadline = time.monotonic() + _WORKER_GRACE
    number = signal.SIGTERM
    with contextlib.suppress(ProcessLookupError, PermissionError):
        while process_key(pid) == key:
            os.kill(pid, number)
            if time.monotonic() > deadline:
                number = signal.SIGKILL
            time.sleep(0.05)
        return True
    return process_key(pid) != key


def _duration(seconds: float) -> str:
    whole = max(0, int(seconds))
    if whole < 120:
        return f"{whole} s"
    if whole < 7200:
        return f"{whole // 60} min"
    return f"{whole // 3600} h"
