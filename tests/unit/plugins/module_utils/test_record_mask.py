# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret of a run or of its site stays in a record."""

from __future__ import annotations

from ansible_collections.plugspace.titan.plugins.module_utils._record_mask import (
    mask,
    masked_inputs,
    secrets_of,
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


def test_the_lines_of_a_key_are_secrets_too() -> None:
    assert "abcdefghijklmnopqrst" in secrets_of({"deploy_key": KEY})


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
