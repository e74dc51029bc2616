#!/usr/bin/python

# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at a user's PM2 without starting anything."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pm2_info
short_description: Look at the PM2 daemon of a user and at its applications
version_added: 0.1.0
author:
  - The plugspace.titan maintainers (@plugspace)
description:
  - Asks the daemon directly, which takes milliseconds and starts nothing.
  - No daemon is a normal answer.
  - Tells a daemon that is dead, hung or another user's from one that runs.
  - Gives one verdict for each application over all of its instances.
extends_documentation_fragment:
  - plugspace.titan.attributes
  - plugspace.titan.attributes.info
  - plugspace.titan.pm2
options:
  name:
    description: Only this application.
    type: str
  log_lines:
    description: How many of the last lines of each log of the application to return. Needs O(name).
    type: int
    default: 0
  mask_env_files:
    description:
      - Environment files whose values are replaced in the log lines. Files that do not exist are
        passed over.
      - Values of the application's own variables that look like secrets by their name, and
        credentials in addresses, are replaced in any case.
    type: list
    elements: path
    default: []
  mask:
    description: Further values that are replaced in the log lines.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Look at everything that PM2 runs
  plugspace.titan.pm2_info:
  register: pm2

- name: Stop here unless the API is well
  ansible.builtin.assert:
    that: (pm2.apps | items2dict('name', 'verdict'))['plugspace-api'] == 'online'

- name: Read the last lines of the voice server, as its user
  plugspace.titan.pm2_info:
    name: plugspace-voice
    log_lines: 50
    mask_env_files: [/home/plugspace/plugspace/.env]
  become: true
  become_user: plugspace
"""

RETURN = r"""
daemon:
  description: The daemon.
  returned: always
  type: dict
  contains:
    state:
      description:
        - V(running), V(absent) (nothing runs), V(stale) (killed, its socket is still there),
          V(hung) (does not answer as a daemon should) or V(foreign) (belongs to another user).
      type: str
      sample: running
    reason:
      description: The state as a sentence with what to do about it, null when the daemon runs.
      type: str
      sample: null
    pid:
      description: The process of the daemon, as far as it is known.
      type: int
      sample: 812
    user:
      description: The user whose PM2 was asked.
      type: str
      sample: plugspace
    home:
      description: The PM2_HOME that was asked.
      type: str
      sample: /home/plugspace/.pm2
    version:
      description: The version that runs.
      type: str
      sample: 7.0.4
    installed_version:
      description: The version that is installed, null when there is none.
      type: str
      sample: 7.0.4
    warnings:
      description: What should be put right although it works.
      type: list
      elements: str
      sample: []
apps:
  description:
    - The applications, each with a white list of fields.
    - V(release_path) is the directory in which the process really works.
    - V(module) tells a module of PM2 (C(pm2 install)) from an application.
    - V(started) is when PM2 started it last, also where it is gone since then.
  returned: always
  type: list
  elements: dict
  sample:
    - name: plugspace-api
      verdict: degraded
      reason: instance 1 is errored
      instances:
        - id: 0
          pid: 1204
          status: online
          restarts: 3
          unstable_restarts: 0
          uptime_s: 7201.4
          memory_bytes: 71303168
          cpu_percent: 0.3
          exec_mode: cluster_mode
          cwd: /home/plugspace/plugspace
          script: /home/plugspace/plugspace/dist/api.js
          release_path: /home/plugspace/deploy/releases/20261123T101500Z-a1b2c3d
          number: 0
          exit_code: null
          module: false
          started: "2026-11-23T10:15:09Z"
        - id: 1
          pid: 0
          status: errored
          restarts: 16
          unstable_restarts: 16
          uptime_s: 0.0
          memory_bytes: 0
          cpu_percent: 0.0
          exec_mode: cluster_mode
          cwd: /home/plugspace/plugspace
          script: /home/plugspace/plugspace/dist/api.js
          release_path: ""
          number: 1
          exit_code: 1
          module: false
          started: "2026-11-23T12:14:51Z"
      logs:
        out: []
        err: ["Error: listen EADDRINUSE: address already in use :::4000"]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.plugspace.titan.plugins.module_utils._pm2_client import Pm2Error
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_report import (
    ARGUMENT_SPEC,
    report,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        result = report(module.params)
    except (Pm2Error, OSError) as error:
        module.fail_json(msg=str(error))
    for warning in result["daemon"]["warnings"]:
        module.warn(warning)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
