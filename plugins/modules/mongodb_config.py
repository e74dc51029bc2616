#!/usr/bin/python
# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module plugspace.titan.mongodb_config."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mongodb_config
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Set the size of the cache in the configuration of MongoDB
version_added: 0.1.0
description:
  - Changes C(storage.wiredTiger.engineConfig.cacheSizeGB) in the file and nothing else. Comments,
    order and all other settings stay as they are.
  - Before the file is replaced, C(mongod --outputConfig) has to understand the new one as it did
    the old one, but for this size. So a file that MongoDB would refuse is never put in place.
  - The old file is kept beside the new one. MongoDB reads it at its next start.
extends_documentation_fragment:
  - plugspace.titan.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  cache_size_gb:
    description: The size in GB, 0.25 at least.
    type: float
    required: true
  path:
    description: The configuration.
    type: path
    default: /etc/mongod.conf
  mongod:
    description: The program that the configuration is for, by name or path.
    type: str
    default: mongod
notes:
  - The difference shows the size alone, since the file may hold secrets.
  - In check mode mongod looks at the new text as well, which it gets from memory.
seealso:
  - module: plugspace.titan.mongodb_info
  - module: plugspace.titan.mongodb_replica_set
"""

EXAMPLES = r"""
- name: Give MongoDB the cache that the host can give
  plugspace.titan.mongodb_config:
    cache_size_gb: 3.5
  become: true
"""

RETURN = r"""
before:
  description: The size that the file said, in GB; null where it left it to MongoDB.
  returned: success
  type: float
  sample: 30.0
after:
  description: The size that it says now, or would say in check mode.
  returned: success
  type: float
  sample: 3.5
backup_file:
  description: Where the old file is kept; empty when nothing was changed.
  returned: success
  type: str
  sample: /etc/mongod.conf.20261127T181500
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_config import (
    PLACE,
    SETTING,
    ConfigError,
    LocalServer,
    Plan,
    apply,
    plan,
)


def shown(size_gb: float | None) -> str:
    """A line for the difference."""
    return "" if size_gb is None else f"{SETTING}: {size_gb:g}\n"


def difference(path: str, planned: Plan) -> dict[str, str]:
    """What Ansible shows with --diff."""
    return {
        "before_header": path,
        "after_header": path,
        "before": shown(planned.before),
        "after": shown(planned.after),
    }


def main() -> None:
    """Plan, apply, and tell."""
    module = AnsibleModule(
        argument_spec={
            "path": {**PLACE["path"], "required": False, "default": "/etc/mongod.conf"},
            "cache_size_gb": {"type": "float", "required": True},
            "mongod": {"type": "str", "default": "mongod"},
        },
        supports_check_mode=True,
    )
    path = module.params["path"]
    server = LocalServer(path, module.get_bin_path(module.params["mongod"], required=True))
    try:
        planned = plan(server, module.params["cache_size_gb"])
        backup = "" if module.check_mode else apply(server, planned)
    except (ConfigError, OSError) as error:
        module.fail_json(msg=f"{path} was left as it is: {error}")
    module.exit_json(
        changed=planned.changed,
        before=planned.before,
        after=planned.after,
        backup_file=backup,
        diff=difference(path, planned),
    )


if __name__ == "__main__":
    main()
