#!/usr/bin/python
# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module plugspace.titan.mongodb_operation."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mongodb_operation
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: End one running operation of MongoDB
version_added: 0.1.0
description:
  - Ends the operation with this number, and waits until it has ended. One that has ended by itself
    is no change.
  - Refuses what MongoDB does for itself, such as replication, and an operation that is not the one
    that was meant, by O(namespace) and O(age_s).
extends_documentation_fragment:
  - plugspace.titan.attributes
  - plugspace.titan.mongodb
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
options:
  opid:
    description: The number, as RV(plugspace.titan.mongodb_info#module:server) has it.
    type: int
    required: true
  state:
    description: That it is to be ended.
    type: str
    choices: [killed]
    default: killed
  namespace:
    description: The collection that the operation works on; empty for any.
    type: str
    default: ""
  age_s:
    description: How many seconds it has run at least. The numbers begin anew when the server is
      restarted, so a younger one is another operation.
    type: float
    default: 0
  wait_timeout:
    description: Seconds that it has for its end.
    type: float
    default: 10
notes:
  - A user needs the privileges C(inprog) and C(killop), as the role C(hostManager) together with
    C(clusterMonitor) has them.
seealso:
  - module: plugspace.titan.mongodb_info
"""

EXAMPLES = r"""
- name: End the operation that makes everybody wait
  plugspace.titan.mongodb_operation:
    opid: 4711
    namespace: plugspace.users
    age_s: 12.3
    login_user: admin
    login_password: "{{ titan_mongodb_admin_password }}"
"""

RETURN = r"""
operation:
  description: The operation that was ended, or would be; null when there was none any more.
  returned: success
  type: dict
  sample:
    opid: 4711
    age_s: 14.1
    op: query
    namespace: plugspace.users
    plan_summary: COLLSCAN
    waiting_for_lock: false
    application: plugspace-api
    client: 127.0.0.1:51234
    shape: {find: "?", filter: {email: "?"}}
"""

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.plugspace.titan.plugins.module_utils._mongodb import (
    CONNECTION,
    HAS_PYMONGO,
    REQUIRED_TOGETHER,
    MongoError,
    PyMongoClient,
)
from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_operation import kill


def main() -> None:
    """Do it, and tell."""
    module = AnsibleModule(
        argument_spec={
            **CONNECTION,
            "opid": {"type": "int", "required": True},
            "state": {"type": "str", "choices": ["killed"], "default": "killed"},
            "namespace": {"type": "str", "default": ""},
            "age_s": {"type": "float", "default": 0},
            "wait_timeout": {"type": "float", "default": 10},
        },
        required_together=REQUIRED_TOGETHER,
        supports_check_mode=True,
    )
    if not HAS_PYMONGO:
        module.fail_json(msg=missing_required_lib("pymongo"))
    params = module.params
    try:
        with PyMongoClient(params).connect(f"{params['host']}:{params['port']}") as connection:
            done = kill(
                connection,
                params["opid"],
                params["namespace"],
                params["age_s"],
                params["wait_timeout"],
                module.check_mode,
            )
    except MongoError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=done.changed, operation=done.found)


if __name__ == "__main__":
    main()
