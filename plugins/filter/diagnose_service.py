# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.diagnose_service."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_service import (
    diagnose_service,
)

DOCUMENTATION = r"""
name: diagnose_service
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Say why a service under PM2 does not answer
version_added: 0.1.0
description:
  - Takes what was observed on one host and returns all causes, the one that explains most first -
    disk, PM2, release, dependencies, port, processes, and nginx in front of them.
  - A part that was not observed, or that failed, blames nobody.
options:
  _input:
    description:
      - V(service) holds name, port, path, root and depends_on.
      - V(answer) and V(site) are a row of M(plugspace.titan.service_probe) each, from the service
        itself and through nginx.
      - V(pm2), V(release), V(host), V(redis) and V(mongodb) are the results of their modules,
        V(pm2) with log lines.
      - V(dependency_units) names the systemd unit of each dependency and V(dependency_hosts) the
        host that it is on. A unit is started only where that is this host, by an address of its own
        such as V(127.0.0.1) or one of V(own_names).
      - V(others) are the names of the services that PM2 runs as well, and V(other_answers) rows of
        M(plugspace.titan.service_probe) with these names. PM2's daemon that hangs is replaced only
        when none of them answers, or when V(named) is V(PM2). Where it is dead and PM2 is started,
        the evidence says which of them answered, since they are gone for a moment.
      - V(nginx) holds its unit, and ok and output of its configuration test; V(edge) are the hosts
        that nginx runs on.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Say what is wrong
  ansible.builtin.debug:
    msg: "{{ observed | plugspace.titan.diagnose_service | map(attribute='evidence') | list }}"
"""

RETURN = r"""
_value:
  description:
    - The findings; none when the service is well.
    - V(cause) is a word for programs, V(subject) what is ill, V(evidence) one line for a person,
      V(confidence) one of V(certain), V(likely) and V(possible).
    - V(rung) is the rung of the ladder that helps and V(target) what it acts on. Where V(rung) is
      empty, V(advice) says what a person must do.
  type: list
  elements: dict
  sample:
    - cause: port_held_by_stranger
      subject: plugspace-api
      evidence: port 4000 is held by nc (pid 77, user bob), which is not of plugspace-api
      confidence: certain
      rung: ""
      target: ""
      advice: end nc (pid 77, user bob) or give one of them another port; a restart cannot help
"""


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"diagnose_service": diagnose_service}
