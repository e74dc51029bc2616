# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database migration: look, back up, migrate, look again."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field

SHOWN_LINES = 20


class Answer(t.Protocol):
    """How a command ended."""

    @property
    def code(self) -> int:
        """Its exit code."""

    @property
    def output(self) -> str:
        """The end of what it printed."""

    @property
    def timed_out(self) -> bool:
        """Whether it was ended because its time was up."""


class Runner(t.Protocol):
    """Runs a command in the application's directory; timeout in seconds."""

    def __call__(self, argv: t.Sequence[str], timeout: float) -> Answer:
        """Run it to its end."""


class MigrationError(Exception):
    """A step failed: `step` is backup, migrate or status, `lines` the last of what it printed."""

    def __init__(self, step: str, message: str, lines: list[str]) -> None:
        super().__init__(message)
        self.step = step
        self.lines = lines


@dataclass
class Result:
    """What was found and done. Timings are seconds for each step that ran."""

    pending: bool
    status: list[str]
    migrated: bool = False
    backed_up: bool = False
    timings: dict[str, float] = field(default_factory=dict)


@dataclass
class Migration:
    """The commands of a site, as lists of arguments; an empty one is a step the site has not."""

    runner: Runner
    command: t.Sequence[str]
    status_command: t.Sequence[str] = ()
    backup_command: t.Sequence[str] = ()
    timeout: float = 900.0
    backup_timeout: float = 3600.0

    def look(self) -> Result:
        """Tell whether anything is pending; without a status command it is assumed."""
        result = Result(pending=True, status=[])
        if self.status_command:
            answer = self._run("status", self.status_command, self.timeout, result)
            result.pending = answer.code != 0
            result.status = _last_lines(answer)
        return result

    def migrate(self, result: Result) -> None:
        """Back up, migrate, and see that nothing is pending any more."""
        if self.backup_command:
            answer = self._run("backup", self.backup_command, self.backup_timeout, result)
            if answer.code != 0:
                raise _failed("backup", self.backup_command, answer, "nothing was migrated")
            result.backed_up = True
        after = "a backup was made just before" if result.backed_up else "no backup is configured"
        answer = self._run("migrate", self.command, self.timeout, result)
        if answer.code != 0:
            raise _failed("migrate", self.command, answer, after)
        result.migrated = True
        if self.status_command:
            answer = self._run("status", self.status_command, self.timeout, result)
            result.status = _last_lines(answer)
            if answer.code != 0:
                raise _failed(
                    "status",
                    self.status_command,
                    answer,
                    f"the migration reported success; {after}",
                )
        result.pending = False

    def _run(self, step: str, argv: t.Sequence[str], timeout: float, result: Result) -> Answer:
        started = time.monotonic()
        answer = self.runner(argv, timeout)
        spent = result.timings.get(step, 0.0) + time.monotonic() - started
        result.timings[step] = round(spent, 3)
        if answer.timed_out:
            raise MigrationError(
                step, f"{' '.join(argv)} was ended after {timeout:g} s", _last_lines(answer)
            )
        return answer


def _failed(step: str, argv: t.Sequence[str], answer: Answer, consequence: str) -> MigrationError:
    message = f"{' '.join(argv)} failed with exit code {answer.code}; {consequence}"
    return MigrationError(step, message, _last_lines(answer))


def _last_lines(answer: Answer) -> list[str]:
    lines = [line.rstrip() for line in answer.output.splitlines() if line.strip()]
    return lines[-SHOWN_LINES:]
