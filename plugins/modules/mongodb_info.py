#!/usr/bin/python
# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module plugspace.titan.mongodb_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mongodb_info
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Tell how a MongoDB member and its replica set are, and what makes it slow
version_added: 0.1.0
description:
  - Asks the member on this host, and then every member that it names, for C(hello).
    This needs no login, so there is no password to know, to rotate or to leak.
  - With a login it adds RV(server), which tells load, slow operations, replication and
    configuration. The role C(clusterMonitor) is enough, with read on C(local) for the oplog.
  - A member that does not answer, a login that is refused and a set that was never initiated are
    answers, RV(state), not failures of the module.
  - Every question has a time limit.
extends_documentation_fragment:
  - plugspace.titan.attributes
  - plugspace.titan.attributes.info
  - plugspace.titan.mongodb
options:
  slow_ms:
    description: Milliseconds from which on a running operation is among RV(server).
    type: int
    default: 1000
  settle_s:
    description: Seconds to wait until every member serves, one is the primary and none is more than
      10 s behind it. What is seen last is returned, whatever it is.
    type: float
    default: 0
notes:
  - C(hello) does not tell why a member is neither primary nor secondary; it is V(NOT_READY) then.
  - An arbiter has no users, so every login to it is refused.
  - Of an operation's query only the shape is shown, which is its keys and operators.
seealso:
  - module: plugspace.titan.mongodb_replica_set
  - module: community.mongodb.mongodb_status
    description: Waits for a set to converge; needs a login and does not know the lag.
"""

EXAMPLES = r"""
- name: Look at the replica set
  plugspace.titan.mongodb_info:
  register: mongodb

- name: Find what has been running for more than ten seconds
  plugspace.titan.mongodb_info:
    login_user: monitoring
    login_password: "{{ titan_mongodb_monitoring_password }}"
    slow_ms: 10000
  register: mongodb
"""

RETURN = r"""
state:
  description:
    - V(ok), or why this host's member does not answer - V(refused), V(hung), V(closed) or
      V(error).
    - With a login also V(auth) (it was refused), V(not_initialized) (the set never was) and
      V(removed) (the member was, from its set).
      RV(set), RV(role) and RV(members) are known then, too.
  returned: always
  type: str
  sample: ok
error:
  description: The reason as a sentence; empty when the member answers.
  returned: always
  type: str
  sample: 127.0.0.1:27017 refused the connection
set:
  description: The name of the set; empty when this member is in none.
  returned: always
  type: str
  sample: rs0
role:
  description:
    - The role of this host's member - V(PRIMARY), V(SECONDARY), V(ARBITER), V(NOT_READY),
      V(NOT_INITIALIZED), V(STANDALONE), or empty when it does not answer.
  returned: always
  type: str
  sample: SECONDARY
members:
  description:
    - All members as seen from here. C(lag_s) is how many seconds of writes a member lacks, where a
      primary is known; one that has caught up when it is asked again after a second has V(1.0).
  returned: always
  type: list
  elements: dict
  sample:
    - name: titan1:27017
      self: true
      role: PRIMARY
      error: ""
      lag_s: 0.0
server:
  description:
    - What needs a login. A value is null when it is not known; RV(errors) tells why.
    - C(oplog_window_h) is how many hours of changes the oplog holds. C(cache_size_gb) is the size
      that was configured, null for MongoDB's own choice.
    - C(operations) are those that run for O(slow_ms) or longer, the longest first, 50 at most.
  returned: with O(login_user), when the member answers
  type: dict
  sample:
    version: 6.0.5
    uptime_s: 86400.0
    storage_engine: wiredTiger
    my_state: 1
    state_str: PRIMARY
    connections: {current: 23, available: 838837}
    cache:
      used_bytes: 201326592
      max_bytes: 268435456
      used_percent: 75.0
      dirty_bytes: 2684355
      dirty_percent: 1.0
    cache_size_gb: 0.25
    queues: {readers: 0, writers: 0}
    tickets:
      read: {out: 1, available: 127}
      write: {out: 0, available: 128}
    asserts: {regular: 0, warning: 0, msg: 0, user: 3, rollovers: 0}
    operations:
      - opid: 4711
        age_s: 12.3
        op: query
        namespace: plugspace.users
        plan_summary: COLLSCAN
        waiting_for_lock: false
        application: plugspace-api
        client: 127.0.0.1:51234
        shape: {find: "?", filter: {email: "?", age: {$gt: "?"}}}
    oplog_window_h: 51.5
    members:
      - name: titan1:27017
        state: 1
        state_str: PRIMARY
        answers: true
        uptime_s: 86400
        lag_s: 0.0
        last_heartbeat_message: ""
        config_version: 3
    config:
      version: 3
      term: 1
      members:
        - host: titan1:27017
          priority: 1
          votes: 1
          hidden: false
          arbiter_only: false
          delay_s: 0
errors:
  description: What could not be read, a sentence each.
  returned: with O(login_user), when the member answers
  type: list
  elements: str
  sample:
    - monitoring may not run getCmdLineOpts on 127.0.0.1:27017
"""

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_report import (
    ARGUMENT_SPEC,
    HAS_PYMONGO,
    REQUIRED_TOGETHER,
    PyMongoClient,
    look,
)


def main() -> None:
    """Look and return."""
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        required_together=REQUIRED_TOGETHER,
        supports_check_mode=True,
    )
    if not HAS_PYMONGO:
        module.fail_json(msg=missing_required_lib("pymongo"))
    params = module.params
    address = f"{params['host']}:{params['port']}"
    report = look(PyMongoClient(params), address, params["slow_ms"], params["settle_s"])
    module.exit_json(changed=False, **report)


if __name__ == "__main__":
    main()
