# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which incidents are open, and who was told of them, so that one incident is one page.

A file that cannot be read never keeps a page back: the caller sends it once more, and says why.
"""

from __future__ import annotations

import os
import time
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._escalation import (
    SEVERITIES,
    EscalationError,
    moment,
)
from ansible_collections.plugspace.titan.plugins.module_utils._files import read_json, write_json
from ansible_collections.plugspace.titan.plugins.module_utils._guard import guarded

_KEPT = 500
# A run that sends by some channels that hang needs about this much. One that was killed keeps a
# page back no longer.
CLAIM_SECONDS = 120.0
# What reading an incident raises that is none.
MALFORMED = (KeyError, TypeError, ValueError, AttributeError, EscalationError)


class IncidentsError(Exception):
    """The file of incidents cannot be used; the text says why."""


class Incident(t.TypedDict):
    """One open incident.

    severity: the worst so far. began, seen: ISO 8601, when it was first and last reported.
    told: for each channel how many steps of the chain it was told of.
    healed: whether it is over, and only kept until each channel knows.
    about: what a message says of it, without secrets; empty when it was noted by an older release.
    """

    severity: str
    began: str
    seen: str
    told: dict[str, int]
    healed: bool
    about: dict[str, str]


class _Claim(t.TypedDict):
    """Who is telling an incident now. at: seconds since the epoch."""

    run: str
    at: float


def _incident(content: t.Mapping[str, t.Any]) -> Incident:
    """An incident of the file; one of MALFORMED when it is none."""
    if content["severity"] not in SEVERITIES:
        raise ValueError(content["severity"])
    for name in ("began", "seen"):
        moment(content[name], name)
    return Incident(
        severity=str(content["severity"]),
        began=str(content["began"]),
        seen=str(content["seen"]),
        told={str(name): int(steps) for name, steps in content["told"].items()},
        healed=bool(content["healed"]),
        about={str(name): str(text) for name, text in content.get("about", {}).items()},
    )


class Incidents:
    """The open incidents that a file remembers, each under its key, and who is telling them now."""

    def __init__(self, path: str, clock: t.Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock

    def read(self) -> dict[str, Incident]:
        """All of them; IncidentsError when the file is damaged or not to be read."""
        return self._read()[0]

    def claim(self, keys: t.Sequence[str], run: str) -> tuple[dict[str, Incident], list[str]]:
        """Let no other run tell these incidents until this one has noted what it told.

        What is known, and the keys that another run has; then none is claimed. A claim is over
        after CLAIM_SECONDS.
        """
        os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
        with guarded(self.path):
            known, claims = self._read()
            held = [key for key in keys if key in claims and claims[key]["run"] != run]
            if not held:
                mine = {key: _Claim(run=run, at=self._clock()) for key in keys}
                self._write(known, {**claims, **mine})
        return known, held

    def note(self, notes: t.Mapping[str, t.Mapping[str, t.Any] | None], run: str = "") -> bool:
        """Note incidents, None for one that is over; whether more changed than when it was seen.

        The claims of the run end.
        """
        os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
        with guarded(self.path):
            before, claims = self._read()
            after = dict(before)
            for key, content in notes.items():
                if content is None:
                    after.pop(key, None)
                else:
                    after[key] = _incident(content)
            left = {key: one for key, one in claims.items() if one["run"] != run}
            if after != before or left != claims:
                self._write(after, left)
        return _unseen(after) != _unseen(before)

    def _read(self) -> tuple[dict[str, Incident], dict[str, _Claim]]:
        try:
            content = read_json(self.path)
            known = {str(key): _incident(one) for key, one in content["incidents"].items()}
            claims = {str(key): _claim(one) for key, one in content.get("claims", {}).items()}
        except FileNotFoundError:
            return {}, {}
        except MALFORMED:
            raise IncidentsError(
                f"{self.path} is damaged, so nobody knows who was told before; remove it"
            ) from None
        except OSError as error:
            raise IncidentsError(f"{self.path} cannot be read: {error.strerror}") from None
        now = self._clock()
        # A clock that was set back must not make a claim last for ever.
        lasting = {key: one for key, one in claims.items() if abs(now - one["at"]) < CLAIM_SECONDS}
        return known, lasting

    def _write(self, known: t.Mapping[str, Incident], claims: t.Mapping[str, _Claim]) -> None:
        newest = sorted(known, key=lambda key: known[key]["seen"])[-_KEPT:]
        incidents = {key: known[key] for key in newest}
        write_json(self.path, {"version": 1, "incidents": incidents, "claims": claims})


def _claim(content: t.Mapping[str, t.Any]) -> _Claim:
    """A claim of the file; one of MALFORMED when it is none."""
    return _Claim(run=str(content["run"]), at=float(content["at"]))


def _unseen(incidents: t.Mapping[str, Incident]) -> dict[str, dict[str, t.Any]]:
    """The incidents without what tells only that somebody looked again."""
    return {key: {**one, "seen": "", "about": {}} for key, one in incidents.items()}
