# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of the module release: what each looks at, and what it then does."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._git import Git
from ansible_collections.plugspace.titan.plugins.module_utils._identity import Run
from ansible_collections.plugspace.titan.plugins.module_utils._lock import HostLock
from ansible_collections.plugspace.titan.plugins.module_utils._lock_options import run_of
from ansible_collections.plugspace.titan.plugins.module_utils._process import words
from ansible_collections.plugspace.titan.plugins.module_utils._release import (
    ACTIVATING,
    ACTIVE,
    FAILED,
    PREPARING,
    Entry,
    ReleaseError,
    superfluous,
)
from ansible_collections.plugspace.titan.plugins.module_utils._release_layout import (
    CHECKOUT,
    owner_problem,
)
from ansible_collections.plugspace.titan.plugins.module_utils._release_options import (
    environment_of,
    store_of,
)
from ansible_collections.plugspace.titan.plugins.module_utils._release_prepare import (
    Preparation,
    Wanted,
)

Params = t.Mapping[str, t.Any]
Result = dict[str, t.Any]


class Action:
    """One call of the module, for one state. Nothing is touched before `apply`."""

    def __init__(self, params: Params, git: Git) -> None:
        self._params = params
        self._store = store_of(params, git)
        self._run: Run = run_of(params)
        self._lock = HostLock(self._store.layout.lock, self._run, params["lock_max_age"])
        self._name: str = params["name"] or ""
        self._notes: list[str] = []
        # What an earlier run left behind: those notes that a person has to see.
        self.warnings: list[str] = []
        if params["state"] != "unlocked":
            wrong = owner_problem(self._store.layout.root)
            if wrong:
                raise ReleaseError(wrong[0], "wrong_user")

    def plan(self) -> Result:
        """What `apply` would change, as check mode returns it."""
        held = self._lock.foreign()
        if held is not None and self._params["state"] != "unlocked":
            self._notes.append(
                f"the lock is held by {held.told(time.time())}; a real run would wait or stop"
            )
        before = self._shown()
        result = self._states()[0](before)
        return {**result, "before": before, "notes": self._notes}

    def apply(self) -> Result:
        """Do it, under the lock of the host."""
        state = self._params["state"]
        if state == "unlocked":
            return self._unlock()
        acquired = self._lock.acquire(self._params["procedure"], self._params["lock_wait"])
        keep_lock = bool(self._params["run"])
        try:
            if acquired.taken_over_from:
                self.warnings.append(f"the lock was taken over from {acquired.taken_over_from}")
            self.warnings += self._store.recover()
            self._notes += self.warnings
            before = self._shown()
            result = self._states()[1]()
            after = self._shown()
            if state == "confirmed" and self._params["unlock"]:
                keep_lock = False
        finally:
            if not keep_lock:
                self._lock.release()
        lock = {
            "held": keep_lock,
            "waited": acquired.waited,
            "taken_over_from": acquired.taken_over_from,
        }
        changed = result.pop("changed", False) or before != after
        return {
            "changed": changed,
            "before": before,
            "after": after,
            "lock": lock,
            "notes": self._notes,
            **result,
        }

    def _states(self) -> tuple[t.Callable[[Result], Result], t.Callable[[], Result]]:
        return {
            "prepared": (self._plan_prepared, self._prepare),
            "current": (self._plan_current, self._switch),
            "confirmed": (self._plan_confirmed, self._confirm),
            "failed": (self._plan_failed, self._fail),
            "pruned": (self._plan_pruned, self._prune),
            "unlocked": (self._plan_unlocked, dict),
        }[self._params["state"]]

    # prepared

    def _preparation(self) -> Preparation:
        params = self._params
        wanted = Wanted(
            name=self._name,
            commit=params["commit"] or "",
            ref=params["ref"] or params["commit"] or "",
            by=f"{self._run.user}@{self._run.host}",
            run=self._run.id,
            migrations_path=params["migrations_path"],
            install_command=words(params["install_command"]),
            build_command=words(params["build_command"]),
            install_timeout=params["install_timeout"],
            build_timeout=params["build_timeout"],
            environment=environment_of(params),
            reuse_dependencies=params["reuse_dependencies"],
            private_paths=params["dependency_private_paths"],
        )
        return Preparation(self._store, wanted, self._lock.check)

    def _plan_prepared(self, before: Result) -> Result:
        existing = self._preparation().existing()
        if existing is not None:
            return {"changed": False, "after": before, "release": existing.shown()}
        after = {**before, "release": {"name": self._name, "status": "prepared"}}
        directory = self._store.layout.release(self._name)
        return {
            "changed": True,
            "after": after,
            "release": {**after["release"], "directory": directory},
        }

    def _prepare(self) -> Result:
        preparation = self._preparation()
        existing = preparation.existing()
        if existing is None:
            preparation.run()
        self._notes += preparation.warnings
        return {
            "changed": existing is None,
            "timings": preparation.timings,
            "dependencies": preparation.dependencies,
        }

    # current

    def _target(self) -> Entry:
        entry = self._store.entry(self._name, deep=True)
        if entry is None:
            raise ReleaseError(f"there is no release {self._name}", "missing")
        if entry.status == PREPARING or not entry.complete:
            raise ReleaseError(
                f"release {entry.name} is not complete: {entry.reason}", "incomplete"
            )
        if entry.status == FAILED:
            raise ReleaseError(
                f"release {entry.name} is marked as failed: {entry.reason or 'no reason was kept'}",
                "marked",
            )
        return entry

    def _plan_current(self, before: Result) -> Result:
        if self._store.entry(self._name) is None:
            # In check mode the preparation before this has not happened either.
            self._notes.append(
                f"release {self._name} does not exist yet; it would have to be prepared"
            )
            release: Result = {"name": self._name, "status": ACTIVATING}
        else:
            release = self._target().shown()
        current = before["current"] == self._name and release["status"] in (ACTIVE, ACTIVATING)
        after = before if current else {**before, "current": self._name}
        adopted = "" if self._store.layout.live().kind != CHECKOUT else self._store.layout.path
        if adopted:
            self._notes.append(f"the plain checkout {adopted} would become a release")
        return {"changed": not current, "after": after, "release": release}

    def _switch(self) -> Result:
        entry = self._target()
        if entry.current and entry.status == ACTIVE:
            return {"before_switch": "", "adopted": ""}
        by = f"{self._run.user}@{self._run.host}"
        before, adopted = self._store.switch(self._name, self._run.id, by)
        if adopted:
            self._notes.append(
                f"the plain checkout {self._store.layout.path} is now release {adopted}"
            )
            changes = (self._store.metadata(adopted) or entry.release).local_changes
            if changes:
                self._notes.append(
                    f"{adopted} has {len(changes)} local change(s), which were kept: "
                    + ", ".join(line[3:] for line in changes[:5])
                )
        return {"before_switch": before, "adopted": adopted}

    # confirmed, pruned

    def _plan_confirmed(self, before: Result) -> Result:
        release = self._store.metadata(self._name)
        changed = release is None or release.status != ACTIVE
        after = {**before, "release": {"name": self._name, "status": ACTIVE}} if changed else before
        gone = self._superfluous()
        return {"changed": changed or bool(gone), "after": after, "removed": gone}

    def _confirm(self) -> Result:
        self._store.confirm(self._name)
        return self._prune()

    def _superfluous(self) -> list[str]:
        entries = self._store.entries().values()
        return [
            e.name for e in superfluous(entries, self._params["keep"], self._params["keep_failed"])
        ]

    def _plan_pruned(self, before: Result) -> Result:
        gone = self._superfluous()
        left = [name for name in before["releases"] if name not in gone]
        return {"changed": bool(gone), "after": {**before, "releases": left}, "removed": gone}

    def _prune(self) -> Result:
        removed = self._store.prune(self._params["keep"], self._params["keep_failed"])
        return {"removed": removed}

    # failed

    def _plan_failed(self, before: Result) -> Result:
        entry = self._store.entry(self._name)
        if entry is None:
            return {"changed": True, "after": before}
        changed = entry.status != FAILED or entry.current
        after = {**before, "release": {"name": self._name, "status": FAILED}} if changed else before
        return {"changed": changed, "after": after}

    def _fail(self) -> Result:
        self._store.fail(self._name, self._params["reason"] or "no reason was given")
        return {}

    # unlocked

    def _unlock(self) -> Result:
        held = self._lock.holder()
        ours = held is not None and held.id == self._run.id
        if held is not None and not ours:
            self._notes.append(f"the lock stays: it is held by {held.told(time.time())}")
        shown = self._shown()
        changed = ours and self._lock.release()
        return {"changed": changed, "before": shown, "after": shown, "notes": self._notes}

    def _plan_unlocked(self, before: Result) -> Result:
        held = self._lock.holder()
        return {"changed": held is not None and held.id == self._run.id, "after": before}

    def _shown(self) -> Result:
        """What the diff compares."""
        layout = self._store.layout
        live = layout.live()
        release = self._store.metadata(self._name) if self._name else None
        return {
            "current": live.name,
            "live": live.kind,
            "releases": self._store.names(),
            "release": (
                {"name": release.name, "status": release.status, "commit": release.commit}
                if release is not None
                else {}
            ),
        }

    def details(self) -> Result:
        """The release, the current and the previous one, after the fact."""
        entries = self._store.entries()
        shown = {name: entry.shown() for name, entry in entries.items()}
        named = shown.get(self._name, {})
        current = next((e for e in shown.values() if e["current"]), {})
        result = {
            "release": named,
            "current": current,
            "previous": next((e for e in shown.values() if e["previous"]), {}),
        }
        if self._params["state"] == "failed":
            result.update(release=current, marked=named)
        return result
