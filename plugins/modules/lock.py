#!/usr/bin/python
# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module plugspace.titan.lock."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lock
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Take or give back the lock of a host
version_added: 0.1.0
description:
  - One run at a time changes what is deployed on a host. The lock names its owner, and only the
    owner gives it back.
  - A lock that was left behind is taken over, and that is told.
extends_documentation_fragment:
  - plugspace.titan.attributes
  - plugspace.titan.release.lock
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  path:
    description: The lock file.
    type: path
    required: true
  state:
    description: Whether this run is to have the lock.
    type: str
    choices: [present, absent]
    default: present
  force:
    description: Whether O(state=absent) also removes another run's lock. Only when that run is
      certainly gone.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Take the lock, waiting up to a minute
  plugspace.titan.lock:
    path: /home/plugspace/deploy/lock.json
    procedure: maintenance
    lock_wait: 60
    run: "{{ lookup('plugspace.titan.run_identity') }}"

- name: Give the lock back
  plugspace.titan.lock:
    path: /home/plugspace/deploy/lock.json
    state: absent
    run: "{{ lookup('plugspace.titan.run_identity') }}"
"""

RETURN = r"""
holder:
  description: Who holds the lock now; empty when nobody does. On failure, who stands in the way.
  returned: always
  type: dict
  sample:
    id: 0a058faeb7a33d16:4711:123456
    user: alice
    host: bastion
    procedure: deploy
    since: "2026-11-23T10:15:00Z"
    age: 12
taken_over_from:
  description: Whose lock was taken over, and why; empty when it was free.
  returned: with O(state=present)
  type: str
  sample: ""
waited:
  description: Seconds that the lock was waited for.
  returned: with O(state=present)
  type: float
  sample: 0.0
"""

import time
from dataclasses import asdict

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.plugspace.titan.plugins.module_utils._lock import HostLock, LockError
from ansible_collections.plugspace.titan.plugins.module_utils._lock_options import LOCK, run_of
from ansible_collections.plugspace.titan.plugins.module_utils._release import ReleaseError


def change(module: AnsibleModule) -> dict[str, object]:
    """Take the lock or give it back."""
    params = module.params
    lock = HostLock(params["path"], run_of(params), params["lock_max_age"])
    before = lock.holder()
    ours = before is not None and before.id == lock.run.id
    result: dict[str, object] = {}
    if params["state"] == "present":
        if not module.check_mode:
            result = asdict(lock.acquire(params["procedure"], params["lock_wait"]))
        elif lock.foreign() is not None:
            raise lock.refused()
        else:
            result = {"changed": not ours}
    elif not module.check_mode:
        result = {"changed": lock.release(params["force"])}
    elif before is not None and not ours and not params["force"]:
        raise lock.not_ours(before)
    else:
        result = {"changed": before is not None}
    after = lock.holder()
    now = time.time()
    shown = [holder.shown(now) if holder else {} for holder in (before, after)]
    return {**result, "holder": shown[1], "diff": {"before": shown[0], "after": shown[1]}}


def main() -> None:
    """Do it, tell."""
    module = AnsibleModule(
        argument_spec={
            **LOCK,
            "path": {"type": "path", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "force": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    try:
        result = change(module)
    except (LockError, ReleaseError, OSError) as error:
        module.fail_json(msg=str(error), cause="locked", holder=getattr(error, "holder", None))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
