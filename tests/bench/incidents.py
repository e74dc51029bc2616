"""What the procedures for incidents cost: a look at everything, and a recovery."""

from __future__ import annotations

import statistics

from support.hosts import ssh
from support.service_faults import (
    ALL_ARE_SILENT,
    API,
    ONE_IS_SILENT,
    REFUSE,
    VOICE,
    inspector,
)
from timing import Timed, playbook

ROUNDS = 3
# What a restart or a reload heals: what it is, the playbook, its role, and what breaks.
RECOVERIES = (
    ("an API that was stopped, `start`", "api_down", "service_down", f"pm2 -s stop {API}"),
    (
        "one instance that is silent, `restart_instances`",
        "api_down",
        "service_down",
        ONE_IS_SILENT,
    ),
    (
        "an API of which no instance answers, `restart`",
        "api_down",
        "service_down",
        ALL_ARE_SILENT,
    ),
    (
        "a voice server that refuses handshakes, `reload`",
        "voice_down",
        "service_down",
        inspector(VOICE, REFUSE),
    ),
    (
        "a Redis that was stopped, `start_unit`",
        "redis_down",
        "redis_down",
        "sudo systemctl stop redis-server",
    ),
    (
        "a member of MongoDB that was stopped, `start_unit`",
        "mongodb_down",
        "mongodb_down",
        "sudo systemctl stop mongod",
    ),
)


def look(host: str, empty: str) -> tuple[float, float]:
    """The seconds of a look at everything that a service stands on, and of an empty play."""
    looks, nothing = [], []
    for _round in range(ROUNDS):
        nothing.append(playbook(empty).total)
        looks.append(
            playbook(
                "playbooks/api_down.yml", "-e", f"service_down_hosts={host}", "--tags", "observe"
            ).total
        )
    return statistics.median(looks), statistics.median(nothing)


def recovery(host: str, playbook_name: str, role: str, fault: str) -> Timed:
    """The median run that heals what a shell command on the host has broken."""
    options = (f"hosts={host}", "cooldown=0", "maximum=1000")
    arguments = [word for option in options for word in ("-e", f"{role}_{option}")]
    runs = []
    for _round in range(ROUNDS):
        ssh(host, fault)
        runs.append(playbook(f"playbooks/{playbook_name}.yml", *arguments))
    return sorted(runs, key=lambda timed: timed.own)[ROUNDS // 2]
