"""Results handed to the role, and what arrives at real receivers on another host."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from support.hosts import address, inventory
from support.incidents import Seen, procedure
from support.playbooks import Run, play
from support.receivers import Received, Receivers, receivers

ROUTING_KEY = "0123456789abcdef0123456789abcdef"
SMTP_PASSWORD = "smtp-pass-Zq81"
TOKEN = "bearer-token-Xw92"
LEAKED = "redis-pass-Lk73"
SECRETS = (ROUTING_KEY, SMTP_PASSWORD, TOKEN, LEAKED)
KEY = "plugspace.test/service_down/plugspace-api/titan1"
CONTACTS = {
    "On-call": {"pagerduty": "the schedule", "mail": "oncall@plugspace.test"},
    "Team Lead": {"mail": "lead@plugspace.test"},
}


# It has the receivers; nothing else on it is touched.
RECEIVER, SENDER = "titan3", "titan1"


@pytest.fixture(scope="module")
def servers() -> Iterator[Receivers]:
    with receivers(RECEIVER) as running:
        yield running


@pytest.fixture
def open_receivers(servers: Receivers) -> Receivers:
    """With nothing received so far."""
    servers.received = Received()
    return servers


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "state" / "incidents.json"


def channels(to: Receivers) -> list[dict[str, Any]]:
    """One of each type, and a dead one between good ones."""
    return [
        {
            "name": "pagerduty",
            "type": "pagerduty",
            "routing_key": ROUTING_KEY,
            "url": f"{to.http}/pagerduty",
        },
        {
            "name": "dead",
            "type": "webhook",
            "url": f"http://{to.host}:{to.dead}/{TOKEN}",
            "headers": {"Authorization": f"Bearer {TOKEN}"},
        },
        {
            "name": "mail",
            "type": "mail",
            "host": to.host,
            "port": to.smtp_port,
            "from": "titan@plugspace.test",
            "secure": "never",
            "username": "titan",
            "password": SMTP_PASSWORD,
        },
        {
            "name": "slack",
            "type": "slack",
            "url": f"{to.http}/slack",
        },
        {
            "name": "hook",
            "type": "webhook",
            "url": f"{to.http}/hook",
            "headers": {"Authorization": f"Bearer {TOKEN}"},
            "severities": ["critical", "high"],
        },
    ]


def good(to: Receivers) -> list[dict[str, Any]]:
    return [one for one in channels(to) if one["name"] != "dead"]


def result(outcome: str = "unhealed", ago: float = 1, **facts: Any) -> dict[str, Any]:
    """A result that began some minutes ago."""
    began = datetime.now(timezone.utc) - timedelta(minutes=ago)
    return {
        "procedure": "service_down",
        "subject": "plugspace-api",
        "host": "titan1",
        "outcome": outcome,
        "severity": "high",
        "began": began.isoformat(),
        "summary": f"plugspace-api does not answer <!channel> redis://:{LEAKED}@titan1",
        "cause": "port_held_by_stranger",
        "advice": "end nc (pid 77) & restart",
        "findings": [{"cause": "port_held_by_stranger", "evidence": "port 4000 is held by nc"}],
        "rungs": [
            {"rung": "restart", "target": "", "helped": False, "seconds": 12, "error": LEAKED}
        ],
        "before": {"PM2": "0 of 2 instances online"},
        "after": {},
        "record": "/var/lib/titan/records/1.json",
        **facts,
    }


def escalate(
    memory: Path, sent_by: list[dict[str, Any]], *results: dict[str, Any], **variables: Any
) -> Run:
    arguments = variables.pop("arguments", ())
    return play(
        variables.pop("playbook", "../molecule/escalate/results"),
        *arguments,
        **{
            "verbosity": 3,
            "titan_escalation_channels": sent_by,
            "titan_contacts": CONTACTS,
            "titan_redis_password": LEAKED,
            "titan_incidents_path": str(memory),
            "escalate_results": list(results),
            "escalate_retries": 0,
            "escalate_timeout": 2,
            **variables,
        },
    )


def follow_up(memory: Path, sent_by: list[dict[str, Any]], **variables: Any) -> Run:
    """What cron starts."""
    return escalate(memory, sent_by, playbook="escalate", escalate_follow_up="true", **variables)


def told(run: Run) -> dict[str, Any]:
    """The outcome as the play has it."""
    facts = run.result("Put the outcome together", "titan1")["ansible_facts"]
    found: dict[str, Any] = facts["escalate_outcome"]
    return found


def assert_no_secret(run: Run, *more: str) -> None:
    shown = run.output + json.dumps(run.events)
    for secret in (*SECRETS, *more):
        assert secret not in shown, secret


def test_one_incident_is_one_page_and_its_end_is_told_once(
    open_receivers: Receivers, memory: Path
) -> None:
    got = open_receivers.received
    by = good(open_receivers)

    first = escalate(memory, by, result())
    assert first.code == 0, first.output
    assert got.refused == []
    assert "127.0.0.1" not in got.clients
    (event,) = got.at("/pagerduty")
    assert (event["event_action"], event["dedup_key"]) == ("trigger", KEY)
    assert event["routing_key"] == ROUTING_KEY
    assert event["payload"]["severity"] == "error"
    (message,) = got.at("/slack")
    assert "&lt;!channel&gt;" in message["text"]
    assert "end nc (pid 77) &amp; restart" in message["text"]
    (body,) = got.at("/hook")
    assert body["escalation"]["call"] == "On-call"
    assert body["findings"][0]["evidence"] == "port 4000 is held by nc"
    assert got.headers[-1]["Authorization"] == f"Bearer {TOKEN}"
    (mail,) = got.mails
    assert got.recipients == [["oncall@plugspace.test"]]
    assert mail["Subject"].startswith("[HIGH] plugspace-api on titan1")
    (part,) = mail.iter_parts()
    assert isinstance(part, EmailMessage)
    text = part.get_content()
    for said in (
        "Tried: restart did not help",
        "To do: end nc",
        "Record: /var/lib",
        "Call: On-call",
    ):
        assert said in text
    assert LEAKED not in json.dumps(got.posts) + text
    assert told(first)["failed"] == []
    assert "escalation channel mail does not reach CTO; give them a mail" in told(first)["text"]
    assert_no_secret(first)

    second = escalate(memory, by, result())
    assert second.changed == 0
    assert len(got.posts) == 3
    assert len(got.mails) == 1
    assert "nothing new to tell" in told(second)["text"]
    assert_no_secret(second)

    healed = escalate(memory, by, result("healed"))
    assert got.at("/pagerduty")[1] == {
        "routing_key": ROUTING_KEY,
        "event_action": "resolve",
        "dedup_key": KEY,
    }
    assert len(got.posts) == 6
    assert got.mails[1]["Subject"].startswith("[RESOLVED] ")
    assert json.loads(memory.read_text())["incidents"] == {}
    assert_no_secret(healed)

    again = escalate(memory, by, result("healed"))
    assert (len(got.posts), len(got.mails)) == (6, 2)
    assert again.changed == 0


def test_next_step_of_the_chain_is_told_when_it_is_due(
    open_receivers: Receivers, memory: Path
) -> None:
    got = open_receivers.received
    by = good(open_receivers)
    # From host to host; the memory stays with the test.
    over = {"titan_escalate_from": SENDER, "titan_incidents_host": "localhost"}
    escalate(memory, by, result(ago=1), **over)
    known = json.loads(memory.read_text())
    known["incidents"][KEY]["began"] = result(ago=70)["began"]
    memory.write_text(json.dumps(known))
    escalate(memory, by, result(ago=1), **over)
    assert len(got.at("/pagerduty")) == 2
    assert sorted(got.recipients[1]) == ["lead@plugspace.test", "oncall@plugspace.test"]
    assert "Call: Team Lead" in got.at("/slack")[1]["text"]
    assert got.clients == {address(SENDER)}


def test_follow_up_tells_once_who_has_become_due(open_receivers: Receivers, memory: Path) -> None:
    got = open_receivers.received
    by = good(open_receivers)
    cto = {"mail": "cto@plugspace.test"}
    common: dict[str, Any] = {"titan_contacts": {**CONTACTS, "CTO": cto}}
    escalate(memory, by, result(ago=20, severity="critical"))
    # As if the first run had been when it began.
    known = json.loads(memory.read_text())
    known["incidents"][KEY]["told"] = dict.fromkeys(("pagerduty", "mail", "slack", "hook"), 1)
    memory.write_text(json.dumps(known))
    open_receivers.received = got = Received()

    checked = follow_up(memory, by, arguments=("--check",), **common)
    assert "Would be sent by pagerduty, mail, slack, hook (trigger)." in told(checked)["text"]
    assert (got.posts, got.mails) == ([], [])

    first = follow_up(memory, by, **common)
    assert first.code == 0, first.output
    assert got.refused == []
    (event,) = got.at("/pagerduty")
    assert (event["event_action"], event["dedup_key"]) == ("trigger", KEY)
    assert [sorted(one) for one in got.recipients] == [
        ["lead@plugspace.test", "oncall@plugspace.test"]
    ]
    (message,) = got.at("/slack")
    for line in ("CRITICAL: ", "Call: Team Lead", "Then: CTO", "To do: end nc", "/records/1.json"):
        assert line in message["text"]
    assert_no_secret(first)

    second = follow_up(memory, by, **common)
    assert second.code == 0, second.output
    assert second.changed == 0
    assert (len(got.posts), len(got.mails)) == (3, 1)

    # When all of the chain was passed over, everybody is told.
    known = json.loads(memory.read_text())
    known["incidents"][KEY]["began"] = result(ago=60)["began"]
    memory.write_text(json.dumps(known))
    follow_up(memory, by, **common)
    assert sorted(got.recipients[1]) == [
        "cto@plugspace.test",
        "lead@plugspace.test",
        "oncall@plugspace.test",
    ]
    assert LEAKED not in json.dumps(got.posts) + memory.read_text()


def test_follow_up_without_a_memory_fails(open_receivers: Receivers, memory: Path) -> None:
    memory.parent.mkdir()
    memory.write_text("{")
    run = follow_up(memory, good(open_receivers))
    assert run.code != 0
    assert "Nothing could be followed up" in run.failure
    assert "is damaged" in run.output


def test_two_runs_at_once_send_one_message(open_receivers: Receivers, memory: Path) -> None:
    got = open_receivers.received
    page, mail, *_others = good(open_receivers)
    # Long enough for the second one to begin before the first one is through.
    hangs = {"name": "hangs", "type": "webhook", "url": f"{open_receivers.http}/hangs"}
    by = [page, hangs, mail]
    with ThreadPoolExecutor() as both:
        runs = [
            both.submit(escalate, memory, by, result(), escalate_timeout=5) for _each in range(2)
        ]
    for run in runs:
        assert run.result().code == 0, run.result().output
    assert len(got.at("/pagerduty")) == 1
    assert len(got.mails) == 1
    assert json.loads(memory.read_text())["claims"] == {}


def test_run_that_was_killed_while_it_told_keeps_no_page_back(
    open_receivers: Receivers, memory: Path
) -> None:
    # Its claim is good for 20 s more, which is longer than a run takes to begin.
    claim = {"run": "killed", "at": time.time() - 100}
    memory.parent.mkdir()
    memory.write_text(json.dumps({"version": 1, "incidents": {}, "claims": {KEY: claim}}))
    run = escalate(memory, good(open_receivers), result())
    assert run.code == 0, run.output
    assert "Claim what is to be told (65 retries left)" in run.output
    assert len(open_receivers.received.at("/pagerduty")) == 1
    assert KEY in json.loads(memory.read_text())["incidents"]


def test_dead_hanging_and_refusing_channels_stop_nobody_else(
    open_receivers: Receivers, memory: Path
) -> None:
    got = open_receivers.received
    first, dead, mail, *others = channels(open_receivers)
    wrong = {**first, "name": "wrong key", "routing_key": ROUTING_KEY[:-1]}
    hangs = {"name": "hangs", "type": "webhook", "url": f"{open_receivers.http}/hangs"}
    broken = {
        "name": "broken",
        "type": "webhook",
        "url": f"{open_receivers.http}/broken",
        "headers": {"X-Api-Key": TOKEN},
    }
    no_server = {**mail, "name": "no mail server", "port": open_receivers.dead}
    no_box = {**mail, "name": "no mailbox", "to": ["nobody@plugspace.test"]}
    run = escalate(
        memory, [first, dead, wrong, hangs, broken, no_server, no_box, mail, *others], result()
    )
    assert run.code == 0, run.output
    outcome = told(run)
    errors = {one["channel"]: one["error"] for one in outcome["deliveries"]}
    assert list(errors) == [
        "pagerduty",
        "dead",
        "wrong key",
        "hangs",
        "broken",
        "no mail server",
        "no mailbox",
        "mail",
        "slack",
        "hook",
    ]
    assert outcome["failed"] == list(errors)[1:7]
    assert "refused" in errors["dead"]
    assert errors["wrong key"].startswith("answered 400: ")
    assert "imed out" in errors["hangs"]
    assert errors["broken"].startswith("answered 500: ")
    assert "refused" in errors["no mail server"]
    assert "nobody@plugspace.test" in errors["no mailbox"]
    assert len(got.at("/pagerduty")) == len(got.at("/slack")) == len(got.at("/hook")) == 1
    assert len(got.mails) == 1
    assert_no_secret(run, ROUTING_KEY[:-1])

    # What failed is tried again; who was told is left alone.
    run = escalate(memory, [first, {**dead, "url": f"{open_receivers.http}/hook"}], result())
    assert [one["channel"] for one in told(run)["deliveries"]] == ["dead"]
    assert told(run)["failed"] == []


def test_check_mode_says_who_would_be_told_and_sends_nothing(
    open_receivers: Receivers, memory: Path
) -> None:
    run = escalate(memory, good(open_receivers), result(), arguments=("--check", "--diff"))
    assert run.code == 0, run.output
    assert run.changed == 0
    assert "Would be sent by pagerduty, mail, slack, hook (trigger)." in told(run)["text"]
    assert (open_receivers.received.posts, open_receivers.received.mails) == ([], [])
    assert not memory.parent.exists()
    assert_no_secret(run)


def test_without_a_channel_it_is_printed_and_remembered(memory: Path) -> None:
    run = escalate(memory, [], result())
    assert run.code == 0, run.output
    text = run.result("Tell who was told", "titan1")["msg"]
    assert "no channel of titan_escalation_channels takes it" in text
    assert "Call: On-call" in text
    assert KEY in json.loads(memory.read_text())["incidents"]


def test_damaged_memory_keeps_no_page_back(open_receivers: Receivers, memory: Path) -> None:
    memory.parent.mkdir()
    memory.write_text("{")
    run = escalate(memory, good(open_receivers), result())
    assert run.code == 0, run.output
    assert len(open_receivers.received.at("/pagerduty")) == 1
    assert "Nobody can tell what was sent before" in told(run)["text"]


def test_memory_that_hangs_keeps_no_page_back(open_receivers: Receivers, memory: Path) -> None:
    memory.parent.mkdir()
    os.mkfifo(memory)
    run = escalate(memory, good(open_receivers), result())
    assert run.code == 0, run.output
    assert len(open_receivers.received.at("/pagerduty")) == 1
    assert "Nobody can tell what was sent before: Timed out" in told(run)["text"]


def test_unreachable_sender_is_told(open_receivers: Receivers, memory: Path) -> None:
    run = escalate(memory, good(open_receivers), result(), titan_escalate_from="192.0.2.1")
    assert run.code == 0, run.output
    assert len(told(run)["failed"]) == 4
    assert "Nobody can tell what was sent before" in told(run)["text"]
    assert "It reached nobody. Call them." in told(run)["text"]
    assert_no_secret(run)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"escalate_channels": [ROUTING_KEY]}, "escalate_channels"),
        ({"escalate_retries": "x", "escalate_channels": [{"url": TOKEN}]}, "escalate_retries"),
    ],
)
def test_what_cannot_be_used_is_refused_without_a_secret(
    memory: Path, variables: dict[str, Any], said: str
) -> None:
    run = escalate(memory, [], result(), **variables)
    assert run.code != 0
    assert said in run.output
    assert_no_secret(run)


def test_what_a_site_sets_wrong_keeps_nobody_from_being_told(
    open_receivers: Receivers, memory: Path
) -> None:
    wrong = {"name": "x", "type": "slack", "url": ROUTING_KEY}
    run = escalate(
        memory,
        [wrong, *good(open_receivers)],
        result(),
        titan_escalation_matrix={"high": {}},
        titan_contacts={**CONTACTS, "CTO": 1},
    )
    assert run.code == 0, run.output
    assert len(open_receivers.received.at("/pagerduty")) == 1
    assert "Call: On-call (pagerduty: the schedule" in told(run)["text"]
    for said in (
        "Left out: the escalation matrix has no severity critical.",
        "Left out: the contacts, CTO: ",
        "Left out: escalation channel 1 (x): url is no address",
    ):
        assert said in told(run)["text"]
    assert_no_secret(run)


def test_every_secret_of_the_inventory_is_masked(open_receivers: Receivers, memory: Path) -> None:
    leaked = {
        "titan_mongodb_monitoring_password": "monitoring-pass-Hd52",
        "titan_prometheus_password": "prometheus-pass-Vm19",
        "titan_app_repository_token": "repository-token-Jc64",
        "vault_titan_other_key": "other-key-Ts37",
    }
    # What a vault does not have breaks nothing, and what is short is no secret.
    odd = {
        "titan_pagerduty_routing_key": "{{ vault_of_nobody }}",
        "titan_short_key": "api",
        "titan_list_key": [1],
    }
    told_of = result(summary=f"api: {' '.join(leaked.values())}", advice="titan_short_key is api")
    run = escalate(memory, good(open_receivers), told_of, verbosity=0, **leaked, **odd)
    assert run.code == 0, run.output
    (message,) = open_receivers.received.at("/slack")
    assert "api: ******** ******** ******** ********" in message["text"]
    for secret in leaked.values():
        assert secret not in json.dumps(open_receivers.received.posts) + memory.read_text()
        assert secret not in told(run)["text"]


def test_by_hand_and_test_message(open_receivers: Receivers, memory: Path) -> None:
    got = open_receivers.received
    common: dict[str, Any] = {
        "titan_escalation_channels": good(open_receivers),
        "titan_contacts": CONTACTS,
        "titan_incidents_path": str(memory),
        "escalate_timeout": 2,
        "verbosity": 3,
    }
    run = play("escalate", escalate_summary="Voice is silent", **common)
    assert run.code == 0, run.output
    assert "Voice is silent" in got.at("/slack")[0]["text"]
    (stats,) = [event for event in run.events if event["event"] == "playbook_on_stats"]
    (handed,) = stats["event_data"]["artifact_data"]["titan_results"]
    assert handed["escalation"]["page"] is True
    play("escalate", escalate_summary="Voice is silent", escalate_resolve="yes", **common)
    assert [one["event_action"] for one in got.at("/pagerduty")] == ["trigger", "resolve"]

    run = play("escalate", escalate_test="true", **common)
    assert run.code == 0, run.output
    # Every channel, also the one that does not want this severity.
    assert len(got.at("/hook")) == 4
    assert [one["event_action"] for one in got.at("/pagerduty")][2:] == ["trigger", "resolve"]
    assert_no_secret(run)

    common["titan_escalation_channels"] = channels(open_receivers)[1:2]
    run = play("escalate", escalate_test="true", escalate_retries=0, **common)
    assert run.code != 0
    assert "Not sent by dead" in run.failure

    common["titan_escalation_channels"] = [{"name": "x", "type": "pigeon"}]
    run = play("escalate", escalate_summary="Voice is silent", **common)
    assert run.code != 0
    assert "Left out: escalation channel 1 (x): its type is none of" in run.failure


def without_access(memory: Path, by: list[dict[str, Any]], **variables: Any) -> Seen:
    """A procedure that needs a person: Redis does not take this password."""
    return procedure(
        "redis_down",
        "redis_down",
        **{
            "hosts": "titan1,titan2",
            "titan_redis_password": "wrong-4b1c",
            "titan_escalation_channels": by,
            "titan_contacts": CONTACTS,
            "titan_incidents_path": str(memory),
            **variables,
        },
    )


def test_a_procedure_pages_once_and_tells_the_end(open_receivers: Receivers, memory: Path) -> None:
    got, by = open_receivers.received, good(open_receivers)[:1]
    for _twice in range(2):
        seen = without_access(memory, by, hosts="titan1")
        assert seen.results["titan1"]["outcome"] == "unhealed", seen.results
        assert seen.results["titan1"]["escalation"]["call"] == "On-call"
        (event,) = got.at("/pagerduty")
        assert event["event_action"] == "trigger"
    known = inventory()["titan1"]["titan_redis_password"]
    seen = without_access(memory, by, hosts="titan1", titan_redis_password=known)
    assert seen.results["titan1"]["outcome"] == "well", seen.results
    (_trigger, resolve) = got.at("/pagerduty")
    assert resolve["event_action"] == "resolve"
    assert resolve["dedup_key"] == event["dedup_key"]


def said(run: Run) -> str:
    """All that it printed, in one line."""
    return " ".join(run.output.split())


def test_a_channel_that_cannot_be_used_costs_no_page(
    open_receivers: Receivers, memory: Path
) -> None:
    wrong = {"name": "x", "type": "pigeon"}
    seen = without_access(memory, [wrong, *good(open_receivers)[:1]])
    outcomes = {host: one["outcome"] for host, one in seen.results.items()}
    assert outcomes == {"titan1": "unhealed", "titan2": "unhealed"}, seen.run.output
    # At the beginning, and when somebody is told.
    assert "The escalation leaves out what cannot be used: escalation channel 1 (x)" in said(
        seen.run
    )
    assert "Left out: escalation channel 1 (x)" in said(seen.run)
    assert len(open_receivers.received.at("/pagerduty")) == 2
    known = inventory()["titan1"]["titan_redis_password"]
    well = without_access(memory, [wrong], hosts="titan1", titan_redis_password=known)
    assert well.results["titan1"]["outcome"] == "well", well.run.output
    assert "The escalation leaves out what cannot be used: escalation channel 1 (x)" in said(
        well.run
    )


def test_settings_that_cannot_be_read_cost_no_result(memory: Path) -> None:
    undefined: Any = "{{ vault_of_nobody }}"
    seen = without_access(memory, undefined)
    outcomes = {host: one["outcome"] for host, one in seen.results.items()}
    assert outcomes == {"titan1": "unhealed", "titan2": "unhealed"}, seen.run.output
    assert "Nobody could be told of anything: " in said(seen.run)
    assert "Nobody was told: " in said(seen.run)
    assert seen.run.code != 0


def test_without_a_channel_a_procedure_remembers_and_a_person_sees_a_failure(memory: Path) -> None:
    without_access(memory, [], hosts="titan1")
    (known,) = json.loads(memory.read_text())["incidents"].values()
    assert known["healed"] is False
    right = inventory()["titan1"]["titan_redis_password"]
    without_access(memory, [], hosts="titan1", titan_redis_password=right)
    # The next outage is another one.
    assert json.loads(memory.read_text())["incidents"] == {}
    for said in ({"escalate_summary": "Voice is silent"}, {"escalate_test": True}):
        run = play("escalate", titan_incidents_path=str(memory), **said)
        assert run.code != 0
        assert "It reached nobody: no channel of titan_escalation_channels" in run.failure


def test_without_a_host_it_does_not_look_like_success() -> None:
    run = play("escalate", escalate_hosts="nosuch", escalate_summary="Voice is silent")
    assert run.code != 0
    assert "nosuch names no host of this inventory" in run.failure


@pytest.mark.parametrize("said", [{}, {"escalate_summary": " "}])
def test_summary_is_asked_for(said: dict[str, str]) -> None:
    run = play("escalate", **said)
    assert run.code != 0
    assert "escalate_summary" in run.failure
    assert "Traceback" not in run.output
    assert "filter" not in run.failure
