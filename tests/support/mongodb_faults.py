"""The faults of MongoDB, a row for each of the three hosts: one set, so they see each other's."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager

from support.hosts import NAMES
from support.incidents import Fault, on_each

CONFIG, DATA = "/etc/mongod.conf", "/var/lib/mongodb"
DROP_IN = "/run/systemd/system/mongod.service.d"


def until(command: str, seconds: int = 60) -> str:
    return f"timeout {seconds} sh -c {shlex.quote(f'until {command}; do sleep 0.5; done')}"


def hello(test: str, port: int = 27017) -> str:
    """Succeeds when what the member on this host says of itself (h) passes the test."""
    program = (
        "import pymongo, sys;"
        f"h = pymongo.MongoClient('127.0.0.1', {port}, directConnection=True,"
        " serverSelectionTimeoutMS=2000).admin.command('hello');"
        f"sys.exit(not ({test}))"
    )
    return f"python3 -c {shlex.quote(program)} 2>/dev/null"


# In a program's text it would stand in the process list, and in what a failing test prints.
AS_ADMIN = "username='admin', password=open('/root/mongodb-admin-password').read()"


def as_admin(command: str) -> str:
    """Run a command on the member on this host, as an administrator (d is the database)."""
    return f"sudo {_python(command, AS_ADMIN)}"


def on_fresh(command: str) -> str:
    """Run a command on the member of the fresh set on this host, which has no users."""
    return _python(command, f"port={FRESH}")


def _python(command: str, options: str) -> str:
    program = (
        "import pymongo; d = pymongo.MongoClient('127.0.0.1', directConnection=True,"
        f" {options}).admin; {command}"
    )
    return f"python3 -c {shlex.quote(program)}"


# A set beside the one of the site, to be made and changed as a test likes.
FRESH, FRESH_DATA = 27117, "/var/tmp/mongod-fresh"


@contextmanager
def fresh_set() -> Iterator[None]:
    """On each host a mongod that never was in a set, for the replica set fresh."""
    start = (
        f"sudo install -d -o mongodb -g mongodb {FRESH_DATA}; sudo systemd-run --quiet --collect"
        # A primary would take 15 s to hand over.
        " --property KillSignal=SIGKILL"
        " --unit mongod-fresh --uid mongodb /usr/local/bin/mongod --replSet fresh"
        f" --port {FRESH} --dbpath {FRESH_DATA} --bind_ip_all --oplogSize 16"
        f" --wiredTigerCacheSizeGB 0.25 --logpath {FRESH_DATA}/mongod.log;"
        f" {until(hello('h', FRESH))}"
    )
    try:
        on_each(dict.fromkeys(NAMES, start))
        yield
    finally:
        end = f"sudo systemctl stop mongod-fresh; sudo rm -r {FRESH_DATA}"
        on_each(dict.fromkeys(NAMES, end))


STEP_DOWN = "d.command('replSetStepDown', 30, secondaryCatchUpPeriodSecs=10)"
START = "sudo systemctl reset-failed mongod; sudo systemctl start mongod"
FAILED = until("systemctl is-failed -q mongod", 80)
# What was put in last is seen when this one has missed some heartbeats.
NO_PRIMARY = until(hello("'primary' not in h"))
PRIMARY = hello("h['isWritablePrimary']")
HAS_PRIMARY = until(hello("'primary' in h and (h['isWritablePrimary'] or h['secondary'])"), 30)
# The set goes on without one that is a secondary.
SECONDARY = until(hello("'primary' in h and h['secondary']"))
# A second one in the same directory, as somebody starts it by hand.
OTHER = (
    f"sudo systemd-run --quiet --unit titan-other --uid mongodb /usr/local/bin/mongod"
    f" --dbpath {DATA} --port 27999 --bind_ip 127.0.0.1 --wiredTigerCacheSizeGB 0.25"
)

# A person has to give the lock file back.
OTHERS_LOCK = (
    "sudo systemctl kill -s KILL mongod; sudo systemctl stop mongod;"
    f" sudo chown root {DATA}/mongod.lock; sudo systemctl start mongod; {FAILED}"
)
LOCK_BACK = f"sudo chown mongodb {DATA}/mongod.lock; {START}"


def caught_up() -> str:
    """Wait until every member is there and none is behind, which takes a moment."""
    test = as_admin(
        "import sys; at = [m['optimeDate'] for m in d.command('replSetGetStatus')['members']"
        " if m['state'] in (1, 2)];"
        " sys.exit(len(at) < 3 or (max(at) - min(at)).total_seconds() > 3)"
    )
    return until(f"{test} 2>/dev/null")


def batches() -> tuple[tuple[Fault, ...], ...]:
    """Three faults each: what titan1, titan2 and titan3 have."""
    elsewhere = Fault(
        "another member is down",
        "true",
        "member_down",
        ("wait",),
        after=HAS_PRIMARY,
        evidence="titan3:27017 gives no answer",
    )
    return (
        (
            Fault("two members are down", NO_PRIMARY, "majority_lost", ("wait",)),
            Fault("stopped", "sudo systemctl stop mongod", "stopped", ("start_unit",)),
            Fault(
                "killed",
                # Its unit would start it again before anybody could look.
                f"sudo mkdir -p {DROP_IN}; printf '[Service]\\nRestart=no\\n'"
                f" | sudo tee {DROP_IN}/fault.conf >/dev/null; sudo systemctl daemon-reload;"
                " sudo systemctl kill -s KILL mongod;"
                f" {FAILED}",
                "killed",
                ("start_unit",),
                after=f"sudo rm -r {DROP_IN}; sudo systemctl daemon-reload",
            ),
        ),
        (
            Fault(
                "its configuration is wrong",
                f"echo 'titanNonsense: 1' | sudo tee -a {CONFIG} >/dev/null;"
                " sudo systemctl restart mongod;"
                f" {FAILED}",
                "configuration",
                cure=f"sudo sed -i /titanNonsense/d {CONFIG}",
                evidence="titanNonsense",
                helps=False,
            ),
            Fault(
                "its disk is full",
                f"sudo systemctl stop mongod; sudo mount -t tmpfs -o size=1m tmpfs {DATA};"
                f" sudo chown mongodb: {DATA}; sudo head -c 2m /dev/zero | sudo tee {DATA}/fill"
                " >/dev/null 2>&1; sudo systemctl start mongod;"
                f" {FAILED}",
                "disk_full",
                cure=f"while mountpoint -q {DATA}; do sudo umount {DATA}; done",
                helps=False,
            ),
            Fault(
                "its data belongs to somebody else",
                f"sudo systemctl stop mongod; sudo chown root {DATA}; sudo systemctl start mongod;"
                f" {FAILED}",
                "wrong_owner",
                cure=f"sudo chown mongodb {DATA}",
                evidence="belongs to root",
                helps=False,
            ),
        ),
        (
            elsewhere,
            elsewhere,
            Fault(
                "a secondary is down, alone",
                f"if {PRIMARY}; then {as_admin(STEP_DOWN)}; fi; {SECONDARY};"
                " sudo systemctl stop mongod",
                "stopped",
                ("start_unit",),
                after=HAS_PRIMARY,
            ),
        ),
        (
            # Nothing is forced, since nobody has named anything.
            Fault(
                "the majority is lost, and stays away",
                NO_PRIMARY,
                "majority_lost",
                evidence="only 1 of 3 voting members answer",
            ),
            Fault(
                "its data is locked by another mongod",
                f"sudo systemctl stop mongod; {OTHER}; {until(hello('h', 27999))};"
                f" sudo systemctl start mongod; {FAILED}",
                "data_in_use",
                cure=f"sudo systemctl stop titan-other; {START}",
                settled=caught_up(),
                after="systemctl is-active titan-other",
            ),
            Fault(
                "its lock file was left by another user",
                OTHERS_LOCK,
                "wrong_owner",
                cure=LOCK_BACK,
                settled=caught_up(),
                evidence="mongod.lock belongs to root",
            ),
        ),
    )
