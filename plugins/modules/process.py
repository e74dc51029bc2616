#!/usr/bin/python
# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module plugspace.titan.process."""

from __future__ import annotations

DOCUMENTATION = r"""
module: process
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: End one process, or let a stopped one go on
version_added: 0.1.0
description:
  - Acts on the process that was meant or on none. A process of the same number that began meanwhile
    is left alone, and so is one that does not run what O(expected) says.
  - A process that is gone already is no change.
extends_documentation_fragment:
  - plugspace.titan.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
options:
  pid:
    description: The process. Never 1.
    type: int
    required: true
  state:
    description:
      - V(ended) asks it to end (C(SIGTERM)), and kills it when O(grace) is over.
      - V(continued) lets it go on when a signal has stopped it (C(SIGCONT)).
    type: str
    choices: [ended, continued]
    default: ended
  expected:
    description:
      - A text that its command line has to contain, or the absolute path of its script, as
        M(plugspace.titan.host_info) tells it.
    type: str
    default: ""
  grace:
    description: Seconds that it has to end by itself.
    type: float
    default: 5
seealso:
  - module: plugspace.titan.host_info
"""

EXAMPLES = r"""
- name: End a process that PM2 has lost
  plugspace.titan.process:
    pid: 4711
    expected: /home/plugspace/plugspace/dist/api.js
  become: true
"""

RETURN = r"""
signal:
  description: The last signal that was needed; empty when none was, and in check mode.
  returned: always
  type: str
  sample: TERM
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.plugspace.titan.plugins.module_utils._signals import (
    CONTINUED,
    ENDED,
    LocalKernel,
    SignalError,
    apply,
    plan,
)


def main() -> None:
    """Plan, apply, tell."""
    module = AnsibleModule(
        argument_spec={
            "pid": {"type": "int", "required": True},
            "state": {"type": "str", "choices": [ENDED, CONTINUED], "default": ENDED},
            "expected": {"type": "str", "default": ""},
            "grace": {"type": "float", "default": 5},
        },
        supports_check_mode=True,
    )
    params = module.params
    kernel = LocalKernel()
    sent = ""
    try:
        planned = plan(kernel, params["pid"], params["state"], params["expected"])
        if planned.needed and not module.check_mode:
            sent = apply(kernel, planned, params["grace"])
    except SignalError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=planned.needed, signal=sent)


if __name__ == "__main__":
    main()
