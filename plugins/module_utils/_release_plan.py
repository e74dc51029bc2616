# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The preflight of a deployment: all that would go out, and all that stands in the way."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import stat
import typing as t
from dataclasses import dataclass, field

from ansible_collections.plugspace.titan.plugins.module_utils import _release_layout as places
from ansible_collections.plugspace.titan.plugins.module_utils._dotenv import parse
from ansible_collections.plugspace.titan.plugins.module_utils._files import read_json
from ansible_collections.plugspace.titan.plugins.module_utils._git import (
    GitError,
    is_full_commit,
    valid_ref,
)
from ansible_collections.plugspace.titan.plugins.module_utils._process import ProcessError
from ansible_collections.plugspace.titan.plugins.module_utils._release import (
    ACTIVATING,
    ACTIVE,
    PREPARED,
    Entry,
    new_name,
)
from ansible_collections.plugspace.titan.plugins.module_utils._release_dependencies import (
    LOCK_FILES,
)
from ansible_collections.plugspace.titan.plugins.module_utils._release_history import (
    Advertised,
    History,
    Target,
)
from ansible_collections.plugspace.titan.plugins.module_utils._release_prepare import node_version
from ansible_collections.plugspace.titan.plugins.module_utils._release_store import Store
from ansible_collections.plugspace.titan.plugins.module_utils._semver import (
    UnknownRangeError,
    satisfies,
)

_MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Requirements:
    """What a deployment needs of the host."""

    min_free_mb: int = 500
    min_memory_mb: int = 256
    commands: list[str] = field(default_factory=lambda: ["git", "node", "npm"])
    env_file: str = ".env"
    env_example: str = ".env.example"
    migrations_path: str = "prisma/migrations"
    environment: dict[str, str] = field(default_factory=dict)


@dataclass
class Plan:
    """What a deployment of `ref` would do here."""

    ref: str
    commit: str = ""
    subject: str = ""
    name: str = ""
    change: bool = True
    step_back: bool = False
    commits: list[dict[str, str]] = field(default_factory=list)
    taken_back: list[dict[str, str]] = field(default_factory=list)
    migrations: list[str] = field(default_factory=list)
    migrations_left: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class Preflight:
    """Looks at everything before it says anything: all problems are told together."""

    def __init__(self, store: Store, needs: Requirements, entries: t.Mapping[str, Entry]) -> None:
        self._store = store
        self._needs = needs
        self._entries = entries
        self._live = store.layout.live()

    def plan(self, ref: str, now: datetime.datetime, advertised: Advertised) -> Plan:
        """The plan for a branch, tag or commit."""
        plan = Plan(ref)
        plan.problems += places.owner_problem(self._store.layout.root)
        self._check_places(plan)
        missing = self._check_commands(plan)
        target = None if "git" in missing else self._look(plan, now, advertised)
        self._check_env(plan, target)
        if plan.change:
            # What only a preparation needs.
            if target is not None and "node" not in missing:
                self._check_node(plan, target)
            self._check_memory(plan)
            self._check_disk(plan)
        return plan

    def current_commit(self) -> str:
        """The commit that is live, of a release or of a plain checkout."""
        if self._live.name in self._entries:
            return self._entries[self._live.name].release.commit
        if self._live.kind == places.CHECKOUT:
            return self._store.git.run("rev-parse", "HEAD", at=self._store.layout.path).strip()
        return ""

    def _look(self, plan: Plan, now: datetime.datetime, advertised: Advertised) -> Target | None:
        """Find the commit and what lies between it and the live one."""
        layout, needs, ref = self._store.layout, self._needs, plan.ref
        if not valid_ref(ref):
            plan.problems.append(f"{ref!r} cannot be a branch, a tag or a commit")
            return None
        stores = [layout.mirror]
        if self._live.kind == places.CHECKOUT or os.path.isdir(f"{layout.path}/.git"):
            stores.append(os.path.join(layout.path, ".git"))
        try:
            with History(self._store.git, stores) as history:
                current = self.current_commit()
                plan.commit = history.resolve(ref, advertised)
                history.bring(plan.commit, ref, bool(current))
                files = ["package.json", needs.env_example, ".gitmodules", *LOCK_FILES]
                target = history.target(plan.commit, files, needs.migrations_path)
                plan.subject = target.subject
                self._choose(plan, now)
                between = history.between(current, plan.commit) if current else None
                if between is not None:
                    plan.commits, plan.taken_back = between.commits, between.taken_back
                    plan.step_back = bool(between.taken_back)
                    if plan.step_back:
                        plan.warnings.append(
                            f"{len(between.taken_back)} commit(s) that are live are not in {ref}; "
                            "this is a step back"
                        )
                known = (
                    history.migrations(current, needs.migrations_path) if current else None
                ) or []
                plan.migrations = [m for m in target.migrations if m not in known]
                plan.migrations_left = [m for m in known if m not in target.migrations]
                if plan.migrations_left:
                    plan.warnings.append(
                        f"{ref} does not know the migrations {', '.join(plan.migrations_left)}, and"
                        " a deployment does not undo them: it has to run on the newer schema"
                    )
                if target.files.get(".gitmodules") is not None:
                    plan.warnings.append("the release has Git submodules, which are not fetched")
                return target
        except GitError as error:
            plan.problems.append(str(error))
            if not is_full_commit(plan.commit):
                plan.commit = ""
            return None

    def _choose(self, plan: Plan, now: datetime.datetime) -> None:
        """Take up a release of this commit that is there already, or name a new one."""
        same = [
            entry
            for entry in self._entries.values()
            if entry.release.commit == plan.commit
            and entry.complete
            and not entry.release.local_changes
            and entry.status in (PREPARED, ACTIVATING, ACTIVE)
        ]
        same.sort(key=lambda entry: (entry.current, entry.release.created, entry.name))
        plan.name = same[-1].name if same else new_name(plan.commit, now)
        plan.change = not (same and same[-1].current and same[-1].status == ACTIVE)

    def _check_places(self, plan: Plan) -> None:
        layout, live, problems = self._store.layout, self._live, plan.problems
        if live.kind == places.DANGLING:
            plan.warnings.append(f"{layout.path} points to {live.target}, which does not exist")
        elif live.kind == places.FOREIGN_LINK:
            problems.append(
                f"{layout.path} points to {live.target}, which is not one of the releases in "
                f"{layout.releases}; remove the link, or put the checkout itself there"
            )
        elif live.kind == places.OTHER:
            problems.append(
                f"{layout.path} is neither a link to a release nor a Git checkout; move it away"
            )
        elif live.kind == places.CHECKOUT:
            plan.warnings.append(
                f"{layout.path} is a plain Git checkout; it becomes the first release at the switch"
            )
            problems += self._store.shared.conflicts()
            if not os.path.isdir(os.path.join(layout.path, ".git")):
                problems.append(
                    f"{layout.path} is a worktree of another repository and cannot be adopted"
                )
        elif live.kind != places.ABSENT and live.name not in self._entries:
            problems.append(f"{layout.path} is release {live.name}, of which nothing is known")
        for place in (layout.root, os.path.dirname(layout.path)):
            nearest = places.ground(place)
            if not os.access(nearest, os.W_OK | os.X_OK):
                problems.append(f"{nearest} is not writable for the user that this runs as")
        if _device(layout.root) != _device(os.path.dirname(layout.path)):
            problems.append(
                f"{layout.root} and {layout.path} are not on the same file system, "
                "so a switch cannot be atomic"
            )

    def _check_commands(self, plan: Plan) -> list[str]:
        search = self._needs.environment.get("PATH")
        missing = [c for c in self._needs.commands if shutil.which(c, path=search) is None]
        if missing:
            plan.problems.append(f"not installed or not on PATH: {', '.join(missing)}")
        return missing

    def _check_memory(self, plan: Plan) -> None:
        available = available_memory()
        if available is not None and available < self._needs.min_memory_mb * _MEGABYTE:
            plan.problems.append(
                f"only {available // _MEGABYTE} MB of memory are available, "
                f"{self._needs.min_memory_mb} MB are wanted (min_memory_mb)"
            )

    def _check_node(self, plan: Plan, target: Target) -> None:
        text = target.files.get("package.json")
        if not text:
            return
        try:
            engines = json.loads(text).get("engines", {})
            wanted = engines.get("node", "") if isinstance(engines, dict) else ""
        except (ValueError, AttributeError):
            plan.problems.append("the package.json of the release is not valid JSON")
            return
        if not wanted:
            return
        try:
            actual = node_version(self._needs.environment)
            if not satisfies(actual, wanted):
                plan.problems.append(f"the release wants Node.js {wanted}, here is {actual}")
        except UnknownRangeError as error:
            plan.warnings.append(f"whether Node.js fits could not be told: {error}")
        except ProcessError as error:
            plan.problems.append(str(error))

    def _check_env(self, plan: Plan, target: Target | None) -> None:
        place = self._store.shared.content(self._needs.env_file)
        text = ""
        try:
            mode = os.stat(place).st_mode
            if mode & stat.S_IROTH:
                plan.warnings.append(f"{place} is readable by everyone; chmod 600 it")
            with open(place, encoding="utf-8", errors="replace") as source:
                text = source.read()
        except FileNotFoundError:
            pass
        except OSError as error:
            plan.problems.append(f"{place} cannot be read: {error.strerror}")
            return
        example = target.files.get(self._needs.env_example) if target else None
        if not example:
            return
        missing = [key for key in parse(example) if key not in parse(text)]
        if missing:
            plan.problems.append(
                f"the release needs {', '.join(missing)} ({self._needs.env_example}); set "
                f"{'it' if len(missing) == 1 else 'them'} in {place}"
            )

    def _check_disk(self, plan: Plan) -> None:
        files, size = self._estimate()
        ground = places.ground(self._store.layout.root)
        about = os.statvfs(ground)
        free = about.f_bavail * about.f_frsize
        if free < size + self._needs.min_free_mb * _MEGABYTE:
            plan.problems.append(
                f"{free // _MEGABYTE} MB are free in {ground}; a release takes about "
                f"{size // _MEGABYTE} MB, and {self._needs.min_free_mb} MB must stay free "
                "(min_free_mb)"
            )
        if about.f_files and about.f_favail < files * 1.2 + 1000:
            plan.problems.append(
                f"{about.f_favail} inodes are free in {ground}; a release takes about {files}"
            )

    def _estimate(self) -> tuple[int, int]:
        """Files and bytes of the largest release that is known."""
        known = [(0, 0)]
        for name in self._entries:
            try:
                manifest = read_json(self._store.layout.manifest(name))
                known.append((int(manifest["files"]), int(manifest["bytes"])))
            except (OSError, ValueError, KeyError, TypeError):
                continue
        return max(f for f, _b in known), max(b for _f, b in known)


def available_memory() -> int | None:
    """The bytes of memory that programs can still get; None when that is not known."""
    try:
        with open("/proc/meminfo", encoding="ascii") as source:
            for line in source:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return None


def _device(path: str) -> int:
    return os.stat(places.ground(path)).st_dev
