#!/usr/bin/python

# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probe services until each answered well several times in a row."""

from __future__ import annotations

DOCUMENTATION = r"""
module: service_probe
short_description: Probe services over HTTP, WebSocket and TCP, Redis and MongoDB
version_added: 0.1.0
author:
  - The plugspace.titan maintainers (@plugspace)
description:
  - Probes all the services at the same time, each until it succeeded several times in a row, or its
    time is over.
  - Fails with one sentence that names each service that did not.
extends_documentation_fragment:
  - plugspace.titan.attributes
  - plugspace.titan.attributes.info
  - plugspace.titan.probe.list
options:
  expect:
    description:
      - What the JSON answer of every V(http) probe has to say in addition to its own
        O(probes[].expect).
    type: dict
    default: {}
seealso:
  - module: plugspace.titan.pm2_app
"""

EXAMPLES = r"""
- name: Prove that the platform answers, from outside as well
  plugspace.titan.service_probe:
    probes:
      - name: plugspace-voice
        type: websocket
        url: ws://127.0.0.1:4001/
      - name: the site
        url: https://plugspace.io/api/health
        connect_to: 127.0.0.1:443
        expect:
          status: ok
      - name: Redis
        type: redis
        password: "{{ titan_redis_password }}"
        successes: 1
      - name: this member of the replica set
        type: mongodb
        role: member
        successes: 1

- name: Prove that the voice service echoes what it is told
  plugspace.titan.service_probe:
    probes:
      - type: websocket
        url: ws://127.0.0.1:4001/
        send: '{"type": "ping"}'
        reply: '"pong"'
"""

RETURN = r"""
results:
  description: One result for each probe, in their order. Latencies are those of the successes.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The name of the probe, or what it asks for.
      type: str
      sample: plugspace-voice
    ok:
      description: Whether it succeeded often enough in a row.
      type: bool
      sample: true
    reason:
      description: Why the last failed attempt failed. Empty when none did.
      type: str
      sample: ""
    attempts:
      description: How many attempts were made.
      type: int
      sample: 3
    failures:
      description: How many of them failed.
      type: int
      sample: 0
    seconds:
      description: How long all of it took.
      type: float
      sample: 0.43
    latency_ms:
      description: Median, 95th and 99th percentile and maximum. Null without a success.
      type: dict
      sample: {p50: 3.1, p95: 4.0, p99: 4.0, max: 4.0}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.plugspace.titan.plugins.module_utils import _probe_report


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=_probe_report.ARGUMENT_SPEC, supports_check_mode=True)
    told = _probe_report.report(module.params)
    if "msg" in told:
        module.fail_json(**told)
    module.exit_json(changed=False, **told)


if __name__ == "__main__":
    main()
