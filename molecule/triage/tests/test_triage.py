"""Alerts of a real Prometheus, the plan that is made of them, and the faults healed by it."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from support.hosts import ssh
from support.incidents import EAGER, eventually
from support.playbooks import Run, play
from support.service_faults import API, serves

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


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers /CODE/TEXT with that code and text."""

    def do_GET(self) -> None:
        _empty, code, kind, *_path = self.path.split("/")
        self.send_response(int(code))
        self.send_header("Content-Type", "text/html" if kind == "html" else "application/json")
        self.end_headers()
        bodies = {"html": "<html>Bad gateway</html>", "list": "[1]", "shape": '{"data": {}}'}
        self.wfile.write(bodies[kind].encode())

    def log_request(self, *told: Any) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{made.server_address[1]}"
        made.shutdown()


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "nobody listens": ({"prometheus_url": "http://127.0.0.1:1"}, "Connection refused"),
    "no address": ({"prometheus_url": ""}, "titan_prometheus_url is not set"),
    "HTML": ({"answer": "200/html"}, "is no JSON"),
    "an error": ({"answer": "502/html"}, "Status code was 502"),
    "a list of numbers": ({"answer": "200/list"}, "an alert has no alertname"),
    "another shape": ({"answer": "200/shape"}, "an alert has no alertname"),
    "an alert that is no JSON": ({"alert": "RedisDown"}, "'RedisDown' is no JSON"),
    "an alert without a name": (
        {"alert": {"severity": "high"}},
        "What was given as triage_alert is no list of alerts: an alert has no alertname",
    ),
    "run is a word": ({"run": "later", "alert": json.dumps([])}, "triage_run"),
    "the time is text": ({"timeout": "long", "alert": json.dumps([])}, "triage_timeout"),
}


@pytest.mark.parametrize(("inputs", "sentence"), CASES.values(), ids=CASES.keys())
def test_bad_input(inputs: dict[str, Any], sentence: str, server: str) -> None:
    given = {f"triage_{name}": value for name, value in inputs.items() if name != "answer"}
    if "answer" in inputs:
        given["triage_prometheus_url"] = f"{server}/{inputs['answer']}"
    run = play("triage", triage_prometheus_from="localhost", **given)
    assert run.code != 0
    assert sentence in run.failure, run.output
    assert "Traceback" not in run.output
    assert run.changed == 0
