#!/usr/bin/python

# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start, stop, restart, reload and remove applications under PM2."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pm2_app
short_description: Manage applications under PM2, and believe only what was seen
version_added: 0.1.0
author:
  - The plugspace.titan maintainers (@plugspace)
description:
  - Brings the applications of an ecosystem file, or one that is described by options, into a state.
  - After each step the new process has to stay up and to answer its probe. The first one that does
    not stops the module, and the instances that were not touched yet keep running.
  - Differences of a running process from its definition are put right, namely in working directory,
    script, arguments, mode, options and environment, variables that were removed included.
extends_documentation_fragment:
  - plugspace.titan.attributes
  - plugspace.titan.pm2
  - plugspace.titan.probe
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  name:
    description:
      - The application. Needed without O(ecosystem).
      - With O(ecosystem), only this application of the file is looked at.
    type: str
  ecosystem:
    description:
      - The absolute path of an ecosystem file (V(.js), V(.cjs), V(.mjs), V(.json), V(.yaml)).
      - Without O(name), all of its applications are taken in the order of the file.
      - Name the file by way of the link when releases are switched by a link. PM2 then remembers
        the link, and a process that remembers a single release instead is replaced.
      - The file is evaluated as code. Keep it where only its owner writes.
    type: path
  script:
    description: The program to run, when there is no ecosystem file.
    type: path
  cwd:
    description: The working directory of O(script).
    type: path
  interpreter:
    description: The program that runs O(script). V(none) for a binary.
    type: str
  args:
    description: The arguments of O(script).
    type: list
    elements: str
  exec_mode:
    description: In V(cluster) mode the instances share one port, and a reload loses no request.
    type: str
    choices: [fork, cluster]
  env:
    description:
      - Variables of the application. With O(ecosystem) they are laid over those of the file.
      - An application gets these and C(PATH), C(HOME), C(USER), C(LANG) and C(PM2_HOME), nothing
        else of the environment in which the task runs.
    type: dict
    default: {}
  env_name:
    description: Also take the section C(env_<name>) of the ecosystem file.
    type: str
  instances:
    description:
      - How many processes the application has, as a number or V(max). The same number is no change.
      - With a sign, as in V(+2) or V(-1), relative to what runs now. That is not idempotent.
      - V(keep) leaves as many as there are, and adds what is missing to the number of the
        definition. So an application that was scaled up stays so.
      - Instances with the highest ids are removed first, and one always remains.
    type: str
  ids:
    description:
      - With V(reloaded) or V(restarted), only these processes of the application, by PM2's ids.
        The others are left alone.
      - The ids are those that M(plugspace.titan.pm2_info) returns. One that is gone is passed over.
    type: list
    elements: int
  state:
    description:
      - V(started) starts what does not run and leaves the rest alone.
      - V(reloaded) replaces the processes without an interruption in cluster mode. A further
        instance of each application is started first, and only when all of them stay up and answer,
        the others follow, one at a time. In fork mode a reload is a restart, with a short
        interruption.
      - With O(expect) or O(sealed), V(reloaded) leaves instances alone that answer as expected
        already. Where
        the probe is not of type V(http), an instance counts as such when it works in the directory
        that is at its C(cwd) now, provided that O(sealed) or a link tells that nothing changes
        in it.
      - V(restarted) restarts every process, one at a time.
      - V(stopped) and V(absent) stop the processes, and remove them from PM2.
    type: str
    choices: [started, stopped, restarted, reloaded, absent]
    default: started
  probes:
    description:
      - The probes of several applications, a mapping from the name of an application to the
        suboptions of O(probe).
    type: dict
    default: {}
  expect:
    description:
      - What the JSON answer of every V(http) probe has to say in addition to its own
        O(probe.expect), for example the commit that shall run.
    type: dict
    default: {}
  min_uptime:
    description: Seconds that a new process has to stay up.
    type: float
    default: 2.0
  sealed:
    description:
      - Nothing changes in the directory of an application while it is there, as with the releases
        of M(plugspace.titan.release). A process that works in it runs what is in it, then.
      - A directory that is reached by a link counts as sealed without this.
    type: bool
    default: false
  prune:
    description:
      - Whether an application that O(probes) names and O(ecosystem) has not is ended, after the
        others have come up. So a release ends a service that another one brought.
      - Otherwise such a name is an error, and so it is when O(ecosystem) brings an application that
        O(probes) lacks, which looks like one that was renamed. Applications that neither names are
        left alone.
    type: bool
    default: false
  save:
    description:
      - Save PM2's list, from which it starts the applications at boot, when it says something else
        than what runs.
      - The list holds every secret of the applications. It is made readable for its owner alone.
    type: bool
    default: false
  flush:
    description: Empty the log files of the applications.
    type: bool
    default: false
  lock_wait:
    description: Seconds to wait for another reload under the same PM2_HOME.
    type: float
    default: 60.0
  mask_env_files:
    description: Environment files whose values are replaced in returned log lines.
    type: list
    elements: path
    default: []
  mask:
    description: Further values that are replaced in returned log lines.
    type: list
    elements: str
    default: []
seealso:
  - module: plugspace.titan.pm2_info
  - module: plugspace.titan.service_probe
"""

EXAMPLES = r"""
- name: Reload the whole platform behind its gate, and prove the commit
  plugspace.titan.pm2_app:
    ecosystem: /home/plugspace/plugspace/ecosystem.config.cjs
    state: reloaded
    probes:
      plugspace-api:
        url: http://127.0.0.1:4000/api/health
        pid_field: pid
      plugspace-voice:
        type: websocket
        url: ws://127.0.0.1:4001/
    expect:
      commit: 0f3c2a8d4f9b6a1e7c5d2b8a9f0e1d2c3b4a5968
    save: true

- name: Restart one application
  plugspace.titan.pm2_app:
    name: plugspace-api
    state: restarted
    probe:
      url: http://127.0.0.1:4000/api/health
  become: true
  become_user: plugspace

- name: Replace the one worker that hangs
  plugspace.titan.pm2_app:
    name: plugspace-api
    state: restarted
    ids: [1]
    probe:
      url: http://127.0.0.1:4000/api/health
      pid_field: pid

- name: Two more workers for the evening
  plugspace.titan.pm2_app:
    name: plugspace-api
    instances: "+2"

- name: A worker without an ecosystem file
  plugspace.titan.pm2_app:
    name: mailer
    script: /home/plugspace/mailer/index.js
    cwd: /home/plugspace/mailer
    env:
      NODE_ENV: production
"""

RETURN = r"""
apps:
  description:
    - The applications of the call, before and after. Either is null when PM2 does not have it then.
    - The contents are those of RV(plugspace.titan.pm2_info#module:apps).
    - V(wanted) is how many instances it shall have.
  returned: always
  type: list
  elements: dict
  sample:
    - name: plugspace-api
      wanted: 2
      before: {name: plugspace-api, verdict: stopped, reason: all 2 instances are stopped}
      after: {name: plugspace-api, verdict: online, reason: null}
actions:
  description: What was done, or would be done in check mode, as sentences in order.
  returned: always
  type: list
  elements: str
  sample:
    - "Tried plugspace-api in a further instance 2: it passed"
    - Reloaded plugspace-api instance 0
    - Reloaded plugspace-api instance 1
    - Deleted plugspace-api instance 2
timings:
  description: Seconds spent on waiting for processes to prove themselves, and on all the rest.
  returned: always
  type: dict
  sample:
    gate: 4.21
    pm2: 1.34
failed_app:
  description: The application that did not come up.
  returned: when an application did not come up
  type: str
  sample: plugspace-api
failed_instance:
  description: The id of the process that did not come up.
  returned: when an application did not come up
  type: int
  sample: 2
cause:
  description:
    - Why the module failed. V(exited) (crashed), V(hung) (up, never answered), V(unhealthy)
      (answered wrongly), V(foreign) (another process answers on its port, or the PM2 is another
      user's), V(timeout), V(vanished), V(locked) (another reload runs), V(refused) (by PM2) or
      V(error).
    - The daemon itself can be V(absent), V(stale) or V(hung).
  returned: on failure
  type: str
  sample: exited
logs:
  description: The last log lines that the failed process wrote since the module began, masked.
  returned: when an application did not come up
  type: list
  elements: str
  sample:
    - "Error: Cannot find module 'express'"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.plugspace.titan.plugins.module_utils import _probe
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_client import Pm2Error
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_run import ARGUMENT_SPEC, Run


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        supports_check_mode=True,
        required_one_of=[("name", "ecosystem")],
        mutually_exclusive=[("ecosystem", "script"), ("probe", "probes")],
        required_by={"cwd": "script", "interpreter": "script", "args": "script"},
    )
    # The headers of probes by name are not covered by no_log.
    module.no_log_values.update(_probe.secrets_of(module.params["probes"]))
    run = Run(module.params, module.check_mode)
    try:
        run.execute()
    except (Pm2Error, _probe.ProbeError, OSError) as error:
        cause = getattr(error, "cause", "error")
        module.fail_json(**{"cause": cause, **run.result, "msg": str(error)})
    for warning in run.warnings:
        module.warn(warning)
    module.exit_json(**run.result)


if __name__ == "__main__":
    main()
