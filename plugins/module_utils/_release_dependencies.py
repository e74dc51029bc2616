# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installed packages, shared between releases by hard links as long as they are the same."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._files import remove_tree
from ansible_collections.plugspace.titan.plugins.module_utils._release_manifest import (
    module_directories,
)

LOCK_FILES = ("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml")

# What npm runs of the project's own when it installs; reused packages need it as well.
INSTALL_SCRIPTS = (
    "preinstall",
    "install",
    "postinstall",
    "prepublish",
    "preprepare",
    "prepare",
    "postprepare",
)
_DEPENDENCY_FIELDS = (
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
    "bundleDependencies",
    "bundledDependencies",
    "overrides",
    "resolutions",
    "workspaces",
)
_WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def digest(
    directory: str,
    packages: t.Iterable[str],
    command: t.Sequence[str],
    node: str,
    environment: t.Mapping[str, str],
) -> str:
    """What the installed packages depend on; equal digests mean equal packages.

    packages: every package.json of the release. Empty without a lock file: nothing is certain then.
    """
    parts: list[t.Any] = [list(command), node, sorted(environment.items())]
    locks = [name for name in LOCK_FILES if os.path.isfile(os.path.join(directory, name))]
    if not locks:
        return ""
    parts += [[name, _lock_digest(os.path.join(directory, name))] for name in locks]
    if os.path.isfile(os.path.join(directory, ".npmrc")):
        parts.append([".npmrc", _file_digest(os.path.join(directory, ".npmrc"))])
    for name in sorted(packages):
        content = read_package(os.path.join(directory, name))
        parts.append(
            [name, {key: content.get(key) for key in _DEPENDENCY_FIELDS if key in content}]
        )
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def read_package(path: str) -> dict[str, t.Any]:
    """A package.json; empty when it cannot be read."""
    try:
        with open(path, encoding="utf-8") as source:
            content = json.load(source)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def install_scripts(directory: str) -> list[str]:
    """The project's own scripts that an installation runs, in npm's order."""
    scripts = read_package(os.path.join(directory, "package.json")).get("scripts")
    return [name for name in INSTALL_SCRIPTS if isinstance(scripts, dict) and scripts.get(name)]


def reuse(source: str, target: str, installed: float, private: t.Collection[str]) -> int:
    """Give a release the packages of another one without copying their bytes; the number of files.

    installed: when the source's installation ended; what was written later, by its build or by the
    application, is copied like the `private` directories, so that no release changes another one's.
    """
    count = 0
    for place in module_directories(source):
        os.makedirs(os.path.dirname(os.path.join(target, place)), exist_ok=True)
        remove_tree(os.path.join(target, place))
        count += _link_tree(
            os.path.join(source, place), os.path.join(target, place), installed, private
        )
    return count


def protect(directory: str, private: t.Collection[str]) -> None:
    """Take the right to write from the installed files, which other releases will share.

    A build that changes one in place then fails, instead of changing the release that is running.
    """
    for place in module_directories(directory):
        pending = [os.path.join(directory, place)]
        while pending:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name not in private:
                            pending.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        _protect_file(entry.path, entry.stat(follow_symlinks=False).st_mode)


def _link_tree(source: str, target: str, installed: float, private: t.Collection[str]) -> int:
    count = 0
    pending = [(source, target)]
    while pending:
        here, there = pending.pop()
        os.mkdir(there)
        with os.scandir(here) as entries:
            for entry in entries:
                place = f"{there}/{entry.name}"
                if entry.is_symlink():
                    os.symlink(os.readlink(entry.path), place)
                elif entry.is_dir(follow_symlinks=False):
                    if entry.name in private:
                        shutil.copytree(entry.path, place, symlinks=True)
                    else:
                        pending.append((entry.path, place))
                else:
                    about = entry.stat(follow_symlinks=False)
                    if about.st_mtime > installed:
                        shutil.copy2(entry.path, place)
                    else:
                        _protect_file(entry.path, about.st_mode)
                        os.link(entry.path, place)
                    count += 1
    return count


def _protect_file(path: str, mode: int) -> None:
    if mode & _WRITABLE:
        os.chmod(path, stat.S_IMODE(mode) & ~_WRITABLE)


def _lock_digest(path: str) -> str:
    """The digest of a lock file without the project's own version, which changes no package."""
    content = read_package(path) if path.endswith(".json") else {}
    packages = content.get("packages")
    own = packages.get("") if isinstance(packages, dict) else None
    if not isinstance(own, dict):
        return _file_digest(path)
    for part in (content, own):
        part.pop("version", None)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _file_digest(path: str) -> str:
    with open(path, "rb") as source:
        return hashlib.sha256(source.read()).hexdigest()
