# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A record that the tests of its parts start from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from ansible_collections.plugspace.titan.plugins.module_utils._escalation import Level, moment
from ansible_collections.plugspace.titan.plugins.module_utils._escalation_plan import (
    Site,
    outcome,
    plan,
)
from ansible_collections.plugspace.titan.plugins.module_utils._incidents import Incident

LEVEL: Level = {"response_minutes": 15, "chain": ["On-call", "CTO"]}
CHANNELS: list[dict[str, Any]] = [
    {"name": "pd", "type": "pagerduty", "routing_key": "0123456789abcdef"},
    {"name": "post", "type": "mail", "host": "mail1", "from": "titan@example.net"},
]


def escalated(
    one: dict[str, Any],
    *failing: str,
    channels: Sequence[dict[str, Any]] = CHANNELS,
    minutes: float = 0,
    known: dict[str, Incident] | None = None,
) -> dict[str, Any]:
    """A result as the escalation hands it on.

    failing: channels that do not take it. minutes: how long after its beginning people are told.
    """
    site = Site(
        matrix=dict.fromkeys(("critical", "high", "medium", "low"), LEVEL),
        contacts={"On-call": {"phone": "+1 555 0100"}},
        channels=channels,
        incidents=known or {},
        now=moment(one["began"], "began") + timedelta(minutes=minutes),
    )
    planned = plan([one], site)
    sent: list[Any] = [
        {**send, "ok": send["channel"] not in failing, "error": "no route" if failing else ""}
        for send in planned["sends"]
    ]
    (one,) = outcome(planned, sent)["results"]
    return dict(one)


def result(**changes: Any) -> dict[str, Any]:
    """A service that a restart brought back."""
    return {
        "procedure": "service_down",
        "subject": "plugspace-api",
        "host": "titan1",
        "outcome": "healed",
        "summary": "plugspace-api did not answer.",
        "cause": "port_taken",
        "advice": "",
        "findings": [
            {
                "cause": "port_taken",
                "subject": "plugspace-api",
                "evidence": "port 4000 is held by nginx",
                "confidence": "certain",
                "rung": "restart",
                "target": "2",
                "advice": "",
            }
        ],
        "rungs": [
            {
                "rung": "reload",
                "target": "",
                "helped": False,
                "seconds": 1.4,
                "error": "timed out",
                "before": {"answer": "no connection"},
                "after": {"answer": "no connection", "PM2": "0 of 2"},
                "left": ["port_taken"],
            },
            {
                "rung": "restart",
                "target": "2",
                "helped": True,
                "seconds": 2.2,
                "error": "",
                "before": {"answer": "no connection", "PM2": "0 of 2"},
                "after": {"answer": "200 in 4 ms", "PM2": "2 of 2"},
                "left": [],
            },
        ],
        "left": [],
        "before": {"answer": "no connection"},
        "after": {"answer": "200 in 4 ms", "PM2": "2 of 2"},
        "began": "2026-11-24T03:15:01Z",
        "seconds": 6.2,
        "severity": "critical",
        "escalation": {},
        **changes,
    }


def record(*results: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A finished run."""
    return {
        "id": "20261124T031500Z-service_down-4f1a2b",
        "schema": 1,
        "procedure": "service_down",
        "status": "finished",
        "signal": "",
        "outcome": results[0]["outcome"] if results else "",
        "recovery_seconds": 6.2 if any(one["outcome"] == "healed" for one in results) else None,
        "began": "2026-11-24T03:15:00Z",
        "ended": "2026-11-24T03:15:09Z",
        "seconds": 9.0,
        "summary": "It was down. It is up.",
        "by": "ann",
        "controller": "bastion",
        "run": "0a058faeb7a33d16:4711:123456",
        "inputs": {"service_down_service": "plugspace-api"},
        "task": "verify | Probe every instance",
        "hosts": {"titan1": {"ok": 9, "changed": 1, "failures": 0}},
        "results": list(results),
        "failures": [],
        "notes": [],
        "timeline": {
            "titan1": [
                {"phase": "observe", "began": 0.5, "seconds": 2.0, "state": "ok", "tasks": 4},
                {"phase": "act", "began": 2.5, "seconds": 4.0, "state": "changed", "tasks": 1},
            ]
        },
        **changes,
    }
