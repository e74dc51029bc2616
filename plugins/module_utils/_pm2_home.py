# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose PM2 is meant, which one is installed, and in which state its daemon is."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import stat
import typing as t
from dataclasses import dataclass, field

from ansible_collections.plugspace.titan.plugins.module_utils._pm2_client import (
    AbsentError,
    ForeignError,
    HungError,
    Pm2Error,
    ProtocolError,
    StaleError,
    user_name,
)

# A login over SSH without a shell's start-up files finds no more than this.
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

ARGUMENT_SPEC: dict[str, t.Any] = {
    "user": {"type": "str"},
    "pm2_home": {"type": "path"},
    "pm2_bin": {"type": "path"},
    "timeout": {"type": "float", "default": 5.0},
}


class Client(t.Protocol):
    """What is asked of a daemon to know its state."""

    peer_pid: int | None

    def processes(self) -> list[dict[str, t.Any]]:
        """PM2's own list."""

    def version(self) -> str:
        """The version in memory."""


@dataclass(frozen=True)
class Site:
    """One user's PM2."""

    user: str
    uid: int
    user_home: str
    home: str
    pm2_bin: str | None = None

    @property
    def root(self) -> str | None:
        """The directory of the installed package, without starting it."""
        found = self.pm2_bin or shutil.which("pm2", path=self.path)
        if not found:
            return None
        root = os.path.dirname(os.path.dirname(os.path.realpath(found)))
        return root if os.path.isfile(os.path.join(root, "package.json")) else None

    @property
    def path(self) -> str:
        """Where programs are looked for: the caller's path, then what every host has."""
        return f"{os.environ.get('PATH', '')}:{SEARCH_PATH}".lstrip(":")

    @property
    def node(self) -> str | None:
        """The Node.js that stands beside PM2, or the first on the path."""
        if self.pm2_bin:
            beside = os.path.join(os.path.dirname(self.pm2_bin), "node")
            if os.access(beside, os.X_OK):
                return beside
        return shutil.which("node", path=self.path)

    def installed_version(self) -> str | None:
        """The version of the installed package; None when there is none."""
        if self.root is None:
            return None
        try:
            with open(os.path.join(self.root, "package.json"), encoding="utf-8") as package:
                content = json.load(package)
        except (OSError, ValueError):
            return None
        named = isinstance(content, dict) and content.get("name") == "pm2"
        return str(content["version"]) if named and "version" in content else None

    def require_owner(self) -> None:
        """Refuse to act on another user's PM2: files of the wrong owner would lock the user out."""
        owner = self.uid
        if os.path.exists(self.home):
            owner = os.stat(self.home).st_uid
        if owner != self.uid or os.geteuid() != owner:
            raise ForeignError(
                f"{self.home} belongs to {user_name(owner)} and this task runs as"
                f" {user_name(os.geteuid())}: add become: true and become_user: {user_name(owner)}"
            )


def find(user: str | None, pm2_home: str | None, pm2_bin: str | None) -> Site:
    """Resolve the options that every PM2 module has."""
    try:
        entry = pwd.getpwnam(user) if user else pwd.getpwuid(os.geteuid())
    except KeyError:
        raise Pm2Error(f"this host has no user {user or os.geteuid()}") from None
    home = os.path.abspath(pm2_home or os.path.join(entry.pw_dir, ".pm2"))
    if pm2_bin and not os.access(pm2_bin, os.X_OK):
        raise Pm2Error(f"pm2_bin: there is no program {pm2_bin}")
    return Site(entry.pw_name, entry.pw_uid, entry.pw_dir, home, pm2_bin)


@dataclass
class Daemon:
    """A daemon's state as a module returns it."""

    state: str
    user: str
    home: str
    pid: int | None = None
    version: str | None = None
    installed_version: str | None = None
    reason: str | None = None
    warnings: list[str] = field(default_factory=list)

    def as_result(self) -> dict[str, t.Any]:
        """As plain data for a module's result."""
        return dict(self.__dict__)


def look(site: Site, client: Client) -> tuple[Daemon, list[dict[str, t.Any]]]:
    """The daemon's state and its raw list of processes; starts nothing."""
    daemon = Daemon("running", site.user, site.home)
    daemon.installed_version = site.installed_version()
    records: list[dict[str, t.Any]] = []
    try:
        # Whoever only asks leaves no file behind, so root may ask anybody's.
        if os.geteuid() not in (0, site.uid):
            site.require_owner()
        records = client.processes()
        daemon.version = client.version()
    except (AbsentError, StaleError, HungError, ForeignError) as error:
        daemon.state, daemon.reason = error.cause, str(error)
    except ProtocolError as error:
        daemon.state, daemon.reason = "hung", str(error)
    daemon.pid = client.peer_pid
    daemon.warnings = _warnings(site, daemon)
    return daemon, records


def unusable(daemon: Daemon) -> Pm2Error:
    """The error that says why nothing can be done with this daemon."""
    kinds = {kind.cause: kind for kind in (HungError, ForeignError)}
    return kinds.get(daemon.state, Pm2Error)(f"{daemon.reason}; nothing was changed")


def _warnings(site: Site, daemon: Daemon) -> list[str]:
    warnings = []
    try:
        mode = stat.S_IMODE(os.stat(site.home).st_mode)
    except OSError:
        mode = 0
    if mode & 0o077:
        warnings.append(
            f"{site.home} is open to others (mode {mode:04o}), and whoever reaches its socket"
            f" runs code as {site.user}: chmod 0700 {site.home}"
        )
    if daemon.version and daemon.installed_version not in (None, daemon.version):
        warnings.append(
            f"PM2 {daemon.version} runs in memory while {daemon.installed_version} is installed:"
            " run `pm2 update` in a quiet moment, it restarts every application"
        )
    return warnings
