# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings applications into a state: what has to be done, and doing it one gated step at a time."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.plugspace.titan.plugins.module_utils import _pm2_definition, _pm2_logs
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_client import (
    HungError,
    Pm2Error,
)
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_definition import Definition
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_gate import (
    Gate,
    GateError,
    Records,
    Task,
)
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_process import (
    environment_of,
)
from ansible_collections.plugspace.titan.plugins.module_utils._probe import Probe

# A number of instances: those that run, and no fewer than the definition says.
KEEP = "keep"
STATES = ("started", "stopped", "restarted", "reloaded", "absent")


class Daemon(t.Protocol):
    """What the daemon does directly."""

    def processes(self) -> Records:
        """PM2's own list."""

    def act(self, action: str, number: int, timeout: float) -> None:
        """Restart, reload, start, stop, delete or duplicate one process."""


class Starter(t.Protocol):
    """What only PM2's own code does."""

    def start(self, instances: t.Sequence[tuple[Definition, int]]) -> None:
        """Start instances from their definition."""


class FailedError(Pm2Error):
    """An application did not come up; the others and the untouched instances were left alone."""

    def __init__(self, app: str, instance: int, cause: str, reason: str, after: str) -> None:
        super().__init__(f"{app}: instance {instance} {reason}{after}")
        self.app = app
        self.instance = instance
        self.cause = cause


@dataclass(frozen=True)
class Wanted:
    """One application and the state it shall be in."""

    name: str
    state: str
    definition: Definition | None = None
    count: str | None = None
    probe: Probe | None = None
    expect: t.Mapping[str, t.Any] = field(default_factory=dict)
    min_uptime: float = 2.0
    sealed: bool = False
    only: t.Container[int] | None = None


@dataclass
class Plan:
    """What has to be done for one application, decided before anything is touched."""

    wanted: Wanted
    count: int = 0
    drift: list[str] = field(default_factory=list)
    keep: set[int] = field(default_factory=set)
    actions: list[str] = field(default_factory=list)


def target_count(wanted: Wanted, present: int) -> int:
    """How many instances the application shall have."""
    defined = wanted.definition.instances if wanted.definition is not None else 0
    if wanted.count == KEEP:
        return max(present, defined)
    if wanted.count is not None:
        text = wanted.count
        if re.fullmatch(r"[+-]\d{1,4}", text):
            number = present + int(text)
        else:
            number = _pm2_definition.count_instances(text, os.cpu_count() or 1, wanted.name)
        if number < 1:
            raise Pm2Error(
                f"{wanted.name}: {text} would leave {number} instances of {present}:"
                " use state stopped or absent to end an application"
            )
        return number
    return defined or present


class Manager:
    """Plans and applies; holds the actions done so far, also when a step fails."""

    def __init__(self, daemon: Daemon, starter: Starter, gate: Gate) -> None:
        self._daemon = daemon
        # The list when something failed: the process may be removed before its log is read.
        self.evidence: Records = []
        self._starter = starter
        self._gate = gate
        self.actions: list[str] = []
        self._touched: dict[str, Wanted] = {}
        self._floors: dict[tuple[str, int], int] = {}
        # The further instance of each application that is reloaded.
        self._canaries: dict[str, int] = {}

    # -- planning: reads only -----------------------------------------------------------------

    def plan(self, wanted: Wanted, records: Records) -> Plan:
        """Decide what has to be done for one application."""
        mine = _mine(records, wanted.name)
        plan = Plan(wanted, target_count(wanted, len(mine)))
        if wanted.state in ("stopped", "absent"):
            self._plan_end(plan, mine)
        elif not mine:
            self._plan_first(plan, records)
        else:
            self._plan_running(plan, mine)
        return plan

    @staticmethod
    def _plan_end(plan: Plan, mine: Records) -> None:
        verb = "Stop" if plan.wanted.state == "stopped" else "Delete"
        for record in mine:
            if verb == "Delete" or environment_of(record).get("status") != "stopped":
                plan.actions.append(f"{verb} {plan.wanted.name} instance {_id(record)}")

    @staticmethod
    def _plan_first(plan: Plan, records: Records) -> None:
        if plan.wanted.definition is None:
            known = ", ".join(sorted({str(one.get("name")) for one in records})) or "none"
            raise Pm2Error(
                f"PM2 has no application {plan.wanted.name} (it has: {known}), and neither"
                " ecosystem nor script says how to start it"
            )
        plan.actions.append(f"Start {plan.count} of {plan.wanted.name}")

    def _plan_running(self, plan: Plan, mine: Records) -> None:
        wanted, name = plan.wanted, plan.wanted.name
        if wanted.definition is not None:
            seen = [_pm2_definition.drift(one, wanted.definition) for one in mine]
            plan.drift = list(dict.fromkeys(word for words in seen for word in words))
        down = [_id(one) for one in mine if not _is_up(one)]
        if plan.drift:
            plan.actions.append(f"Replace {name}, because of drift: {'; '.join(plan.drift)}")
            return
        if len(mine) != plan.count:
            plan.actions.append(f"Scale {name} from {len(mine)} to {plan.count}")
        if wanted.state == "started":
            plan.actions += [f"Start {name} instance {number}" for number in down]
            return
        if wanted.state == "reloaded" and (wanted.expect or wanted.sealed):
            plan.keep = self._as_expected(wanted, mine)
        if wanted.only is not None:
            plan.keep |= {_id(one) for one in mine if _id(one) not in wanted.only}
        verb = "Restart" if wanted.state == "restarted" else "Reload"
        slots = [_id(one) for one in mine][: plan.count]
        plan.actions += [f"{verb} {name} instance {one}" for one in slots if one not in plan.keep]

    def _as_expected(self, wanted: Wanted, mine: Records) -> set[int]:
        settled = {one.id: one for one in self._gate.instances(wanted.name) if one.settled}
        # The directory that a process works in shows its release, provided that nothing changes in
        # it: so the caller says, or its definition leads there by a link.
        here: set[int] = set()
        elsewhere: set[int] = set()
        for record in mine:
            cwd = str(environment_of(record).get("pm_cwd", ""))
            one = settled.get(_id(record))
            real = os.path.realpath(cwd)
            if one is not None and one.release_path and cwd and (wanted.sealed or real != cwd):
                (here if one.release_path == real else elsewhere).add(one.id)
        if wanted.probe is not None and wanted.probe.type == "http":
            # Two releases may be of one commit, and the other one may go any day.
            return self._gate.proven(wanted.name, wanted.probe) - elsewhere
        return here

    # -- applying -----------------------------------------------------------------------------

    def apply(self, *plans: Plan) -> None:
        """Do what was planned; FailedError stops it at the first instance that does not come up.

        The further instances of all applications are tried first, so that a release of which one
        application is bad touches none of them. See docs/adr/0003-gated-reload.md.
        """
        self._try_canaries(plans)
        try:
            for plan in plans:
                if plan.actions:
                    self._apply(plan)
        except Pm2Error:
            # The canary of an application that was begun with may be what serves now.
            self._remove_canaries(set(self._canaries) - set(self._touched))
            raise

    @property
    def touched(self) -> t.Collection[str]:
        """The applications whose running processes were begun with."""
        return self._touched.keys()

    def _apply(self, plan: Plan) -> None:
        wanted = plan.wanted
        canary = self._canaries.get(wanted.name)
        mine = [one for one in _mine(self._daemon.processes(), wanted.name) if _id(one) != canary]
        if wanted.state in ("stopped", "absent"):
            self._end(wanted, mine)
            return
        self._touched[wanted.name] = wanted
        if not mine:
            self._create(plan)
        elif plan.drift:
            self._replace(plan, mine)
        elif _is_gentle(plan, mine):
            self._reload(plan, mine)
        else:
            self._cycle(plan, mine)

    def settle(self) -> None:
        """A last look at every application that was touched: the first one must still be well."""
        for name, wanted in self._touched.items():
            for one in self._gate.instances(name):
                floor = self._floors.get((name, one.id), one.restarts)
                probe = _once(wanted.probe)
                self._pass("", Task(name, one.id, floor, -1, wanted.min_uptime, 0.0, probe))

    def _end(self, wanted: Wanted, mine: Records) -> None:
        verb = "stop" if wanted.state == "stopped" else "delete"
        for record in mine:
            if verb == "delete" or environment_of(record).get("status") != "stopped":
                self._act(verb, wanted.name, record)

    def _create(self, plan: Plan, keep: bool = False) -> None:
        wanted, definition = plan.wanted, plan.wanted.definition
        if definition is None:
            raise Pm2Error(f"{wanted.name} is gone since the plan was made: run again")
        before = self._ids(wanted.name)
        self._starter.start([(definition, number) for number in range(plan.count)])
        fresh = [one for one in self._ids(wanted.name) if one not in before]
        self.actions.append(f"Started {len(fresh)} of {wanted.name} ({definition.exec_mode})")
        if len(fresh) < plan.count:
            raise FailedError(wanted.name, len(fresh), "vanished", "was not started by PM2", "")
        # A first release that does not come up leaves nothing; a service that was there stays.
        remove = wanted.state == "reloaded" and not keep
        leave = "; it was removed again" if remove else "; PM2 keeps trying"
        try:
            for number in fresh:
                self._gated(wanted, number, 0, leave, canary=number == fresh[0])
        except FailedError:
            if remove:
                self._delete(wanted.name, fresh)
            raise

    def _replace(self, plan: Plan, mine: Records) -> None:
        """New processes from the definition, the old ones deleted: all that applies a drift."""
        wanted, definition = plan.wanted, plan.wanted.definition
        if definition is None:
            return
        old = [_id(record) for record in mine]
        self.actions.append(f"Found drift of {wanted.name}: {'; '.join(plan.drift)}")
        if not (definition.cluster and _is_cluster(mine)):
            self._delete(wanted.name, old)
            self.actions.append(f"Recreated {wanted.name} with an interruption (no cluster mode)")
            self._create(plan, keep=True)
            return
        for number in range(plan.count):
            fresh = self._fresh(wanted.name, functools.partial(self._start, definition, number))
            after = "; it was removed again and the others were left alone"
            try:
                self._gated(wanted, fresh, 0, after, canary=number == 0)
            except FailedError:
                self._delete(wanted.name, [fresh])
                raise
            self.actions.append(f"Started {wanted.name} instance {fresh} as defined now")
            if number < len(old):
                self._delete(wanted.name, [old[number]])
        self._delete(wanted.name, old[plan.count :])

    def _try_canaries(self, plans: t.Sequence[Plan]) -> None:
        """One further instance of each application, all of them before anything else is touched."""
        records = self._daemon.processes() if plans else []
        tasks = []
        try:
            for wanted, mine in self._tried(plans, records):
                self._canaries[wanted.name] = number = self._fresh(
                    wanted.name, functools.partial(self._quiet, "duplicate", mine[0])
                )
                tasks.append(self._task(wanted, number, 0, canary=True))
            if tasks:
                self._pass("; it was removed, the running ones were not touched", *tasks)
        except Pm2Error:
            self._remove_canaries(set(self._canaries))
            raise
        for name, number in self._canaries.items():
            self.actions.append(f"Tried {name} in a further instance {number}: it passed")

    def _remove_canaries(self, names: t.Collection[str]) -> None:
        for name in sorted(names):
            with contextlib.suppress(Pm2Error):
                self._delete(name, [self._canaries[name]])

    @staticmethod
    def _tried(plans: t.Sequence[Plan], records: Records) -> t.Iterator[tuple[Wanted, Records]]:
        for plan in plans:
            mine = _mine(records, plan.wanted.name)
            if plan.actions and _is_gentle(plan, mine) and _todo(plan, mine):
                yield plan.wanted, mine

    def _reload(self, plan: Plan, mine: Records) -> None:
        """The canary has passed: the others one by one.

        Slots are the lowest ids, so that numbers and log files stay the same; what exceeds the
        count is removed at the very end.
        """
        wanted = plan.wanted
        slots = {_id(one): one for one in mine[: plan.count]}
        surplus = [_id(one) for one in mine[plan.count :]]
        todo = _todo(plan, mine) if wanted.name in self._canaries else []
        if todo:
            surplus.insert(0, self._canaries[wanted.name])
        for number in todo:
            self._reload_slot(wanted, slots[number])
        missing = plan.count - len(slots)
        surplus = surplus[max(0, missing) :]
        for _more in range(missing - (1 if todo else 0)):
            self._add(wanted, mine[0])
        self._delete(wanted.name, surplus, fold=_id(mine[0]))

    def _reload_slot(self, wanted: Wanted, record: t.Mapping[str, t.Any]) -> None:
        number, old_pid = _id(record), int(record.get("pid") or 0)
        online = environment_of(record).get("status") == "online"
        floor = self._restarts(wanted.name, number) + (1 if online else 0)
        if online:
            self._act("reload", wanted.name, record)
        else:
            # Stop first: it ends a restart that PM2 may have planned.
            self._quiet("stop", record)
            self._act("restart", wanted.name, record)
        try:
            self._gated(
                wanted, number, floor, "; it was stopped, the canary serves in its place", old_pid
            )
        except FailedError:
            self._quiet("stop", record)
            raise

    def _cycle(self, plan: Plan, mine: Records) -> None:
        """Start or restart in place, one at a time, then bring the count right."""
        wanted = plan.wanted
        for record in mine[: plan.count]:
            number, old_pid = _id(record), int(record.get("pid") or 0)
            online = environment_of(record).get("status") == "online"
            if number in plan.keep or (wanted.state == "started" and _is_up(record)):
                continue
            floor = self._restarts(wanted.name, number) + (1 if online else 0)
            if not online:
                self._quiet("stop", record)
            self._act("restart", wanted.name, record)
            self._gated(
                wanted, number, floor, "; PM2 keeps trying", old_pid, canary=record is mine[0]
            )
        for _more in range(plan.count - len(mine)):
            self._add(wanted, mine[0])
        self._delete(wanted.name, [_id(record) for record in mine[plan.count :]])

    def _add(self, wanted: Wanted, template: t.Mapping[str, t.Any]) -> None:
        if not _is_cluster([template]) and wanted.definition is None:
            raise Pm2Error(
                f"{wanted.name} runs in fork mode: a further instance would ask for the same port;"
                " give it exec_mode cluster, or say instances in its definition"
            )
        fresh = self._fresh(wanted.name, lambda: self._quiet("duplicate", template))
        try:
            self._gated(wanted, fresh, 0, "; it was removed again")
        except FailedError:
            self._delete(wanted.name, [fresh])
            raise
        self.actions.append(f"Added {wanted.name} instance {fresh}")

    # -- single steps -------------------------------------------------------------------------

    def _start(self, definition: Definition, number: int) -> None:
        self._starter.start([(definition, number)])

    def _ids(self, name: str) -> list[int]:
        return [_id(record) for record in _mine(self._daemon.processes(), name)]

    def _restarts(self, name: str, number: int) -> int:
        return next((o.restarts for o in self._gate.instances(name) if o.id == number), 0)

    def _fresh(self, name: str, action: t.Callable[[], None]) -> int:
        """The id of the one process that the action adds."""
        before = set(self._ids(name))
        action()
        added = [number for number in self._ids(name) if number not in before]
        if not added:
            raise FailedError(name, len(before), "vanished", "was not started by PM2", "")
        return added[-1]

    def _act(self, action: str, name: str, record: t.Mapping[str, t.Any]) -> None:
        self._quiet(action, record)
        done = {"stop": "Stopped", "delete": "Deleted", "restart": "Restarted"}
        self.actions.append(f"{done.get(action, 'Reloaded')} {name} instance {_id(record)}")

    def _quiet(self, action: str, record: t.Mapping[str, t.Any]) -> None:
        env = environment_of(record)
        waits = (env.get("listen_timeout") or 3000, env.get("kill_timeout") or 1600)
        limit = 10 + sum(2 * int(one) for one in waits if isinstance(one, (int, float))) / 1000
        try:
            self._daemon.act(action, _id(record), limit)
        except HungError:
            # PM2 5 and 6 lose the answer when a worker dies early. The list tells whether the
            # daemon lives, and the gate what became of the process; it is never sent twice.
            self._daemon.processes()

    def _delete(self, name: str, numbers: t.Sequence[int], fold: int | None = None) -> None:
        records = {_id(one): one for one in _mine(self._daemon.processes(), name)}
        for number in numbers:
            if number in records:
                self._act("delete", name, records[number])
                self._floors.pop((name, number), None)
                if fold is not None and fold in records and fold != number:
                    _pm2_logs.fold(records[number], records[fold])

    def _gated(
        self,
        wanted: Wanted,
        number: int,
        floor: int,
        after: str,
        old_pid: int = -1,
        canary: bool = False,
    ) -> None:
        self._pass(after, self._task(wanted, number, floor, old_pid, canary))

    def _task(
        self, wanted: Wanted, number: int, floor: int, old_pid: int = -1, canary: bool = False
    ) -> Task:
        # Later instances of an application that has a probe wait for their uptime together.
        uptime = wanted.min_uptime if canary or wanted.probe is None else 0.0
        steady = wanted.min_uptime if canary else 0.0
        self._floors[(wanted.name, number)] = floor
        return Task(wanted.name, number, floor, old_pid, uptime, steady, wanted.probe)

    def _pass(self, after: str, *tasks: Task) -> None:
        try:
            self._gate.wait(*tasks)
        except GateError as error:
            task = error.task
            with contextlib.suppress(Pm2Error):
                self.evidence = _mine(self._daemon.processes(), task.name)
            raise FailedError(task.name, task.number, error.cause, str(error), after) from None


def _once(probe: Probe | None) -> Probe | None:
    return None if probe is None else replace(probe, successes=1)


def _id(record: t.Mapping[str, t.Any]) -> int:
    number = environment_of(record).get("pm_id")
    return number if isinstance(number, int) else -1


def _is_up(record: t.Mapping[str, t.Any]) -> bool:
    return environment_of(record).get("status") in ("online", "launching")


def _mine(records: Records, name: str) -> Records:
    return sorted((one for one in records if one.get("name") == name), key=_id)


def _is_gentle(plan: Plan, mine: Records) -> bool:
    """Whether the processes are replaced by PM2's reload, behind a canary."""
    reloaded = plan.wanted.state == "reloaded" and not plan.drift
    return bool(mine) and reloaded and _is_cluster(mine)


def _todo(plan: Plan, mine: Records) -> list[int]:
    """The slots that do not run as wanted yet."""
    return [number for number in map(_id, mine[: plan.count]) if number not in plan.keep]


def _is_cluster(records: t.Sequence[t.Mapping[str, t.Any]]) -> bool:
    return all(environment_of(one).get("exec_mode") == "cluster_mode" for one in records)
