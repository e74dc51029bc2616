# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.escalation_delivery."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._escalation_channels import delivery

DOCUMENTATION = r"""
name: escalation_delivery
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Read from the result of a task whether a message was delivered
version_added: 0.1.0
description:
  - The reason of a failure is one line without the secrets of the channel.
options:
  _input:
    description: The registered result of M(ansible.builtin.uri) or M(community.general.mail).
    type: dict
    required: true
  channel:
    description: The channel that it was sent by.
    type: dict
    required: true
  key:
    description: The key of the incident.
    type: str
    required: true
  action:
    description: V(trigger) or V(resolve).
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Note how it went
  ansible.builtin.set_fact:
    delivery: "{{ sent | plugspace.titan.escalation_delivery(channel, key, 'trigger') }}"
"""

RETURN = r"""
_value:
  description: How it went; V(error) is empty when it was delivered.
  type: dict
  sample:
    channel: slack
    key: plugspace.io/service_down/plugspace-api/titan1
    action: trigger
    ok: false
    error: "answered 404: no_service"
"""


def escalation_delivery(result: t.Any, channel: t.Any, key: str, action: str) -> t.Any:
    """Read it."""
    return delivery(result, channel, key, action)


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"escalation_delivery": escalation_delivery}
