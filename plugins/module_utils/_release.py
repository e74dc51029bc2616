# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases as data: their names, what is known of each, which are kept. No files, no commands."""

from __future__ import annotations

import datetime
import re
import typing as t
from dataclasses import asdict, dataclass, field, fields

PREPARING = "preparing"
PREPARED = "prepared"
ACTIVATING = "activating"
ACTIVE = "active"
FAILED = "failed"
STATUSES = (PREPARING, PREPARED, ACTIVATING, ACTIVE, FAILED)

_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")
_STAMP = "%Y%m%dT%H%M%SZ"
_TIME = "%Y-%m-%dT%H:%M:%SZ"


class ReleaseError(Exception):
    """Why something with a release cannot be done, in one sentence.

    cause: a word for programs. logs: the last lines of the command that failed.
    """

    def __init__(self, message: str, cause: str = "refused", logs: t.Sequence[str] = ()) -> None:
        super().__init__(message)
        self.cause = cause
        self.logs = list(logs)


@dataclass(frozen=True)
class Release:
    """What the metadata of a release says.

    status: preparing until it is built; prepared until it is switched to; activating until it is
    verified; active once it was; failed when it was tried and did not work.
    activated: when it was verified last. before: the release that was live before this one.
    dependencies: what the installed packages depend on, as a digest.
    installed: when their installation ended, in seconds since the epoch.
    """

    name: str
    commit: str = ""
    ref: str = ""
    subject: str = ""
    status: str = PREPARING
    created: str = ""
    activated: str = ""
    by: str = ""
    run: str = ""
    node: str = ""
    dependencies: str = ""
    installed: float = 0.0
    migrations: list[str] = field(default_factory=list)
    before: str = ""
    reason: str = ""
    adopted: bool = False
    local_changes: list[str] = field(default_factory=list)

    @classmethod
    def from_dict(cls, content: t.Any) -> Release:
        """The release that metadata tells of; ValueError when it is damaged."""
        if not isinstance(content, dict) or content.get("status") not in STATUSES:
            raise ValueError("its metadata is damaged")
        known = {f.name: f for f in fields(cls)}
        taken = {key: value for key, value in content.items() if key in known}
        sample = cls(name="")
        if any(type(value) is not type(getattr(sample, key)) for key, value in taken.items()):
            raise ValueError("its metadata is damaged")
        return cls(**taken)

    def to_dict(self) -> dict[str, t.Any]:
        """The metadata to write."""
        return asdict(self)


@dataclass(frozen=True)
class Entry:
    """A release as it stands on the host. damage: why it is not complete; empty when it is."""

    release: Release
    directory: str
    current: bool = False
    previous: bool = False
    damage: str = ""

    @property
    def name(self) -> str:
        """The release's name."""
        return self.release.name

    @property
    def status(self) -> str:
        """The status that holds: a switch that never came about has changed nothing."""
        if self.release.status == ACTIVATING and not self.current:
            return ACTIVE if self.release.activated else PREPARED
        return self.release.status

    @property
    def complete(self) -> bool:
        """Whether it was prepared to the end and nothing of it is missing."""
        return not self.damage and self.release.status != PREPARING

    @property
    def reason(self) -> str:
        """Why it cannot be used, or is marked."""
        if self.status == PREPARING:
            return "its preparation was not finished"
        return self.damage or self.release.reason

    @property
    def is_target(self) -> bool:
        """Whether a rollback may end here without being asked for by name."""
        return self.complete and self.status == ACTIVE and not self.current

    def shown(self) -> dict[str, t.Any]:
        """The release as a module returns it."""
        release = self.release
        return {
            "name": release.name,
            "commit": release.commit,
            "ref": release.ref,
            "subject": release.subject,
            "status": self.status,
            "created": release.created,
            "activated": release.activated,
            "by": release.by,
            "current": self.current,
            "previous": self.previous,
            "complete": self.complete,
            "reason": self.reason,
            "migrations": release.migrations,
            "adopted": release.adopted,
            "local_changes": release.local_changes,
            "directory": self.directory,
        }


def is_name(text: str) -> bool:
    """Whether this may be the name of a release: one plain part of a path."""
    return bool(_NAME.fullmatch(text))


def new_name(commit: str, now: datetime.datetime) -> str:
    """The name of a new release of a commit."""
    return f"{now.strftime(_STAMP)}-{commit[:7]}"


def moment(text: str = "") -> datetime.datetime:
    """The time of a text (20261123T101500Z or 2026-11-23T10:15:00Z), or the present."""
    if not text:
        return datetime.datetime.now(datetime.timezone.utc)
    for form in (_STAMP, _TIME):
        try:
            return datetime.datetime.strptime(text, form).replace(tzinfo=datetime.timezone.utc)
        except ValueError:
            continue
    raise ReleaseError(f"now is {text!r}, which is not a time like 20261123T101500Z (UTC)")


def timestamp(now: datetime.datetime | None = None) -> str:
    """A time, or the present, as metadata holds it."""
    return (now or moment()).strftime(_TIME)


def way_back(entries: t.Mapping[str, Entry], current: Entry | None) -> Entry | None:
    """The release that was live and verified before the current one, and can be again."""
    seen = set()
    name = current.release.before if current else ""
    while name and name not in seen:
        seen.add(name)
        entry = entries.get(name)
        if entry is None:
            break
        if entry.is_target:
            return entry
        name = entry.release.before
    targets = [entry for entry in entries.values() if entry.is_target]
    return max(targets, key=lambda entry: (entry.release.activated, entry.name), default=None)


def superfluous(entries: t.Iterable[Entry], keep: int, keep_failed: int) -> list[Entry]:
    """The releases that may go, oldest first.

    The current and the previous one always stay. `keep` counts those that were live once, with
    those two; unfinished ones are never counted and always go; of failed and damaged ones, and of
    those that never became live, the newest `keep_failed` stay.
    """
    newest_first = sorted(
        entries, key=lambda entry: (entry.release.created, entry.name), reverse=True
    )
    held = [entry for entry in newest_first if entry.current or entry.previous]
    rest = [entry for entry in newest_first if not entry.current and not entry.previous]
    unfinished = [entry for entry in rest if entry.status == PREPARING]
    good = [entry for entry in rest if entry.complete and entry.status == ACTIVE]
    bad = [entry for entry in rest if entry not in unfinished and entry not in good]
    gone = good[max(0, keep - len(held)) :] + bad[keep_failed:] + unfinished
    return [entry for entry in reversed(newest_first) if entry in gone]
