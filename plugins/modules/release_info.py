#!/usr/bin/python
# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module plugspace.titan.release_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_info
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: List the releases of an application, and plan a deployment
version_added: 0.1.0
description:
  - Reads which releases there are, whether each is complete, and which is live.
  - With O(ref) it also finds out what a deployment would bring, and everything that stands in its
    way. What it has to fetch for that goes into a temporary directory, which is removed.
extends_documentation_fragment:
  - plugspace.titan.attributes
  - plugspace.titan.attributes.info
  - plugspace.titan.release
  - plugspace.titan.release.repository
  - plugspace.titan.release.lock
options:
  ref:
    description: The branch, tag or commit to plan a deployment of.
    type: str
  now:
    description:
      - The time in the name of a new release, like V(20261123T101500Z), in UTC.
      - Give all hosts of a run the same one, and they get the same name.
    type: str
    default: ""
  min_free_mb:
    description: Megabytes that must be free on the disk after the release was prepared.
    type: int
    default: 500
  min_memory_mb:
    description: Megabytes of memory that must be available.
    type: int
    default: 256
  required_commands:
    description: Commands that must be on the PATH.
    type: list
    elements: str
    default: [git, node, npm]
  env_file:
    description: The environment file, one of the O(shared_paths).
    type: str
    default: .env
  env_example:
    description: The file of the release that names the variables it needs.
    type: str
    default: .env.example
  processes:
    description:
      - Also look at PM2, and whether its processes run the live release.
    type: dict
    suboptions:
      pm2_home:
        description: PM2's home. By default C(.pm2) in the home of the user that the task runs as.
        type: path
      ecosystem:
        description: The ecosystem file of the live release.
        type: path
        required: true
      probes:
        description: For each application its probe, as in M(plugspace.titan.pm2_app).
        type: dict
        default: {}
      commit_field:
        description: The field of a health report that names the commit; empty when there is none.
        type: str
        default: ""
seealso:
  - module: plugspace.titan.release
  - module: plugspace.titan.pm2_app
"""

EXAMPLES = r"""
- name: List the releases
  plugspace.titan.release_info:
    root: /home/plugspace/deploy
    path: /home/plugspace/plugspace

- name: Plan a deployment
  plugspace.titan.release_info:
    root: /home/plugspace/deploy
    path: /home/plugspace/plugspace
    repository: https://git.example.com/plugspace/plugspace.git
    ref: v1.4.0
  register: preflight

- name: See whether the processes run the live release
  plugspace.titan.release_info:
    root: /home/plugspace/deploy
    path: /home/plugspace/plugspace
    processes:
      ecosystem: /home/plugspace/plugspace/ecosystem.config.cjs
      probes:
        plugspace-api:
          type: http
          url: http://127.0.0.1:4000/api/health
      commit_field: commit
"""

RETURN = r"""
releases:
  description: The releases, newest first.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The name.
      type: str
      sample: 20261123T101500Z-a1b2c3d
    commit:
      description: The commit.
      type: str
      sample: a1b2c3d4e5f60718293a4b5c6d7e8f9012345678
    ref:
      description: The branch or tag that it was deployed as.
      type: str
      sample: v1.4.0
    subject:
      description: The first line of the commit's message.
      type: str
      sample: Answer faster
    status:
      description:
        - V(preparing), V(prepared), V(activating) (live, and not verified), V(active) (verified at
          least once) or V(failed).
      type: str
      sample: active
    created:
      description: When it was prepared.
      type: str
      sample: "2026-11-23T10:15:00Z"
    activated:
      description: When it was verified last.
      type: str
      sample: "2026-11-23T10:16:10Z"
    by:
      description: Who deployed it.
      type: str
      sample: alice@bastion
    current:
      description: Whether it is the live one.
      type: bool
    previous:
      description: Whether a rollback would return to it.
      type: bool
    complete:
      description: Whether it was prepared to the end and nothing of it is missing or changed.
      type: bool
    reason:
      description: Why it is not complete, or is marked as failed.
      type: str
      sample: ""
    migrations:
      description: The database migrations that it brings.
      type: list
      elements: str
      sample: [20260101000000_init]
    adopted:
      description: Whether it was a plain checkout.
      type: bool
    local_changes:
      description: The files of an adopted checkout that differ from its commit, as C(git status)
        tells.
      type: list
      elements: str
      sample: []
    directory:
      description: Where it is.
      type: str
      sample: /home/plugspace/deploy/releases/20261123T101500Z-a1b2c3d
current:
  description:
    - The live release, read from O(path); empty when there is none.
    - A plain checkout has an empty name.
  returned: always
  type: dict
previous:
  description: The release that a rollback would return to; empty when there is none.
  returned: always
  type: dict
live:
  description:
    - What O(path) is - V(absent), V(link), V(dangling), V(foreign_link), V(directory) (a release
      in place), V(checkout) or V(other).
  returned: always
  type: str
  sample: link
lock:
  description: Who holds the lock of the host; empty when nobody does.
  returned: always
  type: dict
  sample:
    user: alice
    host: bastion
    procedure: deploy
    since: "2026-11-23T10:15:00Z"
    age: 12
processes:
  description: What stands between PM2's processes and the live release.
  returned: when O(processes) is given
  type: dict
  contains:
    state:
      description: The state of PM2's daemon, as M(plugspace.titan.pm2_info) tells it.
      type: str
      sample: running
    workable:
      description: Whether PM2 can bring a release in - it is installed, and its daemon answers or
        can be started.
      type: bool
      sample: true
    problem:
      description: Why it is not workable, or why the processes cannot be told; else empty.
      type: str
      sample: ""
    actions:
      description: What has to be done so that every process runs the live release.
      type: list
      elements: str
      sample: ["Reload plugspace-api instance 1"]
plan:
  description: What a deployment of O(ref) would do.
  returned: when O(ref) is given
  type: dict
  contains:
    ref:
      description: The ref as it was given.
      type: str
      sample: v1.4.0
    commit:
      description: Its commit; empty when it was not found.
      type: str
      sample: a1b2c3d4e5f60718293a4b5c6d7e8f9012345678
    subject:
      description: The first line of the commit's message.
      type: str
      sample: Answer faster
    name:
      description: The release to prepare; that of this commit when there is one.
      type: str
      sample: 20261123T101500Z-a1b2c3d
    change:
      description: Whether there is anything to do; not when the commit is live, complete and
        verified.
      type: bool
    step_back:
      description: Whether live commits are missing in the ref.
      type: bool
    commits:
      description: The commits that go out, newest first, at most 200.
      type: list
      elements: dict
    taken_back:
      description: The live commits that are missing in the ref.
      type: list
      elements: dict
    migrations:
      description: The migrations that go out.
      type: list
      elements: str
    migrations_left:
      description: The migrations of the live commit that the ref does not know.
      type: list
      elements: str
    problems:
      description: Everything that stands in the way, in sentences.
      type: list
      elements: str
      sample: ["the release wants Node.js >=22, here is v20.11.0"]
    warnings:
      description: What is worth knowing before.
      type: list
      elements: str
      sample: []
"""

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.plugspace.titan.plugins.module_utils import _probe, _release_processes
from ansible_collections.plugspace.titan.plugins.module_utils._git import Git, GitError
from ansible_collections.plugspace.titan.plugins.module_utils._lock import HostLock, LockError
from ansible_collections.plugspace.titan.plugins.module_utils._lock_options import LOCK, run_of
from ansible_collections.plugspace.titan.plugins.module_utils._process import ProcessError
from ansible_collections.plugspace.titan.plugins.module_utils._redact import named_secrets
from ansible_collections.plugspace.titan.plugins.module_utils._release import ReleaseError, moment
from ansible_collections.plugspace.titan.plugins.module_utils._release_history import Advertised
from ansible_collections.plugspace.titan.plugins.module_utils._release_layout import CHECKOUT
from ansible_collections.plugspace.titan.plugins.module_utils._release_options import (
    LAYOUT,
    REPOSITORY,
    Spec,
    environment_of,
    remote_of,
    store_of,
)
from ansible_collections.plugspace.titan.plugins.module_utils._release_plan import (
    Preflight,
    Requirements,
)

ARGUMENTS: Spec = {
    **LAYOUT,
    **REPOSITORY,
    **LOCK,
    "ref": {"type": "str"},
    "now": {"type": "str", "default": ""},
    "min_free_mb": {"type": "int", "default": 500},
    "min_memory_mb": {"type": "int", "default": 256},
    "required_commands": {
        "type": "list",
        "elements": "str",
        "default": ["git", "node", "npm"],
    },
    "env_file": {"type": "str", "default": ".env"},
    "env_example": {"type": "str", "default": ".env.example"},
    "processes": {"type": "dict", "options": _release_processes.OPTIONS},
}


def look(params: Mapping[str, Any], git: Git) -> dict[str, object]:
    """Everything that the module tells."""
    advertised = Advertised(git, params["ref"]) if params["ref"] else None
    store = store_of(params, git)
    entries = store.entries()
    shown = [entry.shown() for entry in entries.values()]
    shown.sort(key=lambda release: (release["created"], release["name"]), reverse=True)
    lock = HostLock(store.layout.lock, run_of(params), params["lock_max_age"])
    held, foreign = lock.holder(), lock.foreign()
    needs = Requirements(
        params["min_free_mb"],
        params["min_memory_mb"],
        params["required_commands"],
        params["env_file"],
        params["env_example"],
        params["migrations_path"],
        environment_of(params),
    )
    preflight = Preflight(store, needs, entries)
    live = store.layout.live()
    current = next((release for release in shown if release["current"]), {})
    if live.kind == CHECKOUT:
        current = store.unmanaged(params["migrations_path"])
    result: dict[str, object] = {
        "releases": shown,
        "current": current,
        "previous": next((release for release in shown if release["previous"]), {}),
        "live": live.kind,
        "lock": held.shown(time.time()) if held else {},
    }
    if params["processes"]:
        # Meanwhile the repository answers.
        managed = str(current["commit"]) if current.get("name") else ""
        result["processes"] = _release_processes.look(params["processes"], managed)
    if advertised is not None:
        plan = preflight.plan(params["ref"], moment(params["now"]), advertised)
        if foreign is not None:
            plan.warnings.append(f"the lock is held by {foreign.told(time.time())}")
        result["plan"] = asdict(plan)
    return result


def main() -> None:
    """Look, tell."""
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        mutually_exclusive=[("key", "key_file"), ("key", "token"), ("key_file", "token")],
        supports_check_mode=True,
    )
    remote = remote_of(module.params)
    # What came inside of a URL, the environment or a probe is not covered by no_log.
    module.no_log_values.update(
        remote.secrets,
        named_secrets(module.params["environment"]),
        _probe.secrets_of((module.params["processes"] or {}).get("probes")),
    )
    try:
        with Git(remote, module.params["git_timeout"], environment_of(module.params)) as git:
            result = look(module.params, git)
    except (ReleaseError, GitError, LockError, ProcessError, OSError) as error:
        module.fail_json(msg=str(error), cause=getattr(error, "cause", "error"), logs=[])
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
