# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is masked: known secrets, credentials in URLs, and values that their names betray."""

from __future__ import annotations

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils._redact import (
    Redactor,
    named_secrets,
)


def test_the_longest_secret_goes_first() -> None:
    text = Redactor(["pass", "", "password"]).text("a password, https://me:it@example.com/")
    assert text == "a ********, https://********@example.com/"
    assert Redactor(["secret"]).lines(["a secret", "b"]) == ["a ********", "b"]


@pytest.mark.parametrize(
    "name",
    [
        "NPM_TOKEN",
        "Authorization",
        "Cookie",
        "DB_PASSWORD",
        "DB_PASS",
        "API_KEY",
        "X-Api-Key",
        "apiKey",
    ],
)
def test_a_name_betrays_its_value(name: str) -> None:
    for value in ("hunter2-hunter2", "hunter"):
        assert named_secrets({name: value, "NODE_ENV": "production"}) == {value}


@pytest.mark.parametrize(
    "variables",
    [
        None,
        {},
        {"PATH": "/usr/local/bin", "KEYBOARD": "german", "KEY_PREFIX": "plugspace"},
        {"GIT_AUTHOR_NAME": "plugspace", "NEXTAUTH_URL": "https://plugspace.io"},
        {"TOKEN": "short"},
    ],
)
def test_what_would_hide_too_much_stays(variables: dict[str, str] | None) -> None:
    assert named_secrets(variables) == set()
