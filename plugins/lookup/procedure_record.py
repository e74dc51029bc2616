# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lookup plugspace.titan.procedure_record."""

from __future__ import annotations

DOCUMENTATION = r"""
name: procedure_record
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Put together the record of one procedure, to be kept on another host
version_added: 0.1.0
description:
  - It has the shape of what the callback P(plugspace.titan.record#callback) writes, with the
    results and who ran it, and without inputs and timeline, which only the controller knows.
  - Secrets are masked as in that record, with the values of the variables of the host it is
    asked for.
options:
  _terms:
    description: The results, as P(plugspace.titan.procedure_result#filter) gives them.
    type: list
    elements: dict
    required: true
  procedure:
    description: The name of the procedure.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Keep a copy on the monitoring host
  plugspace.titan.record:
    path: /var/lib/titan/records
    record: "{{ lookup('plugspace.titan.procedure_record', results, procedure='redis_down') }}"
  delegate_to: mon1
  become: true
"""

RETURN = r"""
_raw:
  description: The record.
  type: list
  elements: dict
  sample:
    - procedure: redis_down
      status: finished
      outcome: healed
      began: "2026-11-24T03:15:00Z"
      by: ann
      results: []
"""

import os
import platform
import time
import typing as t

from ansible.plugins.lookup import LookupBase

from ansible_collections.plugspace.titan.plugins.module_utils._identity import user
from ansible_collections.plugspace.titan.plugins.module_utils._record import native, who
from ansible_collections.plugspace.titan.plugins.module_utils._record_copy import record_of
from ansible_collections.plugspace.titan.plugins.module_utils._record_mask import (
    mask,
    secrets_of,
    settings_of,
)
from ansible_collections.plugspace.titan.plugins.module_utils._redact import Redactor


class LookupModule(LookupBase):  # type: ignore[misc]
    """The lookup."""

    def run(
        self, terms: list[t.Any], variables: dict[str, t.Any] | None = None, **kwargs: t.Any
    ) -> list[dict[str, t.Any]]:
        """Put the record together."""
        self.set_options(var_options=variables, direct=kwargs)
        known = settings_of(variables or {})
        about = {"by": who(user(), known, os.environ), "controller": platform.node()}
        results = native(self._flatten(terms))
        record = record_of(str(self.get_option("procedure")), results, about, time.time())
        return [mask(record, Redactor(secrets_of(known)))]
