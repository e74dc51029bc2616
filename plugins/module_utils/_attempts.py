# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What procedures have tried on a host, so that an unattended caller does not loop.

The file survives reboots. One that cannot be read is no licence to go on: it counts as too many
attempts, until a person says otherwise.
"""

from __future__ import annotations

import os
import time
import typing as t
from dataclasses import asdict, dataclass, replace

from ansible_collections.plugspace.titan.plugins.module_utils._files import read_json, write_json
from ansible_collections.plugspace.titan.plugins.module_utils._guard import guarded
from ansible_collections.plugspace.titan.plugins.module_utils._words import age, plural

# An attempt that a killed run never ended.
UNENDED = "unknown"
# One after which nothing was wrong any more.
HEALED = "healed"
_KEPT = 200


class AttemptsError(Exception):
    """The file of attempts cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class Attempt:
    """One attempt of a procedure. began, ended: seconds since the epoch, ended 0 while it runs."""

    procedure: str
    cause: str
    run: str
    by: str
    began: float
    ended: float = 0.0
    outcome: str = UNENDED

    @classmethod
    def of(cls, content: t.Mapping[str, t.Any]) -> Attempt:
        """An attempt from the file; KeyError, TypeError or ValueError when it is none."""
        texts = {key: str(content[key]) for key in ("procedure", "cause", "run", "by", "outcome")}
        return cls(began=float(content["began"]), ended=float(content["ended"]), **texts)


@dataclass(frozen=True)
class Policy:
    """How often a procedure may try. cooldown, window: seconds. maximum: attempts in a window."""

    cooldown: float
    maximum: int
    window: float


@dataclass(frozen=True)
class Verdict:
    """Whether a procedure may try now. wait: seconds until it may again, 0 when nobody knows."""

    allowed: bool
    reason: str = ""
    wait: float = 0.0


class Attempts:
    """The attempts that a file remembers."""

    def __init__(self, path: str, clock: t.Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock

    def read(self) -> list[Attempt]:
        """All of them, oldest first; AttemptsError when the file is damaged or not to be read."""
        try:
            return [Attempt.of(one) for one in read_json(self.path)["attempts"]]
        except FileNotFoundError:
            return []
        except (ValueError, KeyError, TypeError):
            raise AttemptsError(
                f"{self.path} is damaged, so nobody knows what was tried here before"
            ) from None
        except OSError as error:
            raise AttemptsError(f"{self.path} cannot be read: {error.strerror}") from None

    def judge(self, procedure: str, policy: Policy) -> Verdict:
        """Whether the procedure may try now; changes nothing."""
        try:
            return self._judge(self.read(), procedure, policy)
        except AttemptsError as error:
            return Verdict(False, str(error))

    def begin(
        self, procedure: str, cause: str, run: str, by: str, policy: Policy, override: bool
    ) -> Verdict:
        """Note an attempt, if the procedure may try now or a person overrides it."""
        os.makedirs(os.path.dirname(self.path), mode=0o755, exist_ok=True)
        with guarded(self.path):
            verdict = self.judge(procedure, policy)
            if not verdict.allowed and not override:
                return verdict
            now = self._clock()
            try:
                known = self.read()
            except AttemptsError:
                # What it holds may still tell a person something.
                os.replace(self.path, f"{self.path}.damaged-{int(now)}")
                known = []
            self._write([*known, Attempt(procedure, cause, run, by, now)])
        return Verdict(True, f"{verdict.reason}; overridden" if verdict.reason else "")

    def end(self, procedure: str, run: str, outcome: str) -> bool:
        """Note how this run's attempt ended; whether there was one that had not ended."""
        with guarded(self.path):
            known = self.read()
            for place, one in reversed(list(enumerate(known))):
                if (one.procedure, one.run, one.ended) == (procedure, run, 0.0):
                    known[place] = replace(one, ended=self._clock(), outcome=outcome)
                    self._write(known)
                    return True
        return False

    def _write(self, attempts: t.Sequence[Attempt]) -> None:
        content = {"version": 1, "attempts": [asdict(one) for one in attempts[-_KEPT:]]}
        write_json(self.path, content, mode=0o644)

    def _judge(self, known: t.Sequence[Attempt], procedure: str, policy: Policy) -> Verdict:
        now = self._clock()
        # A clock that was set back must not forget what was tried a moment ago.
        own = [one for one in known if one.procedure == procedure]
        if not own:
            return Verdict(True)
        recent = [one for one in own if abs(now - one.began) < policy.window]
        if len(recent) >= policy.maximum:
            wait = policy.window - abs(now - recent[-policy.maximum].began)
            return Verdict(
                False,
                f"{procedure} was tried {plural(len(recent), 'time')} here in the last"
                f" {age(policy.window)}, and {policy.maximum} is the most",
                round(wait, 1),
            )
        last = own[-1]
        since = abs(now - (last.ended or last.began))
        if since < policy.cooldown:
            return Verdict(
                False,
                f"{procedure} was tried {age(since)} ago because of {last.cause}"
                f" ({last.outcome}),"
                f" and {age(policy.cooldown)} have to pass",
                round(policy.cooldown - since, 1),
            )
        return Verdict(True)
