#!/usr/bin/python
# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module plugspace.titan.record."""

from __future__ import annotations

DOCUMENTATION = r"""
module: record
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Keep the record of a procedure on a host
version_added: 0.1.0
description:
  - Writes a new file, readable by its owner alone, whose name begins with the time at which the
    procedure began. No other record is ever changed or removed.
extends_documentation_fragment:
  - plugspace.titan.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
options:
  path:
    description: The directory of the records. It is made if there is none, for its owner alone.
    type: path
    required: true
  record:
    description: What the lookup P(plugspace.titan.procedure_record#lookup) gives.
    type: dict
    required: true
seealso:
  - module: plugspace.titan.record_info
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
path:
  description: The new file; empty in check mode, which writes none.
  returned: success
  type: str
  sample: /var/lib/titan/records/20261124T031500Z-redis_down-4f1a2b.json
"""

import os

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.plugspace.titan.plugins.module_utils._record_copy import keep
from ansible_collections.plugspace.titan.plugins.module_utils._record_store import RecordError


def main() -> None:
    """Write unless in check mode, tell where."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "record": {"type": "dict", "required": True},
        },
        supports_check_mode=True,
    )
    directory = module.params["path"]
    if not os.path.isabs(directory):
        module.fail_json(msg=f"{directory} is no absolute path; give the whole one")
    if module.check_mode:
        module.exit_json(changed=True, path="")
    try:
        path = keep(directory, module.params["record"])
    except RecordError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=True, path=path)


if __name__ == "__main__":
    main()
