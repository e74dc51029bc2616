# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.escalation_problems."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._escalation import (
    contact_problems,
    matrix_problems,
)
from ansible_collections.plugspace.titan.plugins.module_utils._escalation_channels import (
    channel_problems,
)

DOCUMENTATION = r"""
name: escalation_problems
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Say what is wrong with an escalation matrix, its contacts and channels
version_added: 0.1.0
description:
  - All problems at once, a sentence each that names the place; none shows a secret.
options:
  _input:
    description: For each severity V(response_minutes), V(chain) and, if wanted, V(business_days).
    type: dict
    required: true
  contacts:
    description: For each role how it is reached.
    type: dict
    default: {}
  channels:
    description: What messages go out by.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Look at the site
  ansible.builtin.debug:
    msg: "{{ titan_escalation_matrix | plugspace.titan.escalation_problems(titan_contacts) }}"
"""

RETURN = r"""
_value:
  description: The problems; none when all can be used.
  type: list
  elements: str
  sample:
    - the escalation matrix has no severity low
"""


def escalation_problems(matrix: t.Any, contacts: t.Any = None, channels: t.Any = None) -> list[str]:
    """Look at all three."""
    return [
        *matrix_problems(matrix),
        *contact_problems({} if contacts is None else contacts),
        *channel_problems([] if channels is None else channels),
    ]


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"escalation_problems": escalation_problems}
