# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.service_evidence."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._service_site import shown

DOCUMENTATION = r"""
name: service_evidence
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Say the state of a service in a few lines
version_added: 0.1.0
description:
  - The evidence of P(plugspace.titan.diagnose_service#filter), short enough for a record.
  - Where the observation has a limit for an answer, it says how long a good one took at most. After
    something was done, V(settled), it leaves out the access log, which still tells of before.
options:
  _input:
    description: The observation.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Keep what was seen
  ansible.builtin.set_fact:
    before: "{{ observed | plugspace.titan.service_evidence }}"
"""

RETURN = r"""
_value:
  description: For each label a line.
  type: dict
  sample:
    answer: got no connection
    PM2: 0 of 2 instances online
    memory: 5.1 GB available
"""


def service_evidence(observed: object) -> dict[str, str]:
    """The lines, by label."""
    return shown(observed)


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"service_evidence": service_evidence}
