"""Steps of a test run: commands with limits and logs, one after the other or in lanes beside each
other, and a summary that counts their tests.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

LOGS = Path(".cache/logs")
TAIL_LINES = 40

_ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_CLOSING_LINE = re.compile(r"^=*\s*(?P<body>\d+ [a-z]+(?:, \d+ [a-z]+)*) in [\d.]+s\b.*$", re.M)
_FAILED_WORDS = ("failed", "error", "errors")


@dataclass(frozen=True)
class Step:
    """One command, with a name to report and a limit in seconds."""

    name: str
    command: tuple[str, ...]
    limit: int
    echo: bool = False
    # Where it runs, when that is not this checkout, and what it finds in its environment.
    folder: Path | None = None
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def log(self) -> Path:
        return LOGS / (re.sub(r"[^a-z0-9_]+", "-", self.name.lower()) + ".log")


@dataclass(frozen=True)
class Counts:
    """Tests that a step ran."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        words = [f"{self.passed} passed", f"{self.failed} failed"]
        if self.skipped:
            words.append(f"{self.skipped} skipped")
        return ", ".join(words)


@dataclass(frozen=True)
class Result:
    """How a step ended. `problem` is empty when it passed."""

    step: Step
    seconds: float
    problem: str = ""
    counts: Counts | None = None

    @property
    def passed(self) -> int:
        if self.counts is not None:
            return self.counts.passed
        return 0 if self.problem else 1

    @property
    def failed(self) -> int:
        """A step that failed while its tests passed counts as one failure."""
        failed_tests = self.counts.failed if self.counts is not None else 0
        return failed_tests or (1 if self.problem else 0)


def count_tests(output: str) -> Counts | None:
    """Add up pytest's closing lines in `output`; None when pytest did not run."""
    found = False
    passed = failed = skipped = 0
    for line in _CLOSING_LINE.finditer(_ESCAPE.sub("", output)):
        found = True
        for item in line["body"].split(", "):
            number, word = item.split(" ")
            if word == "passed":
                passed += int(number)
            elif word in _FAILED_WORDS:
                failed += int(number)
            elif word == "skipped":
                skipped += int(number)
    return Counts(passed, failed, skipped) if found else None


class Runner:
    """Runs steps, keeps their logs, and tells what happens while it happens."""

    def __init__(self, root: Path, minutes: float, stream: bool) -> None:
        self._root = root
        self._deadline = time.monotonic() + 60 * minutes
        self._stream = stream
        self._speaking = threading.Lock()
        self._interrupted = threading.Event()
        (root / LOGS).mkdir(parents=True, exist_ok=True)

    def run_all(self, steps: Sequence[Step]) -> list[Result]:
        return [self.run(step) for step in steps]

    def run_beside(self, *lanes: Callable[[], list[Result]]) -> list[Result]:
        """Run the lanes at the same time."""
        with ThreadPoolExecutor(max_workers=len(lanes)) as pool:
            try:
                return [result for done in pool.map(lambda lane: lane(), lanes) for result in done]
            except KeyboardInterrupt:
                self._interrupted.set()
                raise

    def run(self, step: Step) -> Result:
        limit = min(step.limit, self._deadline - time.monotonic())
        if self._interrupted.is_set():
            return self.skip(step, "not run: interrupted")
        if limit <= 0:
            return self.skip(step, "not run: the time for the whole run is over")
        self._say(f"start   {step.name}")
        started = time.monotonic()
        problem = self._execute(step, limit)
        output = (self._root / step.log).read_text(encoding="utf-8", errors="replace")
        result = Result(step, time.monotonic() - started, problem, count_tests(output))
        self._tell_end(result, output)
        return result

    def skip(self, step: Step, reason: str) -> Result:
        """A step that could not run is a failure: nothing of it was proven."""
        self._say(f"FAILED  {step.name}: {reason}")
        return Result(step, 0.0, reason)

    def _execute(self, step: Step, limit: float) -> str:
        """Run the command, and return what went wrong, or nothing."""
        log = self._root / step.log
        environment = os.environ | {
            "PATH": f"{self._root / '.venv/bin'}:{os.environ.get('PATH', os.defpath)}",
            "NO_COLOR": "1",
            "ANSIBLE_NOCOLOR": "1",
            **dict(step.environment),
        }
        deadline = time.monotonic() + limit
        with log.open("wb") as output, log.open("rb") as written:
            try:
                process = subprocess.Popen(
                    step.command,
                    cwd=step.folder or self._root,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                return f"cannot start {step.command[0]}: {error.strerror}"
            try:
                while process.poll() is None:
                    if time.monotonic() > deadline:
                        return f"stopped after its limit of {limit:.0f} s"
                    if self._interrupted.is_set():
                        return "interrupted"
                    time.sleep(0.1)
                    self._copy(written.read())
                self._copy(written.read())
            finally:
                stop(process)
        return f"exit code {process.returncode}" if process.returncode else ""

    def _copy(self, data: bytes) -> None:
        if self._stream and data:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def _tell_end(self, result: Result, output: str) -> None:
        tests = f", {result.counts}" if result.counts else ""
        word = "FAILED " if result.problem else "passed "
        reason = f": {result.problem}" if result.problem else ""
        shown: list[str] = []
        if not self._stream:
            lines = output.rstrip().splitlines()
            if result.step.echo:
                shown = lines
            elif result.problem:
                shown = lines[-TAIL_LINES:]
        text = f"{word} {result.step.name}{reason} ({result.seconds:.0f} s{tests})"
        self._say("\n".join([text, *(f"    {line}" for line in shown)]))

    def _say(self, text: str) -> None:
        with self._speaking:
            print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a step that is still running, with everything that it started."""
    if process.poll() is not None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            pass
        return


def summarize(results: Sequence[Result]) -> str:
    """Render the table of all steps. The last line counts tests, and steps that have none."""
    header = ("step", "result", "seconds", "tests", "log")
    rows = [
        (
            result.step.name,
            "FAILED" if result.problem else "passed",
            f"{result.seconds:.0f}",
            str(result.counts or ""),
            str(result.step.log) if result.seconds else result.problem,
        )
        for result in results
    ]
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
        for row in [header, tuple("-" * width for width in widths), *rows]
    ]
    passed = sum(result.passed for result in results)
    failed = sum(result.failed for result in results)
    return "\n".join(["", *lines, "", f"{passed} passed, {failed} failed"])
