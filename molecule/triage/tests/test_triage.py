"""Alerts of a real Prometheus, the plan that is made of them, and the faults healed by it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from support.hosts import NAMES, ssh
from support.incidents import EAGER, eventually
from support.playbooks import Run, play
from support.service_faults import API, serves, until

RULES = "/etc/prometheus/rules/titan.yml"
FIRING = """
groups:
  - name: triage
    rules:
      - alert: RedisDown
        expr: vector(1)
        labels: {severity: critical, instance: titan2}
"""


def told(run: Run) -> dict[str, Any]:
    """The artifacts that AWX gets."""
    stats = [event for event in run.events if event["event"] == "playbook_on_stats"]
    found: dict[str, Any] = stats[-1]["event_data"]["artifact_data"]
    return found


def firing() -> str:
    return ssh("titan1", "curl -s localhost:9090/api/v1/alerts")


@pytest.fixture(autouse=True)
def mended() -> Iterator[None]:
    """What a test that failed leaves stopped does not break the next one."""
    yield
    start = f"{serves(4000)} || pm2 -s start {API}; {until(serves(4000))}"
    ssh("titan2", f"sudo systemctl start redis-server; {start}", timeout=90)


@pytest.fixture
def alert() -> Iterator[None]:
    """A rule of Prometheus that fires at once, and no other: a test machine may be busy itself."""
    reload = "sudo systemctl reload prometheus"
    ssh("titan1", f"sudo cp {RULES} {RULES}.kept; sudo tee {RULES} >/dev/null", stdin=FIRING)
    ssh("titan1", reload)
    eventually(lambda: '"RedisDown"' in firing())
    yield
    ssh("titan1", f"sudo mv {RULES}.kept {RULES}; {reload}")


@pytest.mark.usefixtures("alert")
def test_what_fires_is_planned_and_healed() -> None:
    ssh("titan2", "sudo systemctl stop redis-server")
    planned = play("triage")
    assert (planned.code, planned.changed) == (0, 0), planned.output
    # Nor is it warned of a group that is not there when nothing is to be run.
    assert "Could not match" not in planned.output
    (found,) = told(planned)["titan_triage"]["procedures"]
    assert (found["procedure"], found["hosts"]) == ("redis_down", ["titan2"])
    assert ssh("titan2", "systemctl is-active redis-server || true") == "inactive\n"

    eager = {f"redis_down_{name}": value for name, value in EAGER.items()}
    healed = play("triage", triage_run=True, **eager)
    assert healed.code == 0, healed.output
    results = {one["host"]: one["outcome"] for one in told(healed)["titan_results"]}
    assert results == {"titan2": "healed"}
    assert ssh("titan2", "systemctl is-active redis-server") == "active\n"


def test_a_service_is_handed_over_and_what_is_well_is_left_alone() -> None:
    alerts = [
        {"alertname": "HighMemoryUsage", "instance": "titan2"},
        {"alertname": "ApiDown", "instance": "titan2"},
    ]
    ssh("titan2", f"pm2 -s stop {API}")
    eager = {f"service_down_{name}": value for name, value in EAGER.items()}
    for arguments, outcome in ((["--check"], "planned"), ([], "healed")):
        run = play("triage", *arguments, triage_run=True, triage_alert=alerts, **eager)
        assert run.code == 0, run.output
        results = [(one["procedure"], one["outcome"]) for one in told(run)["titan_results"]]
        # The worse one first.
        assert results == [("service_down", outcome), ("high_memory", "well")]
        stopped = "! " if outcome == "planned" else ""
        ssh("titan2", f"{stopped}{serves(4000)}")


def test_one_that_needs_a_person_keeps_no_other_from_being_tried() -> None:
    alerts = [
        {"alertname": "RedisDown", "instance": "titan2"},
        {"alertname": "MongoDBDown", "instance": "titan2"},
    ]
    wrong = {"titan_mongodb_monitoring_password": "wrong"}
    ssh("titan2", "sudo systemctl stop redis-server")
    eager = {f"redis_down_{name}": value for name, value in EAGER.items()}
    run = play("triage", triage_run=True, triage_alert=alerts, **wrong, **eager)
    outcomes = {one["subject"]: one["outcome"] for one in told(run)["titan_results"]}
    assert outcomes == {"mongodb": "unhealed", "redis": "healed"}, run.output
    assert run.code != 0
    assert "correct the password" in run.failure


def test_one_that_nothing_is_run_for_is_told_and_keeps_no_other_from_being_run(
    tmp_path: Path,
) -> None:
    since = datetime.now(timezone.utc) - timedelta(minutes=20)
    alerts = [
        {"labels": {"alertname": "Strange", "instance": "titan2", "severity": "critical"}},
        {"labels": {"alertname": "RedisDown", "instance": "redis.plugspace.example:9121"}},
        {"labels": {"alertname": "ApiDown", "instance": "titan2"}},
    ]
    for one in alerts:
        one["activeAt"] = since.isoformat()
    given = {"triage_alert": alerts, "titan_incidents_path": str(tmp_path / "incidents.json")}
    planned = play("triage", **given)
    assert (planned.code, planned.changed) == (0, 0), planned.output
    (plan,) = told(planned)["titan_results"]
    assert plan["outcome"] == "planned"
    says = "a person has to look: Strange on titan2, RedisDown on redis.plugspace.example:9121."
    assert says in plan["summary"]
    assert says in planned.output

    ran = play("triage", triage_run=True, **given)
    assert ran.code != 0
    results = {one["subject"]: one for one in told(ran)["titan_results"]}
    assert {subject: one["outcome"] for subject, one in results.items()} == {
        "Strange": "refused",
        "RedisDown": "refused",
        "plugspace-api": "well",
    }
    assert "Strange fires at titan2" in ran.failure
    assert "redis.plugspace.example:9121 is no host" in ran.failure
    # The time of the people on call runs since the alert fires.
    assert results["Strange"]["escalation"]["call"] == "Team Lead"
    assert "CRITICAL: triage: Strange on titan2" in ran.output
    assert results["plugspace-api"]["incident_began"] == since.strftime("%Y-%m-%dT%H:%M:%SZ")

    checked = play("triage", "--check", triage_run=True, **given)
    assert (checked.code, checked.changed) == (0, 0), checked.output
    results = {one["subject"]: one for one in told(checked)["titan_results"]}
    assert {subject: one["outcome"] for subject, one in results.items()} == {
        "alerts": "planned",
        "plugspace-api": "well",
    }


def test_the_site_is_on_every_host_of_the_procedure() -> None:
    alert = {"alertname": "ApiDown", "instance": "https://plugspace.test/api/health"}
    run = play("triage", triage_run=True, triage_alert=alert)
    assert run.code == 0, run.output
    assert sorted(one["host"] for one in told(run)["titan_results"]) == sorted(NAMES)


@pytest.mark.parametrize("limit", ["titan1", "titan1:localhost", "all"])
def test_a_limit_is_refused(limit: str) -> None:
    alert = {"alertname": "ApiDown", "instance": "titan2"}
    run = play("triage", "--limit", limit, triage_run=True, triage_alert=alert)
    assert run.code != 0
    assert f"triage.yml takes no --limit ({limit})" in run.failure, run.output
    assert "titan_results" not in told(run)


def test_a_text_that_says_no_runs_nothing() -> None:
    alert = {"alertname": "RedisDown", "instance": "titan2"}
    ssh("titan2", "sudo systemctl stop redis-server")
    run = play("triage", triage_run="no", triage_alert=alert)
    assert (run.code, run.changed) == (0, 0), run.output
    assert [one["outcome"] for one in told(run)["titan_results"]] == ["planned"]
    assert ssh("titan2", "systemctl is-active redis-server || true") == "inactive\n"


def test_a_procedure_that_cannot_begin_is_told_until_it_begins(tmp_path: Path) -> None:
    memory = tmp_path / "incidents.json"
    alerts = [
        {"alertname": "RedisDown", "instance": "titan2"},
        {"alertname": "HighMemoryUsage", "instance": "titan2"},
    ]
    common: dict[str, Any] = {"triage_alert": alerts, "titan_incidents_path": str(memory)}
    run = play("triage", triage_run=True, titan_deploy_root="", **common)
    assert run.code != 0
    assert "titan_deploy_root is not defined for this host" in run.failure
    assert "Permission denied" not in run.output
    results = {one["subject"]: one for one in told(run)["titan_results"]}
    assert {subject: one["outcome"] for subject, one in results.items()} == {
        "redis_down": "refused",
        "high_memory": "refused",
    }
    assert results["redis_down"]["escalation"]["page"]
    known = json.loads(memory.read_text())["incidents"].values()
    assert [one["healed"] for one in known] == [False, False]
    again = play("triage", triage_run=True, **common)
    assert again.code == 0, again.output
    assert json.loads(memory.read_text())["incidents"] == {}
