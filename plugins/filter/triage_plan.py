# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.triage_plan."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._triage import (
    TriageError,
    by_symptom,
    plan,
    sentences,
)

DOCUMENTATION = r"""
name: triage_plan
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Say which procedures the firing alerts call for
version_added: 0.1.0
description:
  - Takes alerts as Prometheus (C(/api/v1/alerts)), Alertmanager or its webhook tell them, or one
    alert, as data or as JSON text, and returns the procedures, the most severe first, each once
    with all its hosts.
  - What is no alert is no error but RV(_value)'s V(problem), in a sentence.
options:
  _input:
    description: The alerts.
    type: raw
    required: true
  catalogue:
    description: A list of entries with V(procedure), V(alerts), V(severity), V(playbook),
      V(group), V(symptoms) and V(destructive).
    type: list
    elements: dict
    required: true
  hosts:
    description: The hosts of the inventory with their addresses.
    type: dict
    required: true
  groups:
    description: The hosts of each group.
    type: dict
    required: true
  site:
    description:
      - The domain that visitors know. An alert that names it is about all hosts of its procedure's
        group.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Say what is to be done
  ansible.builtin.debug:
    msg: "{{ plan.lines }}"
  vars:
    plan: "{{ answer.json | plugspace.titan.triage_plan(catalogue, addresses, groups, domain) }}"
"""

RETURN = r"""
_value:
  description:
    - V(procedures), each with V(procedure), V(playbook), V(hosts), V(alerts), V(severity),
      V(since), and V(began), which has it for each host; V(by_hand), what a person is told of each
      firing alert that no procedure is run for; V(lines) for a person, and V(symptoms), which are
      lines of what each procedure is for, where nothing is to be done; V(unknown), V(unplaced) and
      V(pending) alerts in sentences; V(problem), empty when the alerts could be read.
  type: dict
  sample:
    procedures:
      - procedure: redis_down
        playbook: redis_down.yml
        hosts: [titan1]
        alerts: [RedisDown]
        severity: critical
        since: "2026-11-24T03:00:00Z"
        began: {titan1: "2026-11-24T03:00:00Z"}
    by_hand: []
    problem: ""
"""


def triage_plan(
    answer: object,
    catalogue: t.Sequence[t.Mapping[str, t.Any]],
    hosts: t.Mapping[str, str],
    groups: t.Mapping[str, t.Sequence[str]],
    site: str = "",
) -> dict[str, t.Any]:
    """The plan, its lines, and what was wrong with the alerts."""
    try:
        found = plan(answer, catalogue, hosts, groups, site)
    except TriageError as error:
        kinds = ("procedures", "by_hand", "unknown", "unplaced", "pending", "lines", "symptoms")
        return {**{kind: [] for kind in kinds}, "problem": str(error)}
    return {
        **found,
        "lines": sentences(found),
        "symptoms": by_symptom(found, catalogue),
        "problem": "",
    }


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"triage_plan": triage_plan}
