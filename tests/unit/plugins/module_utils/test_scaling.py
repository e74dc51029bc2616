# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many instances a service may get, and what a person is told when it may get none."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils._scaling import saturated
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen


def ask(count: int, most: int | None, mode: str = "cluster_mode") -> dict[str, Any]:
    instances = [{"id": number, "exec_mode": mode} for number in range(count)]
    service = {"name": "api", "max_instances": most}
    return dict(saturated(Seen(service), Seen({"instances": instances}), "all are busy"))


@pytest.mark.parametrize(("count", "most", "target"), [(2, 6, "4"), (5, 6, "6"), (1, 2, "2")])
def test_two_more_within_what_is_allowed(count: int, most: int, target: str) -> None:
    found = ask(count, most)
    assert (found["rung"], found["target"]) == ("scale", target)
    assert (found["cause"], found["subject"]) == ("saturated", "api")
    assert "scale_back.yml" in found["advice"]


@pytest.mark.parametrize(
    ("count", "most", "mode", "advice"),
    [
        (6, 6, "cluster_mode", "add a host, or raise max_instances of api, which has the 6"),
        (1, 1, "cluster_mode", "raise max_instances of api, which has the 1 instance it may have"),
        (2, None, "cluster_mode", "max_instances in titan_services"),
        (1, 6, "fork_mode", "let api run in cluster mode"),
    ],
)
def test_no_more_are_allowed(count: int, most: int | None, mode: str, advice: str) -> None:
    found = ask(count, most, mode)
    assert (found["rung"], found["target"]) == ("", "")
    assert advice in found["advice"]


def test_one_in_fork_mode_is_enough_to_be_in_the_way() -> None:
    instances = [{"id": 0, "exec_mode": "cluster_mode"}, {"id": 1, "exec_mode": "fork_mode"}]
    service = Seen({"name": "api", "max_instances": 6})
    assert saturated(service, Seen({"instances": instances}), "all are busy")["rung"] == ""
