# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret of a run or of its site stays in a record."""

from __future__ import annotations

from ansible_collections.plugspace.titan.plugins.module_utils._record_mask import (
    mask,
    masked_inputs,
    secrets_of,
    settings_of,
)
from ansible_collections.plugspace.titan.plugins.module_utils._redact import Redactor

KEY = "-----BEGIN KEY-----\nabcdefghijklmnopqrst\n-----END KEY-----"


def test_secrets_are_found_by_name_at_any_depth() -> None:
    variables = {
        "vault_anything": "from-the-vault",
        "vault_deep": {"a": ["in-a-list"]},
        "titan_services": [{"name": "plugspace-api", "environment": {"API_TOKEN": "token-value"}}],
        "redis_password": "hunter2hunter2",
        "a_password": "{{ vault_anything }}",
        "b_password": "short",
        "c_password": True,
        "d_password": None,
        "e_password": {"value": "inside-of-it"},
        "plain": "visible-value",
        "number_password": 12345678,
    }
    assert secrets_of(variables) == {
        "from-the-vault",
        "in-a-list",
        "token-value",
        "hunter2hunter2",
        "inside-of-it",
        "12345678",
    }


def test_the_address_of_a_channel_is_a_secret_of_it() -> None:
    hook = {"name": "h", "type": "webhook", "url": "https://hooks.example.net/T012/B345?a=token9"}
    found = {hook["url"], "/T012/B345", "a=token9"}
    assert secrets_of({"titan_escalation_channels": [hook]}) == found
    assert secrets_of({"escalate_channels": [hook]}) == found
    # The setting may be made of others.
    assert secrets_of({"titan_our_channel": hook}) == found
    # Nobody is told by these; what they hold is secret all the same.
    for wrong in ({"type": "slak"}, {"type": None}, {"headers": "x"}, {"headers": {"A": "b"}}):
        assert secrets_of({"titan_escalation_channels": [{**hook, **wrong}]}) == found
    broken = {"type": "slack", "url": "https://[hooks/T012"}
    assert secrets_of({"x": broken}) == {broken["url"]}
    templated = {"type": "slack", "url": "https://hooks.example.net/{{ vault_hook }}"}
    assert secrets_of({"x": templated}) == set()
    page = {"type": "pagerduty", "url": "https://events.example.net/v2", "routing_key": "0123456"}
    assert secrets_of({"x": page}) == {"0123456"}
    probe = {"name": "site", "type": "http", "url": "https://plugspace.test/api/health"}
    assert secrets_of({"titan_public_probe": probe}) == set()


class Sealed:
    """A value of a vault whose password is not at hand."""

    def __str__(self) -> str:
        raise RuntimeError("no vault secrets were found")


def test_a_sealed_value_costs_no_other_secret() -> None:
    assert secrets_of({"a_password": Sealed(), "b_password": "hunter2"}) == {"hunter2"}


def test_what_a_site_was_given_is_told_from_what_a_run_found() -> None:
    variables = {"hostvars": 1, "vars": 1, "__common_x": 1, "common_result": 1, "titan_x": 2}
    assert settings_of(variables) == {"titan_x": 2}


def test_the_lines_of_a_key_are_secrets_too() -> None:
    found = secrets_of({"deploy_key": f"{KEY}\na word"})
    assert "abcdefghijklmnopqrst" in found
    # Which would mask too much.
    assert "a word" not in found


def test_what_holds_itself_ends() -> None:
    circle: dict[str, object] = {"x_token": "token-value"}
    circle["again"] = [circle]
    assert "..." in str(masked_inputs(circle))
    assert secrets_of(circle) == {"token-value"}


def test_a_secret_input_is_not_shown_however_short() -> None:
    inputs = {
        "redis_password": "abc",
        "empty_password": "",
        "service": "api",
        "nested": {"x_token": "y", "list": [{"z_secret": 1}]},
        "vault_x": {"a": 1},
    }
    assert masked_inputs(inputs) == {
        "redis_password": "********",
        "empty_password": "",
        "service": "api",
        "nested": {"x_token": "********", "list": [{"z_secret": "********"}]},
        "vault_x": "********",
    }


def test_every_text_of_a_structure_is_masked() -> None:
    redactor = Redactor({"hunter2hunter2"})
    before = {
        "hunter2hunter2": [("x hunter2hunter2 y", 5, None, True)],
        "url": "redis://:p@host/0",
    }
    assert mask(before, redactor) == {
        "********": [["x ******** y", 5, None, True]],
        "url": "redis://********@host/0",
    }
