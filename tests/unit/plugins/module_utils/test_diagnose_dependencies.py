# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service that misses Redis or MongoDB."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.plugspace.titan.plugins.filter import service_remark
from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_service import (
    diagnose_service,
)

from .service_samples import sick, told


@pytest.mark.parametrize(
    ("active", "finding"),
    [
        ("failed", ("redis_down", "start_unit", "redis-server")),
        ("inactive", ("redis_down", "start_unit", "redis-server")),
        # It runs and does not answer: that is for its own procedure.
        ("active", ("redis_down", "", "")),
    ],
)
def test_a_dependency_is_healed_in_place_of_the_service(
    active: str, finding: tuple[str, str, str]
) -> None:
    seen = sick('GET http://127.0.0.1:4000/ answered 503 (wanted 200): {"status":"failing"}')
    seen["redis"] = {"state": "refused", "error": "127.0.0.1:6379 refused the connection"}
    seen["host"]["units"][1]["active"] = active
    found = told(seen)
    assert found[0] == finding
    assert "refused the connection" in diagnose_service(seen)[0]["evidence"]
    # Its own health comes last: it is a consequence.
    assert found[1:] == [("unhealthy", "reload", "")]


def without_redis(address: str = "127.0.0.1", **unit: str) -> dict[str, Any]:
    """The service misses Redis, which the inventory says to be there, and whose unit is stopped."""
    seen = sick("GET http://127.0.0.1:4000/ answered 503 (wanted 200): {}")
    seen["redis"] = {"state": "hung", "error": f"{address}:6379 gave no answer within 2 s"}
    seen["dependency_hosts"]["redis"] = address
    seen["host"]["units"][1].update({"active": "inactive", **unit})
    return seen


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("127.0.0.1", True),
        ("127.0.1.1", True),
        ("::1", True),
        ("localhost", True),
        ("app1", True),
        ("App1", True),
        ("192.0.2.11", True),
        ("redis9", False),
        ("192.0.2.9", False),
        ("app11", False),
        # Nobody said where it is.
        ("", False),
    ],
)
def test_a_unit_is_started_only_on_the_host_that_the_dependency_is_on(
    address: str, here: bool
) -> None:
    first = diagnose_service(without_redis(address))[0]
    assert first["cause"] == "redis_down"
    assert (first["rung"], first["target"]) == (
        ("start_unit", "redis-server") if here else ("", "")
    )
    # What stands on this host says nothing about another one.
    assert ("redis-server is inactive" in first["evidence"]) is here
    if not here:
        where = f" ({address})" if address else ""
        assert (
            first["advice"] == f"run playbooks/redis_down.yml for the host that redis is on{where}"
        )


def test_an_idle_mongodb_is_not_started_in_place_of_the_one_that_is_elsewhere() -> None:
    seen = sick("GET http://127.0.0.1:4000/ answered 503 (wanted 200): {}")
    seen["mongodb"] = {"state": "refused", "error": "db9:27017 refused the connection"}
    seen["dependency_hosts"]["mongodb"] = "db9"
    seen["host"]["units"].append({"name": "mongod", "load": "loaded", "active": "inactive"})
    assert told(seen)[0] == ("mongodb_down", "", "")
    assert (
        "mongodb_down.yml for the host that mongodb is on (db9)"
        in (diagnose_service(seen)[0]["advice"])
    )


@pytest.mark.parametrize(
    ("load", "state", "advice"),
    [
        ("not-found", "is not-found", "say its unit in titan_redis_unit"),
        ("masked", "is masked", "systemctl unmask --now redis-server"),
        ("", "is unknown", "say its unit in titan_redis_unit"),
    ],
)
def test_a_unit_that_systemd_cannot_start_is_for_a_person(
    load: str, state: str, advice: str
) -> None:
    first = diagnose_service(without_redis(load=load))[0]
    assert (first["cause"], first["rung"], first["target"]) == ("redis_down", "", "")
    assert f"redis-server {state}" in first["evidence"]
    assert advice in first["advice"]


def test_what_a_service_needs_on_another_host_is_told_with_the_host() -> None:
    seen = {**without_redis("redis9"), "answer": {"ok": True}}
    said = service_remark.FilterModule().filters()["service_remark"](seen)
    assert said.endswith(": run playbooks/redis_down.yml for the host that redis is on (redis9)")


def test_a_dependency_that_was_not_looked_at_is_not_blamed() -> None:
    seen = sick()
    del seen["redis"], seen["mongodb"]
    assert [one["cause"] for one in diagnose_service(seen)] == ["not_listening"]


@pytest.mark.parametrize(
    ("roles", "found"),
    [(["SECONDARY", "SECONDARY"], True), (["PRIMARY", "SECONDARY"], False), ([], False)],
)
def test_a_replica_set_without_a_primary_is_waited_for(roles: list[str], found: bool) -> None:
    seen = sick("GET http://x answered 503, not 200")
    seen["mongodb"]["members"] = [{"role": role} for role in roles]
    assert (told(seen)[0] == ("mongodb_down", "wait", "")) is found
    # Without an answer nobody knows who is primary.
    seen["mongodb"]["state"] = "auth"
    assert ("mongodb_down", "wait", "") not in told(seen)
