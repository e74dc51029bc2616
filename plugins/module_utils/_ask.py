# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking for several things at once, each within a time limit and none stopping the others."""

from __future__ import annotations

import queue
import threading
import time
import typing as t

Report = dict[str, t.Any]


def ask_all(
    parts: t.Mapping[str, t.Callable[[], t.Any]], timeout: float, refused: str = "errors"
) -> Report:
    """The answer of each part, None for one that failed or took longer than timeout seconds.

    refused: the key under which it stands why, for each part that gave no answer.
    """
    answers: queue.Queue[tuple[str, t.Any, str]] = queue.Queue()

    def ask(part: str, read: t.Callable[[], t.Any]) -> None:
        try:
            answers.put((part, read(), ""))
        except Exception as error:  # whatever it is, it must not take the others with it
            answers.put((part, None, str(error) or type(error).__name__))

    report: Report = dict.fromkeys(parts)
    errors = dict.fromkeys(parts, f"no answer within {timeout:g} s")
    for part, read in parts.items():
        # A daemon thread: one that hangs in the kernel must not keep the process.
        threading.Thread(target=ask, args=(part, read), daemon=True).start()
    answered: set[str] = set()
    deadline = time.monotonic() + timeout
    while len(answered) < len(parts):
        try:
            part, answer, error = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        answered.add(part)
        report[part] = answer
        errors[part] = error
    report[refused] = {part: error for part, error in errors.items() if error}
    return report
