"""Faults that are really there, and what a procedure makes of them."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.application import ROOT_ON_HOST
from support.hosts import NAMES, ssh
from support.playbooks import INVENTORY, Run, play

# Nothing waits for a cooldown but the test of it.
EAGER: dict[str, Any] = {"cooldown": 0, "maximum": 1000}
# The module that takes the lock, as the user whom that belongs to.
WAITS_FOR_LOCK = "pgrep -u plugspace -x python3 || true"


@dataclass(frozen=True)
class Fault:
    """Something that breaks on a host, and what has to be found and done.

    cause, rungs, target: what the procedure has to say and to climb. helps: whether the rungs are
    enough; where they are not, the procedure tells so, and helps once the cure has taken the reason
    away. cure: what a person does where no rung helps; the procedure has to leave it alone then.
    settled: what a person waits for after it, before looking again.
    after: what has to be true on the host in the end, as a command that succeeds.
    """

    name: str
    inject: str
    cause: str
    rungs: tuple[str, ...] = ()
    cure: str = ""
    settled: str = "true"
    after: str = "true"
    evidence: str = ""
    helps: bool = True

    @property
    def outcome(self) -> str:
        """What becomes of it."""
        return "healed" if self.rungs and self.helps else "unhealed"


@dataclass
class Seen:
    """What a run told: each host's result, the run, and the record that it left.

    record: empty when it left none.
    """

    run: Run
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    record: dict[str, Any] = field(default_factory=dict)


def procedure(
    playbook: str, role: str, *arguments: str, inventory: Path = INVENTORY, **variables: Any
) -> Seen:
    """Run a procedure with the inputs of its role, and read what AWX would get, and its record.

    variables: without the role's prefix; what begins with titan_ is of the inventory.
    """
    options = {
        name if name.startswith("titan_") else f"{role}_{name}": value
        for name, value in variables.items()
    }
    with tempfile.TemporaryDirectory(prefix="titan-records-") as records:
        run = play(playbook, *arguments, inventory=inventory, records=records, **options)
        written = [json.loads(path.read_text()) for path in Path(records).glob("*.json")]
    assert len(written) <= 1, "a run left more than one record"
    stats = [each for each in run.events if each["event"] == "playbook_on_stats"]
    told = (stats[-1]["event_data"].get("artifact_data") or {}) if stats else {}
    results = {one["host"]: one for one in told.get("titan_results", [])}
    seen = Seen(run, results, written[0] if written else {})
    if results:
        _recorded(seen)
    return seen


def _recorded(seen: Seen) -> None:
    """A record tells of each host what AWX was told, and what was before and after each rung."""
    assert seen.record["status"] == ("finished" if seen.run.code == 0 else "failed")
    assert {one["host"]: one for one in seen.record["results"]} == seen.results
    for result in seen.results.values():
        # Nothing was looked at after what was not done, or where nobody answers any more.
        if result["outcome"] in ("planned", "unreachable") or not result["rungs"]:
            continue
        shown = result["before"]
        for rung in result["rungs"]:
            assert (rung["before"], bool(rung["after"])) == (shown, True), result
            assert not (rung["helped"] and rung["left"]), result
            shown = rung["after"]


def nothing_left(again: Seen) -> None:
    """A second run finds all well, and changes nothing."""
    assert {one["outcome"] for one in again.results.values()} == {"well"}, again.results
    assert (again.run.code, again.run.changed) == (0, 0), again.run.output


Cases = Mapping[str, tuple[Mapping[str, Any], str]]


@contextmanager
def all_begun(name: str, cases: Cases, **base: Any) -> Iterator[dict[str, Future[Seen]]]:
    """Start a procedure with the inputs of each case, two at a time: one keeps one processor busy.

    cases: for each the inputs, which come over those of the base, and what has to be said. One
    without inputs is started without the base too. None of them touches a host.
    """
    with touching_nothing() as pool:
        yield {
            case: pool.submit(procedure, name, name, **({**base, **inputs} if inputs else {}))
            for case, (inputs, _sentence) in cases.items()
        }


@contextmanager
def touching_nothing() -> Iterator[ThreadPoolExecutor]:
    """For two runs at a time, after all of which every host is as it was before."""
    before = {host: state(host) for host in NAMES}
    with ThreadPoolExecutor(max_workers=2) as pool:
        yield pool
    assert {host: state(host) for host in NAMES} == before, "a wrong input touched something"


def refused(started: Future[Seen], sentence: str) -> None:
    """With wrong inputs, a procedure says what is wrong, and touches nothing."""
    run = started.result().run
    assert run.code != 0
    assert sentence in run.failure, run.output
    assert run.changed == 0
    assert "Traceback" not in run.output


def on_each(commands: Mapping[str, str]) -> dict[str, str]:
    """Run a command on each host, at the same time."""
    with ThreadPoolExecutor() as pool:
        answers = pool.map(lambda pair: ssh(pair[0], pair[1], timeout=90), commands.items())
        return dict(zip(commands, answers, strict=True))


def units(host: str) -> str:
    """What a procedure for a database, when it only looks, leaves as it is: units and its notes."""
    return ssh(
        host,
        "systemctl show -p MainPID,ActiveState nginx redis-server mongod pm2-plugspace;"
        f" ls {ROOT_ON_HOST}/lock.json 2>/dev/null; sudo cat /var/lib/titan/attempts.json"
        " 2>/dev/null; true",
    )


def state(host: str) -> str:
    """What any procedure that only looks leaves as it is: the processes of PM2 as well."""
    # PM2 itself may be what hangs, so it is not asked.
    processes = ssh(host, "ps -u plugspace -o pid=,args= | grep -E '[P]M2 v|[n]ode '; true")
    return processes + units(host)


def eventually(condition: Callable[[], bool], seconds: float = 60, pause: float = 0.5) -> None:
    """Wait for something that takes its own time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(pause)


def cure_all(faults: Iterable[Fault], *further: str) -> None:
    """What a person does about each of these faults, on every host, whether it is there or not."""
    cures = [fault.cure for fault in faults if fault.cure]
    everything = "; ".join([*further, *cures, "true"])
    on_each(dict.fromkeys(NAMES, f"{{ {everything}; }} >/dev/null 2>&1; true"))


def heal(
    run: Callable[..., Seen],
    batch: Sequence[Fault],
    visited: Callable[[str], None],
    state: Callable[[str], str] = state,
) -> None:
    """Put in a fault on each host and have it healed, or told where no rung helps.

    run: the procedure, with further arguments. visited: is served on a host, or fails. state:
    what --check leaves as it is. It says the same, the record of each run proves it, and a second
    run has nothing to do.
    """
    faults = dict(zip(NAMES, batch, strict=False))
    on_each({host: fault.inject for host, fault in faults.items()})
    before = {host: state(host) for host in faults}

    planned = run("--check")
    assert planned.run.changed == 0
    # --check touched nothing.
    assert {host: state(host) for host in faults} == before

    healed = run()
    for host, fault in faults.items():
        for seen in (planned, healed):
            result = seen.results[host]
            assert result["cause"] == fault.cause, (fault.name, result)
            assert fault.evidence in result["summary"], (fault.name, result)
        plan, result = planned.results[host], healed.results[host]
        assert plan["outcome"] == "planned", (fault.name, plan)
        climbed = tuple(rung["rung"] for rung in result["rungs"])
        assert climbed == fault.rungs, (fault.name, result)
        planned_rungs = tuple(rung["rung"] for rung in plan["rungs"])
        assert planned_rungs[: len(fault.rungs)] == fault.rungs, (fault.name, plan)
        assert result["outcome"] == fault.outcome, (fault.name, result)
        ssh(host, fault.after)
    assert (healed.run.code == 0) is all(fault.outcome == "healed" for fault in batch)
    # What was only told is left as it was, for a person.
    for host, fault in faults.items():
        assert fault.rungs or state(host) == before[host], fault.name
    told = [host for host, fault in faults.items() if fault.outcome != "healed"]
    on_each({host: faults[host].cure or "true" for host in told})
    on_each({host: faults[host].settled for host in told})

    again = run()
    assert again.run.code == 0, again.run.output
    changed = again.run.stats.get("changed", {})
    for host, fault in faults.items():
        # A cure may be all that it takes, or leave something to be started.
        expected = ("well",) if fault.outcome == "healed" else ("well", "healed")
        if not fault.helps:
            expected = ("healed",)
        outcome = again.results[host]["outcome"]
        assert outcome in expected, (fault.name, again.results[host])
        assert outcome == "healed" or changed.get(host, 0) == 0, (fault.name, again.run.output)
    for host in faults:
        visited(host)
