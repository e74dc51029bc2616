"""Run the project's checks and tests, and end with one summary that counts them.

Without a group everything runs: the checks of the code in one lane, the platform and then the
Molecule scenarios in others. A failure hides nothing that comes after it.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from steps import Result, Runner, Step, summarize

ROOT = Path(__file__).resolve().parent.parent
COLLECTION = "collections/ansible_collections/plugspace/titan"
GROUPS = ("lint", "sanity", "unit", "molecule")
# The scenarios of each platform: one phase after the other, the lanes of a phase at the same time.
# Default restarts a host, and the procedures for incidents break all three, so nothing is beside
# these on their platform. In the middle phase of the second one lane uses titan1, the other titan2
# and titan3.
Phases = tuple[tuple[tuple[str, ...], ...], ...]
FIRST: Phases = (
    (("default",),),
    (
        (
            "service_down",
            "mongodb_down",
            "triage",
            "high_memory",
        ),
    ),
)
SECOND: Phases = (
    (("deploy", "status", "pm2_info"),),
    (
        ("deploy_first", "deploy_kinds", "deploy_secrets", "migrate"),
        ("rollback", "deploy_failures", "deploy_interrupted", "releases"),
    ),
    # The shorter of both platforms has these: a PM2 of its own on each host, and what the other has
    # no time for.
    (("pm2_app", "redis_down", "records", "escalate"),),
)
# What keeps all processors busy by itself, or measures how busy they are, runs on the first
# platform when everything else is over, and so does a scenario that is not named here.
QUIET: Phases = ((("high_cpu", "scale_back", "high_response_time"),),)


def find_scenarios(root: Path) -> list[str]:
    """Every Molecule scenario."""
    return sorted(path.parent.name for path in root.glob("molecule/*/molecule.yml"))


def lint_steps() -> list[Step]:
    return [
        Step("ruff check", ("ruff", "check", "."), 60),
        Step("ruff format", ("ruff", "format", "--check", "."), 60),
        Step(
            "mypy",
            ("mypy", f"{COLLECTION}/plugins", "scripts/run_tests.py", "scripts/steps.py"),
            300,
        ),
        Step("yamllint", ("yamllint", "--strict", "."), 120),
        Step("ansible-lint", ("ansible-lint", "--strict"), 600),
    ]


def unit_steps() -> list[Step]:
    command = ("pytest", "tests/unit", "-q", "--cov", "--cov-report=term")
    # Every branch of what decides at night; the other files may have one that no test takes.
    deciding = ("diagnose_*", "scale_back", "scaling", "cpu_usage", "memory_users", "ladder")
    files = ",".join(f"*/_{name}.py" for name in deciding)
    diagnoses = ("coverage", "report", f"--include={files}", "--fail-under=100")
    return [
        Step("unit tests", command, 1200, echo=True),
        Step("branches of the diagnoses", diagnoses, 60),
    ]


def sanity_steps() -> list[Step]:
    return [Step("ansible-test sanity", ("scripts/sanity",), 900)]


def platform_step(name: str = "platform") -> Step:
    return Step(name, ("scripts/platform", "up"), 1200)


def scenario_step(name: str) -> Step:
    command = ("molecule", "test", "--scenario-name", name, "--destroy", "never")
    return Step(f"molecule {name}", command, 1500)


def here(step: Step) -> Step:
    """A step of the first platform, which belongs to this checkout."""
    return step


def chosen(phases: Phases, names: Sequence[str]) -> Phases:
    """The phases with these scenarios alone, and no empty lane."""
    kept = (
        tuple(lane for part in phase if (lane := tuple(name for name in part if name in names)))
        for phase in phases
    )
    return tuple(phase for phase in kept if phase)


def scenarios(phases: Phases) -> list[str]:
    """The scenarios of all phases."""
    return [name for phase in phases for lane in phase for name in lane]


def unplanned(names: Sequence[str]) -> Phases:
    """A phase for each scenario that has no place in a plan."""
    planned = scenarios((*FIRST, *SECOND, *QUIET))
    return tuple(((name,),) for name in names if name not in planned)


def run_scenarios(
    runner: Runner, platform: Step, phases: Phases, place: Callable[[Step], Step] = here
) -> list[Result]:
    """Bring up a platform, then run the scenarios on it."""
    up = runner.run(platform)
    return [up, *run_phases(runner, up, phases, place)]


def run_phases(
    runner: Runner, up: Result, phases: Phases, place: Callable[[Step], Step] = here
) -> list[Result]:
    """Run the scenarios on a platform; unless it is up, each of them failed."""
    if up.problem:
        reason = "not run: the platform is not up"
        return [runner.skip(scenario_step(name), reason) for name in scenarios(phases)]
    results: list[Result] = []
    for phase in phases:
        lanes = [[place(scenario_step(name)) for name in lane] for lane in phase]
        results += runner.run_beside(*(partial(runner.run_all, lane) for lane in lanes))
    return results


def run_on_second_platform(runner: Runner, phases: Phases) -> list[Result]:
    """Start three more hosts with a copy of this checkout that they belong to, and remove them."""
    with tempfile.TemporaryDirectory(prefix="titan-second-") as parent:
        folder = Path(parent) / ROOT.name
        place = partial(replace, folder=folder, environment=(("TITAN_PLATFORM", "second"),))
        up = Step("second platform", ("scripts/second-platform", str(folder)), 600)
        results = run_scenarios(runner, up, phases, place)
        if not results[0].problem:
            down = Step("second platform down", ("scripts/platform", "down"), 300)
            results.append(runner.run(place(down)))
        return results


def run_everything(runner: Runner, code: Sequence[Step], names: Sequence[str]) -> list[Result]:
    """Check the code while the image is made, then use two platforms at a time.

    A scenario waits more than it calculates, so one after the other would leave half of a machine
    with two processors idle.
    """

    def on_both_platforms() -> list[Result]:
        # The engine and the image are made once, for the first one.
        up = runner.run(platform_step())
        first = partial(run_phases, runner, up, chosen(FIRST, names))
        second = partial(run_on_second_platform, runner, chosen(SECOND, names))
        return [up, *runner.run_beside(first, second)]

    results = runner.run_beside(partial(runner.run_all, code), on_both_platforms)
    last = (*chosen(QUIET, names), *unplanned(names))
    return results + run_scenarios(runner, platform_step("platform, once more"), last)


def run_groups(
    runner: Runner, groups: Sequence[str], asked: Sequence[str] | None = None
) -> list[Result]:
    """Run the groups. asked: the scenarios to run, on one platform; none for all, on two."""
    code: list[Step] = []
    if "lint" in groups:
        code += lint_steps()
    if "unit" in groups:
        code += unit_steps()
    if "sanity" in groups:
        code += sanity_steps()
    if "molecule" not in groups:
        return runner.run_all(code)
    if asked is None:
        return run_everything(runner, code, find_scenarios(ROOT))
    phases = (*chosen((*FIRST, *SECOND, *QUIET), asked), *unplanned(asked))
    return [*runner.run_all(code), *run_scenarios(runner, platform_step(), phases)]


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("groups", nargs="*", metavar="group", help=", ".join(GROUPS))
    parser.add_argument("--scenario", action="append", help="this Molecule scenario alone")
    parser.add_argument("--minutes", type=float, default=90.0, help="limit of the whole run")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.groups) - set(GROUPS))
    if unknown:
        parser.error(f"no group {unknown[0]}: there are {', '.join(GROUPS)}")
    known = find_scenarios(ROOT)
    missing = sorted(set(options.scenario or []) - set(known))
    if missing:
        parser.error(f"no scenario {missing[0]}: there are {', '.join(known)}")
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
