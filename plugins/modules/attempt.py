#!/usr/bin/python
# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module plugspace.titan.attempt."""

from __future__ import annotations

DOCUMENTATION = r"""
module: attempt
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Remember on a host what a procedure tried there, and refuse to try too often
version_added: 0.1.0
description:
  - An alert that starts a procedure again and again runs into a cooldown and a maximum, and a
    person is called instead.
  - A refusal is an answer, RV(allowed), not a failure of the module.
  - A file that is damaged or cannot be read counts as a refusal, since nobody knows then what was
    tried.
  - Two runs at once do not lose each other's notes.
extends_documentation_fragment:
  - plugspace.titan.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
options:
  path:
    description: The file that remembers. Its directory is made if there is none.
    type: path
    required: true
  procedure:
    description: The procedure, whose attempts count together whatever their cause.
    type: str
    required: true
  state:
    description: V(begun) notes an attempt if it is allowed, V(ended) notes how it ended.
    type: str
    choices: [begun, ended]
    default: begun
  cause:
    description: Why it is tried, for the next one who looks.
    type: str
    default: ""
  outcome:
    description: With O(state=ended), how it ended.
    type: str
    default: ""
  cooldown:
    description: Seconds that have to pass after an attempt.
    type: float
    default: 300
  maximum:
    description: Attempts that are allowed within O(window).
    type: int
    default: 3
  window:
    description: The seconds in which O(maximum) counts.
    type: float
    default: 3600
  override:
    description:
      - Whether a person who knows what was tried goes on all the same.
      - It is noted like any attempt; a damaged file is put aside.
    type: bool
    default: false
  run:
    description: The value of the lookup P(plugspace.titan.run_identity#lookup).
    type: dict
    required: true
seealso:
  - module: plugspace.titan.lock
"""

EXAMPLES = r"""
- name: See whether it may be tried again
  plugspace.titan.attempt:
    path: /var/lib/titan/attempts.json
    procedure: service_down
    cause: crashing
    run: "{{ lookup('plugspace.titan.run_identity') }}"
  register: attempt

- name: Note how it ended
  plugspace.titan.attempt:
    path: /var/lib/titan/attempts.json
    procedure: service_down
    state: ended
    outcome: healed
    run: "{{ lookup('plugspace.titan.run_identity') }}"
  when: attempt.allowed
"""

RETURN = r"""
allowed:
  description: Whether the procedure may go on.
  returned: with O(state=begun)
  type: bool
  sample: false
reason:
  description: Why not, or what was overridden; else empty.
  returned: with O(state=begun)
  type: str
  sample: service_down was tried 3 times here in the last 1 h, and 3 is the most
wait:
  description: Seconds until it may be tried again; 0 when nobody knows.
  returned: with O(state=begun)
  type: float
  sample: 1260.5
"""

from dataclasses import asdict

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.plugspace.titan.plugins.module_utils._attempts import (
    Attempts,
    AttemptsError,
    Policy,
    Verdict,
)
from ansible_collections.plugspace.titan.plugins.module_utils._guard import GuardError
from ansible_collections.plugspace.titan.plugins.module_utils._identity import Run


def note(module: AnsibleModule) -> dict[str, object]:
    """Note the beginning or the end, or in check mode only judge."""
    params = module.params
    run = Run.from_dict(params["run"])
    attempts = Attempts(params["path"])
    if params["state"] == "ended":
        if module.check_mode:
            return {"changed": False}
        return {"changed": attempts.end(params["procedure"], run.id, params["outcome"])}
    policy = Policy(params["cooldown"], params["maximum"], params["window"])
    if module.check_mode:
        verdict = attempts.judge(params["procedure"], policy)
        if params["override"] and not verdict.allowed:
            verdict = Verdict(True, f"{verdict.reason}; overridden")
    else:
        by = f"{run.user}@{run.host}"
        verdict = attempts.begin(
            params["procedure"], params["cause"], run.id, by, policy, params["override"]
        )
    return {"changed": verdict.allowed, **asdict(verdict)}


def main() -> None:
    """Note it, tell."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "procedure": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["begun", "ended"], "default": "begun"},
            "cause": {"type": "str", "default": ""},
            "outcome": {"type": "str", "default": ""},
            "cooldown": {"type": "float", "default": 300},
            "maximum": {"type": "int", "default": 3},
            "window": {"type": "float", "default": 3600},
            "override": {"type": "bool", "default": False},
            "run": {"type": "dict", "required": True},
        },
        supports_check_mode=True,
    )
    if module.params["maximum"] < 1 or min(module.params["cooldown"], module.params["window"]) < 0:
        module.fail_json(msg="maximum is at least 1, and cooldown and window are not negative")
    try:
        result = note(module)
    except (AttemptsError, GuardError, OSError, ValueError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
