# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.escalation_settings."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._escalation import (
    RUNBOOK,
    Level,
    contact_problems,
    matrix_problems,
)
from ansible_collections.plugspace.titan.plugins.module_utils._escalation_channels import (
    Channel,
    sorted_channels,
    unreached,
)

DOCUMENTATION = r"""
name: escalation_settings
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Sort out what of an escalation's settings can be used
version_added: 0.1.0
description:
  - One bad setting must not keep those from being told who can be; it is told, and left out.
  - All problems at once, a sentence each that names the place; none shows a secret. The channels
    hold secrets, so what this returns is only for tasks that show nothing, but for V(problems).
options:
  _input:
    description: What messages go out by.
    type: list
    elements: dict
    required: true
  matrix:
    description:
      - For each severity V(response_minutes), V(chain) and, if wanted, V(business_days).
      - The runbook's counts where it is empty or cannot be used.
    type: dict
    default: {}
  contacts:
    description: For each role how it is reached.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Look at the site
  ansible.builtin.debug:
    msg: "{{ settings.problems }}"
  vars:
    settings: "{{ titan_escalation_channels
                  | plugspace.titan.escalation_settings(titan_escalation_matrix, titan_contacts) }}"
"""

RETURN = r"""
_value:
  description:
    - V(matrix), V(contacts) and V(channels) that can be used, and V(problems) of the rest.
    - In V(remarks) is whom of the matrix a mail does not reach, since no address is written down.
  type: dict
  sample:
    matrix: {}
    contacts:
      On-call:
        pagerduty: the schedule
    channels: []
    problems:
      - "escalation channel 1 (x): its type is none of pagerduty, mail, webhook, slack"
    remarks: []
"""


class Settings(t.TypedDict):
    """What can be used, what is wrong with the rest, and whom nobody can reach by it."""

    matrix: t.Mapping[str, Level]
    contacts: t.Mapping[str, t.Mapping[str, str]]
    channels: list[Channel]
    problems: list[str]
    remarks: list[str]


def escalation_settings(
    channels: t.Any,
    matrix: t.Any = None,
    contacts: t.Any = None,
) -> Settings:
    """Look at all three."""
    given = matrix not in (None, {})
    wrong_matrix = matrix_problems(matrix) if given else []
    wrong_contacts = contact_problems({} if contacts is None else contacts)
    usable_channels, wrong_channels = sorted_channels([] if channels is None else channels)
    known = contacts if isinstance(contacts, t.Mapping) else {}
    usable_matrix = matrix if given and not wrong_matrix else RUNBOOK
    usable_contacts = {
        role: ways for role, ways in known.items() if not contact_problems({role: ways})
    }
    return Settings(
        matrix=usable_matrix,
        contacts=usable_contacts,
        channels=usable_channels,
        problems=[*wrong_matrix, *wrong_contacts, *wrong_channels],
        remarks=unreached(usable_channels, usable_matrix, usable_contacts),
    )


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"escalation_settings": escalation_settings}
