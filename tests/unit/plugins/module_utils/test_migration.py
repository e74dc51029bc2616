# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of a migration and what each failure leaves behind, with a hand-written runner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils._migration import (
    Migration,
    MigrationError,
)


@dataclass
class Answer:
    code: int = 0
    output: str = ""
    timed_out: bool = False


@dataclass
class Tool:
    """Answers each command with the next of its answers, and notes the order."""

    answers: dict[str, list[Answer]]
    calls: list[str] = field(default_factory=list)

    def __call__(self, argv: Sequence[str], timeout: float) -> Answer:
        self.calls.append(argv[0])
        return self.answers[argv[0]].pop(0)


def migration(**answers: list[Answer]) -> tuple[Migration, Tool]:
    tool = Tool(answers)
    return Migration(tool, ["migrate"], ["status"], ["backup"]), tool


def test_nothing_pending_runs_nothing() -> None:
    subject, tool = migration(status=[Answer(0, "up to date")])
    result = subject.look()
    assert not result.pending
    assert result.status == ["up to date"]
    assert tool.calls == ["status"]


def test_a_pending_migration_is_backed_up_first_and_checked_last() -> None:
    subject, tool = migration(status=[Answer(1), Answer(0)], backup=[Answer()], migrate=[Answer()])
    result = subject.look()
    assert result.pending
    subject.migrate(result)
    assert tool.calls == ["status", "backup", "migrate", "status"]
    assert result.migrated
    assert set(result.timings) == {"status", "backup", "migrate"}


def test_without_a_backup_nothing_is_migrated() -> None:
    subject, tool = migration(status=[Answer(1)], backup=[Answer(3, "no space\n")])
    with pytest.raises(MigrationError) as caught:
        subject.migrate(subject.look())
    assert str(caught.value) == "backup failed with exit code 3; nothing was migrated"
    assert (caught.value.step, caught.value.lines) == ("backup", ["no space"])
    assert tool.calls == ["status", "backup"]


def test_a_failed_migration_says_that_there_is_a_backup() -> None:
    subject, _tool = migration(status=[Answer(1)], backup=[Answer()], migrate=[Answer(1, "P3018")])
    with pytest.raises(MigrationError, match="a backup was made just before") as caught:
        subject.migrate(subject.look())
    assert caught.value.step == "migrate"


def test_a_success_that_the_status_denies_is_a_failure() -> None:
    subject, _tool = migration(
        status=[Answer(1), Answer(1, "still pending")], backup=[Answer()], migrate=[Answer()]
    )
    with pytest.raises(MigrationError, match="reported success") as caught:
        subject.migrate(subject.look())
    assert caught.value.step == "status"


def test_a_command_that_takes_too_long_is_told() -> None:
    subject, _tool = migration(status=[Answer(-15, timed_out=True)])
    with pytest.raises(MigrationError, match="was ended after 900 s"):
        subject.look()


def test_without_a_status_command_a_migration_is_assumed() -> None:
    tool = Tool({"migrate": [Answer()]})
    subject = Migration(tool, ["migrate"])
    result = subject.look()
    subject.migrate(result)
    assert tool.calls == ["migrate"]
    assert not result.backed_up


def test_only_the_last_lines_are_kept() -> None:
    subject, _tool = migration(status=[Answer(0, "\n\n".join(map(str, range(50))))])
    assert subject.look().status[0] == "30"
