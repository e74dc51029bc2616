#!/usr/bin/python
# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module plugspace.titan.evidence_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: evidence_info
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Take all the evidence of an incident on a host in one call
version_added: 0.1.0
description:
  - Reads what M(plugspace.titan.host_info), M(plugspace.titan.pm2_info),
    M(plugspace.titan.redis_info), M(plugspace.titan.mongodb_info) and
    M(plugspace.titan.service_probe) read, all at the same time and in one process, which takes a
    fraction of the time of one task after the other.
  - A part that is not given is not looked at. One that cannot be read, or not in time, is null,
    with a sentence in RV(errors); the others are returned all the same.
  - Changes nothing.
extends_documentation_fragment:
  - plugspace.titan.attributes
  - plugspace.titan.attributes.info
options:
  host:
    description: The options of M(plugspace.titan.host_info).
    type: dict
  pm2:
    description:
      - The options of M(plugspace.titan.pm2_info).
      - With O(host), the processes of all applications are among those that it looks at.
    type: dict
  redis:
    description: The options of M(plugspace.titan.redis_info).
    type: dict
  mongodb:
    description: The options of M(plugspace.titan.mongodb_info).
    type: dict
  mongodb_config:
    description: In V(path), the configuration of MongoDB, of which the size of the cache is read.
    type: dict
  release:
    description:
      - The options V(root), V(path) and V(strategy) of M(plugspace.titan.release_info). Returns
        what is live alone.
    type: dict
  logs:
    description:
      - V(units) whose journal, and V(files) whose end is read, V(lines) of each (50 unless said
        otherwise).
    type: dict
  check:
    description:
      - A V(command) that checks a configuration and changes nothing, such as C(nginx -t), and the
        V(unit) that the configuration is of.
    type: dict
  paths:
    description:
      - In V(paths), files and directories of which it is told whose they are, how open, and when
        they were changed.
    type: dict
  access_log:
    description: The options of M(plugspace.titan.access_log_info).
    type: dict
  slow_queries:
    description:
      - In V(path) the log of mongod (V(/var/log/mongodb/mongod.log) unless said otherwise).
      - V(since) is how many seconds back is looked (3600; 0 for all), V(tail_bytes) how much of the
        log's end is read at most (33554432; 0 for all), V(top) how many shapes are told (10).
    type: dict
  instances:
    description:
      - A V(probe) of one service, as M(plugspace.titan.service_probe) takes it, that is sent until
        each process has answered V(each) times (2), and begun for no longer than V(within) seconds
        (4). V(pids) are the processes; with O(pm2), those of its applications are among them.
      - How busy they are is measured over V(busy_s) seconds at least (1; 0 for not at all).
    type: dict
  healed:
    description:
      - In V(path), the file in which M(plugspace.titan.attempt) remembers what was tried. Of the
        O(access_log) and the O(slow_queries) counts what came after something was healed.
    type: dict
  probes:
    description:
      - Probes as M(plugspace.titan.service_probe) takes them. One that fails does not fail the
        module.
    type: list
    elements: dict
    default: []
  settle:
    description:
      - Whether all else is looked at when the probes have come to their end, instead of meanwhile.
        So the evidence is of the moment after, which is what proves that something helped.
    type: bool
    default: false
  timeout:
    description: Seconds that a part may take.
    type: float
    default: 8
seealso:
  - module: plugspace.titan.host_info
  - module: plugspace.titan.pm2_info
  - module: plugspace.titan.service_probe
"""

EXAMPLES = r"""
- name: Take the evidence
  plugspace.titan.evidence_info:
    host:
      units: [nginx, redis-server]
      listeners: true
      ports: [4000]
    pm2:
      user: plugspace
    redis:
      password: "{{ titan_redis_password }}"
    probes:
      - url: http://127.0.0.1:4000/api/health
        successes: 1
        within: 2
  become: true
  register: evidence
"""

RETURN = r"""
host:
  description: What M(plugspace.titan.host_info) returns.
  returned: with O(host)
  type: dict
pm2:
  description: What M(plugspace.titan.pm2_info) returns.
  returned: with O(pm2)
  type: dict
redis:
  description: What M(plugspace.titan.redis_info) returns.
  returned: with O(redis)
  type: dict
mongodb:
  description: What M(plugspace.titan.mongodb_info) returns.
  returned: with O(mongodb)
  type: dict
mongodb_config:
  description: The size of the cache that the file says; null where it says none.
  returned: with O(mongodb_config)
  type: dict
  sample:
    path: /etc/mongod.conf
    cache_size_gb: 0.25
release:
  description: V(live) and V(current) of M(plugspace.titan.release_info).
  returned: with O(release)
  type: dict
  sample:
    live: link
    current:
      name: 20261123T101500Z-a1b2c3d
      complete: true
logs:
  description: The last lines, by unit or path.
  returned: with O(logs)
  type: dict
  sample:
    redis-server:
      - Started redis-server.service - Advanced key-value store.
check:
  description: The unit, whether its configuration is in order, and what the command said.
  returned: with O(check)
  type: dict
  sample:
    unit: nginx
    ok: true
    output: "nginx: configuration file /etc/nginx/nginx.conf test is successful"
paths:
  description:
    - For each path V(exists), and of one that does its owner, group, mode and size.
    - V(changed_at) is when its content, owner or mode, or those of what lies directly in it, were
      changed last, in seconds since 1970.
  returned: with O(paths)
  type: dict
  sample:
    /var/lib/mongodb:
      exists: true
      owner: mongodb
      group: mongodb
      mode: "0750"
      size_bytes: 4096
      changed_at: 1764323551.582
access_log:
  description: What M(plugspace.titan.access_log_info) returns.
  returned: with O(access_log)
  type: dict
slow_queries:
  description:
    - The queries that mongod called slow, those that took the most time together first. Of each
      only the shape is told, with V(?) in the place of every value. C(left_out) counts those beyond
      500 shapes.
  returned: with O(slow_queries)
  type: dict
  sample:
    path: /var/log/mongodb/mongod.log
    bytes: 48213
    count: 12
    left_out: 0
    queries:
      - namespace: plugspace.users
        operation: command
        plan_summary: COLLSCAN
        shape: {find: "?", filter: {email: "?"}}
        count: 12
        longest_ms: 840
        total_ms: 6120
        documents_examined: 1200000
        keys_examined: 0
        returned: 12
        examined_per_returned: 100000.0
instances:
  description:
    - How quickly each process of the service answered its probe, and which were C(silent) though
      others answered and they had their turn. None is where somebody answered who is none of them,
      such as what npm has started.
    - C(busy) is how much of the time the main thread ran or, C(waited_percent), waited for a
      processor.
  returned: with O(instances)
  type: dict
  sample:
    attempts: 4
    failures: 0
    reason: ""
    answers:
      - {pid: 4711, count: 2, failures: 0, least_ms: 4.1, most_ms: 6.3}
      - {pid: 4712, count: 2, failures: 0, least_ms: 1502.3, most_ms: 1530.8}
    silent: []
    busy:
      - {pid: 4711, busy_percent: 12.5, waited_percent: 0.4}
healed:
  description: Which procedure healed something on this host last, and how many seconds ago.
  returned: with O(healed)
  type: dict
  sample:
    procedure: high_cpu the CPU
    ago_s: 41.8
probes:
  description:
    - One result for each probe, in their order, as M(plugspace.titan.service_probe) has them.
  returned: always
  type: list
  elements: dict
settled:
  description: Whether all else was looked at when the probes had come to their end, as O(settle).
  returned: always
  type: bool
errors:
  description: For each part that could not be read, why.
  returned: always
  type: dict
  sample:
    mongodb: no answer within 8 s
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.plugspace.titan.plugins.module_utils import _probe
from ansible_collections.plugspace.titan.plugins.module_utils._evidence import PARTS, take


def checked(
    module: AnsibleModule, name: str, spec: t.Mapping[str, t.Any], given: t.Any
) -> dict[str, t.Any]:
    """The options of a part with their defaults; a wrong one ends the module with its name."""
    result = ArgumentSpecValidator(dict(spec)).validate(given)
    module.no_log_values.update(result._no_log_values)
    if result.error_messages:
        module.fail_json(msg=f"{name}: {'; '.join(result.error_messages)}")
    return dict(result.validated_parameters)


def main() -> None:
    """Read and return."""
    module = AnsibleModule(
        argument_spec={
            "host": {"type": "dict"},
            "pm2": {"type": "dict"},
            "redis": {"type": "dict"},
            "mongodb": {"type": "dict"},
            "mongodb_config": {"type": "dict"},
            "release": {"type": "dict"},
            "logs": {"type": "dict"},
            "check": {"type": "dict"},
            "paths": {"type": "dict"},
            "access_log": {"type": "dict"},
            "slow_queries": {"type": "dict"},
            "instances": {"type": "dict"},
            "healed": {"type": "dict"},
            "probes": {"type": "list", "elements": "dict", "default": []},
            "settle": {"type": "bool", "default": False},
            "timeout": {"type": "float", "default": 8},
        },
        supports_check_mode=True,
    )
    params = module.params
    wanted = {
        name: checked(module, name, spec, params[name])
        for name, (spec, _reader) in PARTS.items()
        if params[name] is not None
    }
    spec = {"probe": {"type": "dict", "options": _probe.ARGUMENT_SPEC}}
    try:
        probes = [
            _probe.parse(checked(module, "probes", spec, {"probe": one})["probe"])
            for one in params["probes"]
        ]
    except _probe.ProbeError as error:
        module.fail_json(msg=f"probes: {error}")
    report = take(wanted, probes, params["timeout"], params["settle"])
    module.exit_json(changed=False, settled=params["settle"], **report)


if __name__ == "__main__":
    main()
