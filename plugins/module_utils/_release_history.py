# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies between the live commit and another one, found out without changing the mirror."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
import typing as t
from dataclasses import dataclass, field

from ansible_collections.plugspace.titan.plugins.module_utils._git import (
    Git,
    UnknownRefError,
    advertised_commit,
    is_full_commit,
    is_short_commit,
    valid_ref,
)

_MOST_COMMITS = 200
_SEPARATOR = "%x1f"


@dataclass(frozen=True)
class Target:
    """A commit as it is to be deployed. files: the wanted files' content, None when it has none."""

    commit: str
    subject: str = ""
    files: dict[str, str | None] = field(default_factory=dict)
    migrations: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Range:
    """What goes out with a target, and what it takes back."""

    commits: list[dict[str, str]] = field(default_factory=list)
    taken_back: list[dict[str, str]] = field(default_factory=list)


class Advertised:
    """What the remote has under a ref, asked for beside everything else, since it takes longest."""

    def __init__(self, git: Git, ref: str) -> None:
        self._git = git
        self._ref = ref
        self._commit = ""
        self._error: Exception | None = None
        self._thread: threading.Thread | None = None
        # A commit needs no question, as a rule.
        if valid_ref(ref) and not is_short_commit(ref) and not is_full_commit(ref):
            self._thread = threading.Thread(target=self._ask, daemon=True)
            self._thread.start()

    def _ask(self) -> None:
        try:
            self._commit = advertised_commit(self._git, self._ref)
        except Exception as error:  # raised again for the one who wants the answer
            self._error = error

    def commit(self) -> str:
        """The commit, empty when the remote has none; GitError when it could not be asked."""
        if self._thread is None:
            return advertised_commit(self._git, self._ref)
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._commit


class History:
    """The history of a repository. Use it as a context: what it fetches is gone afterwards."""

    def __init__(self, git: Git, stores: t.Sequence[str]) -> None:
        """stores: the Git directories on this host that may have the objects already."""
        self._git = git
        self._stores = [store for store in stores if os.path.isdir(os.path.join(store, "objects"))]
        self._scratch = ""
        self._places: dict[str, str] = {}

    def __enter__(self) -> History:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def resolve(self, ref: str, advertised: Advertised) -> str:
        """The commit of a branch, tag or (short) commit id; UnknownRefError when there is none."""
        if is_full_commit(ref):
            return ref
        if is_short_commit(ref):
            known = self._abbreviated(ref)
            if known:
                return known
        commit = advertised.commit()
        if commit:
            return commit
        if is_short_commit(ref):
            with contextlib.suppress(UnknownRefError):
                self._fetch("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
            known = self._abbreviated(ref)
            if known:
                return known
        raise UnknownRefError(f"{self._git.remote.url} has no branch, tag or commit {ref}")

    def bring(self, commit: str, ref: str, with_history: bool) -> None:
        """Make the commit readable; only what is missing on this host is fetched."""
        if self._place(commit):
            return
        depth = [] if with_history and self._stores else ["--depth=1"]
        self._fetch(*depth, commit)
        if not self._place(commit):
            raise UnknownRefError(f"{self._git.remote.url} has no commit {ref}")

    def target(self, commit: str, files: t.Sequence[str], migrations_path: str) -> Target:
        """What the commit holds of the files and migrations."""
        at = self._place(commit)
        asked = "".join(f"{commit}:{name}\n" for name in files)
        # Sizes are told in bytes, so every byte has to survive.
        answer = self._git.run(
            "cat-file", "--batch", at=at, stdin=asked, undecodable="surrogateescape"
        )
        contents = _batch(answer, files)
        listed = self._git.run("log", "-1", "--format=%s", commit, at=at)
        tree = self._git.run(
            "ls-tree", "-d", "--name-only", f"{commit}:{migrations_path}", at=at, ok=(0, 128)
        )
        return Target(commit, listed.strip(), contents, sorted(tree.split()))

    def between(self, current: str, target: str) -> Range:
        """The commits that go out, and those that are taken back, newest first."""
        at = self._place(target) if current != target else ""
        if not at or not self._git.has_commit(current, at):
            return Range()
        form = _SEPARATOR.join(("%m", "%H", "%an", "%aI", "%s"))
        shown = self._git.run(
            "log",
            f"--max-count={_MOST_COMMITS}",
            "--left-right",
            f"--format={form}",
            f"{current}...{target}",
            at=at,
        )
        sides: dict[str, list[dict[str, str]]] = {"<": [], ">": []}
        # A subject may hold what Python takes for the end of a line.
        for line in filter(None, shown.split("\n")):
            side, commit, author, date, subject = line.split("\x1f", 4)
            sides[side].append(
                {"commit": commit, "subject": subject, "author": author, "date": date}
            )
        return Range(sides[">"], sides["<"])

    def migrations(self, commit: str, migrations_path: str) -> list[str] | None:
        """The migrations of a commit; None when it is not known here."""
        at = self._place(commit)
        if not at:
            return None
        tree = self._git.run(
            "ls-tree", "-d", "--name-only", f"{commit}:{migrations_path}", at=at, ok=(0, 128)
        )
        return sorted(tree.split())

    def _place(self, commit: str) -> str:
        """A Git directory that has the commit; the scratch one sees the others' objects as well."""
        if commit not in self._places:
            for place in filter(None, [self._scratch, *self._stores]):
                if self._git.has_commit(commit, place):
                    self._places[commit] = place
                    break
        return self._places.get(commit, "")

    def _abbreviated(self, ref: str) -> str:
        for place in filter(None, [self._scratch, *self._stores]):
            found = self._git.run(
                "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", at=place, ok=(0, 1, 128)
            ).strip()
            # A branch may be named like the beginning of a commit.
            if is_full_commit(found) and found.startswith(ref):
                return found
        return ""

    def _fetch(self, *what: str) -> None:
        if not self._scratch:
            self._scratch = tempfile.mkdtemp(prefix="titan-plan-")
            self._git.run("init", "--quiet", "--bare", self._scratch)
            if self._stores:
                alternates = os.path.join(self._scratch, "objects", "info", "alternates")
                with open(alternates, "w", encoding="utf-8") as target:
                    target.write("".join(f"{os.path.join(s, 'objects')}\n" for s in self._stores))
        options = [part for part in what if part.startswith("--")]
        wanted = [part for part in what if not part.startswith("--")]
        self._git.contact("fetch", "--no-tags", *options, "REMOTE", *wanted, at=self._scratch)


def _batch(answer: str, names: t.Sequence[str]) -> dict[str, str | None]:
    """The contents out of what git cat-file --batch prints."""
    contents: dict[str, str | None] = {}
    rest = answer.encode(errors="surrogateescape")
    for name in names:
        head, _newline, rest = rest.partition(b"\n")
        parts = head.decode(errors="replace").rsplit(" ", 2)
        if len(parts) != 3 or parts[1] != "blob":
            contents[name] = None
            if len(parts) == 3 and parts[2].isdigit():
                rest = rest[int(parts[2]) + 1 :]
            continue
        size = int(parts[2])
        contents[name] = rest[:size].decode(errors="replace")
        rest = rest[size + 1 :]
    return contents
