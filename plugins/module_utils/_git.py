# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Git client that never prompts, never waits for ever and never shows a credential."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import tempfile
import typing as t
import urllib.parse
from dataclasses import dataclass

from ansible_collections.plugspace.titan.plugins.module_utils._process import (
    Finished,
    ProcessError,
    capture,
    clean_environment,
)
from ansible_collections.plugspace.titan.plugins.module_utils._redact import Redactor

_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+@-]*")
_FULL_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHORT_COMMIT = re.compile(r"[0-9a-f]{7,40}")

# What the user's or the system's own settings must not change for us.
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "gc.auto=0",
    "maintenance.auto=false",
    # Objects arrive as one pack or not at all: a fetch that is killed leaves no half history.
    "fetch.unpackLimit=1",
    "protocol.ext.allow=never",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=30",
    "credential.helper=",
)
# The secret stands in the environment of git alone: not on disk, not among the arguments.
_CREDENTIAL_HELPER = (
    'credential.helper=!f() { test "$1" = get && '
    'printf "username=%s\\npassword=%s\\n" "$TITAN_GIT_USER" "$TITAN_GIT_TOKEN"; }; f'
)


class GitError(Exception):
    """What Git could not do, in one sentence without credentials."""


class UnknownRefError(GitError):
    """The repository answers, and has no such branch, tag or commit."""


@dataclass(frozen=True)
class Remote:
    """A repository elsewhere and how to get in."""

    url: str
    key: str = ""
    key_file: str = ""
    token: str = ""
    token_user: str = "x-access-token"
    known_hosts: str = ""

    @classmethod
    def of(cls, url: str, **access: str) -> Remote:
        """A remote whose URL holds no credentials: those of the URL serve as the token."""
        parts = urllib.parse.urlsplit(url)
        if parts.scheme in ("http", "https") and "@" in parts.netloc:
            url = urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
            user, password = parts.username or "", parts.password or ""
            if not access.get("token"):
                access["token"] = urllib.parse.unquote(password or user)
                if password:
                    access["token_user"] = urllib.parse.unquote(user)
        return cls(url=url, **access)

    @property
    def secrets(self) -> list[str]:
        """What must never be shown."""
        return [secret for secret in (self.token, self.key, *self.key.splitlines()) if secret]


class Git:
    """Git, with a time limit on every call. Use it as a context: it may hold a key meanwhile."""

    def __init__(
        self,
        remote: Remote,
        timeout: float,
        environment: t.Mapping[str, str],
        owner: tuple[int, int] | None = None,
    ) -> None:
        """owner: uid and gid that Git runs as, where root looks at a repository of somebody else.

        What is configured in a repository can make Git run programs, so root must not be it.
        """
        self.remote = remote
        self._owner = owner
        self._timeout = timeout
        self._redact = Redactor(remote.secrets)
        self._key: int | None = None
        self._key_file = remote.key_file
        self._environment = clean_environment(
            {
                **environment,
                "GIT_TERMINAL_PROMPT": "0",
                "GIT_ASKPASS": "true",
                "GIT_OPTIONAL_LOCKS": "0",
            }
        )
        self._settings = [part for setting in _SETTINGS for part in ("-c", setting)]

    def __enter__(self) -> Git:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._key is not None:
            os.close(self._key)
            self._key = None

    def run(
        self,
        *arguments: str,
        at: str = "",
        stdin: str = "",
        ok: t.Container[int] = (0,),
        optional_locks: bool = False,
        alternates: str = "",
        undecodable: str = "replace",
    ) -> str:
        """What a local command prints. at: the directory that it works on."""
        environment = dict(self._environment)
        if optional_locks:
            del environment["GIT_OPTIONAL_LOCKS"]
        if alternates:
            environment["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = alternates
        return self._checked(arguments, environment, at, stdin, ok, undecodable).output

    def contact(self, *arguments: str, at: str = "", alternates: str = "") -> str:
        """What a command prints that talks to the remote, which its arguments call REMOTE."""
        if not self.remote.url:
            raise GitError("no repository was given")
        if self.remote.url.startswith("-"):
            raise GitError(f"{self.remote.url} is not the address of a repository")
        environment = {**self._environment, "GIT_SSH_COMMAND": self._ssh_command()}
        if alternates:
            environment["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = alternates
        extra: list[str] = []
        if self.remote.token:
            environment["TITAN_GIT_USER"] = self.remote.token_user
            environment["TITAN_GIT_TOKEN"] = self.remote.token
            extra = ["-c", _CREDENTIAL_HELPER]
        elif not (self.remote.key or self.remote.key_file) and "SSH_AUTH_SOCK" in os.environ:
            environment["SSH_AUTH_SOCK"] = os.environ["SSH_AUTH_SOCK"]
        named = [self.remote.url if part == "REMOTE" else part for part in arguments]
        return self._checked([*extra, *named], environment, at, "", (0,)).output

    def has_commit(self, commit: str, at: str, alternates: str = "") -> bool:
        """Whether the commit is in the repository at `at`."""
        if not os.path.isdir(at):
            return False
        shown = self.run("cat-file", "-t", commit, at=at, ok=(0, 128), alternates=alternates)
        return shown.strip() == "commit"

    def _checked(
        self,
        arguments: t.Sequence[str],
        environment: t.Mapping[str, str],
        at: str,
        stdin: str,
        ok: t.Container[int],
        undecodable: str = "replace",
    ) -> Finished:
        where = ["-C", at] if at else []
        try:
            finished = capture(
                ["git", *self._settings, *where, *arguments],
                environment,
                self._timeout,
                stdin=stdin,
                undecodable=undecodable,
                owner=self._owner,
            )
        except ProcessError as error:
            verb = next((a for a in arguments if not a.startswith("-") and "=" not in a), "")
            raise GitError(
                self._redact.text(_timed_out(str(error), verb, self.remote.url))
            ) from None
        if finished.code not in ok:
            raise GitError(self._redact.text(_explain(finished.errors, self.remote.url)))
        return finished

    def _ssh_command(self) -> str:
        remote = self.remote
        options = [
            "BatchMode=yes",
            "ConnectTimeout=10",
            "ServerAliveInterval=10",
            "ControlPath=none",
        ]
        if remote.known_hosts:
            options += [f"UserKnownHostsFile={remote.known_hosts}", "StrictHostKeyChecking=yes"]
        else:
            options += ["StrictHostKeyChecking=accept-new"]
        key_file = self._keep_key() if remote.key else remote.key_file
        if key_file:
            options += [f"IdentityFile={key_file}", "IdentitiesOnly=yes"]
        return shlex.join(["ssh", *(part for option in options for part in ("-o", option))])

    def _keep_key(self) -> str:
        """The key as a file that exists in memory only, and no longer than this process."""
        if self._key is None:
            try:
                self._key = os.memfd_create("key")
            except (AttributeError, OSError):
                # Unlinked at once: it has no name that could outlive a kill.
                self._key, name = tempfile.mkstemp()
                os.unlink(name)
            os.fchmod(self._key, 0o600)
            with open(os.dup(self._key), "w", encoding="utf-8") as key:
                key.write(self.remote.key.rstrip("\n") + "\n")
        return f"/proc/{os.getpid()}/fd/{self._key}"


def valid_ref(ref: str) -> bool:
    """Whether this can be a branch, tag or commit, and is neither an option nor a pattern."""
    return bool(_REF.fullmatch(ref)) and ".." not in ref and "@{" not in ref and ref[-1] not in "./"


def is_full_commit(text: str) -> bool:
    """Whether this is a complete commit id."""
    return bool(_FULL_COMMIT.fullmatch(text))


def is_short_commit(text: str) -> bool:
    """Whether this could be the beginning of a commit id."""
    return bool(_SHORT_COMMIT.fullmatch(text))


def advertised_commit(git: Git, ref: str) -> str:
    """The commit that the remote has under a branch or tag now; empty when it has none."""
    names = (
        [ref]
        if ref.startswith("refs/") or ref == "HEAD"
        else [f"refs/heads/{ref}", f"refs/tags/{ref}"]
    )
    patterns = [pattern for name in names for pattern in (name, f"{name}^{{}}")]
    found = {}
    for line in git.contact("ls-remote", "REMOTE", *patterns).splitlines():
        commit, _tab, name = line.partition("\t")
        found[name] = commit
    # An annotated tag is a thing of its own; what it points at has the suffix.
    commits = [found.get(f"{name}^{{}}") or found[name] for name in names if name in found]
    if len(set(commits)) > 1:
        raise UnknownRefError(
            f"{ref} is both a branch and a tag; write refs/heads/{ref} or refs/tags/{ref}"
        )
    return commits[0] if commits else ""


def fetch_commit(git: Git, commit: str, at: str, ref: str = "") -> None:
    """Bring a commit, with its history, into the repository at `at`."""
    wanted = [f"+{ref}:{ref}"] if ref.startswith("refs/") else []
    everything = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]
    with contextlib.suppress(UnknownRefError):
        git.contact("fetch", "--no-tags", "--force", "REMOTE", *(wanted or everything), at=at)
        if git.has_commit(commit, at):
            return
    # A commit that no branch holds any more; servers hand it out when asked by its full id.
    git.contact("fetch", "--no-tags", "REMOTE", commit, at=at)


def _timed_out(message: str, verb: str, url: str) -> str:
    if "was not found on PATH" in message:
        return message
    return f"git {verb}: {message.partition(' gave ')[2] or message} ({url or 'local'})"


# In the order of their precision: the first that matches is told.
_EXPLANATIONS = (
    ("Host key verification failed", "the host key of {url} is not the known one (known_hosts)"),
    ("Permission denied (publickey", "{url} does not accept the deploy key"),
    ("Authentication failed", "{url} does not accept the token"),
    ("could not read Username", "{url} wants a login; give a token"),
    ("could not read Password", "{url} wants a login; give a token"),
    ("Repository not found", "{url} does not exist or may not be read with these credentials"),
    ("dubious ownership", "the repository belongs to another user"),
    ("Could not resolve host", "the host of {url} is not known (name resolution)"),
    ("No space left on device", "no space left on the disk"),
)


def _explain(errors: str, url: str) -> str:
    """The cause among git's and ssh's messages."""
    if "couldn't find remote ref" in errors or "not our ref" in errors:
        raise UnknownRefError(f"{url} has no such branch, tag or commit")
    for sign, sentence in _EXPLANATIONS:
        if sign in errors:
            return sentence.format(url=url)
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    told = next((x for x in lines if x.startswith(("fatal:", "error:"))), lines[0] if lines else "")
    first = next((x for x in lines if x.startswith(("ssh:", "kex_"))), "")
    return "git: " + "; ".join(filter(None, [first, told.partition(": ")[2] or told]))
