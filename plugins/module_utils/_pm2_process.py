# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be shown of PM2's processes: a white list of fields, grouped by application."""

from __future__ import annotations

import os
import typing as t
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone

# A process that restarted on its own and has not been up this long is not believed yet.
SETTLED_SECONDS = 10.0


@dataclass(frozen=True)
class Instance:
    """One process of an application; PM2's records hold every secret, so only these leave."""

    id: int
    pid: int
    status: str
    restarts: int
    unstable_restarts: int
    uptime_s: float
    memory_bytes: int
    cpu_percent: float
    exec_mode: str
    cwd: str
    script: str
    release_path: str
    number: int
    exit_code: int | None = None
    module: bool = False
    started: str = ""

    @property
    def online(self) -> bool:
        """PM2 says so and the process exists."""
        return self.status == "online" and self.pid > 0

    @property
    def settled(self) -> bool:
        """Online, and not between two crashes."""
        return self.online and not (self.unstable_restarts and self.uptime_s < SETTLED_SECONDS)

    def trouble(self) -> str | None:
        """What is wrong with it, or None."""
        if self.status == "online" and self.pid <= 0:
            return f"instance {self.id} has no process although PM2 calls it online"
        if not self.online:
            return f"instance {self.id} is {self.status}"
        if not self.settled:
            return (
                f"instance {self.id} keeps crashing ({self.restarts} restarts,"
                f" up for {self.uptime_s:.0f} s)"
            )
        return None


@dataclass(frozen=True)
class App:
    """All processes of one name, with one verdict over them."""

    name: str
    verdict: str
    reason: str | None
    instances: list[Instance] = field(default_factory=list)

    def as_result(self) -> dict[str, t.Any]:
        """As plain data for a module's result."""
        return asdict(self)


def _number(value: object, default: float = 0) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    return default


def _whole(value: object, default: int = 0) -> int:
    number = _number(value, default)
    return int(number) if abs(number) < 2**53 else default


def environment_of(record: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The part of a record in which PM2 keeps everything that it knows about a process."""
    pm2_env = record.get("pm2_env")
    return pm2_env if isinstance(pm2_env, dict) else {}


def real_directory(pid: int) -> str:
    """The directory that a process really works in; empty when that cannot be seen."""
    try:
        return os.readlink(f"/proc/{pid}/cwd") if pid > 0 else ""
    except OSError:
        return ""


def read_instance(record: t.Mapping[str, t.Any], now: float) -> Instance:
    """The white-listed fields of one of PM2's records; whatever is malformed reads as empty."""
    env = environment_of(record)
    monit = record.get("monit")
    monit = monit if isinstance(monit, dict) else {}
    pid = _whole(record.get("pid"))
    if pid > 0 and not os.path.exists(f"/proc/{pid}"):
        pid = 0
    status = str(env.get("status", "unknown"))
    started = _number(env.get("pm_uptime")) / 1000
    return Instance(
        id=_whole(env.get("pm_id"), -1),
        pid=pid,
        status=status,
        restarts=_whole(env.get("restart_time")),
        unstable_restarts=_whole(env.get("unstable_restarts")),
        uptime_s=round(max(0.0, now - started), 1) if pid and started else 0.0,
        memory_bytes=_whole(monit.get("memory")),
        cpu_percent=round(_number(monit.get("cpu")), 1),
        exec_mode=str(env.get("exec_mode", "")),
        cwd=str(env.get("pm_cwd", "")),
        script=str(env.get("pm_exec_path", "")),
        release_path=real_directory(pid),
        number=_whole(env.get(str(env.get("instance_var") or "NODE_APP_INSTANCE")), 0),
        exit_code=_whole(env["exit_code"]) if "exit_code" in env else None,
        module=env.get("pmx_module") is True,
        started=_moment(started),
    )


def _moment(seconds: float) -> str:
    """The time as ISO 8601 in UTC; empty for what is none."""
    try:
        moment = datetime.fromtimestamp(seconds, timezone.utc)
    except (ValueError, OverflowError, OSError):
        return ""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if seconds > 0 else ""


def judge(instances: t.Sequence[Instance]) -> tuple[str, str | None]:
    """One word and one reason over all the instances of an application."""
    troubles = [trouble for trouble in (one.trouble() for one in instances) if trouble]
    if not troubles:
        return "online", None
    reason = "; ".join(troubles)
    if all(one.status == "stopped" for one in instances):
        return "stopped", f"all {len(instances)} instances are stopped"
    if any(one.settled for one in instances):
        return "degraded", reason
    if all(one.status == "launching" for one in instances):
        return "launching", reason
    return "down", reason


def group(records: t.Iterable[t.Mapping[str, t.Any]], now: float) -> list[App]:
    """The applications in PM2's own order, each with all of its instances."""
    found: dict[str, list[Instance]] = {}
    for record in records:
        found.setdefault(str(record.get("name", "")), []).append(read_instance(record, now))
    apps = []
    for name, instances in found.items():
        instances.sort(key=lambda one: one.id)
        verdict, reason = judge(instances)
        apps.append(App(name, verdict, reason, instances))
    return apps
