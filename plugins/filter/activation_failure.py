# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.activation_failure."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._outcome import activation_failure

DOCUMENTATION = r"""
name: activation_failure
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Tell why a release was not kept and where the host stands now
version_added: 0.1.0
description:
  - Writes the last word of a failed deployment or rollback on one host, from what was verified.
options:
  _input:
    description: The cause, as P(plugspace.titan.failure_cause#filter) gives it.
    type: dict
    required: true
  back:
    description:
      - The way back.
      - V(release) is the release that is live again, empty when there was none before.
      - V(cause), when present, is why the way back failed.
      - V(kept) says that nothing had been switched.
    type: dict
    required: true
  host:
    description: The host.
    type: str
    required: true
  name:
    description: The release that was not kept.
    type: str
    required: true
  done:
    description: The hosts of the run that have the release.
    type: list
    elements: str
    default: []
  untouched:
    description: The hosts of the run that the release never reached.
    type: list
    elements: str
    default: []
  locked:
    description: The hosts whose lock could not be given back.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Stop here, with the reason
  ansible.builtin.fail:
    msg: "{{ cause | plugspace.titan.activation_failure(back, inventory_hostname, release.name) }}"
"""

RETURN = r"""
_value:
  description:
    - The text, its first line the cause and the state now, then the application's last log lines.
  type: str
  sample: "titan1: release 20261123T101500Z-a1b2c3d was not kept: ..."
"""


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"activation_failure": activation_failure}
