"""The module mongodb_replica_set on real members: what it changes, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.adhoc import HERE, by_hand
from support.hosts import NAMES, address, ssh
from support.incidents import on_each
from support.mongodb_faults import FRESH, fresh_set, hello, on_fresh, until

# By their addresses, so that the controller reaches them as well.
MEMBERS = {host: f"{address(host)}:{FRESH}" for host in NAMES}
HOSTS = {member: host for host, member in MEMBERS.items()}
ONE, TWO, THREE = MEMBERS.values()
VERSION = "print(d.command('replSetGetConfig')['config']['version'])"


@pytest.fixture(scope="module", autouse=True)
def _fresh() -> Iterator[None]:
    with fresh_set():
        yield


def manage(where: str, *members: Any, check: bool = False, **options: Any) -> dict[str, Any]:
    """Run the module. members: names, or with settings."""
    rows = [{"host": one} if isinstance(one, str) else one for one in members]
    arguments = ["--check"] if check else []
    wanted = {"name": "fresh", "port": FRESH, "members": rows, **options}
    return by_hand("mongodb_replica_set", where, *arguments, **wanted)


def done(where: str, *members: Any, **options: Any) -> dict[str, Any]:
    """Run it in check mode, which promises the same; and once more, with nothing left to do."""
    planned = manage(where, *members, check=True, **options)
    result = manage(where, *members, **options)
    assert (planned["changed"], planned["diff"]) == (True, result["diff"]), (planned, result)
    assert (result["changed"], result["missing"]) == (True, []), result
    again = manage(where, *members, **options)
    assert (again["changed"], again["actions"]) == (False, []), again
    return result


def whole() -> str:
    """All three are members, each with its vote. Returns the host of the primary."""
    rows = [{"host": member, "votes": 1, "priority": 1} for member in MEMBERS.values()]
    result = manage("titan2", *rows)
    assert not result.get("failed"), result
    return HOSTS[result["primary"]]


def test_a_set_is_made_only_of_members_that_never_were_in_one() -> None:
    # One is a member of the set of the site.
    refused = manage("titan1", ONE, f"{address('titan3')}:27017")
    assert refused["cause"] == "configured_elsewhere", refused
    result = done("titan2", TWO, THREE)
    assert result["actions"] == [f"Initiate fresh with {TWO}, {THREE}"]
    # The primary removes itself, so another one takes over first.
    old = result["primary"]
    left = next(member for member in (TWO, THREE) if member != old)
    removed = manage(HOSTS[old], {"host": old, "state": "absent"})
    assert removed["actions"] == [
        f"Step down {old}, which cannot stay primary",
        f"Remove {old}",
    ], removed
    assert (removed["primary"], removed["missing"]) == (left, [])
    # It looks like one that never was in a set, and is none; it hears of it with a heartbeat.
    ssh(HOSTS[old], until(hello("not h.get('setName')", FRESH)))
    for member, cause in ((old, "removed"), (left, "configured_elsewhere")):
        refused = manage("titan1", ONE, member)
        assert (refused["cause"], refused["changed"]) == (cause, False), refused
        assert f"not initiated: {member}" in refused["msg"]
    ssh("titan1", hello("not h.get('setName')", FRESH))
    added = manage(HOSTS[left], ONE, TWO, THREE)
    assert sorted(added["actions"]) == sorted(f"Add {member}" for member in (ONE, old)), added


def test_settings_are_changed_once() -> None:
    """By the PyMongo of the hosts, and looked at by the current one."""
    primary = whole()
    other = next(host for host in NAMES if host != primary)
    wanted = {"host": MEMBERS[other], "priority": 0.5}
    # The others hear of a new version with a heartbeat.
    before = ssh(primary, on_fresh(VERSION))
    current = manage(HERE, wanted, check=True, host=address("titan1"))
    assert current["actions"] == [f"Change {MEMBERS[other]} (priority from 1.0 to 0.5)"], current
    assert ssh(primary, on_fresh(VERSION)) == before, "--check changed something"
    assert done(other, wanted)["actions"] == current["actions"]
    without = {"host": MEMBERS[other], "votes": 0, "priority": 0}
    changed = manage(HERE, without, host=address("titan1"))
    assert changed["actions"] == [
        f"Change {MEMBERS[other]} (priority from 0.5 to 0.0, votes from 1 to 0)"
    ], changed
    assert not manage(HERE, without, host=address("titan1"))["changed"]


def test_the_primary_steps_down_only_for_one_that_is_not_behind() -> None:
    primary = whole()
    heir, other = (host for host in NAMES if host != primary)
    manage(primary, {"host": MEMBERS[other], "priority": 0})
    write = "d.client.titan.get_collection('lag', write_concern=pymongo.WriteConcern(1))"
    behind = f"import time; {write}.insert_one({{}}); time.sleep(6); {write}.insert_one({{}})"
    try:
        on_each({heir: on_fresh("d.command('fsync', lock=True)")})
        on_each({primary: on_fresh(behind)})
        options = {"state": "stepped_down", "max_lag_s": 3, "step_down_s": 11}
        refused = manage(primary, wait_timeout=2, **options)
        assert (refused.get("cause"), refused["changed"]) == ("no_successor", False), refused
        assert f"the best of the others, {MEMBERS[heir]}, is" in refused["msg"]
        ssh(primary, hello("h['isWritablePrimary']", FRESH))
    finally:
        on_each({heir: on_fresh("d.command('fsyncUnlock')")})
    stepped = manage(primary, **options)
    assert (stepped["changed"], stepped["primary"]) == (True, MEMBERS[heir]), stepped
    assert not manage(primary, **options)["changed"]
