# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking for several things at once."""

from __future__ import annotations

import threading

from ansible_collections.plugspace.titan.plugins.module_utils._ask import ask_all


def test_one_that_fails_and_one_that_hangs_do_not_stop_the_others() -> None:
    forever = threading.Event()

    def broken() -> None:
        raise OSError("no such disk")

    def silent() -> None:
        raise ValueError

    report = ask_all(
        {"good": lambda: 7, "bad": broken, "mute": silent, "hung": forever.wait}, timeout=0.3
    )
    forever.set()
    assert report == {
        "good": 7,
        "bad": None,
        "mute": None,
        "hung": None,
        "errors": {
            "bad": "no such disk",
            "mute": "ValueError",
            "hung": "no answer within 0.3 s",
        },
    }


def test_all_are_asked_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=5)
    assert ask_all({"a": both.wait, "b": both.wait}, 5)["errors"] == {}
