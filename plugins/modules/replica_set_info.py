#!/usr/bin/python
# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module plugspace.titan.replica_set_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: replica_set_info
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Tell who is primary in a MongoDB replica set, who is behind and who is missing
version_added: 0.1.0
description:
  - Asks the member on this host, and then every member that it names, for C(hello).
    This needs no login, so there is no password to know, to rotate or to leak.
  - A member that does not answer is an answer, not a failure of the module.
  - Every question has a time limit.
extends_documentation_fragment:
  - plugspace.titan.attributes
  - plugspace.titan.attributes.info
options:
  host:
    description: The address of this host's member.
    type: str
    default: 127.0.0.1
  port:
    description: The port of this host's member.
    type: int
    default: 27017
  timeout:
    description: Seconds that each member may take.
    type: float
    default: 3
requirements:
  - PyMongo 3.11 or newer on the host (Debian C(python3-pymongo))
notes:
  - C(hello) does not tell why a member is neither primary nor secondary; it is V(NOT_READY) then.
seealso:
  - module: community.mongodb.mongodb_status
    description: Waits for a set to converge; needs a login and does not know the lag.
"""

EXAMPLES = r"""
- name: Look at the replica set
  plugspace.titan.replica_set_info:
  register: replica_set
"""

RETURN = r"""
state:
  description:
    - V(ok), or why this host's member does not answer - V(refused), V(hung) or V(error).
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
  description: All members as seen from here, with their lag behind the primary where it is known.
  returned: always
  type: list
  elements: dict
  sample:
    - name: titan1:27017
      self: true
      role: PRIMARY
      error: ""
      lag_s: 0.0
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.plugspace.titan.plugins.module_utils._replica_set import (
    MemberError,
    observe,
)

try:
    import pymongo
    import pymongo.errors

    HAS_PYMONGO = True
except ImportError:
    HAS_PYMONGO = False


class PyMongoClient:
    """One short connection for each question."""

    def __init__(self, timeout: float) -> None:
        self.milliseconds = int(timeout * 1000)

    def hello(self, address: str) -> dict[str, t.Any]:
        """Return the answer of that very member."""
        limit = self.milliseconds
        client: pymongo.MongoClient[t.Any] = pymongo.MongoClient(
            f"mongodb://{address}/?directConnection=true",
            connectTimeoutMS=limit,
            serverSelectionTimeoutMS=limit,
            socketTimeoutMS=limit,
        )
        try:
            return dict(client.admin.command("hello"))
        except pymongo.errors.PyMongoError as error:
            raise self._explain(address, str(error)) from error
        finally:
            client.close()

    def _explain(self, address: str, message: str) -> MemberError:
        if "refused" in message:
            return MemberError("refused", f"{address} refused the connection")
        if "timed out" in message:
            seconds = self.milliseconds / 1000
            return MemberError("hung", f"{address} did not answer within {seconds:g} s")
        # PyMongo appends its view of the whole topology.
        return MemberError("error", f"{address}: {message.split(', Timeout:')[0][:200]}")


def main() -> None:
    """Look and return."""
    module = AnsibleModule(
        argument_spec={
            "host": {"type": "str", "default": "127.0.0.1"},
            "port": {"type": "int", "default": 27017},
            "timeout": {"type": "float", "default": 3},
        },
        supports_check_mode=True,
    )
    if not HAS_PYMONGO:
        module.fail_json(msg=missing_required_lib("pymongo"))
    address = f"{module.params['host']}:{module.params['port']}"
    module.exit_json(changed=False, **observe(PyMongoClient(module.params["timeout"]), address))


if __name__ == "__main__":
    main()
