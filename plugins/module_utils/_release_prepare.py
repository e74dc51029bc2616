# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preparing a release beside the running one: fetch, check out, install, build."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
import typing as t
from dataclasses import dataclass, field

from ansible_collections.plugspace.titan.plugins.module_utils._dotenv import secrets
from ansible_collections.plugspace.titan.plugins.module_utils._git import (
    GitError,
    fetch_commit,
    is_full_commit,
)
from ansible_collections.plugspace.titan.plugins.module_utils._lock import LockError
from ansible_collections.plugspace.titan.plugins.module_utils._process import (
    ProcessError,
    capture,
    clean_environment,
    run,
)
from ansible_collections.plugspace.titan.plugins.module_utils._redact import Redactor
from ansible_collections.plugspace.titan.plugins.module_utils._release import (
    FAILED,
    PREPARED,
    PREPARING,
    Entry,
    Release,
    ReleaseError,
    is_name,
    timestamp,
)
from ansible_collections.plugspace.titan.plugins.module_utils._release_dependencies import (
    digest,
    install_scripts,
    protect,
    reuse,
)
from ansible_collections.plugspace.titan.plugins.module_utils._release_manifest import (
    migration_names,
)
from ansible_collections.plugspace.titan.plugins.module_utils._release_store import Store

_NICE = 10
_SHOWN_LINES = 30
_QUIET_NPM = {
    "npm_config_audit": "false",
    "npm_config_fund": "false",
    "npm_config_progress": "false",
    "npm_config_update_notifier": "false",
    # The lock file holds a checksum of every package: what the cache has need not be asked for
    # again.
    "npm_config_prefer_offline": "true",
    "NO_COLOR": "1",
}


@dataclass(frozen=True)
class Wanted:
    """The release to prepare, and how."""

    name: str
    commit: str
    ref: str = ""
    by: str = ""
    run: str = ""
    migrations_path: str = "prisma/migrations"
    install_command: list[str] = field(default_factory=lambda: ["npm", "ci"])
    build_command: list[str] = field(default_factory=lambda: ["npm", "run", "build"])
    install_timeout: float = 900
    build_timeout: float = 900
    environment: dict[str, str] = field(default_factory=dict)
    reuse_dependencies: bool = True
    private_paths: list[str] = field(default_factory=list)


class Preparation:
    """Prepares one release.

    still_ours is called between the steps, and raises when the lock was lost.
    """

    def __init__(
        self, store: Store, wanted: Wanted, still_ours: t.Callable[[], None] = lambda: None
    ) -> None:
        self._store = store
        self._wanted = wanted
        self._still_ours = still_ours
        self._directory = store.layout.release(wanted.name)
        self.timings: dict[str, float] = {}
        self.warnings: list[str] = []
        self.dependencies = "none"

    def existing(self) -> Entry | None:
        """The release, if it is there as wanted; ReleaseError when its name means another one."""
        wanted = self._wanted
        if not is_name(wanted.name):
            raise ReleaseError(f"{wanted.name!r} cannot be the name of a release", "invalid")
        if not is_full_commit(wanted.commit):
            raise ReleaseError(
                f"commit is {wanted.commit!r}; give the full id, which release_info finds out",
                "invalid",
            )
        entry = self._store.entry(wanted.name)
        if entry is None or entry.status == PREPARING:
            return None
        if entry.release.commit not in ("", wanted.commit):
            raise ReleaseError(
                f"release {wanted.name} is of commit {entry.release.commit[:7]}, not of "
                f"{wanted.commit[:7]}; choose another name",
                "name_taken",
            )
        if entry.status == FAILED:
            raise ReleaseError(
                f"release {wanted.name} is marked as failed ({entry.reason}); choose another name",
                "failed_before",
            )
        if entry.complete:
            return entry
        if entry.current:
            raise ReleaseError(
                f"release {wanted.name} is live and damaged ({entry.reason}); "
                "prepare it under another name",
                "damaged",
            )
        return None

    def run(self) -> Release:
        """Prepare the release; whatever goes wrong, nothing of a half one stays."""
        wanted = self._wanted
        if self._store.entry(wanted.name) is not None:
            self._store.remove(wanted.name)
        release = Release(
            wanted.name,
            wanted.commit,
            wanted.ref,
            created=timestamp(),
            by=wanted.by,
            run=wanted.run,
        )
        self._store.save(release)
        started = time.monotonic()
        try:
            with self._step("fetch"):
                self._fetch()
            with self._step("checkout"):
                release = self._check_out(release)
            with self._step("install"):
                release = self._install(release)
            with self._step("build"):
                if wanted.build_command:
                    self._command("build", wanted.build_command, wanted.build_timeout)
            with self._step("seal"):
                self._store.seal(wanted.name, self._directory)
            self._still_ours()
            release = self._store.save(dataclasses.replace(release, status=PREPARED))
        except LockError:
            # Another run has taken over, and with it everything that is there now.
            raise
        except BaseException:
            self._store.remove(wanted.name)
            raise
        self.timings["total"] = round(time.monotonic() - started, 3)
        return release

    @contextlib.contextmanager
    def _step(self, name: str) -> t.Iterator[None]:
        self._still_ours()
        started = time.monotonic()
        try:
            yield
        except (GitError, ProcessError) as error:
            raise ReleaseError(f"{name} failed: {error}", name) from None
        except OSError as error:
            raise ReleaseError(
                f"{name} failed: {error.strerror or error} ({error.filename or self._directory})",
                name,
            ) from None
        self.timings[name] = round(time.monotonic() - started, 3)

    def _fetch(self) -> None:
        mirror, git = self._store.layout.mirror, self._store.git
        if not os.path.isfile(os.path.join(mirror, "HEAD")):
            git.run("init", "--quiet", "--bare", mirror)
            git.run("config", "remote.origin.url", git.remote.url, at=mirror)
        self._store.exclude_shared()
        if not git.has_commit(self._wanted.commit, mirror):
            _remove_stale_locks(mirror)
            fetch_commit(git, self._wanted.commit, mirror)

    def _check_out(self, release: Release) -> Release:
        store, wanted = self._store, self._wanted
        git, mirror = store.git, store.layout.mirror
        os.makedirs(store.layout.releases, exist_ok=True)
        git.run(
            "worktree",
            "add",
            "--detach",
            "--force",
            "--quiet",
            self._directory,
            wanted.commit,
            at=mirror,
        )
        store.shared.link_into(self._directory)
        subject = git.run("log", "-1", "--format=%s", wanted.commit, at=mirror).strip()
        migrations = migration_names(self._directory, wanted.migrations_path)
        if os.path.exists(os.path.join(self._directory, ".gitmodules")):
            self.warnings.append("the release has Git submodules, which are not fetched")
        return dataclasses.replace(release, subject=subject, migrations=migrations)

    def _install(self, release: Release) -> Release:
        wanted = self._wanted
        if not wanted.install_command:
            return release
        if not os.path.isfile(os.path.join(self._directory, "package.json")):
            self.warnings.append("the release has no package.json, so nothing was installed")
            return release
        node = node_version(wanted.environment)
        listed = self._store.git.run(
            "ls-files", "-z", "--", "package.json", "*/package.json", at=self._directory
        )
        packages = [name for name in listed.split("\0") if name]
        same = digest(self._directory, packages, wanted.install_command, node, wanted.environment)
        release = dataclasses.replace(release, node=node, dependencies=same)
        installed = self._reuse(same) if wanted.reuse_dependencies and same else 0.0
        if not installed:
            self._command("install", wanted.install_command, wanted.install_timeout)
            self.dependencies = "installed"
            installed = time.time()
            if wanted.reuse_dependencies:
                protect(self._directory, wanted.private_paths)
        return self._store.save(dataclasses.replace(release, installed=installed))

    def _reuse(self, same: str) -> float:
        """Take the packages of a release that has the same ones; when those were installed."""
        for entry in sorted(self._store.entries().values(), key=lambda e: e.name, reverse=True):
            if entry.complete and entry.release.dependencies == same and entry.release.installed:
                installed = entry.release.installed
                reuse(entry.directory, self._directory, installed, self._wanted.private_paths)
                self.dependencies = f"reused from {entry.name}"
                for script in install_scripts(self._directory):
                    self._command("install", ["npm", "run", script], self._wanted.install_timeout)
                return installed
        return 0.0

    def _command(self, step: str, argv: t.Sequence[str], timeout: float) -> None:
        environment = clean_environment({**_QUIET_NPM, **self._wanted.environment})
        finished = run(argv, environment, timeout, self._directory, _NICE)
        if not finished.timed_out and finished.code == 0:
            return
        known = self._secrets()
        lines = [line.rstrip() for line in finished.output.splitlines() if line.strip()]
        lines = Redactor(known).lines(lines)
        shown = " ".join(argv)
        if finished.timed_out:
            message = f"{step} failed: {shown} did not end within {timeout:g} s"
        else:
            message = f"{step} failed: {shown} ended with code {finished.code}: {cause_of(lines)}"
        if _is_protected_write(lines):
            message += (
                "; it changes an installed package in place, which releases share: "
                "add its directory to dependency_private_paths"
            )
        raise ReleaseError(message, step, lines[-_SHOWN_LINES:])

    def _secrets(self) -> set[str]:
        found = set(self._store.git.remote.secrets) | set(self._wanted.environment.values())
        found = {secret for secret in found if len(secret) > 5}
        shared = self._store.shared
        for path in shared.paths:
            if not path.is_directory:
                place = shared.content(path.name)
                with contextlib.suppress(OSError), open(place, errors="replace") as source:
                    found |= secrets(source.read())
        return found


def node_version(environment: t.Mapping[str, str]) -> str:
    """The version of Node.js that the release is built with."""
    finished = capture(["node", "--version"], clean_environment(environment), 20)
    return finished.output.strip()


def cause_of(lines: t.Sequence[str]) -> str:
    """The line that tells why a command failed."""
    noise = (
        "npm error code",
        "npm error errno",
        "npm error path",
        "npm error command",
        "npm error A complete log",
    )
    telling = [line for line in lines if not line.replace("ERR!", "error").startswith(noise)]
    for line in telling:
        low = line.lower()
        if "error" in low and not low.startswith(("> ", "npm warn")):
            return line.strip()
    return telling[-1].strip() if telling else "it printed nothing"


def _is_protected_write(lines: t.Sequence[str]) -> bool:
    return any(
        ("EACCES" in line or "EPERM" in line or "ermission denied" in line)
        and "node_modules" in line
        for line in lines
    )


def _remove_stale_locks(mirror: str) -> None:
    """Remove the lock files of a Git that was killed; nobody else is at work here."""
    for parent, directories, files in os.walk(mirror):
        directories[:] = [name for name in directories if name not in ("objects", "worktrees")]
        for name in files:
            if name.endswith(".lock"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(parent, name))
