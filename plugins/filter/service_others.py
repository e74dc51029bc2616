# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.service_others."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._service_site import others

DOCUMENTATION = r"""
name: service_others
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Give the probes of a site's other services
version_added: 0.1.0
description:
  - They tell which services would be lost with PM2's daemon. One that has no probe, or none that
    could be sent, is left out.
options:
  _input:
    description: The services as the inventory describes them.
    type: list
    elements: dict
    required: true
  name:
    description: The service that a procedure is for.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: See which of the others answer
  plugspace.titan.service_probe:
    probes: "{{ titan_services | plugspace.titan.service_others('plugspace-api') }}"
"""

RETURN = r"""
_value:
  description:
    - Probes as M(plugspace.titan.service_probe) takes them, each with the name of its service.
  type: list
  elements: dict
  sample:
    - name: plugspace-voice
      type: websocket
      url: ws://127.0.0.1:4001/
"""


def service_others(services: object, name: str) -> list[dict[str, t.Any]]:
    """The probes."""
    return others(services, name)


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"service_others": service_others}
