# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of pm2_app: options to wanted applications, plan, apply, save, and what to report."""

from __future__ import annotations

import contextlib
import os
import time
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils import (
    _pm2_app,
    _pm2_definition,
    _pm2_dump,
    _pm2_forgotten,
    _pm2_home,
    _pm2_logs,
    _pm2_process,
    _probe,
)
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_bus import Bus
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_cli import Cli
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_client import (
    AbsentError,
    Pm2Client,
    Pm2Error,
    StaleError,
)
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_gate import Clock, Gate, Records
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_lock import ReloadLock
from ansible_collections.plugspace.titan.plugins.module_utils._signals import SignalError

Params = t.Mapping[str, t.Any]
LOG_LINES = 20

ARGUMENT_SPEC: dict[str, t.Any] = dict(
    _pm2_home.ARGUMENT_SPEC,
    name={"type": "str"},
    ecosystem={"type": "path"},
    script={"type": "path"},
    cwd={"type": "path"},
    interpreter={"type": "str"},
    args={"type": "list", "elements": "str"},
    exec_mode={"type": "str", "choices": ["fork", "cluster"]},
    env={"type": "dict", "default": {}, "no_log": True},
    env_name={"type": "str"},
    instances={"type": "str"},
    ids={"type": "list", "elements": "int"},
    state={"type": "str", "choices": list(_pm2_app.STATES), "default": "started"},
    probe={"type": "dict", "options": _probe.ARGUMENT_SPEC},
    probes={"type": "dict", "default": {}},
    expect={"type": "dict", "default": {}},
    min_uptime={"type": "float", "default": 2.0},
    sealed={"type": "bool", "default": False},
    prune={"type": "bool", "default": False},
    save={"type": "bool", "default": False},
    flush={"type": "bool", "default": False},
    lock_wait={"type": "float", "default": 60.0},
    mask_env_files={"type": "list", "elements": "path", "default": []},
    mask={"type": "list", "elements": "str", "default": [], "no_log": True},
)


class Running:
    """The daemon, of which nothing is left to ask before it was started."""

    def __init__(self, client: Pm2Client, alive: bool) -> None:
        self._client = client
        self._alive = alive

    def processes(self) -> Records:
        """PM2's own list; empty as long as there was no daemon in this run."""
        try:
            records = self._client.processes()
        except (AbsentError, StaleError):
            if self._alive:
                raise
            return []
        self._alive = True
        return records

    def act(self, action: str, number: int, timeout: float) -> None:
        """Act on one process. After a deletion, nothing of it is left."""
        self._client.act(action, number, timeout)
        daemon = self._client.peer_pid
        if action == "delete" and daemon:
            pids = (one.get("pid") for one in self._client.processes())
            listed = {pid for pid in pids if isinstance(pid, int)}
            try:
                _pm2_forgotten.end(_pm2_forgotten.forgotten(daemon, number, listed))
            except SignalError as error:
                raise Pm2Error(f"instance {number} was deleted: {error}") from error


class Run:
    """Everything that one call does; the result is complete also when it fails half-way."""

    def __init__(self, params: Params, check: bool) -> None:
        self._params = params
        self._check = check
        self.result: dict[str, t.Any] = {
            "changed": False,
            "apps": [],
            "actions": [],
            "timings": {"gate": 0.0, "pm2": 0.0},
        }
        self.warnings: list[str] = []
        self._counts: dict[str, int] = {}

    def execute(self) -> dict[str, t.Any]:
        """Do it. Pm2Error and probe errors leave; self.result tells what was done until then."""
        params = self._params
        site = _pm2_home.find(params["user"], params["pm2_home"], params["pm2_bin"])
        site.require_owner()
        cli = Cli(site)
        with Pm2Client(site.home, site.uid, params["timeout"]) as client:
            daemon, records = _pm2_home.look(site, client)
            self.warnings += daemon.warnings
            if daemon.state not in ("running", "absent", "stale"):
                raise _pm2_home.unusable(daemon)
            if daemon.state == "stale":
                self.warnings.append(
                    f"{daemon.reason}. Processes of it may still run without anybody to watch them"
                )
            self._work(Running(client, daemon.state == "running"), cli, site, records)
        return self.result

    def _work(self, daemon: Running, cli: Cli, site: _pm2_home.Site, records: Records) -> None:
        params = self._params
        wanted = self._wanted(cli, {str(one.get("name")) for one in records})
        names = [one.name for one in wanted]
        lock = ReloadLock(site.home, params["lock_wait"])
        gate = Gate(daemon.processes, Clock(), tick=lock.renew)
        manager = _pm2_app.Manager(daemon, cli, gate)
        watch = _pm2_logs.Watch(site.home, records)
        bus = Bus(site.home, site.uid)
        before = _summary(records, names)
        plans = [manager.plan(one, records) for one in wanted]
        self._counts = {plan.wanted.name: plan.count for plan in plans}
        planned = [action for plan in plans for action in plan.actions]
        started = time.monotonic()
        if self._check:
            self.result["actions"] = planned
            after = before
        else:
            self.result["actions"] = manager.actions
            try:
                if planned:
                    with contextlib.ExitStack() as stack:
                        if _needs_lock(plans, records):
                            stack.enter_context(lock)
                        stack.enter_context(bus)
                        manager.apply(*plans)
                        manager.settle()
            except _pm2_app.FailedError as error:
                self._failed(error, manager, watch, bus, names)
                raise
            finally:
                self.result["changed"] = bool(manager.actions)
                seconds = time.monotonic() - started
                self.result["timings"] = {
                    "gate": round(gate.seconds, 2),
                    "pm2": round(seconds - gate.seconds, 2),
                }
                after = self._after(daemon, names, before)
                self._describe(before, after)
        if params["flush"]:
            self._flush(daemon.processes(), names)
        if params["save"]:
            self._save(cli, site, daemon.processes(), bool(planned))
        self.result["changed"] = bool(self.result["actions"])
        self._describe(before, after)

    # -- options ------------------------------------------------------------------------------

    def _wanted(self, cli: Cli, running: t.Container[str]) -> list[_pm2_app.Wanted]:
        params = self._params
        definitions = self._definitions(cli)
        names = [one.name for one in definitions] or [params["name"]]
        by_name = {one.name: one for one in definitions}
        counted = params["instances"] not in (None, _pm2_app.KEEP)
        if len(names) > 1 and (counted or params["probe"] or params["ids"] is not None):
            raise Pm2Error("instances, ids and probe belong to one application: say its name")
        probes = dict(params["probes"] or {})
        if params["probe"]:
            probes[names[0]] = params["probe"]
        unknown = sorted(set(probes) - set(names)) if not params["name"] else []
        if unknown and not params["prune"]:
            raise Pm2Error(f"probes names {', '.join(unknown)}, which the ecosystem file has not")
        gone = [name for name in unknown if name in running]
        new = [name for name in names if name not in probes and name not in running]
        if gone and new:
            raise Pm2Error(
                f"probes names {', '.join(gone)}, which the ecosystem file has not, while it brings"
                f" {', '.join(new)}, for which there is no probe: the names have to agree"
            )
        for name in unknown:
            self.warnings.append(
                f"{name} is not in the ecosystem file any more and is ended"
                if name in gone
                else f"neither the ecosystem file nor PM2 has an application {name}"
            )
        found = [
            _pm2_app.Wanted(
                name=name,
                state=params["state"],
                definition=by_name.get(name),
                count=params["instances"],
                probe=_probe.parse(probes[name]).expecting(params["expect"] or {})
                if name in probes
                else None,
                expect=params["expect"] or {},
                min_uptime=params["min_uptime"],
                sealed=params["sealed"],
                only=params["ids"],
            )
            for name in names
        ]
        # Last, when the others have passed: until then it may be needed.
        return found + [_pm2_app.Wanted(name, "absent") for name in gone]

    def _definitions(self, cli: Cli) -> list[_pm2_definition.Definition]:
        params = self._params
        if params["ecosystem"]:
            path = os.path.abspath(params["ecosystem"])
            confs, folder = cli.read(path), os.path.dirname(path)
        elif params["script"]:
            keys = ("name", "script", "cwd", "interpreter", "args", "exec_mode", "instances")
            confs = [{key: params[key] for key in keys if params[key]}]
            if str(params["instances"] or "").startswith(("+", "-", _pm2_app.KEEP)):
                del confs[0]["instances"]
            folder = cli.site.user_home
        else:
            return []
        found = [
            _pm2_definition.define(
                conf,
                folder,
                cli.environment(),
                os.cpu_count() or 1,
                params["env_name"],
                params["env"],
            )
            for conf in confs
        ]
        names = [one.name for one in found]
        if len(set(names)) < len(names):
            raise Pm2Error(f"{params['ecosystem']} has two applications of the same name")
        if params["name"]:
            found = [one for one in found if one.name == params["name"]]
            if not found:
                raise Pm2Error(
                    f"{params['ecosystem']} has no application {params['name']}"
                    f" (it has: {', '.join(names)})"
                )
        return found

    # -- after the work -----------------------------------------------------------------------

    def _failed(
        self,
        error: _pm2_app.FailedError,
        manager: _pm2_app.Manager,
        watch: _pm2_logs.Watch,
        bus: Bus,
        names: t.Sequence[str],
    ) -> None:
        params = self._params
        own = [
            one
            for one in manager.evidence
            if _pm2_process.environment_of(one).get("pm_id") == error.instance
        ]
        masker = _pm2_logs.redactor(
            manager.evidence, params["mask_env_files"] or (), params["mask"] or ()
        )
        lines = watch.new_lines(own or manager.evidence, LOG_LINES)
        lines += [line for line in dict.fromkeys(bus.lines(error.instance)) if line not in lines]
        self.result.update(
            failed_app=error.app,
            failed_instance=error.instance,
            cause=error.cause,
            logs=masker.lines(lines[-LOG_LINES:]),
        )
        error.args = (masker.text(str(error)),)
        untried = [one for one in names if one != error.app and one not in manager.touched]
        # When none was touched, the message has said so.
        if untried and manager.touched:
            error.args = (f"{error}. Not touched: {', '.join(untried)}",)

    def _after(self, daemon: Running, names: t.Sequence[str], before: t.Any) -> t.Any:
        try:
            return _summary(daemon.processes(), names)
        except Pm2Error:
            return before

    def _describe(self, before: t.Any, after: t.Any) -> None:
        self.result["apps"] = [
            {
                "name": name,
                "wanted": self._counts[name],
                "before": before[name],
                "after": after[name],
            }
            for name in before
        ]
        self.result["diff"] = {
            "before": {name: _brief(app) for name, app in before.items()},
            "after": {name: _brief(app) for name, app in after.items()},
        }
        if self._check:
            self.result["diff"]["after"]["planned"] = self.result["actions"]

    def _flush(self, records: Records, names: t.Sequence[str]) -> None:
        mine = [one for one in records if one.get("name") in names]
        for stream in ("out", "err"):
            for path in _pm2_logs.paths(mine, stream):
                if _pm2_logs.empty(path, dry=self._check):
                    self.result["actions"].append(f"Empty {path}")

    def _save(self, cli: Cli, site: _pm2_home.Site, records: Records, worked: bool) -> None:
        for path in _pm2_dump.open_files(site.home):
            self.result["actions"].append(f"Close {path} to others (it holds every secret)")
            if not self._check:
                os.chmod(path, 0o600)
        if not records and not worked:
            saved = _pm2_dump.saved_count(site.home)
            if saved:
                self.warnings.append(
                    f"PM2 manages no process, so that its dump of {saved} was not overwritten:"
                    " they come back at the next boot or `pm2 resurrect`"
                )
            return
        if _pm2_dump.differs(site.home, records):
            self.result["actions"].append("Save the list of processes")
            if not self._check:
                cli.save(force=not records)


def _needs_lock(plans: t.Sequence[_pm2_app.Plan], records: Records) -> bool:
    """Reloads and replacements exclude each other; a first start has no home to hold a lock yet."""
    return bool(records) and any(
        plan.actions and plan.wanted.state not in ("stopped", "absent") for plan in plans
    )


def _summary(records: Records, names: t.Iterable[str]) -> dict[str, dict[str, t.Any] | None]:
    apps = {app.name: app.as_result() for app in _pm2_process.group(records, time.time())}
    return {name: apps.get(name) for name in names}


def _brief(app: dict[str, t.Any] | None) -> dict[str, t.Any] | None:
    if app is None:
        return None
    instances = app["instances"]
    return {
        "verdict": app["verdict"],
        "instances": len(instances),
        "ids": [one["id"] for one in instances],
        "pids": [one["pid"] for one in instances],
        "exec_mode": instances[0]["exec_mode"],
        "cwd": instances[0]["cwd"],
        "script": instances[0]["script"],
        "release_paths": sorted({one["release_path"] for one in instances}),
    }
