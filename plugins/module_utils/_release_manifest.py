# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a prepared release consists of, written down to find damage later."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import stat
import typing as t

MODULES = "node_modules"

# Larger ones are compared by size alone, so that looking stays quick.
_HASHED_UP_TO = 64 * 1024 * 1024
_MOST_OUTPUTS = 20000


def record(
    directory: str,
    untracked: t.Iterable[str],
    changed: t.Sequence[str],
    volatile: t.Sequence[str],
    contents: bool,
) -> dict[str, t.Any]:
    """The manifest of a release that is complete now.

    untracked: files that Git does not know. changed: git status lines of those that it knows.
    volatile: patterns of files that the application itself writes.
    contents: whether the files' contents are compared, or only that they are there.
    """
    outputs: dict[str, t.Any] = {}
    altered = [line[3:] for line in changed if "D" not in line[:2]]
    for name in [*untracked, *altered][:_MOST_OUTPUTS]:
        if _is_volatile(name, volatile):
            continue
        path = os.path.join(directory, name)
        about = _stat(path)
        if about is not None and stat.S_ISREG(about.st_mode):
            outputs[name] = [
                about.st_size,
                about.st_mtime_ns,
                _digest(path, about) if contents else "",
            ]
    modules = sorted(module_directories(directory))
    files, size = _measure(directory, modules)
    return {
        "outputs": outputs,
        "changed": sorted(changed),
        "packages": {place: _packages(os.path.join(directory, place)) for place in modules},
        "package_files": {place: count_files(os.path.join(directory, place)) for place in modules},
        "contents": contents,
        "files": files,
        "bytes": size,
    }


def damage(
    directory: str, manifest: t.Mapping[str, t.Any], changed: t.Sequence[str], deep: bool = False
) -> str:
    """What is missing or different, in words; empty when nothing is.

    deep: every installed file is counted too, which takes a moment for tens of thousands of them.
    """
    news = sorted(set(changed) - set(manifest["changed"]))
    if news:
        return f"{news[0][3:]} differs from its commit{_more(len(news))}"
    lost = []
    for name, (size, written, digest) in manifest["outputs"].items():
        about = _stat(os.path.join(directory, name))
        if about is None:
            return f"{name} is missing"
        if not manifest["contents"] or (about.st_size == size and about.st_mtime_ns == written):
            continue
        path = os.path.join(directory, name)
        if about.st_size != size or _digest(path, about) != digest:
            lost.append(name)
    if lost:
        return f"{lost[0]} is not as it was built{_more(len(lost))}"
    for place, packages in manifest["packages"].items():
        gone = sorted(set(packages) - set(_packages(os.path.join(directory, place))))
        if gone:
            return f"{place}/{gone[0]} is missing{_more(len(gone))}"
        if deep and count_files(os.path.join(directory, place)) < manifest["package_files"][place]:
            return f"files are missing in {place}"
    return ""


def module_directories(directory: str) -> list[str]:
    """The places of installed packages, relative; one, or one more per workspace."""
    found = []
    for parent, directories, _files in os.walk(directory):
        if MODULES in directories:
            found.append(os.path.relpath(os.path.join(parent, MODULES), directory))
        directories[:] = [name for name in directories if name not in (MODULES, ".git")]
    return found


def migration_names(directory: str, migrations_path: str) -> list[str]:
    """The migrations that a release brings."""
    try:
        with os.scandir(os.path.join(directory, migrations_path)) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir())
    except OSError:
        return []


def count_files(directory: str) -> int:
    """The number of files below, without the caches that come and go."""
    count = 0
    pending = [directory]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if not entry.name.startswith(".") or entry.name == ".bin":
                            pending.append(entry.path)
                    else:
                        count += 1
        except OSError:
            continue
    return count


def _packages(modules: str) -> list[str]:
    """The installed packages at the top: those that have a package.json."""
    names = []
    for name in _listed(modules):
        if name.startswith("@"):
            names += [f"{name}/{part}" for part in _listed(os.path.join(modules, name))]
        elif not name.startswith("."):
            names.append(name)
    return sorted(n for n in names if os.path.exists(os.path.join(modules, n, "package.json")))


def _listed(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []


def _measure(directory: str, modules: t.Collection[str]) -> tuple[int, int]:
    """Files and bytes that the release has for itself: a shared file costs nothing."""
    files = size = 0
    pending = [directory]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                    continue
                about = entry.stat(follow_symlinks=False)
                if about.st_nlink == 1 or not modules:
                    files += 1
                    size += about.st_blocks * 512
    return files, size


def _digest(path: str, about: os.stat_result) -> str:
    if about.st_size > _HASHED_UP_TO:
        return ""
    try:
        with open(path, "rb") as source:
            return hashlib.sha256(source.read()).hexdigest()
    except OSError:
        return ""


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None


def _is_volatile(name: str, patterns: t.Sequence[str]) -> bool:
    return any(
        fnmatch.fnmatch(name, pattern) or name.startswith(f"{pattern.rstrip('/')}/")
        for pattern in patterns
    )


def _more(count: int) -> str:
    return f" (and {count - 1} more)" if count > 1 else ""
