# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The releases of all hosts as a table for the terminal."""

from __future__ import annotations

import typing as t

COLUMNS = ("host", "release", "state", "ref", "commit", "live since", "by")


def releases_table(infos: t.Mapping[str, t.Mapping[str, t.Any] | None]) -> str:
    """One line per host and release, newest first, the current one marked.

    infos: for each host the result of release_info, or None for a host that gave no answer.
    """
    rows: list[tuple[str, ...]] = [COLUMNS]
    notes: list[str] = []
    for host, info in infos.items():
        if not info or "releases" not in info:
            told = str((info or {}).get("msg") or "no answer")
            notes.append(f"{host}: {' '.join(told.split())}")
            continue
        releases = sorted(info["releases"], key=lambda release: release["name"], reverse=True)
        if not releases:
            notes.append(f"{host}: no release yet")
        for release in releases:
            rows.append(
                (
                    host,
                    str(release["name"]),
                    _state(release, info),
                    str(release.get("ref") or ""),
                    str(release.get("commit") or "")[:7],
                    str(release.get("activated") or "never"),
                    str(release.get("by") or ""),
                )
            )
            if release.get("reason"):
                notes.append(f"{host}: {release['name']}: {release['reason']}")
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip() for row in rows]
    return "\n".join((lines if len(rows) > 1 else []) + notes)


def _state(release: t.Mapping[str, t.Any], info: t.Mapping[str, t.Any]) -> str:
    """The word for what a release is good for."""
    previous = (info.get("previous") or {}).get("name")
    if release.get("current"):
        return "current" if release.get("status") == "active" else "current, not confirmed"
    if release.get("status") == "failed":
        return "failed"
    if not release.get("complete"):
        return "incomplete"
    return "previous" if release["name"] == previous else "kept"
