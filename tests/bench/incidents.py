"""What the procedures for incidents cost: a look at everything, and a recovery."""

from __future__ import annotations

import statistics

from support.hosts import ssh
from timing import Timed, playbook

ROUNDS = 3
ONCE = ("-e", "service_down_cooldown=0", "-e", "service_down_maximum=1000")


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


def recovery(host: str, service: str) -> Timed:
    """The median run that brings back a service which somebody has stopped."""
    runs = []
    for _round in range(ROUNDS):
        ssh(host, f"pm2 -s stop {service}")
        runs.append(playbook("playbooks/api_down.yml", "-e", f"service_down_hosts={host}", *ONCE))
    return sorted(runs, key=lambda timed: timed.own)[ROUNDS // 2]
