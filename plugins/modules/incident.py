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
  - Without O(claims) and O(notes) it only reads.
  - Two runs at once do not lose each other's notes, and with O(claims) they do not both send.
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
  claims:
    description:
      - The keys of the incidents that O(run) is about to tell. While it has them no other run can,
        until it notes what it told, or two minutes are over.
      - When another run has one of them none is claimed; see RV(held).
    type: list
    elements: str
  notes:
    description:
      - For the key of an incident what is known of it now - V(severity), V(began), V(seen),
        V(told), V(healed) and V(about), as in RV(incidents) - or null when it is over and each
        channel knows.
      - An incident that is not named stays as it is. The claims of O(run) end, also with no note.
    type: dict
  run:
    description: Whoever claims or notes; the same for both.
    type: str
    default: ""
seealso:
  - module: plugspace.titan.attempt
"""

EXAMPLES = r"""
- name: See what is open
  plugspace.titan.incident:
    path: ~/.local/state/titan/incidents.json
  register: open

- name: Tell an incident alone
  plugspace.titan.incident:
    path: ~/.local/state/titan/incidents.json
    claims: [plugspace.io/service_down/plugspace-api/titan1]
    run: "{{ lookup('plugspace.titan.run_identity').id }}"
  register: claimed
  until: claimed.held | default([]) | length == 0
  delay: 2
  retries: 65

- name: Note that an incident is over
  plugspace.titan.incident:
    path: ~/.local/state/titan/incidents.json
    notes:
      plugspace.io/service_down/plugspace-api/titan1: null
    run: "{{ lookup('plugspace.titan.run_identity').id }}"
"""

RETURN = r"""
changed:
  description: Whether an incident was opened, told further, or ended. That it was seen again or
    claimed does not count.
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
      about:
        procedure: service_down
        subject: plugspace-api
        host: titan1
        summary: plugspace-api does not answer
held:
  description: Which of O(claims) another run has. Empty in check mode.
  returned: always
  type: list
  elements: str
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.plugspace.titan.plugins.module_utils._guard import GuardError
from ansible_collections.plugspace.titan.plugins.module_utils._incidents import (
    MALFORMED,
    Incidents,
    IncidentsError,
)


def main() -> None:
    """Read, claim or note unless in check mode, tell."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "claims": {"type": "list", "elements": "str"},
            "notes": {"type": "dict"},
            "run": {"type": "str", "default": ""},
        },
        mutually_exclusive=[("claims", "notes")],
        supports_check_mode=True,
    )
    incidents = Incidents(module.params["path"])
    claims, notes, run = (module.params[name] for name in ("claims", "notes", "run"))
    changed, held = False, list[str]()
    try:
        if claims and not module.check_mode:
            known, held = incidents.claim(claims, run)
        else:
            known = incidents.read()
        if notes is not None and not module.check_mode:
            changed = incidents.note(notes, run)
    except (IncidentsError, GuardError, OSError) as error:
        module.fail_json(msg=str(error))
    except MALFORMED:
        module.fail_json(msg="notes hold what is no incident; give what the role escalate gives")
    module.exit_json(changed=changed, incidents=known, held=held)


if __name__ == "__main__":
    main()
