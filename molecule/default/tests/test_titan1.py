"""What runs on titan1 alone: monitoring, the certificate authority and the repository."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import testinfra
from testinfra.host import Host

INVENTORY = Path(__file__).parents[3] / "inventories" / "local"
ALERTS = [
    "HighCPUUsage",
    "HighMemoryUsage",
    "HighResponseTime",
    "LowDiskSpace",
    "SSLCertificateExpiringSoon",
]
SCRAPE_INTERVAL = 15  # seconds, as in prometheus.yml


@pytest.fixture
def host() -> Host:
    return testinfra.get_host(f"ansible://titan1?ansible_inventory={INVENTORY}")


def read(host: Host, url: str) -> Any:
    return json.loads(host.check_output(f"curl --silent --fail '{url}'"))


@pytest.fixture(scope="module")
def targets() -> dict[str, str]:
    """The health of every target, once Prometheus has asked each of them since it began."""
    prometheus = testinfra.get_host(f"ansible://titan1?ansible_inventory={INVENTORY}")
    deadline = time.monotonic() + 4 * SCRAPE_INTERVAL
    while True:
        answer = read(prometheus, "http://localhost:9090/api/v1/targets")
        health = {
            target["labels"]["instance"]: target["health"]
            for target in answer["data"]["activeTargets"]
        }
        if set(health.values()) == {"up"} or time.monotonic() > deadline:
            return health
        time.sleep(1)


def test_services_run(host: Host) -> None:
    for name in ("prometheus", "prometheus-alertmanager", "pebble"):
        assert host.service(name).is_running, name


def test_the_runbooks_alerts_are_loaded(host: Host) -> None:
    groups = read(host, "http://localhost:9090/api/v1/rules")["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert sorted(rule["name"] for rule in rules) == ALERTS
    assert {rule["health"] for rule in rules} <= {"ok", "unknown"}


def test_alerts_fire_when_they_should(host: Host) -> None:
    answer = host.run("promtool test rules /etc/prometheus/rules/titan_test.yml")
    assert answer.rc == 0, answer.stdout


@pytest.mark.usefixtures("targets")
def test_alerts_are_about_metrics_that_exist(host: Host) -> None:
    for metric in (
        "node_cpu_seconds_total",
        "node_memory_MemAvailable_bytes",
        "node_filesystem_avail_bytes{mountpoint='/home/plugspace'}",
        "node_filesystem_avail_bytes{mountpoint='/'}",
        "titan_certificate_not_after_timestamp_seconds",
        "titan_http_requests_last_minute",
    ):
        query = quote(f"count(count by (instance) ({metric}))")
        found = read(host, f"http://localhost:9090/api/v1/query?query={query}")["data"]["result"]
        assert [sample["value"][1] for sample in found] == ["3"], metric


def test_every_target_is_up(targets: dict[str, str]) -> None:
    assert len(targets) == 5
    assert set(targets.values()) == {"up"}, targets


def test_alertmanager_is_ready(host: Host) -> None:
    assert host.run("curl --silent --fail http://localhost:9093/-/ready").rc == 0


def test_the_repository_wants_a_token(host: Host, get: Callable[..., int]) -> None:
    token = host.ansible.get_variables()["titan_app_repository_token"]
    path = "/plugspace.git/info/refs?service=git-upload-pack"
    assert get("git.plugspace.test", path, login=f"deploy:{token}") == 200
    assert get("git.plugspace.test", path, login="deploy:guess") == 401
    assert get("git.plugspace.test", path) == 401


def test_packages_come_out_of_the_cache(host: Host) -> None:
    host.check_output(
        "d=$(mktemp -d) && git clone --quiet --branch v1 /srv/git/plugspace.git $d"
        " && cd $d && npm ci --offline --silent && test -d node_modules/prisma && rm -rf $d"
    )
