# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup that masks the result of a procedure, in a real play."""

from __future__ import annotations

from pathlib import Path

import real_play
from record_samples import result

# Of a vault that nobody can open: to read its value is an error.
SEALED = """
          $ANSIBLE_VAULT;1.1;AES256
          33363965326261303839626134393461396461353634393962363936393533336634353364633633
"""
PLAY = f"""
- hosts: localhost
  gather_facts: false
  vars:
    vault_redis: from-the-vault
    titan_redis_password: "{{{{ vault_redis }}}}"
    titan_other_password: "{{{{ vault_that_is_not_there }}}}"
    titan_sealed_password: !vault |{SEALED}
    titan_word_password: plugspace-api
    titan_short_password: ab
  tasks:
    - ansible.builtin.set_stats:
        data:
          made: "{{{{ lookup('plugspace.titan.masked_result', told) }}}}"
"""


def test_a_result_is_masked_and_still_found_by_its_names(tmp_path: Path) -> None:
    quoted = {"log": "redis://:from-the-vault@titan1 refused plugspace-api, ab"}
    stats, said = real_play.run(
        PLAY, tmp_path, told=result(before=quoted, summary="from-the-vault")
    )
    made = stats["made"]
    assert made["before"] == {"log": "redis://********@titan1 refused ********, ab"}
    assert made["summary"] == "********"
    # A secret may be a word that is none elsewhere.
    assert (made["subject"], made["host"], made["outcome"]) == ("plugspace-api", "titan1", "healed")
    assert made["seconds"] == 6.2
    assert [one["helped"] for one in made["rungs"]] == [False, True]
    assert "not complete" not in said
