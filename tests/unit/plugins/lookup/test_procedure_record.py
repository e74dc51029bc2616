# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup of a procedure's record, in a real play."""

from __future__ import annotations

from pathlib import Path

import real_play
from record_samples import result

PLAY = """
- hosts: localhost
  gather_facts: false
  vars:
    vault_redis: from-the-vault
    titan_redis_password: "{{ vault_redis }}"
    nested: {api: {token: from-the-api}}
    # Not a setting, and its key is no secret.
    escalate_outcome: {results: [{escalation: {key: site/service/titan1}}]}
  tasks:
    - ansible.builtin.set_stats:
        data:
          made: >-
            {{ lookup('plugspace.titan.procedure_record', __results, procedure='service_down') }}
"""


def test_it_tells_who_ran_it_and_no_secret(tmp_path: Path) -> None:
    told = result(
        summary="from-the-vault and from-the-api", escalation={"key": "site/service/titan1"}
    )
    stats, _said = real_play.run(
        PLAY, tmp_path, __results=[told], awx_user_name="ann", awx_job_id=7
    )
    made = stats["made"]
    assert (made["procedure"], made["outcome"]) == ("service_down", "healed")
    assert made["by"] == "ann by way of AWX, job 7"
    assert made["controller"]
    (one,) = made["results"]
    assert one["summary"] == "******** and ********"
    assert one["escalation"] == {"key": "site/service/titan1"}
