"""A service that is given more instances while it needs them, and goes back: nobody notices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.application import traffic
from support.cpu_faults import EQUAL, LOAD, PLAIN_LOAD, cpu, instances
from support.hosts import ssh
from support.incidents import EAGER, Seen, nothing_left, procedure
from support.service_faults import API


def scale_back(*arguments: str, **options: Any) -> Seen:
    return procedure(
        "scale_back", "scale_back", *arguments, **{**EAGER, "hosts": "titan1", **options}
    )


@pytest.fixture
def mended() -> Iterator[None]:
    """What a test that failed leaves does not disturb the next one."""
    yield
    ssh("titan1", f"rm -f {LOAD}; {EQUAL}; pm2 -s scale {API} 2 && pm2 -s save; true")


@pytest.mark.usefixtures("mended")
def test_plain_load_is_scaled_up_for_and_back_afterwards() -> None:
    ssh("titan1", PLAIN_LOAD, timeout=120)
    with traffic("titan1", threads=2) as visitors:
        # As many as the site permits are there already.
        full = cpu(hosts="titan1", services=[{"name": API, "max_instances": 2}])
        result = full.results["titan1"]
        assert (result["cause"], result["outcome"]) == ("saturated", "unhealed"), result
        assert f"raise max_instances of {API}, which has the 2 instances" in result["summary"]
        assert (result["rungs"], instances()) == ([], 2)

        plan = cpu("--check", hosts="titan1")
        rungs = [(one["rung"], one["target"]) for one in plan.results["titan1"]["rungs"]]
        assert (rungs[:1], plan.run.changed, instances()) == ([("scale", "4")], 0, 2), plan.results
        up = cpu(hosts="titan1")
        result = up.results["titan1"]
        assert (result["cause"], result["outcome"]) == ("saturated", "healed"), result
        assert [(one["rung"], one["target"]) for one in result["rungs"]] == [("scale", "4")]
        assert "scale_back.yml" in result["advice"]
        assert instances() == 4
        assert ssh("titan1", "jq length ~/.pm2/dump.pm2") == "5\n"

        needed = scale_back(busy_percent=10)
        assert needed.results["titan1"]["outcome"] == "well", needed.results
        assert "needs its 4 instances" in needed.results["titan1"]["summary"]
        assert needed.run.changed == 0

        ssh("titan1", f"rm {LOAD}")
        planned = scale_back("--check", service=API)
        assert planned.results["titan1"]["outcome"] == "planned", planned.results
        assert planned.results["titan1"]["subject"] == f"the number of instances of {API}"
        assert (planned.run.changed, instances()) == (0, 4)
        back = scale_back()
        assert back.results["titan1"]["outcome"] == "healed", back.results
        assert back.results["titan1"]["cause"] == "scaled_up"
        assert instances() == 2
        assert ssh("titan1", "jq length ~/.pm2/dump.pm2") == "3\n"
    assert visitors.total > 20
    assert visitors.failures == []
    again = scale_back()
    nothing_left(again)
    assert again.results["titan1"]["subject"] == "the number of instances"

    # Too many instances harm nobody, so nobody is called when it is too soon.
    ssh("titan1", f"pm2 -s scale {API} 3")
    soon = scale_back(cooldown=600).results["titan1"]
    assert (soon["outcome"], soon["escalation"]["page"]) == ("refused", False), soon
    assert instances() == 3
