# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a channel takes, the request for it, and how its delivery is read."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.plugspace.titan.plugins.filter.escalation_delivery import (
    FilterModule as DeliveryModule,
)
from ansible_collections.plugspace.titan.plugins.filter.escalation_request import (
    FilterModule as RequestModule,
)
from ansible_collections.plugspace.titan.plugins.module_utils._escalation_channels import (
    channel_secrets,
    sorted_channels,
)

KEY = "0123456789abcdef0123456789abcdef"
PAGERDUTY = {"name": "pd", "type": "pagerduty", "routing_key": KEY}
MAIL = {"name": "mail", "type": "mail", "host": "smtp", "from": "titan@x", "to": ["ops@x"]}
SLACK = {"name": "slack", "type": "slack", "url": "https://hooks.slack.example/services/T0/B0/XyZ"}
HOOK = {
    "name": "hook",
    "type": "webhook",
    "url": "https://user:hidden-pass@hook.example/in?token=query-secret",
    "headers": {"Authorization": "Bearer header-secret"},
}
MESSAGE = {
    "subject": "[HIGH] api",
    "text": "It is down",
    "pagerduty": {"event_action": "resolve", "dedup_key": "k"},
    "slack": {"text": "It is down"},
    "webhook": {"outcome": "unhealed"},
}
DECISION = {
    "message": MESSAGE,
    "chain": {"due": 1, "steps": [{"role": "On-call"}, {"role": "CTO"}]},
}
request = RequestModule().filters()["escalation_request"]
delivery = DeliveryModule().filters()["escalation_delivery"]


def test_good_channels_have_no_problem() -> None:
    extra = {"port": "587", "username": "u", "password": "p", "secure": "starttls"}
    trusting = [{**one, "ca_file": "/ca.pem"} for one in (PAGERDUTY, SLACK, HOOK)]
    given = [{**MAIL, **extra}, {**MAIL, "name": "other", "port": 65535}, *trusting]
    assert sorted_channels(given) == (given, [])


@pytest.mark.parametrize(
    ("channels", "said"),
    [
        ("x", "the escalation channels are no list"),
        (["x"], "escalation channel 1: it is no mapping"),
        ([{**SLACK, "name": "a/b"}], "escalation channel 1: its name"),
        ([SLACK, SLACK], "escalation channel 2 (slack): another one has this name"),
        ([{**SLACK, "type": "fax"}], "(slack): its type is none of pagerduty, mail, webhook"),
        ([{**PAGERDUTY, "routing_key": " "}], "(pd): routing_key is missing or empty"),
        ([{**MAIL, "from": None}], "(mail): from is missing or empty"),
        ([{**SLACK, "severites": []}], "(slack): severites is not known; slack takes name"),
        ([{**SLACK, "url": "hooks.slack.example/secret"}], "(slack): url is no address"),
        ([{**SLACK, "url": "https://h/se cret"}], "(slack): url is no address"),
        ([{**HOOK, "headers": "x"}], "(hook): headers is no mapping"),
        ([{**HOOK, "headers": {"A": "secret\n"}}], "(hook): headers has a line break"),
        ([{**HOOK, "severities": "high"}], "(hook): severities is no list of critical"),
        ([{**HOOK, "severities": ["urgent"]}], "(hook): severities is no list of critical"),
        ([{**MAIL, "username": "u"}], "(mail): username and password go together"),
        ([{**MAIL, "secure": "yes"}], "(mail): secure is none of always"),
        ([{**MAIL, "port": "x"}], "(mail): port is none"),
        ([{**MAIL, "port": 0}], "(mail): port is none"),
        ([{**MAIL, "port": 65536}], "(mail): port is none"),
    ],
)
def test_bad_channel_is_told_without_its_secrets(channels: Any, said: str) -> None:
    usable, problems = sorted_channels(channels)
    told = "\n".join(problems)
    assert said in told
    assert "secret" not in told
    assert KEY not in told
    # The first of two with the same name stays.
    assert usable == list(channels[:-1])


def test_a_bad_channel_is_left_out_alone() -> None:
    usable, problems = sorted_channels([SLACK, {**HOOK, "type": "fax"}, MAIL])
    assert usable == [SLACK, MAIL]
    assert len(problems) == 1


def test_secrets_of_channels() -> None:
    found = channel_secrets([PAGERDUTY, {**MAIL, "password": "smtp-pass"}, SLACK, HOOK])
    assert {KEY, "smtp-pass", SLACK["url"], "/services/T0/B0/XyZ"} <= found
    assert {"hidden-pass", "token=query-secret", "Bearer header-secret"} <= found
    elsewhere = {**PAGERDUTY, "url": "https://events.eu.pagerduty.com/v2/enqueue"}
    assert channel_secrets([elsewhere]) == {KEY}


def test_requests() -> None:
    paged = request(PAGERDUTY, DECISION)
    assert paged["url"] == "https://events.pagerduty.com/v2/enqueue"
    assert paged["body"] == {**MESSAGE["pagerduty"], "routing_key": KEY}  # type: ignore[dict-item]
    assert request({**PAGERDUTY, "url": "https://eu/"}, DECISION)["url"] == "https://eu/"
    assert request(HOOK, DECISION)["headers"] == HOOK["headers"]
    assert request(SLACK, DECISION)["body"] == MESSAGE["slack"]
    mailed = request(MAIL, DECISION)
    assert (mailed["to"], mailed["port"], mailed["secure"]) == (["ops@x"], 25, "try")
    assert (mailed["subject"], mailed["body"]) == ("[HIGH] api", "It is down")
    assert (mailed["username"], mailed["password"]) == ("", "")
    mailed = request({**MAIL, "to": "a@x", "username": "u", "password": "p"}, DECISION)
    assert (mailed["to"], mailed["username"], mailed["password"]) == (["a@x"], "u", "p")
    assert request(SLACK, DECISION)["ca_file"] == ""
    assert request({**SLACK, "ca_file": "/ca.pem"}, DECISION)["ca_file"] == "/ca.pem"


def test_mail_without_addresses_goes_to_those_who_are_called() -> None:
    contacts = {"On-call": {"mail": "on@x"}, "CTO": {"mail": "cto@x"}}
    unaddressed = {**MAIL, "to": []}
    assert request(unaddressed, DECISION, contacts)["to"] == ["on@x"]
    chain = {**DECISION["chain"], "due": 2}  # type: ignore[dict-item]
    assert request(unaddressed, {**DECISION, "chain": chain}, contacts)["to"] == ["on@x", "cto@x"]
    assert request(unaddressed, DECISION)["to"] == []


@pytest.mark.parametrize(
    ("channel", "result", "error"),
    [
        (SLACK, {"status": 200}, ""),
        (PAGERDUTY, {"status": 202, "content": "{}"}, ""),
        (PAGERDUTY, {"status": 400, "content": f"key {KEY}?"}, "answered 400: key ********?"),
        (SLACK, {"status": 302, "msg": "moved"}, "answered 302: moved"),
        (
            SLACK,
            {
                "status": -1,
                "msg": "Task failed: Module failed: Status code was -1 and not [200, 201]: "
                "Request failed: <urlopen error [Errno 111] Connection refused>",
            },
            "[Errno 111] Connection refused",
        ),
        (SLACK, {"msg": f"no such path {SLACK['url']}"}, "no such path ********"),
        (SLACK, {}, "it failed and gave no reason"),
        (MAIL, {"unreachable": True, "msg": "no route"}, "the host that sends was not"),
        (MAIL, {"result": {}, "msg": "sent"}, ""),
        (MAIL, {"result": {"a@x": [550, "no"]}}, "refused: a@x"),
        (MAIL, {"msg": "Module failed: [Errno 111] refused"}, "[Errno 111] refused"),
        (MAIL, {"msg": "FAILURE", "module_stderr": "Trace\nOSError: gone\n"}, "OSError: gone"),
        (MAIL, {"skipped": True}, "it has no address to send to"),
    ],
)  # fmt: skip
def test_delivery(channel: dict[str, Any], result: dict[str, Any], error: str) -> None:
    found = delivery(result, channel, "k", "trigger")
    assert (found["channel"], found["key"], found["action"]) == (channel["name"], "k", "trigger")
    assert found["ok"] is not bool(error)
    assert found["error"].startswith(error) if error else found["error"] == ""
