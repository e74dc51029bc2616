# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.escalation_plan."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.plugspace.titan.plugins.module_utils._escalation import (
    EscalationError,
    moment,
)
from ansible_collections.plugspace.titan.plugins.module_utils._escalation_plan import (
    Site,
    plan,
    plan_follow_up,
)

DOCUMENTATION = r"""
name: escalation_plan
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Decide whom the results of a run are told to, and compose the messages
version_added: 0.1.0
description:
  - A result that needs a person is told to each channel that takes its severity, once for each
    step of the chain that has begun; a result that is well again to those who were told before.
  - It sends nothing. What it returns holds no secret.
options:
  _input:
    description: The results of procedures.
    type: list
    elements: dict
    required: true
  matrix:
    description: The escalation matrix.
    type: dict
    required: true
  contacts:
    description: For each role how it is reached.
    type: dict
    required: true
  channels:
    description: What messages go out by.
    type: list
    elements: dict
    required: true
  incidents:
    description:
      - What M(plugspace.titan.incident) remembers.
      - Null when nobody can tell; then everything is sent once more.
    type: dict
  now:
    description: The time of now, ISO 8601 in UTC.
    type: str
    required: true
  site:
    description: The name of the site.
    type: str
    default: ""
  record:
    description: The path of the run's record, for results that name none.
    type: str
    default: ""
  secrets:
    description: What nobody may see, beside the channels' own secrets.
    type: list
    elements: str
    default: []
  every_channel:
    description: Whether each channel gets the message whatever severities it wants, as for a test.
    type: bool
    default: false
  follow_up:
    description: Whether only what has become due for V(incidents) is told, and no result.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Decide
  ansible.builtin.set_fact:
    plan: "{{ titan_results | plugspace.titan.escalation_plan(
              matrix, contacts, channels, open.incidents, now(utc=true).isoformat()) }}"
"""

RETURN = r"""
_value:
  description:
    - V(decisions), one for each result - its V(key), what is done (V(action)), V(reason), V(chain),
      V(channels) and V(message).
    - V(sends), one for each message that goes out - V(channel), V(key) and V(action).
  type: dict
  sample:
    decisions:
      - key: plugspace.io/service_down/plugspace-api/titan1
        action: trigger
        reason: ""
        page: true
        channels: [pagerduty]
    sends:
      - channel: pagerduty
        key: plugspace.io/service_down/plugspace-api/titan1
        action: trigger
"""


def escalation_plan(
    results: t.Any,
    matrix: t.Any,
    contacts: t.Any,
    channels: t.Any,
    incidents: t.Any,
    now: str,
    site: str = "",
    record: str = "",
    secrets: t.Sequence[str] = (),
    every_channel: bool = False,
    follow_up: bool = False,
) -> dict[str, t.Any]:
    """Plan, and tell what cannot be used as a filter tells it."""
    try:
        given = Site(
            matrix=matrix,
            contacts=contacts,
            channels=channels,
            incidents=incidents,
            now=moment(now, "now"),
            name=site,
            record=record,
            secrets=secrets,
            every=every_channel,
        )
        return plan_follow_up(given) if follow_up else plan(results, given)
    except EscalationError as error:
        raise AnsibleFilterError(f"escalation_plan: {error}") from error


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"escalation_plan": escalation_plan}
