#!/usr/bin/python
# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module plugspace.titan.release."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Prepare, switch, confirm and remove the releases of an application
version_added: 0.1.0
description:
  - One call is one step of a deployment or of a rollback. Each step is complete in itself, can be
    repeated, and puts right what a step that was killed left behind.
  - A release is prepared beside the running one, and the switch is one atomic operation.
extends_documentation_fragment:
  - plugspace.titan.attributes
  - plugspace.titan.release
  - plugspace.titan.release.repository
  - plugspace.titan.release.lock
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  state:
    description:
      - V(prepared) - the release is fetched, checked out, installed and built; nothing that runs
        is touched.
      - V(current) - the release is the live one, not verified yet.
      - V(confirmed) - the live release is noted as verified, releases that are not kept are
        removed, and the lock is given back.
      - V(failed) - the release is marked, so that it is never a target again; when it is live, the
        previous one is made live. The lock stays, because services have to follow.
      - V(pruned) - releases that are not kept are removed.
      - V(unlocked) - the lock of this run is given back.
    type: str
    choices: [prepared, current, confirmed, failed, pruned, unlocked]
    required: true
  name:
    description: The name of the release, as M(plugspace.titan.release_info) suggests it.
    type: str
  commit:
    description: The full id of the commit to prepare.
    type: str
  ref:
    description: The branch or tag that the commit was found by. It is kept for people to read.
    type: str
    default: ""
  install_command:
    description:
      - What installs the dependencies; nothing when empty. One string is split as a shell would.
    type: list
    elements: str
    default: [npm, ci]
  build_command:
    description: What builds the release; nothing when empty. One string is split as a shell would.
    type: list
    elements: str
    default: [npm, run, build]
  install_timeout:
    description: Seconds that the installation may take.
    type: float
    default: 900
  build_timeout:
    description: Seconds that the build may take.
    type: float
    default: 900
  reuse_dependencies:
    description:
      - Take over the installed packages of a release that has the same lock file, Node.js and
        command. They are hard links, and the files are write-protected. The project's own version
        in the lock file does not count.
    type: bool
    default: true
  dependency_private_paths:
    description: Names of directories inside of C(node_modules) that are copied, because builds
      write there.
    type: list
    elements: str
    default: [.prisma, .cache, .vite]
  keep:
    description: How many good releases stay, the current and the previous one included.
    type: int
    default: 5
  keep_failed:
    description: How many releases stay, to be looked into, that failed, are damaged or never became
      live.
    type: int
    default: 2
  reason:
    description: Why the release is marked as failed.
    type: str
    default: ""
  unlock:
    description: Whether O(state=confirmed) gives the lock back.
    type: bool
    default: true
seealso:
  - module: plugspace.titan.release_info
  - module: plugspace.titan.lock
"""

EXAMPLES = r"""
- name: Prepare the release beside the running one
  plugspace.titan.release:
    state: prepared
    name: "{{ plan.name }}"
    commit: "{{ plan.commit }}"
    repository: https://git.example.com/plugspace/plugspace.git
    root: /home/plugspace/deploy
    path: /home/plugspace/plugspace
    run: "{{ run_identity }}"

- name: Make it live
  plugspace.titan.release:
    state: current
    name: "{{ plan.name }}"
    root: /home/plugspace/deploy
    path: /home/plugspace/plugspace
    run: "{{ run_identity }}"

- name: Keep it, remove old releases and give the lock back
  plugspace.titan.release:
    state: confirmed
    name: "{{ plan.name }}"
    root: /home/plugspace/deploy
    path: /home/plugspace/plugspace
    run: "{{ run_identity }}"
"""

RETURN = r"""
release:
  description:
    - The release as it is now, as RV(plugspace.titan.release_info#module:releases) tells it.
    - With O(state=failed) the release that is live again, empty when there was none before.
  returned: when O(name) is given
  type: dict
  sample:
    name: 20261123T101500Z-a1b2c3d
    commit: a1b2c3d4e5f60718293a4b5c6d7e8f9012345678
    status: prepared
    complete: true
    current: false
marked:
  description: The release that was marked as failed.
  returned: with O(state=failed)
  type: dict
current:
  description: The release that is live now; empty when there is none.
  returned: always
  type: dict
previous:
  description: The release that a rollback would return to; empty when there is none.
  returned: always
  type: dict
before_switch:
  description: The release that was live before the switch; empty when there was none or no switch.
  returned: with O(state=current), except in check mode
  type: str
  sample: 20261122T101500Z-0a1b2c3
adopted:
  description: The name that a plain checkout was given as a release.
  returned: with O(state=current), except in check mode
  type: str
  sample: ""
removed:
  description: The releases that were removed.
  returned: with O(state=confirmed) and O(state=pruned)
  type: list
  elements: str
  sample: [20261101T080000Z-0a1b2c3]
dependencies:
  description: Where the installed packages came from.
  returned: with O(state=prepared)
  type: str
  sample: reused from 20261122T101500Z-0a1b2c3
timings:
  description: Seconds per step of the preparation.
  returned: with O(state=prepared)
  type: dict
  sample: {fetch: 0.4, checkout: 0.1, install: 0.2, build: 3.1, seal: 0.1, total: 3.9}
lock:
  description: The lock of the host after the call; V(taken_over_from) tells whose it was and why
    not any more.
  returned: when the lock was taken, so not in check mode and not with O(state=unlocked)
  type: dict
  sample: {held: true, waited: 0.0, taken_over_from: ""}
notes:
  description: What else happened or was found, in sentences.
  returned: always
  type: list
  elements: str
  sample: []
cause:
  description:
    - On failure, a word for programs. For a preparation it is the step that failed.
  returned: failure
  type: str
  sample: build
live:
  description: The name of the release that is live in spite of the failure, empty when none is.
  returned: failure
  type: str
  sample: 20261122T101500Z-0a1b2c3
logs:
  description: The last lines of the command that failed, without known secrets.
  returned: failure
  type: list
  elements: str
  sample: ["Error: cannot find module './missing'"]
"""

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.plugspace.titan.plugins.module_utils._git import Git, GitError
from ansible_collections.plugspace.titan.plugins.module_utils._lock import LockError
from ansible_collections.plugspace.titan.plugins.module_utils._lock_options import LOCK
from ansible_collections.plugspace.titan.plugins.module_utils._process import ProcessError
from ansible_collections.plugspace.titan.plugins.module_utils._redact import named_secrets
from ansible_collections.plugspace.titan.plugins.module_utils._release import ReleaseError
from ansible_collections.plugspace.titan.plugins.module_utils._release_action import Action
from ansible_collections.plugspace.titan.plugins.module_utils._release_options import (
    LAYOUT,
    REPOSITORY,
    Spec,
    environment_of,
    layout_of,
    remote_of,
)

STATES = ["prepared", "current", "confirmed", "failed", "pruned", "unlocked"]
ARGUMENTS: Spec = {
    **LAYOUT,
    **REPOSITORY,
    **LOCK,
    "state": {"type": "str", "choices": STATES, "required": True},
    "name": {"type": "str"},
    "commit": {"type": "str"},
    "ref": {"type": "str", "default": ""},
    "install_command": {"type": "list", "elements": "str", "default": ["npm", "ci"]},
    "build_command": {
        "type": "list",
        "elements": "str",
        "default": ["npm", "run", "build"],
    },
    "install_timeout": {"type": "float", "default": 900},
    "build_timeout": {"type": "float", "default": 900},
    "reuse_dependencies": {"type": "bool", "default": True},
    "dependency_private_paths": {
        "type": "list",
        "elements": "str",
        "default": [".prisma", ".cache", ".vite"],
    },
    "keep": {"type": "int", "default": 5},
    "keep_failed": {"type": "int", "default": 2},
    "reason": {"type": "str", "default": ""},
    "unlock": {"type": "bool", "default": True},
}


def live_name(params: Mapping[str, Any]) -> str:
    """Which release is live, after a failure; empty when it is none or cannot be told."""
    try:
        return layout_of(params).live().name
    except OSError:
        return ""


def main() -> None:
    """Plan, apply unless in check mode, tell."""
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        required_if=[
            *(("state", state, ["name"]) for state in ("current", "confirmed", "failed")),
            ("state", "prepared", ["name", "commit"]),
            ("state", "unlocked", ["run"]),
        ],
        mutually_exclusive=[("key", "key_file"), ("key", "token"), ("key_file", "token")],
        supports_check_mode=True,
    )
    remote = remote_of(module.params)
    # What came inside of a URL or of the environment is not covered by no_log.
    module.no_log_values.update(remote.secrets, named_secrets(module.params["environment"]))
    try:
        with Git(remote, module.params["git_timeout"], environment_of(module.params)) as git:
            action = Action(module.params, git)
            result = action.plan() if module.check_mode else action.apply()
            result = {**action.details(), **result}
    except (ReleaseError, GitError, LockError, ProcessError, OSError) as error:
        module.fail_json(
            msg=str(error),
            cause=getattr(error, "cause", "locked" if isinstance(error, LockError) else "error"),
            logs=getattr(error, "logs", []),
            holder=getattr(error, "holder", None),
            live=live_name(module.params),
        )
    for warning in action.warnings:
        module.warn(warning)
    module.exit_json(diff={key: result.pop(key) for key in ("before", "after")}, **result)


if __name__ == "__main__":
    main()
