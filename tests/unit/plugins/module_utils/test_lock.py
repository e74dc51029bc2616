# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time, whatever the others do (pitfall 4)."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils._identity import Run, process_key
from ansible_collections.plugspace.titan.plugins.module_utils._lock import HostLock, LockError

ALICE = Run("ctl:10:100", "ctl", "bastion", "alice", ("10:100", "20:200"))
BOB = Run("ctl:20:200", "ctl", "bastion", "bob", ("10:100", "20:200"))
BOB_AFTER_ALICE = Run("ctl:20:200", "ctl", "bastion", "bob", ("10:999", "20:200"))
ELSEWHERE = Run("other:10:100", "other", "laptop", "carol", ("10:999",))


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "deploy" / "lock.json")


def age(path: str, seconds: float) -> None:
    """Let the lock be as old as that."""
    place = Path(path)
    content = json.loads(place.read_text())
    content["since"] -= seconds
    content["renewed"] -= seconds
    place.write_text(json.dumps(content))


def disown(path: str) -> None:
    """Let the lock's module be gone: it is this very process otherwise."""
    content = json.loads(Path(path).read_text())
    Path(path).write_text(json.dumps({**content, "worker": ""}))


def test_the_lock_is_taken_and_given_back(path: str) -> None:
    lock = HostLock(path, ALICE)
    assert lock.acquire("deploy").changed
    assert oct(os.stat(path).st_mode & 0o777) == "0o600"
    lock.check()
    assert lock.release()
    assert not lock.release()
    assert lock.holder() is None


def test_its_owner_renews_it(path: str) -> None:
    lock = HostLock(path, ALICE)
    lock.acquire("deploy")
    age(path, 100)
    again = lock.acquire("deploy")
    assert not again.changed
    held = lock.holder()
    assert held is not None
    assert held.renewed - held.since == pytest.approx(100, abs=5)


def test_another_run_is_told_who_has_it(path: str) -> None:
    HostLock(path, ALICE).acquire("deploy")
    age(path, 300)
    with pytest.raises(
        LockError, match=r"alice on bastion \(procedure deploy, since .*, 5 min ago\)"
    ) as told:
        HostLock(path, BOB).acquire("rollback")
    holder = told.value.holder
    assert holder is not None
    assert 300 <= holder.pop("age") < 310
    del holder["since"]
    said = {"id": "ctl:10:100", "user": "alice", "host": "bastion", "procedure": "deploy"}
    assert holder == said


def test_only_its_owner_gives_it_back(path: str) -> None:
    HostLock(path, ALICE).acquire("deploy")
    with pytest.raises(LockError, match="is not this run's"):
        HostLock(path, BOB).release()
    assert HostLock(path, BOB).release(force=True)


def test_the_lock_of_a_dead_run_is_taken_over_and_told(path: str) -> None:
    HostLock(path, ALICE).acquire("deploy")
    assert HostLock(path, BOB).foreign()
    assert HostLock(path, BOB_AFTER_ALICE).foreign() is None
    taken = HostLock(path, BOB_AFTER_ALICE).acquire("deploy")
    assert taken.changed
    assert taken.taken_over_from.startswith("alice on bastion")
    assert "its process is gone" in taken.taken_over_from
    with pytest.raises(LockError, match="was lost to bob"):
        HostLock(path, ALICE).check()


def test_what_runs_elsewhere_is_not_known_to_be_dead(path: str) -> None:
    HostLock(path, ALICE).acquire("deploy")
    with pytest.raises(LockError):
        HostLock(path, ELSEWHERE).acquire("deploy")
    blind = Run("ctl:20:200", "ctl", "bastion", "bob", ())
    with pytest.raises(LockError):
        HostLock(path, blind).acquire("deploy")


@pytest.mark.parametrize("seconds", [3700, -3700])
def test_a_lock_that_nobody_renewed_is_taken_over(path: str, seconds: float) -> None:
    HostLock(path, ALICE).acquire("deploy")
    age(path, seconds)
    with pytest.raises(LockError):
        HostLock(path, ELSEWHERE, max_age=7200).acquire("deploy")
    assert "not renewed" in HostLock(path, ELSEWHERE).acquire("deploy").taken_over_from


@pytest.mark.parametrize("content", ["", "{", "[]", '{"id": 1}', "null"])
def test_a_damaged_lock_counts_until_it_is_old(path: str, content: str) -> None:
    lock = HostLock(path, ALICE)
    lock.acquire("deploy")
    Path(path).write_text(content)
    with pytest.raises(LockError, match="damaged"):
        lock.acquire("deploy")
    os.utime(path, (time.time() - 4000,) * 2)
    assert "damaged" in lock.acquire("deploy").taken_over_from


@pytest.mark.parametrize(
    ("place", "said"), [("", "cannot be read: Is a dir"), (".guard", "cannot be opened: Is a dir")]
)
def test_a_lock_that_is_a_directory_is_told(path: str, place: str, said: str) -> None:
    os.makedirs(path + place)
    with pytest.raises(LockError, match=said):
        HostLock(path, ALICE).acquire("deploy")


def test_waiting_ends_with_the_lock_or_in_time(path: str) -> None:
    HostLock(path, ALICE).acquire("deploy")
    started = time.monotonic()
    with pytest.raises(LockError):
        HostLock(path, BOB).acquire("deploy", wait=0.4)
    assert 0.4 <= time.monotonic() - started < 3
    pid = os.fork()
    if pid == 0:
        time.sleep(0.3)
        HostLock(path, ALICE).release()
        os._exit(0)
    assert HostLock(path, BOB).acquire("deploy", wait=20).waited >= 0.2
    os.waitpid(pid, 0)


def test_a_module_left_at_work_is_ended_with_the_takeover(path: str) -> None:
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        HostLock(path, ALICE).acquire("deploy")
        content = json.loads(Path(path).read_text())
        Path(path).write_text(json.dumps({**content, "worker": process_key(worker.pid)}))
        told = HostLock(path, BOB_AFTER_ALICE).acquire("deploy").taken_over_from
        assert "was ended" in told
        assert worker.wait(5) != 0
    finally:
        worker.kill()
        worker.wait()


def contend(path: str, stale: bool, number: int, results: multiprocessing.Queue[bool]) -> None:
    key = f"{number}:1"
    alive = tuple(f"{n}:1" for n in range(100, 200))
    run = Run(f"ctl:{key}", "ctl", "bastion", f"user{number}", alive)
    try:
        HostLock(path, run, max_age=1800).acquire("deploy")
        results.put(True)
    except LockError:
        results.put(False)


@pytest.mark.parametrize("stale", [False, True])
def test_of_many_at_once_exactly_one_wins(path: str, stale: bool) -> None:
    context = multiprocessing.get_context("fork")
    for _round in range(5):
        if stale:
            HostLock(path, Run("ctl:1:1", "ctl", "h", "gone")).acquire("deploy")
            disown(path)
        results: multiprocessing.Queue[bool] = context.Queue()
        contenders = [
            context.Process(target=contend, args=(path, stale, 100 + n, results)) for n in range(16)
        ]
        for contender in contenders:
            contender.start()
        won = [results.get(timeout=30) for _ in contenders]
        for contender in contenders:
            contender.join()
        assert sum(won) == 1
        os.unlink(path)


def test_an_identity_is_needed() -> None:
    with pytest.raises(ValueError, match="run_identity"):
        Run.from_dict({"user": "alice"})
    run = Run.of_process(os.getpid())
    assert Run.from_dict(run.to_dict()) == run
    assert run.id.partition(":")[2] in run.alive
