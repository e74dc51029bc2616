# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A PM2 in memory: processes with ids, and what each action does to them."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._pm2_client import (
    HungError,
    Pm2Error,
)
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_definition import Definition
from ansible_collections.plugspace.titan.plugins.module_utils._probe import Answer, Probe


class FakeClock:
    """Time passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept = 0

    def monotonic(self) -> float:
        return self.now

    wall = monotonic

    def sleep(self, seconds: float) -> None:
        self.now += max(seconds, 0.01)
        self.slept += 1


class FakePm2:
    """Daemon, starter and probed application in one.

    behaviour tells how a process started from now on behaves: well, crash, crash_later, hang,
    unhealthy, launching, errored or vanish.
    """

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.behaviour = "well"
        self.commit = "new"
        self.records: list[dict[str, t.Any]] = []
        self.calls: list[tuple[str, t.Any]] = []
        self.lose_answer_of = ""
        self.blind = False
        self.stranger: int | None = None
        # Until then the first worker is too short of CPU to take a connection.
        self.starved_until = 0.0
        self._ids = itertools.count()
        self._pids = itertools.count(5000001)
        self._turn = itertools.count()

    def add(self, name: str = "api", mode: str = "cluster_mode", **env: t.Any) -> dict[str, t.Any]:
        """A process that runs already."""
        record = self._new({"name": name, "exec_mode": mode, "env": {}, **env})
        record["_behaviour"], record["_commit"] = "well", "old"
        record["pm2_env"]["pm_uptime"] = (self.clock.now - 500) * 1000
        return record

    def _new(self, env: dict[str, t.Any]) -> dict[str, t.Any]:
        env = dict(env, pm_id=next(self._ids), restart_time=0, unstable_restarts=0)
        record: dict[str, t.Any] = {"name": env["name"], "pm2_env": env, "monit": {}}
        self.records.append(record)
        self._launch(record)
        return record

    def _launch(self, record: dict[str, t.Any]) -> None:
        record.update(pid=next(self._pids), _behaviour=self.behaviour, _commit=self.commit)
        record["pm2_env"].update(status="online", pm_uptime=self.clock.now * 1000)
        if self.behaviour in ("launching", "errored"):
            record["pm2_env"]["status"] = self.behaviour
        if self.behaviour == "vanish":
            self.records.remove(record)

    def processes(self) -> list[dict[str, t.Any]]:
        """The list; time makes what crashes crash."""
        for one in self.records:
            age = self.clock.now - one["pm2_env"]["pm_uptime"] / 1000
            late = one["_behaviour"] == "crash_later" and age > 1.5
            if one["_behaviour"] == "crash" or late:
                one["pm2_env"]["restart_time"] += 1
                one["pm2_env"]["exit_code"] = 1
                one["pid"] = next(self._pids)
                one["pm2_env"]["pm_uptime"] = self.clock.now * 1000
        return [dict(one, pm2_env=dict(one["pm2_env"])) for one in self.records]

    def _find(self, number: int) -> dict[str, t.Any]:
        for one in self.records:
            if one["pm2_env"]["pm_id"] == number:
                return one
        raise Pm2Error(f"{number} id unknown")

    def act(self, action: str, number: int, timeout: float) -> None:
        """One of the direct actions."""
        assert timeout > 5
        self.calls.append((action, number))
        one = self._find(number)
        if action == "delete":
            self.records.remove(one)
        elif action == "stop":
            one["pm2_env"]["status"], one["pid"] = "stopped", 0
        elif action == "duplicate":
            self._new({k: v for k, v in one["pm2_env"].items() if k != "pm_id"})
        else:
            one["pm2_env"]["restart_time"] += one["pm2_env"]["status"] == "online"
            self._launch(one)
        if action == self.lose_answer_of:
            raise HungError("no answer")

    def start(self, instances: t.Sequence[tuple[Definition, int]]) -> None:
        """Start from definitions."""
        for definition, number in instances:
            self.calls.append(("start", number))
            self._new(
                {
                    "name": definition.name,
                    "exec_mode": definition.exec_mode,
                    "pm_cwd": definition.cwd,
                    "pm_exec_path": definition.script,
                    "env": dict(definition.env),
                    "NODE_APP_INSTANCE": number,
                }
            )

    def ask(self, probe: Probe, _candidates: t.Collection[int] = ()) -> Answer:
        """A new connection: the next worker that listens answers."""
        listening = [
            one
            for one in self.records
            if one["pm2_env"]["status"] == "online"
            and one["_behaviour"] in ("well", "unhealthy", "crash_later")
        ]
        if self.clock.now < self.starved_until:
            listening = listening[1:]
        self.clock.now += 0.001
        if self.stranger:
            return Answer(True, 0.001, pid=self.stranger)
        if not listening:
            return Answer(False, 0.001, "GET / got no connection: refused", connected=False)
        one = listening[next(self._turn) % len(listening)]
        pid = None if self.blind else one["pid"]
        if one["_behaviour"] == "unhealthy":
            return Answer(False, 0.001, "GET / answered 503 (wanted 200)", pid)
        wanted = probe.expect.get("commit", one["_commit"])
        if one["_commit"] != wanted:
            reason = f"GET / answered commit={one['_commit']} (wanted {wanted})"
            return Answer(False, 0.001, reason, pid)
        return Answer(True, 0.001, pid=pid)
