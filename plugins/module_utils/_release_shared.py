# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths that all releases share: they lie in one place, and every release links there."""

from __future__ import annotations

import filecmp
import os
import shutil
import typing as t
from dataclasses import dataclass

from ansible_collections.plugspace.titan.plugins.module_utils._files import (
    exchange,
    remove_tree,
    replace_link,
)
from ansible_collections.plugspace.titan.plugins.module_utils._release import ReleaseError


@dataclass(frozen=True)
class SharedPath:
    """One shared path, relative; a slash at its end says that it is a directory."""

    name: str
    is_directory: bool

    @classmethod
    def of(cls, text: str) -> SharedPath:
        """The path that an option names; ReleaseError when it leads outside."""
        name = os.path.normpath(text)
        if os.path.isabs(name) or name.split(os.sep)[0] in ("..", ".", ".git"):
            raise ReleaseError(f"shared_paths: {text!r} must lie inside of the release")
        return cls(name, text.endswith("/"))


class Shared:
    """The shared paths. checkout: a plain checkout that still holds their content, if any."""

    def __init__(self, directory: str, paths: t.Sequence[SharedPath], checkout: str = "") -> None:
        self.directory = directory
        self.paths = list(paths)
        self._checkout = checkout

    def place(self, shared: SharedPath) -> str:
        """Where the content is, or will be."""
        return os.path.join(self.directory, shared.name)

    @property
    def homes(self) -> set[str]:
        """The directories that the content lies in."""
        return {os.path.dirname(self.place(shared)) for shared in self.paths}

    def content(self, name: str) -> str:
        """Where the content of a shared path can be read now."""
        place = os.path.join(self.directory, name)
        if self._checkout and not _holds(place):
            return os.path.join(self._checkout, name)
        return place

    def conflicts(self) -> list[str]:
        """Why the plain checkout's content cannot be taken over, in sentences."""
        found = []
        for shared in self.paths if self._checkout else []:
            ours, theirs = self.place(shared), os.path.join(self._checkout, shared.name)
            if not os.path.lexists(theirs) or os.path.realpath(ours) == os.path.realpath(theirs):
                continue
            if os.path.ismount(theirs):
                found.append(f"{theirs} is a mount point and cannot be moved; mount it at {ours}")
            elif _holds(ours) and not _same(ours, theirs):
                found.append(
                    f"{theirs} and {ours} both exist and differ; keep the right content in one of "
                    "them and move the other one away"
                )
        return found

    def link_into(self, release: str) -> None:
        """Let a release use the shared paths; what its commit has there is the first content."""
        for shared in self.paths:
            place, inside = self.place(shared), os.path.join(release, shared.name)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            os.makedirs(os.path.dirname(inside), exist_ok=True)
            self._provide(shared, place, inside)
            if os.path.islink(inside) or not os.path.isdir(inside):
                replace_link(inside, place)
            else:
                remove_tree(inside)
                os.symlink(place, inside)

    def _provide(self, shared: SharedPath, place: str, inside: str) -> None:
        if os.path.exists(place):
            return
        if self._checkout:
            theirs = os.path.join(self._checkout, shared.name)
            if os.path.lexists(theirs):
                # Until the checkout is adopted its content stays where the running release uses it.
                replace_link(place, theirs)
                return
        if os.path.lexists(place):
            os.unlink(place)
        if os.path.isdir(inside) and not os.path.islink(inside):
            shutil.copytree(inside, place, symlinks=True)
        elif os.path.isfile(inside):
            shutil.copy2(inside, place)
        elif shared.is_directory:
            os.mkdir(place)

    def take_over(self, swap: str) -> list[str]:
        """Move the plain checkout's content here; its old names stay valid all the time."""
        conflicts = self.conflicts()
        if conflicts:
            raise ReleaseError("; ".join(conflicts), "conflict")
        moved = []
        for shared in self.paths:
            place, theirs = self.place(shared), os.path.join(self._checkout, shared.name)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            if os.path.islink(theirs):
                # A place of the operator's own stays the content's home; the link that led there by
                # way of the checkout must not, for the checkout is about to lead back here.
                home = os.path.realpath(theirs)
                if home != os.path.realpath(place) or os.path.islink(place):
                    replace_link(place, home)
            elif not os.path.lexists(theirs):
                if os.path.exists(place):
                    os.makedirs(os.path.dirname(theirs), exist_ok=True)
                    replace_link(theirs, place)
            elif _holds(place):
                replace_link(theirs, place)
            else:
                if os.path.isdir(place) and not os.path.islink(place):
                    os.rmdir(place)
                # A link to itself for an instant: after the exchange it is the checkout's link.
                replace_link(place, place)
                exchange(theirs, place, swap)
                moved.append(shared.name)
        return moved


def _holds(path: str) -> bool:
    """Whether there is content of its own: not nothing, a link, or an empty directory."""
    if os.path.islink(path) or not os.path.exists(path):
        return False
    return not os.path.isdir(path) or bool(os.listdir(path))


def _same(first: str, second: str) -> bool:
    return (
        os.path.isfile(first)
        and os.path.isfile(second)
        and filecmp.cmp(first, second, shallow=False)
    )
