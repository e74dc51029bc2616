"""A MongoDB that does not serve: the real fault, the least that helps, the proof by a client."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from support.application import ROOT_ON_HOST
from support.hosts import NAMES, cut_off, ssh
from support.incidents import (
    EAGER,
    Fault,
    Seen,
    cure_all,
    eventually,
    heal,
    nothing_left,
    on_each,
    procedure,
    units,
)
from support.mongodb_faults import (
    FRESH,
    FRESH_DATA,
    HAS_PRIMARY,
    LOCK_BACK,
    NO_PRIMARY,
    OTHERS_LOCK,
    PRIMARY,
    START,
    STEP_DOWN,
    as_admin,
    batches,
    fresh_set,
    hello,
    until,
)

BATCHES = batches()
LOST = "titan-without-titan2:27017,titan3:27017"
LOCKED = f"ls {ROOT_ON_HOST}/lock.json 2>/dev/null; true"
WHOLE = hello("len(h['hosts']) == 3")
VERSION = as_admin("print(d.command('replSetGetConfig')['config']['version'])")


def down(*arguments: str, **options: Any) -> Seen:
    return procedure("mongodb_down", "mongodb_down", *arguments, **{**EAGER, **options})


def members(those: str) -> str:
    """Give the set these members: a program's expression, in which c is the configuration.

    A new primary refuses, until it has committed a configuration of its own term.
    """
    program = (
        "c = d.command('replSetGetConfig')['config']; c['version'] += 1;"
        f" c['members'] = {those}; d.command('replSetReconfig', c)"
    )
    return until(as_admin(program), 20)


def add_again(member: str) -> None:
    """Make it a member, unless it is one."""
    there = f"'{member}' in [m['host'] for m in c['members']]"
    place = "max(m['_id'] for m in c['members']) + 1"
    missing = f"([] if {there} else [{{'_id': {place}, 'host': '{member}'}}])"
    ssh(primary(), members(f"c['members'] + {missing}"))


@contextmanager
def lost_majority() -> Iterator[None]:
    """titan2 needs a person and titan3 cannot even be reached, so titan1 is left alone."""
    try:
        on_each({"titan2": OTHERS_LOCK, "titan3": "sudo systemctl stop mongod"})
        ssh("titan1", NO_PRIMARY)
        yield
    finally:
        on_each({"titan2": LOCK_BACK, "titan3": START})
        for host in ("titan2", "titan3"):
            add_again(f"{host}:27017")


@contextmanager
def attempts_guarded(host: str) -> Iterator[None]:
    """No attempt can be noted on the host, so a run waits between its look and its first rung."""
    guard, unit = "/var/lib/titan/attempts.json.guard", "titan-guard"
    ssh(
        host,
        f"sudo mkdir -p $(dirname {guard}); sudo systemd-run --quiet --collect --unit {unit}"
        f" flock {guard} sleep infinity; {until(f'! sudo flock -n {guard} true')}",
    )
    try:
        yield
    finally:
        ssh(host, f"sudo systemctl stop {unit}")


def hears(member: str) -> str:
    """Succeeds when the member on this host has heard that another one is there."""
    program = (
        "import sys; members = d.command('replSetGetStatus')['members'];"
        f" sys.exit(not [m for m in members if m['name'] == '{member}' and m['health']])"
    )
    return as_admin(program)


def served(host: str) -> None:
    """The member serves, and the set has a primary."""
    ssh(host, HAS_PRIMARY)


def primary() -> str:
    """The host whose member is the primary."""
    ask = f"{PRIMARY} && echo yes || true"
    found: list[str] = []

    def elected() -> bool:
        found[:] = [host for host, said in on_each(dict.fromkeys(NAMES, ask)).items() if said]
        return bool(found)

    eventually(elected)
    return found[0]


@pytest.fixture
def mended() -> Iterator[None]:
    """What a test that failed leaves broken does not break the next one."""
    yield
    faults = [fault for batch in BATCHES for fault in batch]
    cure_all(faults, "sudo systemctl kill -s CONT mongod", START)
    for host in NAMES:
        served(host)


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize(
    "batch", BATCHES, ids=[" / ".join(fault.name for fault in batch) for batch in BATCHES]
)
def test_faults(batch: tuple[Fault, ...]) -> None:
    heal(down, batch, served, units)


def test_a_wrong_password_is_told() -> None:
    before = {host: units(host) for host in NAMES}
    for check in ([], ["--check"]):
        run = down(*check, titan_mongodb_monitoring_password="wrong")
        assert {one["cause"] for one in run.results.values()} == {"wrong_password"}, run.results
        assert run.run.changed == 0
        assert (run.run.code == 0) is bool(check), run.run.output
    assert {host: units(host) for host in NAMES} == before


def test_without_a_login_it_looks_from_outside() -> None:
    nothing_left(down(titan_mongodb_monitoring_password=""))


def test_the_set_may_call_its_members_otherwise_than_the_inventory() -> None:
    nothing_left(down(members=["one:27017", "two:27017", "three:27017"]))


@pytest.mark.usefixtures("mended")
def test_one_that_lags_is_told() -> None:
    try:
        on_each({"titan3": as_admin("d.command('fsync', lock=True)")})
        behind = "import time; time.sleep(6)"
        # An appendOplogNote is refused when it does not get its lock within a millisecond.
        write = "d.client.plugspace.lag.insert_one({})"
        on_each({primary(): as_admin(f"{write}; {behind}; {write}")})
        for check in (["--check"], []):
            told = down(*check, lag_max_s=3)
            assert {one["cause"] for one in told.results.values()} == {"lagging"}, told.results
            assert "titan3:27017 is" in told.results["titan1"]["summary"]
            assert told.run.changed == 0
    finally:
        on_each({"titan3": as_admin("d.command('fsyncUnlock')")})
        on_each({primary(): as_admin("d.client.plugspace.drop_collection('lag')")})
    # The others hear of it with the next heartbeats.
    time.sleep(5)
    nothing_left(down(lag_max_s=3))


@pytest.mark.usefixtures("mended")
# The first host of the play, which Ansible asks for all, and another one.
@pytest.mark.parametrize("host", ["titan1", "titan3"])
def test_a_member_that_was_removed_is_added_when_it_is_named(host: str) -> None:
    member = f"{host}:27017"
    if primary() == host:
        ssh(host, as_admin(STEP_DOWN))
        eventually(lambda: primary() != host)
    try:
        ssh(primary(), members(f"[m for m in c['members'] if m['host'] != '{member}']"))
        ssh(host, until(hello("not h.get('setName')")))
        asked = down("--check")
        told = f"a person has to name it: -e mongodb_down_confirm={member}"
        assert all(told in one["summary"] for one in asked.results.values()), asked.results
        assert asked.run.changed == 0
        # Only a member of the set can add it.
        alone = down(hosts=host, confirm=member, settle_s=3)
        assert alone.results[host]["outcome"] == "unhealed", alone.results
        assert "add it from a member of that set" in alone.run.output, alone.run.output
        added = down(confirm=member)
        assert {one["outcome"] for one in added.results.values()} == {"healed"}, added.results
        served(host)
        nothing_left(down())
    finally:
        add_again(member)


@pytest.mark.usefixtures("mended")
def test_a_majority_that_is_lost_for_good_is_given_up_when_it_is_named() -> None:
    named = f"-e mongodb_down_confirm={LOST}"
    alone = hello("h['isWritablePrimary'] and h['hosts'] == ['titan1:27017']")
    with lost_majority():
        with cut_off("titan3"):
            # Nobody has looked whether the others have a primary.
            unseen = down("--check", hosts="titan1")
            assert unseen.results["titan1"]["cause"] == "majority_lost", unseen.results
            assert "mongodb_down_confirm" not in unseen.results["titan1"]["summary"]
            before = units("titan1")
            asked = down()
            assert named in asked.results["titan1"]["summary"], asked.results
            assert "start titan2:27017, titan3:27017" in asked.results["titan1"]["advice"]
            planned = down("--check", confirm=LOST)
            assert [one["rung"] for one in planned.results["titan1"]["rungs"]] == ["force_set"]
            for seen in (unseen, asked, planned):
                assert seen.run.changed == 0, seen.run.output
            ssh("titan1", WHOLE)
            assert units("titan1") == before
            forced = down(confirm=LOST)
            result = forced.results["titan1"]
            assert [one["rung"] for one in result["rungs"]] == ["force_set"], result
            ssh("titan1", alone)
            # It has lost what keeps a set alive, so a person is needed still.
            assert (result["outcome"], forced.run.code) == ("unhealed", 2), result
            assert "not among the 1 member of the set" in result["summary"], result
            assert "A person must: start it on its own host first" in result["summary"], result
            again = down(confirm=LOST)
            assert again.run.stats.get("changed", {}).get("titan1", 0) == 0, again.run.output
            ssh("titan1", alone)
        # They hear that they were removed, and come back by their names.
        on_each({"titan2": LOCK_BACK, "titan3": START})
        for host in ("titan2", "titan3"):
            ssh(host, until(hello("not h.get('setName')")))
            added = down(confirm=f"{host}:27017")
            rungs = [one["rung"] for one in added.results["titan1"]["rungs"]]
            assert rungs == ["add_member"], added.results
        assert {one["outcome"] for one in added.results.values()} == {"healed"}, added.results


@pytest.mark.usefixtures("mended")
def test_nobody_is_given_up_when_one_comes_back_in_between() -> None:
    with lost_majority():
        version = ssh("titan1", VERSION)
        with cut_off("titan3"), ThreadPoolExecutor(max_workers=1) as pool:
            with attempts_guarded("titan1"):
                begun = pool.submit(down, confirm=LOST)
                # It has looked, and knows what it is going to do.
                eventually(lambda: ssh("titan1", LOCKED) != "", pause=0.2)
                ssh("titan2", LOCK_BACK)
                ssh("titan1", until(hears("titan2:27017")))
            seen = begun.result()
        ssh("titan1", WHOLE)
        assert ssh("titan1", VERSION) == version
        result = seen.results["titan1"]
        (rung,) = result["rungs"]
        why = "nobody was given up, since MongoDB answers again at titan2:27017"
        assert (rung["rung"], rung["error"], rung["helped"]) == ("force_set", why, False), result
        assert result["outcome"] == "unhealed", result
        assert "Tried: go on by force without" in result["summary"], result
        assert f"(which failed: {why})." in result["summary"], result
        # What is left is nothing special.
        healed = down()
        rungs = [one["rung"] for one in healed.results["titan3"]["rungs"]]
        assert (healed.run.code, rungs) == (0, ["start_unit"]), healed.results
        nothing_left(down())


def test_a_set_that_never_was_is_initiated_when_it_is_named() -> None:
    where = {
        "port": FRESH,
        "unit": "mongod-fresh",
        "replica_set": "fresh",
        "data_path": FRESH_DATA,
        "log_file": f"{FRESH_DATA}/mongod.log",
    }
    with fresh_set():
        before = {host: units(host) for host in NAMES}
        for named in ({}, {"confirm": "fresh"}):
            asked = down("--check", **where, **named)
            assert {one["cause"] for one in asked.results.values()} == {"never_initiated"}
            said = asked.results["titan1"]["summary"]
            assert ("-e mongodb_down_confirm=fresh" in said) is not bool(named), said
            assert asked.run.changed == 0
        on_each(dict.fromkeys(NAMES, hello("not h.get('setName')", FRESH)))
        assert {host: units(host) for host in NAMES} == before
        # It has no user yet, which is the next thing that is told.
        done = down(confirm="fresh", **where)
        changes = [done.run.result("Initiate the set", host)["changed"] for host in NAMES]
        assert changes == [True, False, False], done.run.output
        for result in done.results.values():
            assert [rung["rung"] for rung in result["rungs"]] == ["initiate_set"], result
            assert "refused the login" in result["summary"], result
        whole = hello("len(h['hosts']) == 3 and 'primary' in h", FRESH)
        on_each(dict.fromkeys(NAMES, until(whole, 30)))
        # Without the login, there is nothing left to do.
        nothing_left(down(confirm="fresh", titan_mongodb_monitoring_password="", **where))
