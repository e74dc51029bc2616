"""A service that is slow: the real fault, the least that helps, and the proof by a visitor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.hosts import inventory, ssh
from support.incidents import EAGER, Fault, Seen, cure_all, heal, nothing_left, procedure
from support.latency_faults import (
    AS_BEFORE,
    BROKEN_ROUTE,
    DROP,
    END,
    FAULTS,
    FORGET,
    LONG,
    LONG_OPERATION,
    QUIET,
    RESET,
    RUNS,
    UNLOAD,
    VISIT,
    WAIT_IN_LINE,
    detached,
)

# As many instances as the site may permit.
SERVICES = [{**service, "max_instances": 4} for service in inventory()["titan1"]["titan_services"]]


def slow(*arguments: str, **options: Any) -> Seen:
    # The application gives up after two seconds, so what is slow has to be well below.
    inputs = {**EAGER, "services": SERVICES, "operation_s": 3, "answer_ms": 600, **options}
    return procedure("high_response_time", "high_response_time", *arguments, **inputs)


def visited(host: str) -> None:
    """Visitors are served, each within a second."""
    visit = f"{VISIT}/api/health -f -w '%{{time_total}}\\n'"
    for took in ssh(host, f"for one in 1 2 3 4 5 6; do {visit}; done").split():
        assert float(took) < 1


@pytest.fixture
def mended() -> Iterator[None]:
    """What a test leaves does not make the next one slow."""
    yield
    cure_all([BROKEN_ROUTE], UNLOAD, END, FORGET, RESET, AS_BEFORE, QUIET)
    ssh("titan1", DROP)


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize(
    "batch", FAULTS, ids=[" / ".join(fault.name for fault in batch) for batch in FAULTS]
)
def test_faults(batch: tuple[Fault, ...]) -> None:
    heal(slow, batch, visited)


@pytest.mark.usefixtures("mended")
def test_routes_are_told_that_were_slow_for_no_reason_that_is_seen() -> None:
    ssh("titan2", f"{QUIET}; {FORGET}; {WAIT_IN_LINE}; {FORGET}; {VISIT}/api/health")
    (planned, told) = (slow(*check, hosts="titan2") for check in (["--check"], []))
    for seen in (planned, told):
        result = seen.results["titan2"]
        assert result["cause"] == "slow_route", result
        assert result["rungs"] == []
        assert "/api/items/titan-held-titan2" in result["summary"], result
        assert seen.run.changed == 0
    assert (planned.run.code == 0, told.run.code == 0) == (True, False)


@pytest.mark.usefixtures("mended")
def test_an_operation_is_ended_when_it_is_named() -> None:
    ssh("titan1", f"{LONG_OPERATION.inject}; {detached(LONG)}; sleep 4")
    asked = slow("--check", hosts="titan1").results["titan1"]
    both = [one for one in asked["findings"] if one["cause"] == "slow_operation"]
    assert len(both) == 2, asked
    found, other = both
    # The plan says what has to be named.
    named = f"-e high_response_time_confirm={found['target']}"
    assert named in asked["summary"], asked
    ssh("titan1", RUNS)
    wrong = slow(hosts="titan1", confirm="1").results["titan1"]
    assert (wrong["outcome"], wrong["rungs"]) == ("unhealed", []), wrong
    ssh("titan1", RUNS)
    # The probes are quick all the time, and the other one goes on.
    half = slow(hosts="titan1", confirm=found["target"]).results["titan1"]
    assert [rung["target"] for rung in half["rungs"]] == [found["target"]]
    assert half["outcome"] == "unhealed", half
    assert f"operation {other['target']} " in half["summary"], half
    ssh("titan1", RUNS)
    given = slow(hosts="titan1", confirm=other["target"]).results["titan1"]
    assert [rung["rung"] for rung in given["rungs"]] == ["kill_operation"]
    assert given["outcome"] == "healed", given
    # What the log remembers proves nothing.
    assert "requests" in given["before"]
    assert "requests" not in given["after"]
    assert given["after"]["answer"].startswith("good within "), given
    ssh("titan1", f"! {RUNS}")
    visited("titan1")
    # What visitors waited for is in the logs for five minutes.
    ssh("titan1", f"{FORGET}; {QUIET}")
    nothing_left(slow(hosts="titan1", confirm=other["target"]))
