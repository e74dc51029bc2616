#!/usr/bin/python
# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module plugspace.titan.incident."""

from __future__ import annotations

DOCUMENTATION = r"""
module: incident
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Remember which incidents are open, and who was told of them
version_added: 0.1.0
description:
  - With it one incident is one page, however often a procedure runs.
  - Without O(notes) it only reads.
  - Two runs at once do not lose each other's notes.
extends_documentation_fragment:
  - plugspace.titan.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
options:
  path:
    description: The file that remembers. Its directory is made if there is none.
    type: path
    required: true
  notes:
    description:
      - For the key of an incident what is known of it now - V(severity), V(began), V(seen), V(told)
        and V(healed), as in RV(incidents) - or null when it is over and each channel knows.
      - An incident that is not named stays as it is.
    type: dict
    default: {}
seealso:
  - module: plugspace.titan.attempt
"""

EXAMPLES = r"""
- name: See what is open
  plugspace.titan.incident:
    path: ~/.local/state/titan/incidents.json
  register: open

- name: Note that an incident is over
  plugspace.titan.incident:
    path: ~/.local/state/titan/incidents.json
    notes:
      plugspace.io/service_down/plugspace-api/titan1: null
"""

RETURN = r"""
changed:
  description: Whether an incident was opened, told further, or ended. That it was seen again does
    not count.
  returned: always
  type: bool
  sample: true
incidents:
  description: The incidents that were open before O(notes), each under its key.
  returned: always
  type: dict
  sample:
    plugspace.io/service_down/plugspace-api/titan1:
      severity: high
      began: "2026-01-05T03:00:00Z"
      seen: "2026-01-05T03:20:00Z"
      told: {pagerduty: 1}
      healed: false
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.plugspace.titan.plugins.module_utils._guard import GuardError
from ansible_collections.plugspace.titan.plugins.module_utils._incidents import (
    MALFORMED,
    Incidents,
    IncidentsError,
)


def main() -> None:
    """Read, note unless in check mode, tell."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "notes": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    incidents = Incidents(module.params["path"])
    notes = module.params["notes"]
    changed = False
    try:
        known = incidents.read()
        if notes and not module.check_mode:
            changed = incidents.note(notes)
    except (IncidentsError, GuardError, OSError) as error:
        module.fail_json(msg=str(error))
    except MALFORMED:
        module.fail_json(msg="notes hold what is no incident; give what the role escalate gives")
    module.exit_json(changed=changed, incidents=known)


if __name__ == "__main__":
    main()
