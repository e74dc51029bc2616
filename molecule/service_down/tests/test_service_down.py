"""A service that is down: the real fault, the least that helps, and the proof by a visitor."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from support.adhoc import part_by_hand
from support.application import PATH, ROOT_ON_HOST, health
from support.hosts import NAMES, ssh
from support.incidents import EAGER, Fault, Seen, cure_all, heal, nothing_left, on_each, procedure
from support.service_faults import (
    API,
    API_FAULTS,
    BOTH_AGAIN,
    BY_ITS_UNIT,
    DROP_IN,
    NO_PIPES,
    PM2,
    PM2_HANGS,
    VOICE,
    VOICE_FAULTS,
    all_are,
    serves,
    until,
)

BATCHES = [(API, "api_down", batch) for batch in API_FAULTS]
BATCHES += [(VOICE, "voice_down", batch) for batch in VOICE_FAULTS]


def down(playbook: str, *arguments: str, **options: Any) -> Seen:
    return procedure(playbook, "service_down", *arguments, **{**EAGER, **options})


def visited(host: str, service: str) -> None:
    """A visitor is served: by the site, or over a WebSocket through nginx."""
    if service == API:
        assert health(host)["status"] == "ok"
        return
    upgrade = (
        "curl -s -o /dev/null -w '%{http_code}' --max-time 3 --http1.1 -H 'Connection: Upgrade'"
        " -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13'"
        " -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='"
        " --resolve plugspace.test:443:127.0.0.1 https://plugspace.test/voice || true"
    )
    assert ssh(host, upgrade) == "101"


@pytest.fixture
def mended() -> Iterator[None]:
    """What a test that failed leaves broken does not break the next one."""
    yield
    faults = [fault for _service, _playbook, batch in BATCHES for fault in batch]
    cure_all(faults, "pkill -CONT -u plugspace -f 'PM2 v|node'")
    on_each(dict.fromkeys(NAMES, BOTH_AGAIN))


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize(
    ("service", "playbook", "batch"),
    BATCHES,
    ids=[" / ".join(fault.name for fault in batch) for _service, _playbook, batch in BATCHES],
)
def test_faults(service: str, playbook: str, batch: tuple[Fault, ...]) -> None:
    heal(partial(down, playbook), batch, partial(visited, service=service))


@pytest.mark.usefixtures("mended")
def test_looking_acts_on_nothing_whatever_else_is_among_the_tags() -> None:
    try:
        ssh("titan1", f"pm2 -s stop {API}")
        seen = down("api_down", "--tags", "service_down,observe", hosts="titan1")
        assert seen.results["titan1"]["outcome"] == "planned", seen.run.output
        assert seen.run.changed == 0
        ssh("titan1", all_are("stopped"))
    finally:
        ssh("titan1", f"pm2 -s start {API}")


STOPPED = {
    "cause": "stopped",
    "subject": API,
    "evidence": "it is stopped",
    "confidence": "certain",
    "rung": "start",
    "target": "",
    "advice": "",
}


def found(expression: str) -> str:
    """The argument by which a procedure finds what an expression says."""
    return shlex.join(["-e", json.dumps({"common_findings": f"{{{{ {expression} }}}}"})])


def test_a_diagnosis_that_breaks_off_is_told_and_leaves_no_lock() -> None:
    seen = down("api_down", found("nobody_has_this"), hosts="titan1")
    result = seen.results["titan1"]
    assert (result["outcome"], result["escalation"]["page"]) == ("refused", True), result
    assert "nobody_has_this" in result["summary"], result
    assert (seen.run.code, seen.run.changed) == (2, 0), seen.run.output
    assert ssh("titan1", f"ls {ROOT_ON_HOST}/lock.json 2>/dev/null || true") == ""


def test_what_no_diagnosis_sees_any_more_is_not_well_before_the_probe_says_so() -> None:
    nobody = {"url": "http://127.0.0.1:4999/", "within": 2}
    seen = down(
        "api_down",
        found(f"[] if __common_climbed else [{STOPPED!r}]"),
        hosts="titan1",
        services=[{"name": API, "port": 4000, "probe": nobody}],
    )
    result = seen.results["titan1"]
    assert [(rung["rung"], rung["helped"]) for rung in result["rungs"]] == [("start", False)]
    assert result["outcome"] == "unhealed", result
    assert "GET http://127.0.0.1:4999/ got no connection" in result["summary"], result


def test_a_secret_in_the_evidence_is_masked_whoever_tells_of_it() -> None:
    secret = "Kw7-in-the-log"
    quoted = {**STOPPED, "evidence": f"it said: cannot log in with {secret}"}
    inputs = {"hosts": "titan1", "titan_app_password": secret}
    seen = down("api_down", found(f"[{quoted!r}]"), "--check", **inputs)
    assert "cannot log in with ********" in seen.results["titan1"]["summary"], seen.results
    assert secret not in seen.run.output + json.dumps([seen.results, seen.record])


@pytest.mark.usefixtures("mended")
def test_a_unit_is_started_only_where_the_inventory_says_that_the_dependency_is() -> None:
    stopped = "systemctl is-active redis-server || true"
    try:
        ssh("titan1", f"sudo systemctl stop redis-server; {until('! ' + serves(4000))}")
        # Nobody has this address.
        seen = down("api_down", hosts="titan1", titan_redis_host="192.0.2.1")
        result = seen.results["titan1"]
        assert (result["cause"], result["outcome"]) == ("redis_down", "unhealed"), result
        assert result["rungs"] == [], result
        assert "redis_down.yml for the host that redis is on (192.0.2.1)" in result["summary"]
        assert seen.run.changed == 0
        assert ssh("titan1", stopped) == "inactive\n"
        # WebSockets go on without Redis: that is told, and left to its own procedure.
        voice = down("voice_down", hosts="titan1")
        result = voice.results["titan1"]
        assert (result["outcome"], voice.run.changed) == ("well", 0), result
        assert "redis-server is inactive: run playbooks/redis_down.yml" in result["summary"]
        assert ssh("titan1", stopped) == "inactive\n"
    finally:
        ssh("titan1", f"sudo systemctl start redis-server; {until(serves(4000))}")


@pytest.mark.usefixtures("mended")
def test_pm2_is_replaced_while_another_service_answers_only_when_it_is_named() -> None:
    probe = {"url": "http://127.0.0.1:4000/api/health"}
    services = [
        {"name": API, "port": 4000, "probe": probe},
        {"name": "mailer", "probe": {"url": "http://127.0.0.1:4999/"}},
    ]
    mailer = "sudo systemd-run --quiet --unit titan-mailer python3 -m http.server 4999"
    try:
        ssh("titan1", f"{mailer}; {until('curl -so /dev/null 127.0.0.1:4999')}; {PM2_HANGS}")
        before = ssh("titan1", f"echo {PM2}")
        for check, outcome in ((["--check"], "planned"), ([], "unhealed")):
            seen = down("api_down", *check, hosts="titan1", services=services)
            told = seen.results["titan1"]
            assert (told["cause"], told["outcome"], told["rungs"]) == ("pm2_hung", outcome, [])
            assert "mailer still answers" in told["summary"]
            assert "-e service_down_confirm=PM2" in told["summary"]
            assert seen.run.changed == 0
        assert ssh("titan1", f"echo {PM2}") == before
        replaced = down("api_down", hosts="titan1", services=services, confirm="PM2")
        result = replaced.results["titan1"]
        assert [rung["rung"] for rung in result["rungs"]] == ["replace_pm2"], result
        assert result["outcome"] == "healed", result
        assert ssh("titan1", f"echo {PM2}") != before
        visited("titan1", API)
        nothing_left(down("api_down", hosts="titan1", services=services, confirm="PM2"))
    finally:
        ssh("titan1", f"{NO_PIPES}; sudo systemctl stop titan-mailer")


@pytest.mark.usefixtures("mended")
def test_a_daemon_that_systemd_is_bringing_back_is_waited_for() -> None:
    # A restart of the unit now would have PM2 save what it has so far, and forget the rest.
    slow = """[Service]
ExecStart=
ExecStart=/bin/sh -c "pm2 -s start 'sleep 7001' --name titan-first; sleep 8; pm2 -s resurrect"
"""
    names = "jq -r '[.[].name] | unique | join(\" \")'"
    try:
        ssh("titan1", f"pm2 -s start 'sleep 7002' --name titan-other; {BY_ITS_UNIT}")
        ssh("titan1", f"sudo mkdir -p {DROP_IN}; sudo tee {DROP_IN}/slow.conf", stdin=slow)
        ssh("titan1", f"sudo systemctl daemon-reload; kill -9 {PM2}")
        ssh("titan1", until("pgrep -xf 'sleep 7001'"))
        part_by_hand(
            "common",
            "rung_start_pm2",
            "titan1",
            common_pm2_unit="pm2-plugspace",
            common_pm2_services=[],
            common_pm2={"ecosystem": f"{PATH}/ecosystem.config.cjs", "save": True},
        )
        known = f"{API} {VOICE} titan-first titan-other\n"
        assert ssh("titan1", f"pm2 jlist -s | tail -n 1 | {names}") == known
        assert ssh("titan1", f"{names} ~/.pm2/dump.pm2") == known
        visited("titan1", API)
    finally:
        ssh("titan1", f"sudo rm -rf {DROP_IN}; sudo systemctl daemon-reload")
        ssh("titan1", "pm2 -s delete titan-first titan-other; pm2 -s save --force")
