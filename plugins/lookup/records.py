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
  - Reads what the callback P(plugspace.titan.record#callback) wrote on this controller.
  - A file that is damaged is told, and stops nothing.
options:
  _terms:
    description:
      - The directory of the records.
      - Without it, or where it is empty, it is where the callback writes them.
    type: list
    elements: str
    default: []
  last:
    description: At most so many records; V(0) for all.
    type: int
    default: 0
  host:
    description: Only runs in which this host had a part.
    type: str
    default: ""
  procedure:
    description:
      - Only runs of one of these procedures, by its name or by that of its playbook, such as
        V(redis_down) or V(api_down).
      - A service goes by its procedure, as in V(service_down plugspace-api).
    type: list
    elements: str
    default: []
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
        - The outcome, or V(no result), V(failed), V(interrupted), V(running), V(killed) when its
          process is gone without a word, or V(end not told) when its process cannot be known here.
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

from ansible import constants
from ansible.errors import AnsibleError
from ansible.plugins.loader import callback_loader
from ansible.plugins.lookup import LookupBase

from ansible_collections.plugspace.titan.plugins.module_utils._record_list import Listed, listed
from ansible_collections.plugspace.titan.plugins.module_utils._record_store import RecordError


def written_to() -> str:
    """The directory that the callback would write to here."""
    name = "plugspace.titan.record"
    # The lookup of core for configuration does not find a callback by the name of its collection.
    plugin = callback_loader.get(name, class_only=True)
    if plugin is None:
        raise AnsibleError(f"the callback {name} cannot be loaded; give the records' directory")
    value = constants.config.get_config_value(
        "directory", plugin_type="callback", plugin_name=plugin._load_name
    )
    return str(value)


class LookupModule(LookupBase):  # type: ignore[misc]
    """The lookup."""

    def run(
        self, terms: list[str], variables: dict[str, t.Any] | None = None, **kwargs: t.Any
    ) -> list[Listed]:
        """Read the records of each directory."""
        self.set_options(var_options=variables, direct=kwargs)
        last = self.get_option("last")
        chosen = {name: str(self.get_option(name)) for name in ("host", "outcome")}
        chosen["procedure"] = self.get_option("procedure")
        folders = [str(term) or written_to() for term in terms or [""]]
        try:
            return [one for folder in folders for one in listed(folder, last, **chosen)]
        except RecordError as error:
            raise AnsibleError(str(error)) from error
