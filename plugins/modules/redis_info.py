#!/usr/bin/python
# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module plugspace.titan.redis_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_info
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Tell whether a Redis server answers, and how it is
version_added: 0.1.0
description:
  - Logs in, pings and reads C(INFO) over one connection that has one time limit, so that a stopped
    or hanging server costs seconds, never a hang.
  - Needs no Redis library on the host. The password goes
    over the connection only, never into a program's arguments.
  - A server that does not answer is an answer, RV(state), not a failure of the module.
extends_documentation_fragment:
  - plugspace.titan.attributes
  - plugspace.titan.attributes.info
options:
  host:
    description: The server's address, seen from the managed host.
    type: str
    default: 127.0.0.1
  port:
    description: The server's port.
    type: int
    default: 6379
  username:
    description: The user of an access list; without it the password is the server's one password.
    type: str
    default: ''
  password:
    description: The password; empty for a server that asks for none.
    type: str
    default: ''
  timeout:
    description: Seconds for the whole conversation.
    type: float
    default: 3
seealso:
  - module: community.general.redis_info
    description: All fields of C(INFO); needs the Redis library and has no time limit.
"""

EXAMPLES = r"""
- name: Look at Redis
  plugspace.titan.redis_info:
    password: "{{ titan_redis_password }}"
  register: redis
"""

RETURN = r"""
state:
  description:
    - V(ok), or why there is no answer - V(refused), V(unreachable), V(hung), V(closed), V(auth),
      V(loading), V(replica), V(foreign) (something else listens there) or V(error).
  returned: always
  type: str
  sample: ok
error:
  description: The reason as a sentence; empty when the server answers.
  returned: always
  type: str
  sample: 127.0.0.1:6379 refused the connection
version:
  description: The server's version.
  returned: when the server answers
  type: str
  sample: 7.0.15
role:
  description: V(master) or V(slave), Redis' own words.
  returned: when the server answers
  type: str
  sample: master
uptime_s:
  description: Seconds since the server's start.
  returned: when the server answers
  type: int
  sample: 86400
clients:
  description: Connected clients.
  returned: when the server answers
  type: int
  sample: 12
loading:
  description: Whether the server still reads its data from disk.
  returned: when the server answers
  type: bool
  sample: false
memory:
  description: Memory in use, its limit (0 is no limit) and what happens at the limit.
  returned: when the server answers
  type: dict
  sample:
    used_bytes: 1048576
    max_bytes: 268435456
    policy: allkeys-lru
save_ok:
  description: Whether the last write to disk succeeded.
  returned: when the server answers
  type: bool
  sample: true
replicas:
  description: Connected replicas.
  returned: when the server answers
  type: int
  sample: 0
master:
  description:
    - On a replica, the server that it copies, the state of the link and its silence.
    - None on a master.
  returned: when the server answers
  type: dict
  sample:
    address: titan1:6379
    link: up
    silent_s: 1
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.plugspace.titan.plugins.module_utils._redis import look


def main() -> None:
    """Look and return."""
    module = AnsibleModule(
        argument_spec={
            "host": {"type": "str", "default": "127.0.0.1"},
            "port": {"type": "int", "default": 6379},
            "username": {"type": "str", "default": ""},
            "password": {"type": "str", "default": "", "no_log": True},
            "timeout": {"type": "float", "default": 3},
        },
        supports_check_mode=True,
    )
    module.exit_json(changed=False, **look(**module.params))


if __name__ == "__main__":
    main()
