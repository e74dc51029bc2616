# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lookup plugspace.titan.masked_result."""

from __future__ import annotations

DOCUMENTATION = r"""
name: masked_result
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Take the secrets of a host out of the result of a procedure
version_added: 0.1.0
description:
  - A line of a log may quote a connection with its password. What is printed, handed over, sent and
    recorded of a procedure comes from its result, so it is masked there once.
  - The secrets are those that the callback P(plugspace.titan.record#callback) masks, of the host
    that it is asked for. What holds no value yet, as a variable of a vault that was not opened, is
    none.
  - The names that a result is found again by stay as they are, whatever a secret says.
options:
  _terms:
    description: The results, as P(plugspace.titan.procedure_result#filter) gives them.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Keep what became of it
  ansible.builtin.set_fact:
    common_result: >-
      {{ lookup('plugspace.titan.masked_result', course | plugspace.titan.procedure_result) }}
"""

RETURN = r"""
_raw:
  description: The results, masked.
  type: list
  elements: dict
  sample:
    - procedure: service_down
      subject: plugspace-api
      host: titan1
      outcome: unhealed
      summary: "plugspace-api on titan1 needs a person: cannot connect to redis://********@titan1"
"""

import typing as t

from ansible.plugins.lookup import LookupBase

from ansible_collections.plugspace.titan.plugins.module_utils._record import native
from ansible_collections.plugspace.titan.plugins.module_utils._record_mask import (
    mask,
    secrets_of,
    settings_of,
)
from ansible_collections.plugspace.titan.plugins.module_utils._redact import Redactor

# A secret that is also a word of these would take the result from who looks for it.
_NAMES = ("procedure", "subject", "host", "severity", "outcome", "cause", "began")


class LookupModule(LookupBase):  # type: ignore[misc]
    """The lookup."""

    def run(
        self, terms: list[t.Any], variables: dict[str, t.Any] | None = None, **kwargs: t.Any
    ) -> list[dict[str, t.Any]]:
        """Mask the results."""
        self.set_options(var_options=variables, direct=kwargs)
        redactor = Redactor(secrets_of(settings_of(variables or {})))
        results = native(self._flatten(terms))
        return [
            {**mask(one, redactor), **{name: one[name] for name in _NAMES if name in one}}
            for one in results
        ]
