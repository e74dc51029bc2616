# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environment files: what stands in them, and what of it is a secret."""

from __future__ import annotations

import time

from ansible_collections.plugspace.titan.plugins.module_utils._dotenv import parse, secrets
from ansible_collections.plugspace.titan.plugins.module_utils._redact import Redactor

TEXT = """
# COMMENT=no
PORT=4000
export NODE_ENV=production
URL="mongodb://app:pa55w0rd@db:27017/x" # why
SINGLE='it # is'
EMPTY=
LONG="first line
second line"
SPACED = value with spaces  # and a comment
#OLD=1
"""


def test_variables_are_read() -> None:
    assert parse(TEXT) == {
        "PORT": "4000",
        "NODE_ENV": "production",
        "URL": "mongodb://app:pa55w0rd@db:27017/x",
        "SINGLE": "it # is",
        "EMPTY": "",
        "LONG": "first line\nsecond line",
        "SPACED": "value with spaces",
    }


def test_secrets_are_masked_and_plain_words_are_not() -> None:
    redact = Redactor(secrets(TEXT))
    assert redact.text("login app with pa55w0rd") == "login app with ********"
    assert redact.text("listening on 4000 in production") == "listening on 4000 in production"
    assert redact.text("got second line") == "got ********"
    assert redact.text("https://me:you@host/x") == "https://********@host/x"


def test_hostile_input_takes_no_time() -> None:
    started = time.monotonic()
    parse('A="' + "\\" * 100_000)
    parse("A=" * 100_000)
    assert time.monotonic() - started < 2
