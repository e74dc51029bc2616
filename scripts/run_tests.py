"""Run the project's checks and tests, and end with one summary that counts them.

Without a group everything runs: the checks of the code in one lane, the platform and then each
Molecule scenario in another. A failure hides nothing that comes after it.
"""

from __future__ import annotations

import argparse
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
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = Path(".cache/logs")
COLLECTION = "collections/ansible_collections/plugspace/titan"
GROUPS = ("lint", "sanity", "unit", "molecule")
TAIL_LINES = 40
# Scenarios that may run at the same time, one phase after the other; a scenario that is not named
# here runs alone, at the end. Default restarts a host, and the procedures for incidents break all
# three, so nothing that needs them is beside these. Only pm2_app and pm2_info, which have a PM2 of
# their own and no dependency, stand beside what fails databases. In the last phase one lane uses
# titan1, the other titan2 and titan3.
PHASES: tuple[tuple[tuple[str, ...], ...], ...] = (
    (("default",),),
    (("deploy",), ("records", "escalate")),
    (("service_down", "high_response_time", "high_memory", "high_cpu", "scale_back"),),
    (("redis_down", "mongodb_down", "triage"), ("pm2_app", "pm2_info")),
    (("status",),),
    (
        ("deploy_first", "deploy_kinds", "deploy_secrets", "migrate"),
        ("rollback", "deploy_failures", "deploy_interrupted", "releases"),
    ),
)

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


def find_scenarios(root: Path) -> list[str]:
    """Every Molecule scenario."""
    return sorted(path.parent.name for path in root.glob("molecule/*/molecule.yml"))


def lint_steps() -> list[Step]:
    return [
        Step("ruff check", ("ruff", "check", "."), 60),
        Step("ruff format", ("ruff", "format", "--check", "."), 60),
        Step("mypy", ("mypy", f"{COLLECTION}/plugins", "scripts/run_tests.py"), 300),
        Step("yamllint", ("yamllint", "--strict", "."), 120),
        Step("ansible-lint", ("ansible-lint", "--strict"), 600),
    ]


def unit_steps() -> list[Step]:
    command = ("pytest", "tests/unit", "-q", "--cov", "--cov-report=term")
    # Every branch of what decides at night; the other files may have one that no test takes.
    diagnoses = ("coverage", "report", "--include=*/_diagnose_*", "--fail-under=100")
    return [
        Step("unit tests", command, 1200, echo=True),
        Step("branches of the diagnoses", diagnoses, 60),
    ]


def sanity_steps() -> list[Step]:
    return [Step("ansible-test sanity", ("scripts/sanity",), 900)]


def platform_step() -> Step:
    return Step("platform", ("scripts/platform", "up"), 1200)


def scenario_step(name: str) -> Step:
    command = ("molecule", "test", "--scenario-name", name, "--destroy", "never")
    return Step(f"molecule {name}", command, 1200)


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
        }
        deadline = time.monotonic() + limit
        with log.open("wb") as output, log.open("rb") as written:
            try:
                process = subprocess.Popen(
                    step.command,
                    cwd=self._root,
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


def phases(names: Sequence[str]) -> list[list[list[str]]]:
    """The lanes of each phase, with these scenarios alone, and no empty lane."""
    named = {name for phase in PHASES for lane in phase for name in lane}
    further = [((name,),) for name in names if name not in named]
    chosen = [
        [[name for name in lane if name in names] for lane in phase]
        for phase in [*PHASES, *further]
    ]
    return [lanes for phase in chosen if (lanes := [lane for lane in phase if lane])]


def run_scenarios(runner: Runner, names: Sequence[str]) -> list[Result]:
    """Bring up the platform, then run the scenarios; without the platform each of them failed."""
    platform = runner.run(platform_step())
    if platform.problem:
        reason = "not run: the platform is not up"
        return [platform, *(runner.skip(scenario_step(name), reason) for name in names)]
    results = [platform]
    for phase in phases(names):
        results += runner.run_beside(
            *(partial(runner.run_all, [scenario_step(name) for name in lane]) for lane in phase)
        )
    return results


def run_groups(runner: Runner, groups: Sequence[str], scenarios: Sequence[str]) -> list[Result]:
    """Run the groups asked for; the two CPU cores of a small machine are worth using."""
    code: list[Step] = []
    if "lint" in groups:
        code += lint_steps()
    if "unit" in groups:
        code += unit_steps()
    if "sanity" in groups:
        code += sanity_steps()
    if "molecule" not in groups:
        return runner.run_all(code)
    return runner.run_beside(
        partial(runner.run_all, code), partial(run_scenarios, runner, scenarios)
    )


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("groups", nargs="*", metavar="group", help=", ".join(GROUPS))
    parser.add_argument("--scenario", action="append", help="this Molecule scenario alone")
    parser.add_argument("--minutes", type=float, default=86.0, help="limit of the whole run")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.groups) - set(GROUPS))
    if unknown:
        parser.error(f"no group {unknown[0]}: there are {', '.join(GROUPS)}")
    known = find_scenarios(ROOT)
    missing = sorted(set(options.scenario or []) - set(known))
    if missing:
        parser.error(f"no scenario {missing[0]}: there are {', '.join(known)}")
    options.scenario = options.scenario or known
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_arguments(arguments)
    # A terminated run stops its steps just like an interrupted one, also where the caller ignores
    # interruptions, as a shell does for what it starts in the background.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    groups = options.groups or GROUPS
    runner = Runner(ROOT, options.minutes, stream=len(groups) == 1)
    try:
        results = run_groups(runner, groups, options.scenario)
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130
    print(summarize(results), flush=True)
    return 1 if any(result.failed for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
