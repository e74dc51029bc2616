# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The releases of a host: reading them, switching between them, adopting a checkout, removing."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import time
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils import _release_layout as places
from ansible_collections.plugspace.titan.plugins.module_utils._files import (
    exchange,
    read_json,
    remove_leftover,
    remove_tree,
    replace_link,
    write_json,
)
from ansible_collections.plugspace.titan.plugins.module_utils._git import Git, GitError
from ansible_collections.plugspace.titan.plugins.module_utils._identity import process_key
from ansible_collections.plugspace.titan.plugins.module_utils._release import (
    ACTIVATING,
    ACTIVE,
    FAILED,
    PREPARED,
    PREPARING,
    Entry,
    Release,
    ReleaseError,
    is_name,
    moment,
    new_name,
    superfluous,
    timestamp,
    way_back,
)
from ansible_collections.plugspace.titan.plugins.module_utils._release_manifest import (
    MODULES,
    migration_names,
    record,
)
from ansible_collections.plugspace.titan.plugins.module_utils._release_manifest import (
    damage as find_damage,
)
from ansible_collections.plugspace.titan.plugins.module_utils._release_shared import (
    Shared,
    SharedPath,
)

_TRASH = ".trash-"


class Store:
    """The releases below `root`, of which one is live at `path`."""

    def __init__(
        self,
        layout: places.Layout,
        git: Git,
        strategy: str = places.RELEASES,
        shared_paths: t.Sequence[str] = (),
        volatile_paths: t.Sequence[str] = (),
    ) -> None:
        self.layout = layout
        self.git = git
        self.strategy = strategy
        self._shared_paths = [SharedPath.of(path) for path in shared_paths]
        self._volatile = list(volatile_paths)

    @property
    def shared(self) -> Shared:
        """The shared paths as they lie now."""
        checkout = self.layout.path if self.layout.live().kind == places.CHECKOUT else ""
        return Shared(self.layout.shared, self._shared_paths, checkout)

    # Reading

    def entries(self) -> dict[str, Entry]:
        """All releases by name, each looked at, with the current and the previous one told."""
        live = self.layout.live()
        where = self._directories(live)
        names = sorted(set(where) | set(self.names()))
        found: dict[str, Entry] = {}
        for name in names:
            directory = where.get(name, self.layout.release(name))
            found[name] = self._entry(name, directory, current=name == live.name)
        current = found.get(live.name)
        back = way_back(found, current)
        if back is not None:
            found[back.name] = dataclasses.replace(back, previous=True)
        return found

    def entry(self, name: str, deep: bool = False) -> Entry | None:
        """One release, looked at; None when there is nothing of that name."""
        live = self.layout.live()
        directory = self._directories(live).get(name, self.layout.release(name))
        if not os.path.isdir(directory) and not os.path.exists(self.layout.metadata(name)):
            return None
        return self._entry(name, directory, name == live.name, deep)

    def directory(self, name: str) -> str:
        """Where a release stands now."""
        return self._directories(self.layout.live()).get(name, self.layout.release(name))

    def names(self) -> list[str]:
        """The names of all releases that metadata tells of."""
        names = [n[: -len(".json")] for n in _listed(self.layout.metadata()) if n.endswith(".json")]
        return [name for name in names if is_name(name)]

    def _directories(self, live: places.Live) -> dict[str, str]:
        """The directory of each release, by what it says itself: a switch in place moves them."""
        found = {}
        for name in _listed(self.layout.releases):
            directory = self.layout.release(name)
            if name.startswith(".") or os.path.islink(directory) or not os.path.isdir(directory):
                continue
            found[self.layout.identity(directory) or name] = directory
        if live.kind == places.DIRECTORY:
            found[live.name] = self.layout.path
        return found

    def _entry(self, name: str, directory: str, current: bool, deep: bool = False) -> Entry:
        try:
            release = Release.from_dict(read_json(self.layout.metadata(name)))
        except FileNotFoundError:
            unknown, damage = Release(name, status=PREPARED), "its metadata is missing"
            return Entry(unknown, directory, current, damage=damage)
        except (ValueError, OSError):
            unknown, damage = Release(name, status=PREPARED), "its metadata is damaged"
            return Entry(unknown, directory, current, damage=damage)
        if release.status == PREPARING:
            return Entry(release, directory, current)
        return Entry(release, directory, current, damage=self._damage(name, directory, deep))

    def _damage(self, name: str, directory: str, deep: bool) -> str:
        if not os.path.isdir(directory):
            return "its directory is missing"
        try:
            manifest = read_json(self.layout.manifest(name))
            return find_damage(directory, manifest, self._changed(directory), deep)
        except GitError as error:
            return f"its checkout is damaged ({error})"
        except (OSError, ValueError, KeyError, TypeError):
            return "its manifest is missing or damaged"

    def _changed(self, directory: str, refresh: bool = False) -> list[str]:
        """The files that differ from the commit, as git status tells them."""
        if self.layout.identity(directory) == "" and not os.path.exists(f"{directory}/.git"):
            # Git would otherwise look further up and answer for another repository.
            raise GitError("its .git is missing")
        shown = self.git.run(
            "status",
            "--porcelain=v1",
            "-z",
            "--untracked-files=no",
            "--no-renames",
            "--ignore-submodules=all",
            at=directory,
            optional_locks=refresh,
        )
        return [line for line in shown.split("\0") if line]

    def unmanaged(self, migrations_path: str) -> dict[str, t.Any]:
        """The plain checkout at the live path, told like a release that has no name."""
        path = self.layout.path
        commit, ref, subject = self._head(path)
        release = Release(
            "", commit, ref, subject, ACTIVE, migrations=migration_names(path, migrations_path)
        )
        release = dataclasses.replace(release, local_changes=self._changed(path))
        return Entry(release, path, current=True).shown()

    def _head(self, path: str) -> tuple[str, str, str]:
        """The commit, the branch (or the commit again) and the subject of a checkout."""
        commit, subject = self.git.run("log", "-1", "--format=%H%n%s", at=path).splitlines()[:2]
        ref = self.git.run("rev-parse", "--abbrev-ref", "HEAD", at=path).strip()
        return commit, ref if ref != "HEAD" else commit, subject

    # Writing; the caller holds the lock of the host

    def save(self, release: Release) -> Release:
        """Write the metadata of a release."""
        os.makedirs(self.layout.metadata(), mode=0o700, exist_ok=True)
        write_json(self.layout.metadata(release.name), release.to_dict())
        return release

    def seal(self, name: str, directory: str, contents: bool = True) -> None:
        """Write down what a release consists of, now that it is complete."""
        shown = self.git.run("ls-files", "--others", "-z", "-x", MODULES, at=directory)
        links = {path.name for path in self._shared_paths}
        untracked = [path for path in shown.split("\0") if path and path not in links]
        changed = self._changed(directory, refresh=True)
        os.makedirs(os.path.dirname(self.layout.manifest(name)), mode=0o700, exist_ok=True)
        manifest = record(directory, untracked, changed, self._volatile, contents)
        write_json(self.layout.manifest(name), manifest)

    def recover(self) -> list[str]:
        """Put right what a run that was killed left behind; what was done, in sentences."""
        done = []
        layout = self.layout
        for directory in (layout.path, os.path.dirname(layout.path), layout.root, layout.releases):
            remove_leftover(directory)
        for directory in (
            layout.metadata(),
            os.path.dirname(layout.manifest("")),
            *self.shared.homes,
        ):
            remove_leftover(directory)
        if os.path.lexists(layout.swap) and not os.path.lexists(layout.path):
            os.rename(layout.swap, layout.path)
            done.append(f"put {layout.path} back, which an interrupted switch had moved")
        for name in _listed(layout.releases):
            place = layout.release(name)
            if name.startswith(_TRASH):
                self._forget(name[len(_TRASH) :])
                remove_tree(place)
            elif os.path.islink(place):
                os.unlink(place)
            elif os.path.isdir(place):
                identity = layout.identity(place)
                if identity and identity != name and not os.path.lexists(layout.release(identity)):
                    os.rename(place, layout.release(identity))
                    done.append(
                        f"gave release {identity} its name back after an interrupted switch"
                    )
        self._repair()
        for name in self.names():
            release = self._metadata(name)
            if release is not None and release.status == PREPARING:
                ended = end_processes_in([layout.release(name), layout.mirror])
                self.remove(name)
                told = f" and ended {ended} of its processes" if ended else ""
                done.append(f"removed {name}, whose preparation was not finished{told}")
        return done

    def remove(self, name: str) -> None:
        """Remove a release; from the first moment on nothing takes it for one."""
        trash = os.path.join(self.layout.releases, f"{_TRASH}{name}")
        remove_tree(trash)
        if os.path.lexists(self.layout.release(name)):
            os.rename(self.layout.release(name), trash)
        self._forget(name)
        remove_tree(trash)

    def _forget(self, name: str) -> None:
        for path in (self.layout.metadata(name), self.layout.manifest(name)):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        remove_tree(self.layout.worktree(name))

    def switch(self, name: str, run: str, by: str) -> tuple[str, str]:
        """Make a release live; what was live before, and the name of the checkout adopted."""
        adopted = self.adopt() if self.layout.live().kind == places.CHECKOUT else ""
        live = self.layout.live()
        release = self._metadata(name)
        if release is None:
            raise ReleaseError(f"release {name} has no metadata", "incomplete")
        if live.kind in (places.FOREIGN_LINK, places.OTHER):
            raise ReleaseError(
                f"{self.layout.path} is neither a release nor a Git checkout; move it away",
                "conflict",
            )
        if live.name != name:
            before = self._verified_before(live.name)
            self.save(
                dataclasses.replace(
                    release, status=ACTIVATING, before=before, run=run, by=by, reason=""
                )
            )
            self._move(live, name)
        elif release.status != ACTIVATING:
            self.save(dataclasses.replace(release, status=ACTIVATING, run=run, by=by))
        return live.name, adopted

    def confirm(self, name: str) -> Release:
        """Note that the live release was verified."""
        live = self.layout.live()
        release = self._metadata(name)
        if release is None or live.name != name:
            raise ReleaseError(
                f"release {name} is not live, {live.name or 'none'} is", "not_current"
            )
        if release.status == ACTIVE:
            return release
        return self.save(
            dataclasses.replace(release, status=ACTIVE, activated=timestamp(), reason="")
        )

    def fail(self, name: str, reason: str) -> str:
        """Mark a release as failed and go back if it is live; the release that is live then."""
        release = self._metadata(name)
        if release is None:
            raise ReleaseError(f"there is no release {name} to mark", "missing")
        self.save(dataclasses.replace(release, status=FAILED, reason=reason))
        live = self.layout.live()
        if live.name != name:
            return live.name
        entries = self.entries()
        back = way_back(entries, entries.get(name))
        if back is not None:
            self._move(live, back.name)
            return back.name
        # Nothing was live before: that is the state to return to.
        if live.kind == places.DIRECTORY:
            os.rename(self.layout.path, self.layout.release(name))
            self._repair()
        else:
            os.unlink(self.layout.path)
        return ""

    def prune(self, keep: int, keep_failed: int) -> list[str]:
        """Remove the releases that are not kept; their names."""
        gone = [entry.name for entry in superfluous(self.entries().values(), keep, keep_failed)]
        for name in gone:
            self.remove(name)
        with contextlib.suppress(GitError):
            # Does something after many fetches only; a release is not worth less without it.
            settings = ("-c", "gc.auto=6700", "-c", "gc.autoDetach=false")
            self.git.run(*settings, "gc", "--auto", "--quiet", at=self.layout.mirror)
        return gone

    def adopt(self) -> str:
        """Turn the plain checkout at the live path into a release, without a moment of absence."""
        path = self.layout.path
        self.shared.take_over(os.path.join(self.layout.shared, ".swap"))
        commit, ref, subject = self._head(path)
        since = os.stat(os.path.join(path, ".git", "HEAD")).st_mtime
        now = moment()
        name = new_name(commit, now.fromtimestamp(since, now.tzinfo))
        while os.path.lexists(self.layout.release(name)):
            since -= 1
            name = new_name(commit, now.fromtimestamp(since, now.tzinfo))
        changes = self._changed(path)
        self._exclude_shared(os.path.join(path, ".git"))
        self.save(
            Release(
                name,
                commit,
                ref,
                subject,
                ACTIVE,
                created=timestamp(now.fromtimestamp(since, now.tzinfo)),
                activated=timestamp(),
                adopted=True,
                local_changes=changes,
            )
        )
        os.makedirs(self.layout.releases, exist_ok=True)
        self.seal(name, path, contents=False)
        # From here on the directory says itself which release it is, so this comes last.
        with open(os.path.join(path, ".git", places.MARKER), "w", encoding="utf-8") as marker:
            marker.write(f"{name}\n")
        return name

    def exclude_shared(self) -> None:
        """Keep the links to shared paths out of git status."""
        self._exclude_shared(self.layout.mirror)

    def _exclude_shared(self, git_directory: str) -> None:
        exclude = os.path.join(git_directory, "info", "exclude")
        os.makedirs(os.path.dirname(exclude), exist_ok=True)
        known = ""
        with contextlib.suppress(FileNotFoundError), open(exclude, encoding="utf-8") as source:
            known = source.read()
        wanted = [f"/{path.name}" for path in self._shared_paths]
        news = [line for line in wanted if line not in known.splitlines()]
        if news:
            with open(exclude, "a", encoding="utf-8") as target:
                target.write("".join(f"{line}\n" for line in news))

    def _verified_before(self, live: str) -> str:
        """The release to return to: the live one, or what it would itself return to."""
        if not live:
            return ""
        release = self._metadata(live)
        if release is not None and release.status == ACTIVE:
            return live
        return release.before if release is not None else ""

    def _move(self, live: places.Live, name: str) -> None:
        """Let the live path be another release."""
        layout = self.layout
        if self.strategy == places.IN_PLACE:
            self._move_directory(live, name)
        elif live.kind == places.DIRECTORY:
            # The directory goes to its place among the releases, the link comes to the path, at
            # once.
            waiting = layout.release(live.name)
            replace_link(waiting, layout.release(name))
            exchange(layout.path, waiting, layout.swap)
            self._repair()
        else:
            replace_link(layout.path, layout.release(name))

    def _move_directory(self, live: places.Live, name: str) -> None:
        layout = self.layout
        place = self.directory(name)
        if live.kind == places.ABSENT:
            os.rename(place, layout.path)
        else:
            exchange(layout.path, place, layout.swap)
            if os.path.islink(place):
                os.unlink(place)
            else:
                os.rename(place, layout.release(live.name))
        self._repair()

    def _repair(self) -> None:
        """Tell the mirror where its checkouts are, or a later clean-up of Git would forget them."""
        moved = []
        for name in _listed(os.path.join(self.layout.mirror, "worktrees")):
            place = os.path.join(self.directory(name), ".git")
            pointer = os.path.join(self.layout.worktree(name), "gitdir")
            with contextlib.suppress(OSError), open(pointer, encoding="utf-8") as known:
                if os.path.exists(place) and known.read().strip() != os.path.realpath(place):
                    moved.append(os.path.dirname(place))
        if moved:
            self.git.run("worktree", "repair", *moved, at=self.layout.mirror)

    def _metadata(self, name: str) -> Release | None:
        try:
            return Release.from_dict(read_json(self.layout.metadata(name)))
        except (OSError, ValueError):
            return None

    def metadata(self, name: str) -> Release | None:
        """What is known of a release, without looking at its files."""
        return self._metadata(name)


def end_processes_in(directories: t.Sequence[str], grace: float = 5.0) -> int:
    """End what still works in directories that nobody may work in; the number of processes."""
    roots = tuple(os.path.realpath(directory) for directory in directories)
    found = []
    for pid in (int(name) for name in _listed("/proc") if name.isdigit()):
        with contextlib.suppress(OSError):
            at = os.readlink(f"/proc/{pid}/cwd")
            if pid != os.getpid() and any(at == r or at.startswith(f"{r}/") for r in roots):
                found.append((pid, process_key(pid)))
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 1.0)):
        deadline = time.monotonic() + patience
        for pid, key in found:
            if process_key(pid) == key:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
        while time.monotonic() < deadline and any(process_key(p) == k and k for p, k in found):
            time.sleep(0.02)
    return len(found)


def _listed(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except FileNotFoundError:
        return []
