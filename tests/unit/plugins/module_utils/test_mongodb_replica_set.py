# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replica sets of fake members that hold elections."""

from __future__ import annotations

import copy
import functools
import typing as t
from datetime import datetime, timedelta

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils._mongodb import MongoError
from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_documents import Document
from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_replica_set import (
    Manager,
    Member,
    ReplicaSetError,
    Wanted,
)

NOW = datetime(2026, 11, 23, 10, 0, 0)
LOCAL = "127.0.0.1:27017"
A, B, C, D = (f"titan{n}:27017" for n in (1, 2, 3, 4))


class FakeClock:
    """Time that passes only while somebody waits, and what happens meanwhile."""

    def __init__(self) -> None:
        self.now = 0.0
        self.events: list[tuple[float, t.Callable[[], None]]] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        for when, event in [one for one in self.events if one[0] <= self.now]:
            self.events.remove((when, event))
            event()

    def after(self, seconds: float, event: t.Callable[[], None]) -> None:
        self.events.append((self.now + seconds, event))


class FakeSet:
    """One set of four servers; the test's host is the first. Every change is remembered."""

    def __init__(self, *members: str, initiated: bool = True) -> None:
        self.clock = FakeClock()
        self.calls: list[str] = []
        self.dead: set[str] = set()
        self.lag: dict[str, float] = {}
        self.states: dict[str, str] = {}
        self.no_users = False
        self.wrong_password = False
        self.busy = 0
        self.config_now: Document | None = None
        self.primary = ""
        # What other servers than those of this set say.
        self.strangers: dict[str, Document] = {}
        self.removed: set[str] = set()
        self.takes_s = 1.0  # until an election or a first copy is through
        if initiated:
            hosts = members or (A, B, C)
            self.config_now = {
                "_id": "rs0",
                "version": 1,
                "term": 1,
                "members": [
                    {"_id": n, "host": host, "priority": 1, "votes": 1, "tags": {"kept": "yes"}}
                    for n, host in enumerate(hosts)
                ],
            }
            self.primary = hosts[0]

    # -- what a client does ---------------------------------------------------------------------

    def hello(self, address: str) -> Document:
        host = self._reach(address)
        if host in self.strangers:
            return self.strangers[host]
        process = {"topologyVersion": {"processId": f"process of {host}"}}
        if self.config_now is None or host not in self.hosts or host in self.removed:
            return {"isreplicaset": True, **process}
        return {
            "setName": self.config_now["_id"],
            "me": host,
            "hosts": self.hosts,
            "isWritablePrimary": host == self.primary,
            "secondary": host != self.primary and self.states.get(host, "SECONDARY") == "SECONDARY",
            **process,
        }

    def status(self, address: str) -> Document:
        host = self._reach(address)
        self._log_in(host, address)
        if host in self.removed:
            raise MongoError("invalid_config", f"{address}: Our replica set config is invalid")
        if self.config_now is None or host not in self.hosts:
            raise MongoError("not_initialized", f"{address}: no replset config has been received")
        return {"members": [self._state(one) for one in self.config_now["members"]]}

    def config(self, address: str) -> Document:
        host = self._reach(address)
        if self.no_users or self.wrong_password:
            raise MongoError("auth", f"{address} refused the login of admin")
        assert host in self.hosts
        return copy.deepcopy(self.config_now or {})

    def initiate(self, address: str, config: Document) -> None:
        self._reach(address)
        assert self.config_now is None
        assert address == LOCAL
        self.config_now = copy.deepcopy(config)
        self.calls.append(f"initiate {' '.join(self.hosts)}")
        self.clock.after(self.takes_s, self.elect)

    def reconfigure(self, address: str, config: Document, force: bool) -> None:
        host = self._reach(address)
        assert self.config_now is not None
        if self.busy:
            self.busy -= 1
            raise MongoError("busy", "Cannot run replSetReconfig because one is in progress")
        if not force and host != self.primary:
            raise MongoError("busy", f"{address}: New config requires a primary")
        if config["version"] != self.config_now["version"] + 1:
            raise MongoError("incompatible", f"{address}: version must be greater")
        before, after = self._voters(self.config_now), self._voters(config)
        assert force or len(before ^ after) <= 1, "more than one voting member at a time"
        own = [one for one in config["members"] if one["host"] == host]
        assert force or (own and own[0].get("priority", 1)), "a primary cannot end itself"
        numbers = [one["_id"] for one in config["members"]]
        assert len(set(numbers)) == len(numbers)
        fresh = {one["host"] for one in config["members"]} - set(self.hosts)
        self.config_now = copy.deepcopy(config)
        self.calls.append(f"{'force' if force else 'set'} {' '.join(self.hosts)}")
        for one in fresh:
            self.states[one] = "STARTUP2"
            self.clock.after(self.takes_s, functools.partial(self.settle, one))
        if not self.primary:
            self.clock.after(self.takes_s, self.elect)

    def step_down(self, address: str, seconds: int, catch_up: int) -> None:
        host = self._reach(address)
        assert host == self.primary
        self.calls.append(f"step down {host}")
        self.primary = ""
        self.clock.after(self.takes_s, lambda: self.elect(host))

    # -- what happens by itself -------------------------------------------------------------------

    def elect(self, not_this: str = "") -> None:
        assert self.config_now is not None
        alive = [
            one
            for one in self.config_now["members"]
            if one["host"] not in self.dead | {not_this} and one.get("priority", 1)
        ]
        best = max(alive, key=lambda one: float(one.get("priority", 1)), default={"host": ""})
        self.primary = best["host"]

    def settle(self, host: str) -> None:
        self.states.pop(host)

    def kill(self, host: str) -> None:
        self.dead.add(host)
        if self.primary == host:
            self.primary = ""

    @property
    def hosts(self) -> list[str]:
        return [one["host"] for one in (self.config_now or {"members": []})["members"]]

    def _reach(self, address: str) -> str:
        host = A if address == LOCAL else address
        if host in self.dead:
            raise MongoError("refused", f"{address} refused the connection")
        return host

    def _log_in(self, host: str, address: str) -> None:
        if self.wrong_password or (self.no_users and address != LOCAL):
            raise MongoError("auth", f"{address} refused the login of admin")

    def _state(self, member: Document) -> Document:
        host = member["host"]
        word = self.states.get(host, "PRIMARY" if host == self.primary else "SECONDARY")
        down = host in self.dead
        return {
            "name": host,
            "health": 0 if down else 1,
            "state": 8 if down else {"PRIMARY": 1, "SECONDARY": 2}.get(word, 5),
            "stateStr": "(not reachable/healthy)" if down else word,
            "optimeDate": NOW - timedelta(seconds=self.lag.get(host, 0)),
            "lastHeartbeatMessage": "Connection refused" if down else "",
            "configVersion": -1 if down else (self.config_now or {})["version"],
        }

    @staticmethod
    def _voters(config: Document) -> set[str]:
        return {one["host"] for one in config["members"] if one.get("votes", 1)}


def members(*options: t.Any) -> tuple[Member, ...]:
    return tuple(Member.of({"host": one} if isinstance(one, str) else one) for one in options)


def manager(rs: FakeSet, *options: t.Any, **more: t.Any) -> Manager:
    return Manager(rs, LOCAL, Wanted("rs0", members(*options), **more), rs.clock)


def bring(rs: FakeSet, *options: t.Any, **more: t.Any) -> dict[str, t.Any]:
    """Run it, and see that check mode promised the same and that a second run changes nothing."""
    before = copy.deepcopy(rs.config_now)
    wished = manager(rs, *options, **{**more, "wait": False}).run("present", check_mode=True)
    assert (rs.calls, rs.config_now) == ([], before)
    result = manager(rs, *options, **more).run("present", check_mode=False)
    assert (wished["changed"], wished["diff"]) == (result["changed"], result["diff"])
    calls = list(rs.calls)
    again = manager(rs, *options, **more).run("present", check_mode=False)
    assert (again["changed"], again["actions"], rs.calls) == (False, [], calls)
    return result


def refused(rs: FakeSet, *options: t.Any, state: str = "present", **more: t.Any) -> ReplicaSetError:
    with pytest.raises(ReplicaSetError) as caught:
        manager(rs, *options, **more).run(state, check_mode=False)
    return caught.value


# -- the first configuration --------------------------------------------------------------------


@pytest.mark.parametrize("no_users", [False, True])
def test_initiates_a_set_that_never_was(no_users: bool) -> None:
    rs = FakeSet(initiated=False)
    rs.no_users = no_users
    result = bring(rs, A, B, {"host": "titan3"})
    assert rs.calls == [f"initiate {A} {B} {C}"]
    assert result["changed"]
    assert result["actions"] == [f"Initiate rs0 with {A}, {B}, {C}"]
    assert result["primary"] == A
    assert [member["host"] for member in result["members"]] == [A, B, C]
    assert result["diff"]["before"] == {"members": []}


def test_without_a_user_only_names_are_compared() -> None:
    rs = FakeSet()
    rs.no_users = True
    one = manager(rs, A, B, C)
    assert not one.run("present", check_mode=False)["changed"]
    assert "only the names" in one.warnings[0]
    error = refused(rs, A, B, C, D)
    assert error.cause == "no_user"
    assert f"create the first one on {A}" in str(error)


def test_without_a_user_this_host_tells_how_the_others_are() -> None:
    rs = FakeSet()
    rs.no_users = True
    rs.primary = B  # which lets in nobody from another host
    assert manager(rs, A, B, C).run("present", check_mode=False)["primary"] == B
    rs.states[C] = "RECOVERING"
    assert f"{C} is RECOVERING" in str(refused(rs, A, B, C))


def test_the_primary_may_lose_its_users_view_for_good() -> None:
    rs = FakeSet()
    rs.primary = B
    one = manager(rs)
    one.plan()
    for state in ("auth", "hung"):

        def no(address: str, state: str = state) -> Document:
            raise MongoError(state, f"{address}: no")

        rs.status = no  # type: ignore[method-assign]
        if state == "auth":
            with pytest.raises(MongoError, match=B):
                one.wait_healthy()
            assert rs.clock.now == 0
        else:
            assert one._missing_now() == [f"{B}: no"]


@pytest.mark.parametrize("state", ["hung", "denied"])
def test_a_configuration_that_cannot_be_read_for_other_reasons_is_told(state: str) -> None:
    rs = FakeSet()

    def no(address: str) -> Document:
        raise MongoError(state, "no answer")

    rs.config = no  # type: ignore[method-assign]
    with pytest.raises(MongoError, match="no answer"):
        manager(rs, A).plan()


def test_a_member_that_cannot_tell_is_not_taken_for_a_new_one() -> None:
    rs = FakeSet(initiated=False)
    rs.wrong_password = True
    with pytest.raises(MongoError, match="refused the login"):
        manager(rs, A, B, C).plan()
    assert rs.calls == []


def test_a_wrong_password_is_no_missing_user() -> None:
    rs = FakeSet()
    rs.wrong_password = True
    with pytest.raises(MongoError, match="refused the login"):
        manager(rs, A, B, C).run("present", check_mode=False)


@pytest.mark.parametrize(
    ("said", "cause", "words"),
    [
        ({"setName": "rs0"}, "configured_elsewhere", "titan2:27017 belongs to the replica set rs0"),
        ({}, "configured_elsewhere", "titan2:27017 runs without replication"),
        (None, "unknown_member", "titan2:27017 has a configuration is not known"),
    ],
)
def test_never_initiates_over_another_illness(
    said: Document | None, cause: str, words: str
) -> None:
    rs = FakeSet(initiated=False)
    if said is None:
        rs.dead.add(B)
    else:
        rs.strangers[B] = said
    error = refused(rs, A, B)
    assert error.cause == cause
    assert words in str(error)
    assert rs.calls == []


@pytest.mark.parametrize(
    ("said", "cause", "words"),
    [
        ("invalid_config", "removed", "not initiated: titan2:27017 has a configuration in which"),
        ("hung", "unknown_member", "titan2:27017 has a configuration is not known"),
        ("", "starting", "not initiated: titan2:27017 is just starting"),
    ],
)
def test_each_member_of_a_new_set_has_to_say_that_it_never_was_in_one(
    said: str, cause: str, words: str
) -> None:
    rs = FakeSet(initiated=False)
    status = rs.status

    def told(address: str) -> Document:
        if address != B:
            return status(address)
        if said:
            raise MongoError(said, f"{address}: so it is")
        return {"members": []}

    rs.status = told  # type: ignore[method-assign]
    error = refused(rs, A, B)
    assert error.cause == cause
    assert words in str(error)
    assert rs.calls == []


def test_other_reasons_not_to_initiate() -> None:
    rs = FakeSet(initiated=False)
    assert "none of the members listed" in str(refused(rs, B, C))
    assert "names nobody" in str(refused(rs, {"host": A, "state": "absent"}))
    assert refused(rs, state="stepped_down").cause == "not_initialized"
    rs = FakeSet()
    rs.removed.add(A)
    assert refused(rs, A, B, C).cause == "removed"
    rs.strangers[A] = {"isreplicaset": True}
    rs.removed.clear()
    assert refused(rs, A, B, C).cause == "starting"
    rs.strangers[A] = {}
    assert refused(rs, A, B, C).cause == "standalone"
    rs.strangers[A] = {"setName": "other"}
    assert refused(rs, A, B, C).cause == "other_set"
    assert rs.calls == []


def test_a_silent_member_of_its_own_is_told() -> None:
    rs = FakeSet()
    rs.dead.add(A)
    with pytest.raises(MongoError, match=r"127.0.0.1:27017 refused the connection"):
        manager(rs, A).run("present", check_mode=False)


# -- changes ------------------------------------------------------------------------------------


def test_a_healthy_set_as_wanted_is_left_alone() -> None:
    rs = FakeSet()
    result = bring(rs, {"host": A, "priority": 1}, B, C)
    assert (result["changed"], result["actions"], result["missing"]) == (False, [], [])
    assert result["diff"]["before"] == result["diff"]["after"]
    assert rs.calls == []


def test_members_are_added_one_by_one_and_keep_their_numbers() -> None:
    rs = FakeSet(A)
    result = bring(rs, A, {"host": B, "votes": 0}, {"host": C, "arbiter_only": True})
    assert result["actions"] == [f"Add {B}", f"Add {C}"]
    assert rs.calls == [f"set {A} {B}", f"set {A} {B} {C}"]
    assert rs.config_now is not None
    assert rs.config_now["members"] == [
        {"_id": 0, "host": A, "priority": 1, "votes": 1, "tags": {"kept": "yes"}},
        {"_id": 1, "host": B, "priority": 0, "votes": 0},
        {"_id": 2, "host": C, "priority": 0, "arbiterOnly": True},
    ]


@pytest.mark.parametrize("primary", [A, B])
def test_a_member_may_remove_itself(primary: str) -> None:
    rs = FakeSet()
    rs.primary = primary
    result = manager(rs, {"host": A, "state": "absent"}).run("present", check_mode=False)
    assert rs.hosts == [B, C]
    assert result["actions"][-1] == f"Remove {A}"
    assert (result["primary"], result["missing"]) == (B, [])


def test_settings_without_votes_change_in_one_go_and_votes_alone() -> None:
    rs = FakeSet()
    result = bring(
        rs,
        {"host": A, "priority": 2},
        {"host": B, "hidden": True, "priority": 0},
        {"host": C, "votes": 0},
    )
    assert result["actions"] == [
        f"Change {A} (priority from 1.0 to 2),"
        f" {B} (priority from 1.0 to 0, hidden from False to True)",
        f"Change {C} (priority from 1.0 to 0, votes from 1 to 0)",
    ]
    assert len(rs.calls) == 2


def test_a_dead_member_goes_first_and_one_alive_last() -> None:
    rs = FakeSet(A, B, C)
    rs.kill(C)
    result = bring(rs, A, {"host": B, "state": "absent"}, {"host": C, "state": "absent"}, D)
    assert result["actions"] == [f"Remove {C}", f"Add {D}", f"Remove {B}"]
    assert rs.calls == [f"set {A} {B}", f"set {A} {B} {D}", f"set {A} {D}"]


def test_the_primary_hands_over_before_it_is_removed() -> None:
    rs = FakeSet(B, A, C)
    result = bring(rs, A, {"host": B, "state": "absent"}, C)
    assert result["actions"] == [f"Step down {B}, which cannot stay primary", f"Remove {B}"]
    assert rs.calls == [f"step down {B}", f"set {A} {C}"]
    assert result["primary"] == A


def test_a_primary_that_moved_by_itself_is_not_stepped_down() -> None:
    rs = FakeSet(A, B, C)
    one = manager(rs, {"host": B, "priority": 0}, A, C)
    rs.primary = B
    plan = one.plan()
    assert plan.actions[0] == f"Step down {B}, which cannot stay primary"
    rs.primary = C
    one.apply(plan)
    assert rs.calls == [f"set {A} {B} {C}"]


def test_a_primary_that_came_back_hands_over_again() -> None:
    rs = FakeSet(A, B, C)
    rs.primary = B
    one = manager(rs, A, {"host": B, "state": "absent"}, C, wait_timeout=30)
    plan = one.plan()
    rs.states[C] = "RECOVERING"  # holds the second step up

    def back() -> None:
        rs.states.clear()
        rs.primary = B

    rs.clock.after(5, back)
    one.apply(plan)
    assert rs.calls == [f"step down {B}", f"step down {B}", f"set {A} {C}"]
    assert one.actions.count(f"Step down {B}, which cannot stay primary") == 2


def test_waits_for_a_member_before_the_next_step() -> None:
    rs = FakeSet(A, B)
    rs.takes_s = 50
    manager(rs, A, B, C, D).run("present", check_mode=False)
    assert rs.clock.now >= 100


def test_who_is_not_listed_is_left_alone_and_told() -> None:
    rs = FakeSet()
    one = manager(rs, A, {"host": B, "priority": 2})
    one.run("present", check_mode=False)
    assert C in rs.hosts
    assert one.warnings == [
        f"in rs0 and not listed, so left alone: {C} (state absent removes a member)"
    ]


def test_a_busy_set_is_asked_again_and_a_newer_configuration_read() -> None:
    rs = FakeSet()
    rs.busy = 3
    assert bring(rs, {"host": A, "priority": 2})["changed"]
    rs = FakeSet()
    first = rs.config

    def overtaken(address: str) -> Document:
        config = first(address)
        if config["version"] == 1 and rs.config_now is not None:
            rs.config_now["version"] = 2
        return config

    rs.config = overtaken  # type: ignore[method-assign]
    manager(rs, {"host": A, "priority": 2}).run("present", check_mode=False)
    assert rs.config_now is not None
    assert rs.config_now["version"] == 3


def test_busy_for_ever_and_refused_for_good_end() -> None:
    rs = FakeSet()
    rs.busy = 10**6
    with pytest.raises(MongoError, match="in progress"):
        manager(rs, {"host": A, "priority": 2}).run("present", check_mode=False)
    for state in ("incompatible", "error"):
        rs = FakeSet()

        def no(address: str, config: Document, force: bool, state: str = state) -> None:
            raise MongoError(state, "no")

        rs.reconfigure = no  # type: ignore[method-assign]
        with pytest.raises(MongoError, match="no"):
            manager(rs, {"host": A, "priority": 2}).run("present", check_mode=False)
        assert rs.clock.now == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([{"host": A, "arbiter_only": True}], "cannot be changed"),
        ([A, {"host": "titan1"}], "titan1:27017 is listed twice"),
        ([{"host": A, "priority": 1, "votes": 0}], "give it priority 0"),
        ([{"host": A, "priority": 1, "hidden": True}], "give it priority 0"),
        ([{"host": A, "priority": 0.5, "arbiter_only": True}], "give it priority 0"),
    ],
)
def test_settings_that_cannot_be(options: list[t.Any], words: str) -> None:
    rs = FakeSet()
    error = refused(rs, *options)
    assert error.cause == "invalid"
    assert words in str(error)
    assert rs.calls == []


def test_force_is_for_a_set_without_primary_alone() -> None:
    rs = FakeSet()
    rs.kill(B)
    rs.kill(C)
    rs.primary = ""
    gone = [{"host": one, "state": "absent"} for one in (B, C)]
    error = refused(rs, A, *gone)
    assert error.cause == "no_primary"
    assert rs.calls == []
    result = bring(rs, A, *gone, force=True)
    assert result["actions"] == [f"By force: remove {B}, remove {C}"]
    assert rs.calls == [f"force {A}"]
    # The one that has come back may be elected.
    rs = FakeSet()
    rs.kill(C)
    rs.primary = ""
    error = refused(rs, A, *gone, force=True)
    assert (error.cause, rs.calls) == ("no_primary", [])
    assert str(error).startswith(f"{B} answers, so nothing is forced"), error
    # Or it has been, by the time it is asked.
    rs = FakeSet()
    rs.kill(C)
    error = refused(rs, A, *gone, force=True)
    assert (error.cause, rs.calls) == ("invalid", [])
    assert str(error).startswith(f"{B} answers, so nothing is forced: {A} is primary"), error
    assert bring(rs, A, B, {"host": C, "state": "absent"}, force=True)["changed"]
    assert rs.calls == [f"set {A} {B}"]


# -- health -------------------------------------------------------------------------------------


def ail_dead(rs: FakeSet) -> None:
    rs.kill(B)


def ail_lagging(rs: FakeSet) -> None:
    rs.lag[B] = 11


def ail_copying(rs: FakeSet) -> None:
    rs.states[B] = "STARTUP2"


def ail_no_primary(rs: FakeSet) -> None:
    rs.primary = ""


@pytest.mark.parametrize(
    ("ail", "words"),
    [
        (ail_dead, f"{B} does not answer (Connection refused)"),
        (ail_lagging, f"{B} is 11 s behind the primary"),
        (ail_copying, f"{B} is STARTUP2"),
        (ail_no_primary, "rs0 has no primary"),
    ],
)
def test_what_is_missing_is_named(ail: t.Callable[[FakeSet], None], words: str) -> None:
    rs = FakeSet()
    ail(rs)
    assert manager(rs, wait=False).run("present", check_mode=False)["missing"] == [words]
    error = refused(rs, wait_timeout=5)
    assert (error.cause, str(error)) == ("timeout", f"rs0 is not healthy after 5 s: {words}")
    assert 5 <= rs.clock.now < 6
    assert rs.calls == []


def test_delay_on_purpose_is_no_lag() -> None:
    rs = FakeSet()
    assert rs.config_now is not None
    rs.config_now["members"][2].update(secondaryDelaySecs=3600, priority=0)
    rs.lag[C] = 3605
    assert not manager(rs).run("present", check_mode=False)["missing"]
    rs.lag[C] = 3615
    assert refused(rs).cause == "timeout"


def test_configuration_has_to_arrive() -> None:
    rs = FakeSet()
    status = rs.status

    def older(address: str) -> Document:
        answer = status(address)
        answer["members"][1]["configVersion"] = 0
        return answer

    rs.status = older  # type: ignore[method-assign]
    assert f"{B} has not got the newest configuration yet" in str(refused(rs))


def test_a_member_that_is_silent_for_a_moment_is_waited_for() -> None:
    rs = FakeSet(initiated=False)
    one = manager(rs, A, B, C)
    plan = one.plan()
    one.apply(plan)
    rs.dead.add(A)
    rs.clock.after(3, rs.dead.clear)
    one.wait_healthy()
    assert one.primary == B  # elected meanwhile
    rs.dead.add(A)
    assert one._missing_now() == [f"{LOCAL} refused the connection"]


# -- step down ----------------------------------------------------------------------------------


def test_steps_down_and_tells_who_took_over() -> None:
    rs = FakeSet()
    wished = manager(rs).run("stepped_down", check_mode=True)
    assert rs.calls == []
    result = manager(rs).run("stepped_down", check_mode=False)
    assert wished["actions"] == result["actions"]
    assert wished["changed"]
    assert result["changed"]
    assert rs.calls == [f"step down {A}"]
    assert result["primary"] == B
    assert result["diff"] == {"before": {"primary": A}, "after": {"primary": B}}
    again = manager(rs).run("stepped_down", check_mode=False)
    assert (again["changed"], again["primary"], len(rs.calls)) == (False, B, 1)


def test_nobody_to_hand_over_to() -> None:
    rs = FakeSet()
    rs.lag.update({B: 60, C: 30})
    error = refused(rs, state="stepped_down", wait=False)
    assert str(error) == f"{A} was not stepped down: the best of the others, {C}, is 30 s behind"
    rs.clock.after(4, rs.lag.clear)
    assert manager(rs).run("stepped_down", check_mode=False)["primary"] == B
    assert rs.calls == [f"step down {A}"]


def test_who_cannot_be_elected_takes_nothing_over() -> None:
    rs = FakeSet()
    assert rs.config_now is not None
    rs.config_now["members"][1]["priority"] = 0
    rs.kill(C)
    error = refused(rs, state="stepped_down")
    assert error.cause == "no_successor"
    assert "no other member that could become primary" in str(error)
    assert rs.calls == []


def test_nobody_took_over() -> None:
    rs = FakeSet()
    rs.takes_s = 500
    error = refused(rs, state="stepped_down")
    assert error.cause == "no_primary"
    assert "nobody has become primary within 120 s" in str(error)


def test_options_become_what_is_wanted() -> None:
    params = {
        "name": "rs0",
        "members": [{"host": "titan2", "state": "absent"}],
        "max_lag_s": 5.0,
        "force": True,
        "wait_timeout": 60.0,
        "step_down_s": 30,
    }
    wanted = Wanted.of(params, waits=False)
    assert wanted == Wanted("rs0", (Member(B, absent=True),), 5.0, True, False, 60.0, 30)
    with pytest.raises(ReplicaSetError, match="more than 10"):
        Wanted.of({**params, "step_down_s": 10}, waits=True)
