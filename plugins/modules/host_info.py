#!/usr/bin/python
# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module plugspace.titan.host_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Read memory, file systems and systemd units of a host in one call
version_added: 0.1.0
description:
  - Reads C(/proc) and asks C(systemctl show); needs no privileges and changes nothing.
  - A part that cannot be read, or that does not answer in time, is named in RV(errors);
    the other parts are returned all the same.
extends_documentation_fragment:
  - plugspace.titan.attributes
  - plugspace.titan.attributes.info
options:
  units:
    description: The systemd units to look at.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds that each part may take.
    type: float
    default: 5
notes:
  - Network file systems are left out, because a dead server blocks whoever asks for its numbers.
"""

EXAMPLES = r"""
- name: Look at the host
  plugspace.titan.host_info:
    units:
      - nginx
      - redis-server
  register: host
"""

RETURN = r"""
memory:
  description: The memory; none if it could not be read.
  returned: always
  type: dict
  sample:
    total_bytes: 8330006528
    available_bytes: 6442450944
    available_percent: 77.3
    swap_total_bytes: 0
    swap_free_bytes: 0
file_systems:
  description: The local file systems, fullest first; none if they could not be read.
  returned: always
  type: list
  elements: dict
  sample:
    - mount: /
      type: ext4
      size_bytes: 42140499968
      available_bytes: 25182875648
      used_percent: 38.6
      inodes_used_percent: 4.1
units:
  description: The units in the order asked for; none if systemd did not answer.
  returned: always
  type: list
  elements: dict
  sample:
    - name: nginx
      id: nginx.service
      load: loaded
      active: active
      sub: running
      result: success
      restarts: 0
      since_s: 86400
errors:
  description: For each part that could not be read, why.
  returned: always
  type: dict
  sample: {}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.plugspace.titan.plugins.module_utils._host import LocalHost, observe


def main() -> None:
    """Read and return."""
    module = AnsibleModule(
        argument_spec={
            "units": {"type": "list", "elements": "str", "default": []},
            "timeout": {"type": "float", "default": 5},
        },
        supports_check_mode=True,
    )
    timeout = module.params["timeout"]
    module.exit_json(changed=False, **observe(LocalHost(timeout), module.params["units"], timeout))


if __name__ == "__main__":
    main()
