# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lookup plugspace.titan.records."""

from __future__ import annotations

DOCUMENTATION = r"""
name: records
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Read the records of past runs of procedures
version_added: 0.1.0
description:
  - Reads what the callback P(plugspace.titan.record#callback) wrote on this controller, newest first.
  - A file that is damaged is told, and stops nothing.
options:
  _terms:
    description: The directory of the records.
    type: list
    elements: str
    required: true
  last:
    description: At most so many records; V(0) for all.
    type: int
    default: 0
  host:
    description: Only runs in which this host had a part.
    type: str
    default: ""
  procedure:
    description: Only runs of this procedure.
    type: str
    default: ""
  outcome:
    description:
      - Only runs with this outcome, such as V(healed) or V(unhealed), or with this state, such as
        V(interrupted), V(running), V(killed) or V(failed).
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Show what was not healed
  ansible.builtin.debug:
    msg: "{{ query('plugspace.titan.records', '/var/lib/titan/records', outcome='unhealed') }}"
"""

RETURN = r"""
_raw:
  description: The records, newest first.
  type: list
  elements: dict
  contains:
    path:
      description: The file.
      type: str
    state:
      description:
        - The outcome, or V(no result), V(failed), V(interrupted), V(running), V(killed) when its process
          is gone without a word, or V(end not told) when its process cannot be known here.
      type: str
    problem:
      description: What is wrong with the file; empty when nothing is.
      type: str
    record:
      description: The record; empty when the file is damaged.
      type: dict
  sample:
    - path: /var/lib/titan/records/20261124T031500Z-service_down-4f1a2b.json
      state: healed
      problem: ""
      record: {}
"""

import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

from ansible_collections.plugspace.titan.plugins.module_utils._record_list import Listed, listed
from ansible_collections.plugspace.titan.plugins.module_utils._record_store import RecordError


class LookupModule(LookupBase):  # type: ignore[misc]
    """The lookup."""

    def run(
        self, terms: list[str], variables: dict[str, t.Any] | None = None, **kwargs: t.Any
    ) -> list[Listed]:
        """Read the records of each directory."""
        self.set_options(var_options=variables, direct=kwargs)
        last = self.get_option("last")
        if last < 0:
            raise AnsibleError(f"last is {last}; it is a number of records, or 0 for all")
        names = ("host", "procedure", "outcome")
        chosen = {name: str(self.get_option(name)) for name in names}
        try:
            return [one for term in terms for one in listed(str(term), last, **chosen)]
        except RecordError as error:
            raise AnsibleError(str(error)) from error
