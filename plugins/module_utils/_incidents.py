# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which incidents are open, and who was told of them, so that one incident is one page.

A file that cannot be read never keeps a page back: the caller sends it once more, and says why.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._escalation import (
    SEVERITIES,
    EscalationError,
    moment,
)
from ansible_collections.plugspace.titan.plugins.module_utils._files import read_json, write_json
from ansible_collections.plugspace.titan.plugins.module_utils._guard import guarded

_KEPT = 500
# What reading an incident raises that is none.
MALFORMED = (KeyError, TypeError, ValueError, AttributeError, EscalationError)


class IncidentsError(Exception):
    """The file of incidents cannot be used; the text says why."""


class Incident(t.TypedDict):
    """One open incident.

    severity: the worst so far. began, seen: ISO 8601, when it was first and last reported.
    told: for each channel how many steps of the chain it was told of.
    healed: whether it is over, and only kept until each channel knows.
    """

    severity: str
    began: str
    seen: str
    told: dict[str, int]
    healed: bool


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
    )


class Incidents:
    """The open incidents that a file remembers, each under its key."""

    def __init__(self, path: str) -> None:
        self.path = path

    def read(self) -> dict[str, Incident]:
        """All of them; IncidentsError when the file is damaged or not to be read."""
        try:
            known = read_json(self.path)["incidents"]
            return {str(key): _incident(one) for key, one in known.items()}
        except FileNotFoundError:
            return {}
        except MALFORMED:
            raise IncidentsError(
                f"{self.path} is damaged, so nobody knows who was told before; remove it"
            ) from None
        except OSError as error:
            raise IncidentsError(f"{self.path} cannot be read: {error.strerror}") from None

    def note(self, notes: t.Mapping[str, t.Mapping[str, t.Any] | None]) -> bool:
        """Note incidents, None for one that is over; whether more changed than when it was seen."""
        os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
        with guarded(self.path):
            before = self.read()
            after = dict(before)
            for key, content in notes.items():
                if content is None:
                    after.pop(key, None)
                else:
                    after[key] = _incident(content)
            if after != before:
                newest = sorted(after, key=lambda key: after[key]["seen"])[-_KEPT:]
                content = {"version": 1, "incidents": {key: after[key] for key in newest}}
                write_json(self.path, content)
        return _unseen(after) != _unseen(before)


def _unseen(incidents: t.Mapping[str, Incident]) -> dict[str, dict[str, t.Any]]:
    """The incidents without the times that tell only that somebody looked again."""
    return {key: {**one, "seen": ""} for key, one in incidents.items()}
