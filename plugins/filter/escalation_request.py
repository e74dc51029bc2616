# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.escalation_request."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._escalation_channels import (
    MAIL,
    http_request,
    mail_request,
)

DOCUMENTATION = r"""
name: escalation_request
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Make the request that carries one message to one channel
version_added: 0.1.0
description:
  - What it returns holds secrets. Use it in a task with C(no_log) alone.
options:
  _input:
    description: The channel.
    type: dict
    required: true
  decision:
    description: One of the V(decisions) of P(plugspace.titan.escalation_plan#filter).
    type: dict
    required: true
  contacts:
    description: For each role how it is reached; a mail channel without addresses sends to them.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Tell PagerDuty
  ansible.builtin.uri:
    url: "{{ request.url }}"
    method: POST
    body_format: json
    body: "{{ request.body }}"
    status_code: 202
  vars:
    request: "{{ channel | plugspace.titan.escalation_request(plan.decisions[0]) }}"
  no_log: true
"""

RETURN = r"""
_value:
  description: V(url), V(headers), V(body) and V(ca_file), or the options of a mail.
  type: dict
  sample:
    url: https://events.pagerduty.com/v2/enqueue
    headers: {}
    body:
      routing_key: "..."
      event_action: resolve
      dedup_key: plugspace.io/service_down/plugspace-api/titan1
    ca_file: ""
"""


def escalation_request(channel: t.Any, decision: t.Any, contacts: t.Any = None) -> dict[str, t.Any]:
    """The request for the channel's type."""
    if channel["type"] != MAIL:
        return http_request(channel, decision["message"])
    chain = decision["chain"]
    called = [step["role"] for step in chain["steps"][: max(chain["due"], 1)]]
    return mail_request(channel, decision["message"], called, contacts or {})


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"escalation_request": escalation_request}
