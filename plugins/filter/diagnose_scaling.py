# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.diagnose_scaling."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._scale_back import diagnose_scaling

DOCUMENTATION = r"""
name: diagnose_scaling
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Say which services have more instances than they need
version_added: 0.1.0
description:
  - Takes what was observed on one host and returns the services that have more instances than they
    were started with, and whose fewer instances could do the work alone.
options:
  _input:
    description:
      - V(services) are the names of the services to look at, and V(declared) says for each how many
        instances it shall have.
      - V(busy_percent) is how much of a processor each of these may have to do.
      - V(pm2) is the result of M(plugspace.titan.pm2_info) for all applications, V(host) that of
        M(plugspace.titan.host_info) with processes.
      - V(errors) says by part why it could not be read; V(declared) counts as one.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Say what can go back
  ansible.builtin.debug:
    msg: "{{ observed | plugspace.titan.diagnose_scaling | map(attribute='evidence') | list }}"
"""

RETURN = r"""
_value:
  description:
    - The findings, as P(plugspace.titan.diagnose_cpu#filter) has them; none when no service has
      more than it needs.
    - V(scale) for V(scaled_up); the target is how many instances there shall be.
    - No rung for V(unknown).
  type: list
  elements: dict
  sample:
    - cause: scaled_up
      subject: plugspace-api
      evidence: plugspace-api has 4 instances, which use 12 % of a processor; 2 can carry that
      confidence: certain
      rung: scale
      target: "2"
      advice: ""
"""


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"diagnose_scaling": diagnose_scaling}
