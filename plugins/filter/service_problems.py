# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.service_problems."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._service_site import problems

DOCUMENTATION = r"""
name: service_problems
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Say what the inventory lacks for a service
version_added: 0.1.0
description:
  - All problems together, so that a person puts them right at once.
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
- name: Refuse a service that is not known
  ansible.builtin.assert:
    that: titan_services | plugspace.titan.service_problems('plugspace-api') == []
"""

RETURN = r"""
_value:
  description: The problems, a sentence each.
  type: list
  elements: str
  sample: []
"""


def service_problems(services: object, name: str) -> list[str]:
    """The sentences."""
    return problems(services, name)


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"service_problems": service_problems}
