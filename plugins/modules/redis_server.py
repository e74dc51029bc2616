#!/usr/bin/python
# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module plugspace.titan.redis_server."""

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_server
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: End what blocks a Redis server, have it save, or give it memory
version_added: 0.1.0
description:
  - The few things that help a Redis server that runs and serves badly, without a restart, which
    would lose what was not saved.
  - The password goes over the connection only, never into an argument or the environment.
extends_documentation_fragment:
  - plugspace.titan.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
options:
  action:
    description:
      - V(kill_script) and V(kill_function) end a script or a function that blocks the server. One
        that has written already is not ended by Redis; RV(output) says so.
      - V(save) writes a snapshot and waits for its end.
      - V(set_maxmemory) lets it use O(maxmemory), until it is restarted; the configuration file
        stays as it is.
    type: str
    choices: [kill_script, kill_function, save, set_maxmemory]
    required: true
  maxmemory:
    description: A size as in C(redis.conf), such as V(384mb).
    type: str
    default: ""
  host:
    description: The address of the server.
    type: str
    default: 127.0.0.1
  port:
    description: Its port.
    type: int
    default: 6379
  username:
    description: The user of an access list.
    type: str
    default: ""
  password:
    description: The password to log in with.
    type: str
    default: ""
  timeout:
    description: Seconds for all of it.
    type: float
    default: 30
  tls:
    description: Whether to use TLS.
    type: bool
    default: false
  ca_file:
    description: The authorities that the server's certificate is checked with.
    type: path
seealso:
  - module: plugspace.titan.redis_info
  - module: community.general.redis
    description: Flushes, replicates and configures; needs redis-py on the host.
"""

EXAMPLES = r"""
- name: End the script that blocks Redis
  plugspace.titan.redis_server:
    action: kill_script
    password: "{{ titan_redis_password }}"
"""

RETURN = r"""
output:
  description: What the server said when it did not do it; else empty.
  returned: success
  type: str
  sample: "answered: UNKILLABLE Sorry the script already executed write commands"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.plugspace.titan.plugins.module_utils._redis import ARGUMENT_SPEC
from ansible_collections.plugspace.titan.plugins.module_utils._redis_client import RedisError
from ansible_collections.plugspace.titan.plugins.module_utils._redis_server import (
    ACTIONS,
    SET_MAXMEMORY,
    act,
)

_CONNECTION = ("host", "port", "username", "password", "tls", "ca_file")


def main() -> None:
    """Do it, and tell."""
    module = AnsibleModule(
        argument_spec={
            **{name: ARGUMENT_SPEC[name] for name in _CONNECTION},
            "timeout": {"type": "float", "default": 30},
            "action": {"type": "str", "choices": list(ACTIONS), "required": True},
            "maxmemory": {"type": "str", "default": ""},
        },
        required_if=[("action", SET_MAXMEMORY, ["maxmemory"])],
        supports_check_mode=True,
    )
    try:
        done = act(module.params, module.check_mode)
    except (RedisError, ValueError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=done.changed, output=done.output)


if __name__ == "__main__":
    main()
