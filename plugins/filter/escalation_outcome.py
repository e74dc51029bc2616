# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.escalation_outcome."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._escalation_plan import outcome

DOCUMENTATION = r"""
name: escalation_outcome
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Tell who was told, who was not, and what is to be remembered
version_added: 0.1.0
description:
  - It puts the decisions of P(plugspace.titan.escalation_plan#filter) and deliveries together.
options:
  _input:
    description: The value of P(plugspace.titan.escalation_plan#filter).
    type: dict
    required: true
  deliveries:
    description: The values of P(plugspace.titan.escalation_delivery#filter).
    type: list
    elements: dict
    required: true
  check_mode:
    description: Whether nothing was sent because of check mode.
    type: bool
    default: false
  problems:
    description: Why what was sent before could not be read or noted, in sentences.
    type: list
    elements: str
    default: []
  unusable:
    description: V(problems) of P(plugspace.titan.escalation_settings#filter).
    type: list
    elements: str
    default: []
  remarks:
    description: V(remarks) of P(plugspace.titan.escalation_settings#filter).
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Tell
  ansible.builtin.debug:
    msg: "{{ (plan | plugspace.titan.escalation_outcome(deliveries)).text }}"
"""

RETURN = r"""
_value:
  description: The outcome.
  type: dict
  contains:
    text:
      description: All of it for a person.
      type: str
    silent:
      description: Why nobody was told of what is well, for a person who asks.
      type: str
    unreached:
      description: The incidents that need a person and that no channel takes, by their keys.
      type: list
      elements: str
    deliveries:
      description: Each delivery, with V(channel), V(key), V(action), V(ok) and V(error).
      type: list
      elements: dict
    failed:
      description: The channels that failed.
      type: list
      elements: str
    unusable:
      description: What of the settings was left out, and why.
      type: list
      elements: str
    results:
      description: The results, each with its V(escalation).
      type: list
      elements: dict
    notes:
      description: What M(plugspace.titan.incident) has to remember.
      type: dict
  sample:
    text: Sent by pagerduty (trigger).
    deliveries: [{channel: pagerduty, key: k, action: trigger, ok: true, error: ""}]
    failed: []
    silent: ""
    unreached: []
    unusable: []
    results: []
    notes: {}
"""


def escalation_outcome(
    plan: t.Any,
    deliveries: t.Any,
    check_mode: bool = False,
    problems: t.Sequence[str] = (),
    unusable: t.Sequence[str] = (),
    remarks: t.Sequence[str] = (),
) -> dict[str, t.Any]:
    """Put them together."""
    return outcome(plan, deliveries, check_mode, problems, unusable, remarks)


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"escalation_outcome": escalation_outcome}
