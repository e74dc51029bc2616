"""The faults of MongoDB, a row for each of the three hosts: one set, so they see each other's."""

from __future__ import annotations

import shlex

from support.hosts import inventory
from support.incidents import Fault

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


def as_admin(command: str) -> str:
    """Run a command on the member on this host, as an administrator (d is the database)."""
    password = inventory()["titan1"]["titan_mongodb_admin_password"]
    program = (
        "import pymongo; d = pymongo.MongoClient('127.0.0.1', directConnection=True,"
        f" username='admin', password='{password}').admin; {command}"
    )
    return f"python3 -c {shlex.quote(program)}"


START = "sudo systemctl reset-failed mongod; sudo systemctl start mongod"
NO_PRIMARY = until(hello("'primary' not in h"))
# What was put in last is seen when this one has missed some heartbeats.


def batches() -> tuple[tuple[Fault, ...], ...]:
    """Three faults each: what titan1, titan2 and titan3 have."""
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
                f" {until('systemctl is-failed -q mongod')}",
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
                f" {until('systemctl is-failed -q mongod')}",
                "configuration",
                cure=f"sudo sed -i /titanNonsense/d {CONFIG}; {START}",
                evidence="titanNonsense",
            ),
            Fault(
                "its disk is full",
                f"sudo systemctl stop mongod; sudo mount -t tmpfs -o size=1m tmpfs {DATA};"
                f" sudo chown mongodb: {DATA}; sudo head -c 2m /dev/zero | sudo tee {DATA}/fill"
                " >/dev/null 2>&1; sudo systemctl start mongod;"
                f" {until('systemctl is-failed -q mongod')}",
                "disk_full",
                cure=f"while mountpoint -q {DATA}; do sudo umount {DATA}; done; {START}",
            ),
            Fault(
                "its data belongs to somebody else",
                f"sudo systemctl stop mongod; sudo chown root {DATA}; sudo systemctl start mongod;"
                f" {until('systemctl is-failed -q mongod')}",
                "wrong_owner",
                cure=f"sudo chown mongodb {DATA}; {START}",
                evidence="belongs to root",
            ),
        ),
    )
