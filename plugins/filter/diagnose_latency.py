# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugspace.titan.diagnose_latency."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_latency import (
    diagnose_latency,
)

DOCUMENTATION = r"""
name: diagnose_latency
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Say why a service answers slowly
version_added: 0.1.0
description:
  - Takes what was observed on one host and returns all causes, the one that explains most first -
    Redis that is blocked, errors instead of answers, a slow instance, operations and queries of
    MongoDB, commands of Redis, processors, routes.
  - It is slow when 95 % of the requests in the access log did not stay within the limit, or when a
    probe did not. After something was done, V(settled), the log still tells of before, so probes
    count, and operations of MongoDB that still run.
  - A part that was not observed, or that failed, blames nobody. Of a query only its shape is shown.
options:
  _input:
    description:
      - V(limits) holds V(answer_ms), within which 95 % of the answers have to come (1000),
        V(operation_s), from which on a running operation of MongoDB is slow (10), and V(since_s),
        how many seconds back Redis' slow log counts (300).
      - V(service) is the service as in C(titan_services), with V(name) and V(max_instances).
      - V(answer) and V(site) are rows of M(plugspace.titan.service_probe) for it and for the site,
        with a time limit of V(answer_ms).
      - V(access_log), V(instances), V(slow_queries), V(pm2), V(host), V(redis), V(mongodb) and
        V(healed) are those of M(plugspace.titan.evidence_info); V(mongodb) with a login, V(redis)
        with a slow log, V(host) with the use of processors.
      - V(nginx_unit) is the unit of nginx, of which V(host) tells the state.
      - V(confirmed) is what a person has named, V(settled) whether something was done before.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Say what makes it slow
  ansible.builtin.debug:
    msg: "{{ observed | plugspace.titan.diagnose_latency | map(attribute='evidence') | list }}"
"""

RETURN = r"""
_value:
  description:
    - The findings; none when the service is quick.
    - V(cause) is a word for programs, V(subject) what is ill, V(evidence) one line for a person,
      V(confidence) one of V(certain), V(likely) and V(possible).
    - V(rung) is the rung of the ladder that helps and V(target) what it acts on. Where V(rung) is
      empty, V(advice) says what a person must do.
    - V(restart_instances) for V(slow_instance); the target is the ids of the instances that are
      slow while their siblings are quick.
    - V(reload_unit) for V(uneven), slow instances that are busy while their siblings are idle; the
      target is the unit of nginx, whose kept connections stay with them.
    - V(kill_operation) for V(slow_operation); the target is its number. It is destructive, a person
      names the target.
    - V(scale) for V(saturated), as far as the site permits; the target is how many instances there
      shall be.
    - No rung for V(missing_index), V(redis_slow), V(redis_blocked), V(upstream_errors),
      V(processors_busy) and V(slow_route).
  type: list
  elements: dict
  sample:
    - cause: slow_instance
      subject: plugspace-api
      evidence: instance 1 takes 1502 ms or more for an answer, while the others answer within 4 ms
      confidence: certain
      rung: restart_instances
      target: "1"
      advice: what made it slow stands in its log, or in what it was asked for
"""


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"diagnose_latency": diagnose_latency}
