#!/usr/bin/python
# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module plugspace.titan.mongodb_replica_set."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mongodb_replica_set
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Initiate and change a MongoDB replica set in healthy steps
version_added: 0.1.0
description:
  - Initiates a set only when this member says that it never was, and every listed member answers
    and has no configuration either. Anything else is another illness, and is told as such. A member
    that was removed from a set has one still; where members have users it says so only to a login.
  - Changes go to the primary, which is found from any member, one voting member at a time. Before
    each of them the set has to be healthy, which is a primary, every member V(PRIMARY),
    V(SECONDARY) or V(ARBITER), none of them behind by more than O(max_lag_s), and all with the
    same configuration. Members that are to be removed do not count.
  - A primary that cannot stay one hands over first, to a member that is not behind.
  - Members that are not listed are left alone.
extends_documentation_fragment:
  - plugspace.titan.attributes
  - plugspace.titan.mongodb
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  name:
    description: The name of the set, as in C(replication.replSetName).
    type: str
    required: true
  state:
    description:
      - V(present) brings the set into the configuration that O(members) says.
      - V(stepped_down) makes sure that the member at O(host) is not the primary. It is refused
        when every other member that could become primary is behind by more than O(max_lag_s).
    type: str
    choices: [present, stepped_down]
    default: present
  members:
    description:
      - The members, each with what shall be so of it. What is not said of a member stays as it is,
        and is MongoDB's own default for a new one.
      - All listed members are in the first configuration of a set; any of them may be elected,
        RV(primary) tells which. There the first user is made.
      - Without O(members) nothing is changed, and the set is only waited for.
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: Name and port as the other members and all clients reach it. Without a port,
          27017.
        type: str
        required: true
      state:
        description: Whether it is a member. V(absent) removes it; its data stays on its host.
        type: str
        choices: [present, absent]
        default: present
      priority:
        description: The higher, the sooner it is elected. V(0) never is. A new priority for
          the highest causes an election.
        type: float
      votes:
        description: V(0) for a member that does not vote; it has priority V(0) then.
        type: int
        choices: [0, 1]
      hidden:
        description: Whether clients do not see it; it has priority V(0) then.
        type: bool
      arbiter_only:
        description: Whether it only votes and has no data. Cannot be changed later. From MongoDB 5
          on a set with few data members wants C(setDefaultRWConcern) first, and refuses otherwise.
        type: bool
  max_lag_s:
    description: Seconds that a member may be behind the primary and count as healthy. What a
      delayed member is behind on purpose does not count.
    type: float
    default: 10
  step_down_s:
    description:
      - Seconds in which a primary that was stepped down is not elected again. After them one with
        a higher priority than the others takes over again.
      - More than 10, which is what secondaries get to catch up.
    type: int
    default: 60
  force:
    description:
      - Whether the configuration may be changed without a primary, through the member at O(host)
        alone. As long as there is a primary the changes go to it, one by one, as ever.
      - Writes that had reached only the lost members are lost. When those are not lost but only cut
        off, they may elect a primary of their own, and what they write is lost once they hear of
        the forced configuration. Make sure that they are down and stay down.
      - A member that answers is not removed, be there a primary or not. It may have come back.
    type: bool
    default: false
  wait:
    description:
      - Whether the module ends only when the set is healthy, with or without a change, and waits
        for a successor that has caught up before a step-down. In check mode nothing is waited for.
      - Between two steps it always waits.
    type: bool
    default: true
  wait_timeout:
    description: Seconds for each wait. A new member has to get all data in this time.
    type: float
    default: 120
notes:
  - The first user is made by other means, over a connection from the primary's own host. Until
    there is one, only the names of the members can be compared, and nothing be changed.
  - A user needs the role C(clusterManager), and C(clusterMonitor) for RV(missing).
seealso:
  - module: plugspace.titan.mongodb_info
  - module: community.mongodb.mongodb_replicaset
    description: Changes all members at once and does not look at their lag.
"""

EXAMPLES = r"""
- name: Initiate the set, once
  plugspace.titan.mongodb_replica_set:
    name: rs0
    members:
      - host: titan1:27017
      - host: titan2:27017
      - host: titan3:27017
  run_once: true

- name: Replace a host, and prefer titan1
  plugspace.titan.mongodb_replica_set:
    name: rs0
    members:
      - {host: "titan1:27017", priority: 2}
      - {host: "titan4:27017"}
      - {host: "titan3:27017", state: absent}
    login_user: admin
    login_password: "{{ titan_mongodb_admin_password }}"
    wait_timeout: 3600
  run_once: true

- name: Hand over before the host is restarted
  plugspace.titan.mongodb_replica_set:
    name: rs0
    state: stepped_down
    login_user: admin
    login_password: "{{ titan_mongodb_admin_password }}"

- name: Wait until the set is healthy
  plugspace.titan.mongodb_replica_set:
    name: rs0
    login_user: admin
    login_password: "{{ titan_mongodb_admin_password }}"
"""

RETURN = r"""
primary:
  description: Who is primary now; empty when nobody is.
  returned: always
  type: str
  sample: titan1:27017
actions:
  description: What was done, or would be done in check mode, as sentences in order.
  returned: always
  type: list
  elements: str
  sample:
    - Change titan1:27017 (priority from 1.0 to 2.0)
    - Add titan4:27017
    - Remove titan3:27017
members:
  description: The members as configured now, or in check mode as they would be.
  returned: with O(state=present)
  type: list
  elements: dict
  sample:
    - host: titan1:27017
      priority: 2.0
      votes: 1
      hidden: false
      arbiter_only: false
      delay_s: 0
missing:
  description: What keeps the set from being healthy, a sentence each; empty when it is healthy.
  returned: on success
  type: list
  elements: str
  sample: []
cause:
  description:
    - Why the module failed. V(timeout), V(no_primary), V(no_successor), V(configured_elsewhere),
      V(unknown_member), V(other_set), V(standalone), V(removed), V(starting),
      V(not_initialized), V(no_user) or V(invalid).
    - Or why a member gave no answer - V(refused), V(hung), V(closed), V(auth), V(denied), V(busy),
      V(incompatible), V(invalid_config) or V(error).
  returned: on failure
  type: str
  sample: no_primary
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.plugspace.titan.plugins.module_utils._mongodb import (
    CONNECTION,
    HAS_PYMONGO,
    REQUIRED_TOGETHER,
    MongoError,
    PyMongoClient,
)
from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_replica_set import (
    Manager,
    ReplicaSetError,
    Wanted,
)

MEMBER: dict[str, dict[str, t.Any]] = {
    "host": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "priority": {"type": "float"},
    "votes": {"type": "int", "choices": [0, 1]},
    "hidden": {"type": "bool"},
    "arbiter_only": {"type": "bool"},
}
ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    **CONNECTION,
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "stepped_down"], "default": "present"},
    "members": {"type": "list", "elements": "dict", "default": [], "options": MEMBER},
    "max_lag_s": {"type": "float", "default": 10},
    "step_down_s": {"type": "int", "default": 60},
    "force": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "float", "default": 120},
}


def main() -> None:
    """Plan, apply, tell."""
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        required_together=REQUIRED_TOGETHER,
        supports_check_mode=True,
    )
    if not HAS_PYMONGO:
        module.fail_json(msg=missing_required_lib("pymongo"))
    params = module.params
    address = f"{params['host']}:{params['port']}"
    actions: list[str] = []
    try:
        wanted = Wanted.of(params, waits=params["wait"] and not module.check_mode)
        manager = Manager(PyMongoClient(params), address, wanted)
        actions = manager.actions
        result = manager.run(params["state"], module.check_mode)
    except (ReplicaSetError, MongoError) as error:
        cause = error.cause if isinstance(error, ReplicaSetError) else error.state
        module.fail_json(msg=str(error), cause=cause, actions=actions, changed=bool(actions))
    for warning in manager.warnings:
        module.warn(warning)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
