# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the parts of a deployment lie on a host, and which release stands where."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass

RELEASES = "releases"
IN_PLACE = "in_place"

# What the live path is.
ABSENT = "absent"
LINK = "link"
DANGLING = "dangling"
FOREIGN_LINK = "foreign_link"
DIRECTORY = "directory"
CHECKOUT = "checkout"
OTHER = "other"

# In the Git directory of an adopted checkout: the name of the release that it became.
MARKER = "titan-release"


@dataclass(frozen=True)
class Live:
    """What the live path is, and the release there; name is empty when no release is."""

    kind: str
    name: str = ""
    target: str = ""


@dataclass(frozen=True)
class Layout:
    """The directories of a deployment."""

    root: str
    path: str

    @property
    def releases(self) -> str:
        """One directory per release."""
        return os.path.join(self.root, "releases")

    @property
    def shared(self) -> str:
        """What all releases have in common."""
        return os.path.join(self.root, "shared")

    @property
    def mirror(self) -> str:
        """The bare copy of the repository."""
        return os.path.join(self.root, "repository.git")

    @property
    def lock(self) -> str:
        """The lock of the host."""
        return os.path.join(self.root, "lock.json")

    @property
    def swap(self) -> str:
        """Where a directory waits when two cannot change places in one step."""
        return os.path.join(self.releases, ".swap")

    def metadata(self, name: str = "") -> str:
        """The metadata of a release, or the directory of all."""
        return os.path.join(self.root, "metadata", *([f"{name}.json"] if name else []))

    def manifest(self, name: str) -> str:
        """What a release consists of, to find damage later."""
        return os.path.join(self.root, "manifests", f"{name}.json")

    def release(self, name: str) -> str:
        """The place of a release that is not live as a directory."""
        return os.path.join(self.releases, name)

    def worktree(self, name: str) -> str:
        """What the mirror keeps about the checkout of a release."""
        return os.path.join(self.mirror, "worktrees", name)

    def live(self) -> Live:
        """What stands at the live path now; the answer is read from there, never from memory."""
        if os.path.islink(self.path):
            target = os.path.join(os.path.dirname(self.path), os.readlink(self.path))
            target = os.path.normpath(target)
            if os.path.realpath(os.path.dirname(target)) != os.path.realpath(self.releases):
                return Live(FOREIGN_LINK, target=target)
            kind = LINK if os.path.isdir(target) else DANGLING
            return Live(kind, os.path.basename(target), target)
        if not os.path.lexists(self.path):
            return Live(ABSENT)
        if not os.path.isdir(self.path):
            return Live(OTHER)
        name = self.identity(self.path)
        if name:
            return Live(DIRECTORY, name, self.path)
        return Live(CHECKOUT if os.path.exists(os.path.join(self.path, ".git")) else OTHER)

    def identity(self, directory: str) -> str:
        """The release that a directory is, by what it says itself; empty when it is none."""
        git = os.path.join(directory, ".git")
        try:
            if os.path.isdir(git):
                with open(os.path.join(git, MARKER), encoding="utf-8") as marker:
                    return marker.read().strip()
            with open(git, encoding="utf-8") as pointer:
                target = pointer.read().partition("gitdir: ")[2].strip()
        except OSError:
            return ""
        worktrees = os.path.join(os.path.realpath(self.mirror), "worktrees")
        parent, name = os.path.split(target)
        return name if os.path.realpath(parent) == worktrees else ""


def ground(path: str) -> str:
    """The nearest directory above (or the path itself) that exists."""
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    return path


def owner_problem(root: str) -> list[str]:
    """Why this user must not work here: its files would belong to the wrong one."""
    place = ground(root)
    owner, user = os.stat(place).st_uid, os.geteuid()
    if owner == user or (place != root and user != 0):
        return []
    return [
        f"{place} belongs to {_user(owner)}, and this runs as {_user(user)}; "
        f"run it as {_user(owner)} (become_user)"
    ]


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
