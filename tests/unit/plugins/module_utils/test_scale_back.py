# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the instances of services to whether they are still needed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.plugspace.titan.plugins.filter.diagnose_scaling import FilterModule
from ansible_collections.plugspace.titan.plugins.filter.scaling_report import (
    FilterModule as ReportFilter,
)
from ansible_collections.plugspace.titan.plugins.module_utils._scale_back import (
    diagnose_scaling,
    scaling_report,
)

from .cpu_samples import API, scaled, use, well
from .strange import ANYTHING, parts, replaced


def observed(**changes: Any) -> dict[str, Any]:
    """The API has four instances, of which its file says two."""
    seen = well()
    scaled(seen, 5.0)
    return {
        "services": ["plugspace-api", "plugspace-voice"],
        "declared": {"plugspace-api": 2, "plugspace-voice": 1},
        "busy_percent": 50,
        "pm2": seen["pm2"],
        "host": seen["host"],
        "errors": {},
        **changes,
    }


def test_what_is_not_needed_goes_back() -> None:
    found = diagnose_scaling(observed())
    assert [(one["cause"], one["subject"], one["rung"], one["target"]) for one in found] == [
        ("scaled_up", "plugspace-api", "scale", "2")
    ]
    assert found[0]["evidence"] == (
        "plugspace-api has 4 instances, which use 10 % of a processor; 2 can carry that"
    )
    assert scaling_report(observed())["remark"] == ""


def test_one_may_be_all_that_is_declared() -> None:
    seen = observed(declared={"plugspace-api": 1, "plugspace-voice": 1})
    assert [one["target"] for one in diagnose_scaling(seen)] == ["1"]


# Of two together, whatever the one that was added last does.
@pytest.mark.parametrize(
    ("percent", "limit", "goes_back"),
    [
        (44.0, 50, True),
        (45.0, 50, False),
        (45.0, 51, True),
        (44.0, None, True),
        (45.0, None, False),
    ],
)
def test_the_site_says_how_busy_the_declared_ones_may_be(
    percent: float, limit: int | None, goes_back: bool
) -> None:
    seen = observed(busy_percent=limit)
    use(seen, dict.fromkeys(API.values(), percent))
    assert bool(diagnose_scaling(seen)) is goes_back
    assert bool(scaling_report(seen)["remark"]) is not goes_back


def test_what_is_needed_stays() -> None:
    seen = observed()
    use(seen, dict.fromkeys(API.values(), 45.0))
    assert diagnose_scaling(seen) == []
    assert scaling_report(seen)["remark"] == (
        "plugspace-api needs its 4 instances: they use 100 % of a processor, and 2 should have no"
        " more than 100 %"
    )


@pytest.mark.parametrize("services", [[], ["plugspace-voice"], ["nosuch"]])
def test_others_are_not_looked_at(services: list[str]) -> None:
    assert diagnose_scaling(observed(services=services)) == []


@pytest.mark.parametrize("declared", [4, 8])
def test_as_many_as_declared_or_fewer_are_left_alone(declared: int) -> None:
    seen = observed(declared={"plugspace-api": declared, "plugspace-voice": 1})
    assert diagnose_scaling(seen) == []
    assert scaling_report(seen)["remark"] == ""


@pytest.mark.parametrize("declared", [{}, {"plugspace-api": 0}, {"plugspace-api": -2}, None])
def test_nobody_knows_how_many(declared: Any) -> None:
    seen = observed(
        declared=declared, services=["plugspace-api"], errors={"declared": "there is no file"}
    )
    found = diagnose_scaling(seen)
    assert [(one["cause"], one["rung"]) for one in found] == [("unknown", "")]
    assert "there is no file" in found[0]["evidence"]
    assert scaling_report(seen)["remark"] == ""
    assert found[0]["advice"]


@pytest.mark.parametrize(
    ("host", "errors", "evidence"),
    [
        (None, {"host": "no answer within 8 s"}, "no answer within 8 s"),
        ({"errors": {"processes": "it is late"}}, {}, "it is late"),
    ],
)
def test_nobody_knows_what_they_do(host: Any, errors: Any, evidence: str) -> None:
    found = diagnose_scaling(observed(host=host, errors=errors))
    assert [one["cause"] for one in found] == ["unknown"]
    assert evidence in found[0]["evidence"]


def test_shown_in_a_line_each() -> None:
    lines = scaling_report(observed())["lines"]
    assert lines["plugspace-voice"] == "1 instance: instance 2 (pid 1930) uses 0 %"
    assert lines["plugspace-api"].startswith("4 instances: instance 0 (pid 1850) uses 0 %, ")


def test_the_filters() -> None:
    assert len(FilterModule().filters()["diagnose_scaling"](observed())) == 1
    assert ReportFilter().filters()["scaling_report"](observed())["remark"] == ""


@given(st.sampled_from(parts(observed())), ANYTHING)
def test_any_part_may_be_anything(path: tuple[Any, ...], value: object) -> None:
    seen = replaced(observed(), path, value)
    for one in diagnose_scaling(seen):
        assert one["evidence"]
    scaling_report(seen)
