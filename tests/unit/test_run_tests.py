"""The test runner counts right, and a failure neither hides nor stops what comes after it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import run_tests
import steps
from steps import Counts, Result, Runner, Step


@pytest.mark.parametrize(
    ("output", "counts"),
    [
        ("", None),
        ("collected 3 items\nno tests ran in 0.01s\n", None),
        ("12 passed in 0.3s\n", Counts(12)),
        (
            "== 2 failed, 10 passed, 1 skipped, 3 warnings in 61.20s (0:01:01) ==\n",
            Counts(10, 2, 1),
        ),
        ("\x1b[32m=== \x1b[32m\x1b[1m3 passed\x1b[0m\x1b[32m in 1s\x1b[0m ===\n", Counts(3)),
        ("1 passed, 2 errors in 0.1s\n1 error in 0.1s\n", Counts(1, 3)),
        ("1 passed in 0.1s\nother lines\n2 passed, 1 failed in 9.9s\n", Counts(3, 1)),
        ("the note said: 5 passed in 3s\n", None),
        ("5 passed in spite of all\n", None),
    ],
)
def test_count_tests(output: str, counts: Counts | None) -> None:
    assert steps.count_tests(output) == counts


STEP = Step("a step", ("true",), 10)


@pytest.mark.parametrize(
    ("result", "passed", "failed"),
    [
        (Result(STEP, 1), 1, 0),
        (Result(STEP, 1, "exit code 1"), 0, 1),
        (Result(STEP, 1, "", Counts(7, 0, 1)), 7, 0),
        (Result(STEP, 1, "exit code 1", Counts(7, 2)), 7, 2),
        (Result(STEP, 1, "coverage is missing", Counts(7)), 7, 1),
        (Result(STEP, 1, "", Counts(7, 1)), 7, 1),
    ],
)
def test_a_result_counts_its_tests_or_itself(result: Result, passed: int, failed: int) -> None:
    assert (result.passed, result.failed) == (passed, failed)


def test_summary_ends_with_the_plain_count() -> None:
    text = steps.summarize(
        [
            Result(Step("unit tests", ("x",), 1), 12.4, "exit code 1", Counts(40, 2, 3)),
            Result(Step("yamllint", ("x",), 1), 0.6),
            Result(Step("molecule deploy", ("x",), 1), 0.0, "not run: the platform is not up"),
        ]
    )
    assert [" ".join(line.split()) for line in text.splitlines() if "---" not in line] == [
        "",
        "step result seconds tests log",
        "unit tests FAILED 12 40 passed, 2 failed, 3 skipped .cache/logs/unit-tests.log",
        "yamllint passed 1 .cache/logs/yamllint.log",
        "molecule deploy FAILED 0 not run: the platform is not up",
        "",
        "41 passed, 3 failed",
    ]


def test_scenarios_are_found_by_looking(tmp_path: Path) -> None:
    for name in ("status", "default", "a_case"):
        (tmp_path / "molecule" / name).mkdir(parents=True)
        (tmp_path / "molecule" / name / "molecule.yml").touch()
    (tmp_path / "molecule/shared").mkdir()
    assert run_tests.find_scenarios(tmp_path) == ["a_case", "default", "status"]


def python(name: str, code: str, limit: int = 20, echo: bool = False) -> Step:
    return Step(name, (sys.executable, "-c", code), limit, echo)


def test_a_failure_shows_its_tail_and_the_next_step_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runner = Runner(tmp_path, minutes=1, stream=False)
    noisy = "for n in range(100): print('line', n)\nraise SystemExit(3)"
    results = runner.run_all([python("first", noisy), python("second", "print('quiet')")])
    assert [result.problem for result in results] == ["exit code 3", ""]
    shown = capsys.readouterr().out
    assert "FAILED  first: exit code 3" in shown
    assert "line 99\n" in shown
    assert "line 59\n" not in shown
    assert "passed  second" in shown
    assert "quiet" not in shown
    assert (tmp_path / ".cache/logs/first.log").read_text().startswith("line 0\n")


def test_an_echoing_step_is_shown_although_it_passed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    step = python("unit tests", "print('TOTAL 97%'); print('4 passed in 0.2s')", echo=True)
    result = Runner(tmp_path, minutes=1, stream=False).run(step)
    assert result.counts == Counts(4)
    assert "    TOTAL 97%\n" in capsys.readouterr().out


def test_a_streamed_step_is_shown_once(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    Runner(tmp_path, minutes=1, stream=True).run(python("one", "print('seen'); exit(1)"))
    assert capfdbinary.readouterr().out.count(b"seen\n") == 1


def test_a_step_beyond_its_limit_is_ended_with_what_it_started(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    result = Runner(tmp_path, minutes=1, stream=False).run(python("slow", code, limit=2))
    assert result.problem == "stopped after its limit of 2 s"
    child = int((tmp_path / ".cache/logs/slow.log").read_text())
    assert ended(child)


def ended(pid: int) -> bool:
    """Whether a process is gone, or only waits to be collected by its parent."""
    for _ in range(50):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.1)
    return False


def test_nothing_starts_when_the_time_for_the_run_is_over(tmp_path: Path) -> None:
    result = Runner(tmp_path, minutes=0, stream=False).run(python("late", "open('ran', 'w')"))
    assert result.problem == "not run: the time for the whole run is over"
    assert not (tmp_path / "ran").exists()


def test_a_missing_program_is_a_failure(tmp_path: Path) -> None:
    result = Runner(tmp_path, minutes=1, stream=False).run(Step("x", ("no-such-program",), 5))
    assert result.problem == "cannot start no-such-program: No such file or directory"


def test_lanes_run_at_the_same_time_and_keep_their_order(tmp_path: Path) -> None:
    wait_for = "import pathlib, time\nwhile not pathlib.Path('{}').exists(): time.sleep(0.05)"
    left = [python("a", wait_for.format("go")), python("b", "")]
    right = [python("c", "open('go', 'w')")]
    runner = Runner(tmp_path, minutes=1, stream=False)
    results = runner.run_beside(partial(runner.run_all, left), partial(runner.run_all, right))
    assert [(result.step.name, result.problem) for result in results] == [
        ("a", ""),
        ("b", ""),
        ("c", ""),
    ]


def test_scenarios_fail_when_there_is_no_platform(tmp_path: Path) -> None:
    runner = Runner(tmp_path, minutes=1, stream=False)
    phases = ((("deploy",), ("rollback",)),)
    results = run_tests.run_scenarios(runner, python("platform", "exit(1)"), phases)
    assert [result.problem for result in results] == [
        "exit code 1",
        *2 * ["not run: the platform is not up"],
    ]


def test_a_step_runs_in_its_folder_with_its_environment(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    step = replace(
        python("one", "import os; open(os.environ['TITAN_PLATFORM'], 'w')"),
        folder=there,
        environment=(("TITAN_PLATFORM", "second"),),
    )
    assert Runner(tmp_path, minutes=1, stream=False).run(step).problem == ""
    assert (there / "second").exists()


PLANS = {"first": run_tests.FIRST, "second": run_tests.SECOND, "quiet": run_tests.QUIET}


def test_every_scenario_has_one_place_in_the_plans() -> None:
    planned = [name for phases in PLANS.values() for name in run_tests.scenarios(phases)]
    assert sorted(planned) == run_tests.find_scenarios(run_tests.ROOT)


def test_only_what_was_chosen_is_left_of_a_plan() -> None:
    phases = ((("a",), ("b", "c")), (("d",),), (("e", "f"), ("g",)))
    assert run_tests.chosen(phases, ["b", "c", "g", "h"]) == ((("b", "c"),), (("g",),))
    assert run_tests.chosen(phases, []) == ()
    assert run_tests.unplanned(["deploy", "newcomer"]) == ((("newcomer",),),)


class Recorder:
    """A runner that passes every step without running it."""

    def __init__(self) -> None:
        self.lanes: list[list[str]] = []

    def run(self, step: Step) -> Result:
        return self.run_all([step])[0]

    def run_all(self, steps: list[Step]) -> list[Result]:
        self.lanes += [[_shown(step) for step in steps]] if steps else []
        return [Result(step, 1) for step in steps]

    def run_beside(self, *lanes: Callable[[], list[Result]]) -> list[Result]:
        return [result for lane in lanes for result in lane()]


def _shown(step: Step) -> str:
    return " ".join([step.name, *dict(step.environment).values()])


UNIT = ["unit tests", "branches of the diagnoses"]
CODE = ["ruff check", "ruff format", "mypy", "yamllint", "ansible-lint", *UNIT]
ASKED = ["default", "deploy", "migrate", "rollback", "high_cpu"]
ON_ONE = [
    ["platform"],
    ["molecule default"],
    ["molecule deploy"],
    ["molecule migrate"],
    ["molecule rollback"],
    ["molecule high_cpu"],
]
ON_TWO = [
    [*CODE, "ansible-test sanity"],
    ["platform"],
    ["molecule default"],
    ["second platform"],
    ["molecule deploy second"],
    ["molecule migrate second"],
    ["molecule rollback second"],
    ["second platform down second"],
    ["platform, once more"],
    ["molecule high_cpu"],
    ["molecule newcomer"],
]


@pytest.mark.parametrize(
    ("groups", "asked", "lanes"),
    [
        (["unit"], None, [UNIT]),
        (["lint", "unit"], None, [CODE]),
        (["molecule"], ASKED, ON_ONE),
        (["unit", "molecule"], ASKED, [UNIT, *ON_ONE]),
        (run_tests.GROUPS, None, ON_TWO),
    ],
)
def test_groups_become_lanes(
    groups: list[str],
    asked: list[str] | None,
    lanes: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run_tests, "find_scenarios", lambda _root: [*ASKED, "newcomer"])
    runner = Recorder()
    results = run_tests.run_groups(runner, groups, asked)
    assert runner.lanes == lanes
    assert len(results) == sum(len(lane) for lane in lanes)


def test_every_step_names_a_command_of_the_tools_or_the_repository() -> None:
    root = Path(run_tests.__file__).parent.parent
    steps = [*run_tests.lint_steps(), *run_tests.unit_steps(), *run_tests.sanity_steps()]
    for step in [*steps, run_tests.platform_step(), run_tests.scenario_step("x")]:
        program = step.command[0]
        folder = root if "/" in program else Path(sys.executable).parent
        assert os.access(folder / program, os.X_OK), program


@pytest.mark.parametrize(("problem", "code"), [("", 0), ("exit code 2", 1)])
def test_the_exit_code_tells_of_failures(
    problem: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_tests, "run_groups", lambda *_: [Result(STEP, 1, problem)])
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert run_tests.main(["unit"]) == code
    finally:
        signal.signal(signal.SIGTERM, before)
    assert capsys.readouterr().out.splitlines()[-1] == f"{1 - code} passed, {code} failed"


@pytest.mark.parametrize("arguments", [["lnit"], ["molecule", "--scenario", "nothing"]])
def test_an_unknown_name_is_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run_tests.parse_arguments(arguments)
    assert "there are" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    sleep = f"sleep 61.{os.getpid()}"
    code = (
        "import sys; from pathlib import Path; import run_tests\n"
        "run_tests.ROOT = Path(sys.argv[1])\n"
        f"step = run_tests.Step('long', {tuple(sleep.split())!r}, 60)\n"
        "run_tests.run_groups = lambda runner, *rest: runner.run_beside(\n"
        "    lambda: runner.run_all([step]), list)\n"
        "sys.exit(run_tests.main([]))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(Path(run_tests.__file__).parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "start" in process.stdout.readline()
    time.sleep(0.3)
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert errors == "\nInterrupted.\n"
    running = subprocess.run(["pgrep", "-fx", sleep], capture_output=True, check=False)
    assert running.stdout == b""
