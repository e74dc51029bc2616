# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings a replica set into a configuration, one healthy step at a time, or its primary down."""

from __future__ import annotations

import re
import time
import typing as t
from dataclasses import dataclass, field

from ansible_collections.plugspace.titan.plugins.module_utils._mongodb import MongoError
from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_documents import (
    Document,
    number,
)
from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_members import (
    Report,
    delay,
    member_settings,
    member_states,
    observe,
    role,
)

_HEALTHY = ("PRIMARY", "SECONDARY", "ARBITER")
_POLL_S = 0.5
_CATCH_UP_S = 10
# The module's names and those of the configuration.
_FIELDS = {"priority": "priority", "votes": "votes", "hidden": "hidden"}


class ReplicaSetError(Exception):
    """What was asked for is not done; `cause` is the machine's word for why."""

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause


class Client(t.Protocol):
    """What is asked of a member, and done to it; each raises MongoError."""

    def hello(self, address: str) -> Document:
        """Return who that very member says it is."""

    def status(self, address: str) -> Document:
        """Return replSetGetStatus."""

    def config(self, address: str) -> Document:
        """Return the configuration of the set."""

    def initiate(self, address: str, config: Document) -> None:
        """Give a member that was never initiated its first configuration."""

    def reconfigure(self, address: str, config: Document, force: bool) -> None:
        """Replace the configuration."""

    def step_down(self, address: str, seconds: int, catch_up: int) -> None:
        """Make the primary a secondary; it stays one for `seconds`."""


class Clock(t.Protocol):
    """Time, which a test passes quickly."""

    def monotonic(self) -> float:
        """Return seconds."""

    def sleep(self, seconds: float, /) -> None:
        """Let them pass."""


@dataclass(frozen=True)
class Member:
    """What a member shall be like; None leaves a setting as it is."""

    host: str
    priority: float | None = None
    votes: int | None = None
    hidden: bool | None = None
    arbiter_only: bool | None = None
    absent: bool = False

    @classmethod
    def of(cls, option: t.Mapping[str, t.Any]) -> Member:
        """Build it from the module's option; raises ReplicaSetError for what MongoDB refuses."""
        host = str(option["host"])
        if not re.search(r":\d+$", host):
            host += ":27017"
        settings = {key: option.get(key) for key in (*_FIELDS, "arbiter_only")}
        member = cls(host, absent=option.get("state") == "absent", **settings)
        if member.priority and (member.hidden or member.votes == 0 or member.arbiter_only):
            raise ReplicaSetError(
                "invalid",
                f"{host}: a member that is hidden, an arbiter or without a vote cannot become"
                " primary: give it priority 0",
            )
        return member

    def changes(self, have: Document) -> dict[str, tuple[t.Any, t.Any]]:
        """Return the settings that differ, each as before and after."""
        before = member_settings(have)
        if self.arbiter_only is not None and self.arbiter_only != before["arbiter_only"]:
            raise ReplicaSetError(
                "invalid",
                f"{self.host} is {'an' if before['arbiter_only'] else 'no'} arbiter, and that"
                " cannot be changed: remove it first, and add it again with empty data",
            )
        wanted = {name: getattr(self, name) for name in _FIELDS}
        if wanted["priority"] is None and (self.hidden or self.votes == 0):
            wanted["priority"] = 0
        return {
            name: (before[name], value)
            for name, value in wanted.items()
            if value is not None and value != before[name]
        }

    def applied_to(self, have: Document) -> Document:
        """Return the member's part of the configuration; what is not named stays."""
        changed = {_FIELDS[name]: after for name, (_before, after) in self.changes(have).items()}
        return {**have, **changed}

    def first(self, place: int) -> Document:
        """Return the part of the configuration for a new member."""
        fresh: Document = {"_id": place, "host": self.host}
        if self.arbiter_only:
            fresh.update(arbiterOnly=True, priority=0)
        return self.applied_to(fresh)


@dataclass(frozen=True)
class Wanted:
    """The set as it shall be; seconds throughout."""

    name: str
    members: tuple[Member, ...] = ()
    max_lag_s: float = 10.0
    force: bool = False
    wait: bool = True
    wait_timeout: float = 120.0
    step_down_s: int = 60

    def __post_init__(self) -> None:
        hosts = [member.host for member in self.members]
        twice = sorted({host for host in hosts if hosts.count(host) > 1})
        if twice:
            raise ReplicaSetError("invalid", f"{', '.join(twice)} is listed twice")

    @classmethod
    def of(cls, params: t.Mapping[str, t.Any], waits: bool) -> Wanted:
        """Build it from the module's options."""
        same = ("name", "max_lag_s", "force", "wait_timeout", "step_down_s")
        if params["step_down_s"] <= _CATCH_UP_S:
            raise ReplicaSetError("invalid", f"step_down_s has to be more than {_CATCH_UP_S}")
        members = tuple(Member.of(option) for option in params["members"])
        return cls(members=members, wait=waits, **{key: params[key] for key in same})

    @property
    def present(self) -> list[Member]:
        """The members that shall be in the set."""
        return [member for member in self.members if not member.absent]


@dataclass(frozen=True)
class Step:
    """One change of the configuration; `force` makes it without a primary."""

    text: str
    kind: str  # initiate, reconfigure or step_down
    members: tuple[Member, ...] = ()
    force: bool = False

    def applied_to(self, config: Document) -> Document:
        """Return the next configuration; what is done already stays as it is."""
        by_host = {member["host"]: member for member in config["members"]}
        for member in self.members:
            if member.absent:
                by_host.pop(member.host, None)
            elif member.host in by_host:
                by_host[member.host] = member.applied_to(by_host[member.host])
            else:
                fresh = 1 + max([one["_id"] for one in config["members"]], default=-1)
                fresh = max([fresh, *(one["_id"] + 1 for one in by_host.values())])
                by_host[member.host] = member.first(fresh)
        return {**config, "version": config["version"] + 1, "members": list(by_host.values())}


@dataclass
class Plan:
    """What has to be done, decided before anything is touched."""

    before: Report
    after: Report
    steps: list[Step] = field(default_factory=list)
    # The members that are to go: nobody waits for them to become healthy.
    leaving: frozenset[str] = frozenset()

    @property
    def changed(self) -> bool:
        """Whether there is anything to do."""
        return self.before != self.after

    @property
    def actions(self) -> list[str]:
        """The steps as sentences."""
        return [step.text for step in self.steps]


class Manager:
    """Plans and applies; `actions` holds what was done so far, also when a step fails."""

    def __init__(
        self, client: Client, address: str, wanted: Wanted, clock: Clock | None = None
    ) -> None:
        self._client = client
        self._address = address
        self._wanted = wanted
        self._clock: Clock = clock or t.cast(Clock, time)
        self._me = address
        self._config_seen: Document = {}
        self.primary = ""
        self.actions: list[str] = []
        self.warnings: list[str] = []

    def run(self, state: str, check_mode: bool) -> Report:
        """Plan, apply unless in check mode, wait if asked, and return the module's result."""
        plan = self.plan() if state == "present" else self.plan_step_down()
        after, actions, missing = plan.after, plan.actions, list[str]()
        if check_mode:
            missing = self._missing_now()
        else:
            self.apply(plan)
            actions = self.actions
            if self._wanted.wait:
                self.wait_healthy()
            else:
                missing = self._missing_now()
            if plan.changed and state == "stepped_down":
                after = {"primary": self.primary}
        return {
            "changed": plan.changed,
            "primary": self.primary,
            "actions": actions,
            "missing": missing,
            **({"members": after["members"]} if state == "present" else {}),
            "diff": {"before": plan.before, "after": after},
        }

    # -- planning: reads only -----------------------------------------------------------------

    def plan(self) -> Plan:
        """Compare the set with what it shall be."""
        if not self._look(uninitiated=True):
            return self._plan_initiate()
        config = self._config()
        have = {member["host"]: member for member in config["members"]}
        gone = [one for one in self._wanted.members if one.absent and one.host in have]
        new = [one for one in self._wanted.present if one.host not in have]
        changed = {
            one: found
            for one in self._wanted.present
            if one.host in have and (found := one.changes(have[one.host]))
        }
        self._tell_unlisted(have)
        steps: list[Step] = []
        if gone or new or changed:
            if self._wanted.force:
                self._spare(gone)
            if self.primary:
                steps = self._steps(gone, new, changed)
            else:
                steps = [self._forced(gone, new, changed)]
        after = config
        for step in steps:
            after = step.applied_to(after)
        leaving = frozenset(one.host for one in gone)
        return Plan(_view(config), _view(after), self._with_handover(steps, after), leaving)

    def plan_step_down(self) -> Plan:
        """See who could take over from this member, which waits for a successor if it may."""
        self._look()
        if self.primary != self._me:
            now = {"primary": self.primary}
            return Plan(now, dict(now))
        self._config()
        heir = self._await_successor(self._me, frozenset())
        text = f"Step down {self._me}; {heir} is ready to take over"
        step = Step(text, "step_down", (Member(self._me),))
        return Plan({"primary": self._me}, {"primary": heir}, [step])

    def _look(self, uninitiated: bool = False) -> bool:
        """Find the primary; False for a member that was never initiated."""
        own = self._client.hello(self._address)
        found = role(own)
        if found == "STANDALONE":
            raise ReplicaSetError(
                "standalone",
                f"{self._address} runs without replication: set replication.replSetName to"
                f" {self._wanted.name} in its configuration file and restart it",
            )
        if found == "NOT_INITIALIZED":
            self._never_initiated(self._address)
            if uninitiated:
                return False
            raise ReplicaSetError("not_initialized", f"{self._address} was never initiated")
        if own["setName"] != self._wanted.name:
            raise ReplicaSetError(
                "other_set",
                f"{self._address} belongs to the replica set {own['setName']},"
                f" not to {self._wanted.name}",
            )
        self._find_primary()
        return True

    def _never_initiated(self, address: str) -> None:
        """Make sure of it: a member that was removed says the same in `hello`."""
        try:
            self._client.status(address)
        except MongoError as error:
            if error.state == "not_initialized":
                return
            if error.state == "invalid_config":
                raise ReplicaSetError(
                    "removed",
                    f"{address} has a configuration in which it is no member any more:"
                    " add it from a member of that set, or empty its data",
                ) from error
            raise
        raise ReplicaSetError("starting", f"{address} is just starting: try again")

    def _plan_initiate(self) -> Plan:
        """Plan the first configuration, provided that no member has one (never over another)."""
        present = self._wanted.present
        if not present:
            raise ReplicaSetError("invalid", "members names nobody who would be in the set")
        own = _process(self._client.hello(self._address))
        processes = []
        for member in present:
            try:
                hello = self._client.hello(member.host)
                self._unconfigured(member.host, hello)
            except MongoError as error:
                raise ReplicaSetError(
                    "unknown_member",
                    f"not initiated: whether {member.host} has a configuration is not known"
                    f" ({error})",
                ) from error
            processes.append(_process(hello))
        if own and own not in processes:
            raise ReplicaSetError(
                "invalid", f"none of the members listed is the one at {self._address}"
            )
        config = {"_id": self._wanted.name, "version": 0, "members": []}
        hosts = ", ".join(member.host for member in present)
        step = Step(f"Initiate {self._wanted.name} with {hosts}", "initiate", tuple(present))
        return Plan(_view(config), _view(step.applied_to(config)), [step])

    def _unconfigured(self, host: str, hello: Document) -> None:
        """Make sure that a member of a new set has no configuration of another one."""
        found = role(hello)
        if found != "NOT_INITIALIZED":
            has = f"belongs to the replica set {hello.get('setName')} already"
            if found == "STANDALONE":
                has = "runs without replication"
            raise ReplicaSetError(
                "configured_elsewhere",
                f"not initiated: {host} {has}; {self._address} is to be added by the"
                " primary of a set, if there is one",
            )
        try:
            self._never_initiated(host)
        except MongoError as error:
            # As long as it has no user, it may tell this only to its own host.
            if error.state not in ("auth", "denied"):
                raise
        except ReplicaSetError as error:
            raise ReplicaSetError(error.cause, f"not initiated: {error}") from error

    def _steps(
        self, gone: list[Member], new: list[Member], changed: dict[Member, t.Any]
    ) -> list[Step]:
        """Order the changes so that the set can lose as little as possible at any time."""
        answers = {one["name"]: one["answers"] for one in member_states(self._status())}
        dead = [one for one in gone if not answers.get(one.host)]
        steps = [_remove(one) for one in dead]
        quiet = [one for one in changed if "votes" not in changed[one]]
        if quiet:  # without a change of votes they are safe in one go, and elect once
            text = f"Change {', '.join(_told(one, changed[one]) for one in quiet)}"
            steps.append(Step(text, "reconfigure", tuple(quiet)))
        steps += [
            Step(f"Change {_told(one, changed[one])}", "reconfigure", (one,))
            for one in changed
            if one not in quiet
        ]
        steps += [Step(f"Add {one.host}", "reconfigure", (one,)) for one in new]
        return steps + [_remove(one) for one in gone if one not in dead]

    def _spare(self, gone: list[Member]) -> None:
        """Give up nobody who has come back, elected by now or not."""
        answers = [one["name"] for one in member_states(self._status()) if one["answers"]]
        back = [one.host for one in gone if one.host in answers]
        if not back:
            return
        told = f"{', '.join(back)} answers, so nothing is forced"
        if self.primary:
            raise ReplicaSetError(
                "invalid", f"{told}: {self.primary} is primary, so what has to go needs no force"
            )
        raise ReplicaSetError(
            "no_primary", f"{told}: wait for an election, or stop it before it is removed"
        )

    def _forced(self, gone: list[Member], new: list[Member], changed: dict[Member, t.Any]) -> Step:
        if not self._wanted.force:
            raise ReplicaSetError(
                "no_primary",
                f"{self._wanted.name} has no primary, so nothing can be changed safely: bring"
                " members back until more than half of the votes answer, or read what force may"
                " lose",
            )
        words = [f"remove {one.host}" for one in gone]
        words += [f"change {_told(one, changed[one])}" for one in changed]
        words += [f"add {one.host}" for one in new]
        everyone = (*gone, *changed, *new)
        return Step(f"By force: {', '.join(words)}", "reconfigure", everyone, force=True)

    def _with_handover(self, steps: list[Step], after: Document) -> list[Step]:
        """Let the plan tell of the step-down that comes before the primary's own end."""
        result: list[Step] = []
        for step in steps:
            if not step.force and _ends(step, self.primary, after):
                text = f"Step down {self.primary}, which cannot stay primary"
                result.append(Step(text, "step_down", (Member(self.primary),)))
            result.append(step)
        return result

    def _tell_unlisted(self, have: t.Iterable[str]) -> None:
        listed = {member.host for member in self._wanted.members}
        rest = sorted(set(have) - listed)
        if rest and self._wanted.members:
            self.warnings.append(
                f"in {self._wanted.name} and not listed, so left alone: {', '.join(rest)}"
                " (state absent removes a member)"
            )

    # -- reading ------------------------------------------------------------------------------

    def _at(self, name: str) -> str:
        """Return the address of a member; this one's, where a first user may be made, by its own.

        Only a connection from the host itself is let in while there is no user.
        """
        return self._address if name == self._me else name

    def _find_primary(self) -> str:
        view = observe(self._client, self._address)
        if view["state"] != "ok":
            raise MongoError(view["state"], view["error"])
        self._me = next(one["name"] for one in view["members"] if one["self"])
        primaries = [one["name"] for one in view["members"] if one["role"] == "PRIMARY"]
        # Two for a moment, when one was cut off: the set follows the other, which says so itself.
        self.primary = primaries[0] if len(primaries) == 1 else ""
        return self.primary

    def _status(self) -> Document:
        """Return the primary's view; this member's where there is no primary or no user yet."""
        if not self.primary or self.primary == self._me:
            return self._client.status(self._address)
        try:
            return self._client.status(self.primary)
        except MongoError as error:
            if error.state not in ("auth", "denied"):
                raise
            try:
                return self._client.status(self._address)
            except MongoError:
                raise error from None

    def _config(self) -> Document:
        try:
            config = self._client.config(self._at(self.primary or self._me))
        except MongoError as error:
            if error.state != "auth":
                raise
            config = self._names_only(error)
        self._config_seen = config
        return config

    def _names_only(self, refused: MongoError) -> Document:
        """Compare names while the set has no user: the status is then open to the host itself."""
        try:
            states = member_states(self._client.status(self._address))
        except MongoError:
            raise refused from None
        names = {one["name"] for one in states}
        if any((member.host in names) == member.absent for member in self._wanted.members):
            raise ReplicaSetError(
                "no_user",
                f"{refused}; as long as {self._wanted.name} has no user, nobody may change its"
                f" members: create the first one on {self.primary or 'its primary'}",
            )
        self.warnings.append(
            f"the configuration of {self._wanted.name} could not be read ({refused}); only the"
            " names of its members were compared"
        )
        members = []
        for place, name in enumerate(sorted(names)):
            wanted = [member for member in self._wanted.members if member.host == name]
            members.append(wanted[0].first(place) if wanted else {"_id": place, "host": name})
        return {"_id": self._wanted.name, "version": 1, "members": members}

    def missing(self, leaving: t.Collection[str] = ()) -> list[str]:
        """Return what keeps the set from being healthy, a sentence each."""
        if not self._find_primary():
            return [f"{self._wanted.name} has no primary"]
        states = [one for one in member_states(self._status()) if one["name"] not in leaving]
        delays = {one["host"]: delay(one) for one in self._config_seen.get("members", [])}
        versions = [one["config_version"] for one in states if one["config_version"] is not None]
        told = []
        for one in states:
            name, heartbeat = one["name"], one["last_heartbeat_message"]
            lag = (one["lag_s"] or 0) - delays.get(name, 0)
            if not one["answers"]:
                told.append(f"{name} does not answer" + (f" ({heartbeat})" if heartbeat else ""))
            elif one["state_str"] not in _HEALTHY:
                told.append(f"{name} is {one['state_str']}")
            elif lag > self._wanted.max_lag_s:
                told.append(f"{name} is {lag:g} s behind the primary")
            elif one["config_version"] not in (None, max(versions)):
                told.append(f"{name} has not got the newest configuration yet")
        return told

    def _missing_now(self) -> list[str]:
        try:
            return self.missing()
        except MongoError as error:
            return [str(error)]

    def wait_healthy(self, leaving: t.Collection[str] = ()) -> None:
        """Return when the set is healthy but for those that leave; raises when time is over."""
        end = self._clock.monotonic() + self._wanted.wait_timeout
        while True:
            try:
                told = self.missing(leaving)
            except MongoError as error:
                if error.state in ("auth", "denied"):
                    raise
                told = [str(error)]
            if not told:
                return
            if self._clock.monotonic() >= end:
                raise ReplicaSetError(
                    "timeout",
                    f"{self._wanted.name} is not healthy after {self._wanted.wait_timeout:g} s:"
                    f" {'; '.join(told)}",
                )
            self._clock.sleep(_POLL_S)

    # -- applying -----------------------------------------------------------------------------

    def apply(self, plan: Plan) -> None:
        """Do what was planned; each step begins with a healthy set."""
        for step in plan.steps:
            if step.kind == "initiate":
                config = step.applied_to({"_id": self._wanted.name, "version": 0, "members": []})
                self._client.initiate(self._address, config)
            elif step.kind == "step_down":
                if self._find_primary() != step.members[0].host:
                    continue  # an earlier step has moved it already
                self._step_down(plan.leaving)
            else:
                self._reconfigure(step, plan.leaving)
                if self.primary and self._me in [one.host for one in step.members if one.absent]:
                    self._address = self.primary  # its own member sees nothing of the set any more
            self.actions.append(step.text)

    def _reconfigure(self, step: Step, leaving: t.Collection[str]) -> None:
        if not step.force:
            self.wait_healthy(leaving)
        end = self._clock.monotonic() + self._wanted.wait_timeout
        while True:
            # Read anew each time: the server itself writes one when a new member has its data.
            config = self._client.config(self._at(self.primary or self._me))
            after = step.applied_to(config)
            if not step.force and _ends(step, self.primary, after):
                old = self.primary  # it has come back since it was stepped down
                self._step_down(leaving)
                self.actions.append(f"Step down {old}, which cannot stay primary")
                continue
            try:
                self._client.reconfigure(self._at(self.primary or self._me), after, step.force)
                return
            except MongoError as error:
                if self._clock.monotonic() >= end or not self._worth_another(error, config):
                    raise
            self._clock.sleep(_POLL_S)
            self._find_primary()

    def _worth_another(self, error: MongoError, config: Document) -> bool:
        if error.state == "busy":
            return True
        if error.state != "incompatible":
            return False
        now = self._client.config(self._at(self.primary or self._me))
        return bool(number(now, "version") != number(config, "version"))

    def _step_down(self, leaving: t.Collection[str]) -> None:
        """Hand over to a secondary that is not behind, and see who has become primary."""
        old = self.primary
        self._await_successor(old, leaving)
        self._client.step_down(self._at(old), self._wanted.step_down_s, _CATCH_UP_S)
        end = self._clock.monotonic() + self._wanted.wait_timeout
        while self._find_primary() in ("", old):
            if self._clock.monotonic() >= end:
                raise ReplicaSetError(
                    "no_primary",
                    f"{old} stepped down, and nobody has become primary within"
                    f" {self._wanted.wait_timeout:g} s",
                )
            self._clock.sleep(_POLL_S)

    def _await_successor(self, old: str, leaving: t.Collection[str]) -> str:
        """Return the electable secondary that is least behind; raises when all are too far."""
        electable = {
            member["host"]
            for member in map(member_settings, self._config_seen.get("members", []))
            if member["priority"] and not member["arbiter_only"]
        }
        end = self._clock.monotonic() + (self._wanted.wait_timeout if self._wanted.wait else 0)
        while True:
            heirs = [
                one
                for one in member_states(self._status())
                if one["state_str"] == "SECONDARY"
                and one["answers"]
                and one["lag_s"] is not None
                and one["name"] in electable - {old} - set(leaving)
            ]
            best = min(heirs, key=lambda one: one["lag_s"], default=None)
            if best and best["lag_s"] <= self._wanted.max_lag_s:
                return str(best["name"])
            if self._clock.monotonic() >= end:
                why = "there is no other member that could become primary"
                if best:
                    why = f"the best of the others, {best['name']}, is {best['lag_s']:g} s behind"
                raise ReplicaSetError("no_successor", f"{old} was not stepped down: {why}")
            self._clock.sleep(_POLL_S)


def _remove(member: Member) -> Step:
    return Step(f"Remove {member.host}", "reconfigure", (member,))


def _told(member: Member, changes: dict[str, tuple[t.Any, t.Any]]) -> str:
    words = [f"{name} from {before} to {after}" for name, (before, after) in changes.items()]
    return f"{member.host} ({', '.join(words)})"


def _ends(step: Step, primary: str, after: Document) -> bool:
    """Tell whether the primary may not be one any more with this step."""
    if primary not in [member.host for member in step.members]:
        return False
    have = [member for member in after["members"] if member["host"] == primary]
    return not have or not member_settings(have[0])["priority"]


def _process(hello: Document) -> str:
    """Return the identity of the process that answered; empty before MongoDB 4.4."""
    return str((hello.get("topologyVersion") or {}).get("processId", ""))


def _view(config: Document) -> Report:
    members = sorted(map(member_settings, config["members"]), key=lambda one: str(one["host"]))
    return {"members": members}
