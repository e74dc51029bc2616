# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that a diagnosis looks at on a host: each part by its own reader, all of them at once.

A part that cannot be read is told and takes nothing else with it: a sick host gives half of its
evidence, and that half is what decides.
"""

from __future__ import annotations

import os
import time
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils import (
    _access_log,
    _host_report,
    _instance_answers,
    _mongodb_config,
    _mongodb_report,
    _mongodb_slow_log,
    _pm2_report,
    _probe,
    _redis,
)
from ansible_collections.plugspace.titan.plugins.module_utils._ask import ask_all
from ansible_collections.plugspace.titan.plugins.module_utils._attempts import HEALED, Attempts
from ansible_collections.plugspace.titan.plugins.module_utils._git import Git, Remote
from ansible_collections.plugspace.titan.plugins.module_utils._host import LocalHost
from ansible_collections.plugspace.titan.plugins.module_utils._host_sockets import PsutilSockets
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_logs import tail
from ansible_collections.plugspace.titan.plugins.module_utils._probe_report import probe_all
from ansible_collections.plugspace.titan.plugins.module_utils._process import (
    capture,
    clean_environment,
)
from ansible_collections.plugspace.titan.plugins.module_utils._release_layout import ground
from ansible_collections.plugspace.titan.plugins.module_utils._release_options import (
    LAYOUT,
    store_of,
)

Params = t.Mapping[str, t.Any]
Reader = t.Callable[[Params], t.Any]
Spec = t.Mapping[str, t.Mapping[str, t.Any]]

# Where a service that has no log of its own writes to; -o cat is the message alone.
_JOURNAL = ("journalctl", "--no-pager", "--quiet", "-o", "cat")


def read_host(params: Params) -> dict[str, t.Any]:
    """What host_info returns."""
    wanted = dict(params)
    timeout = wanted.pop("timeout")
    report = _host_report.observe(
        LocalHost(timeout), PsutilSockets(), _host_report.Wanted(**wanted), timeout
    )
    return dict(report)


def read_mongodb(params: Params) -> dict[str, t.Any]:
    """What mongodb_info returns."""
    if not _mongodb_report.HAS_PYMONGO:
        raise OSError("the host's Python lacks PyMongo: install Debian's python3-pymongo")
    client = _mongodb_report.PyMongoClient(params)
    address = f"{params['host']}:{params['port']}"
    return _mongodb_report.look(client, address, params["slow_ms"], params["settle_s"])


def read_release(params: Params) -> dict[str, t.Any]:
    """What stands at the live path, and the release that it is; as release_info tells them."""
    place = ground(params["root"])
    status = os.stat(place)
    owner = (status.st_uid, status.st_gid) if os.geteuid() == 0 else None
    with Git(Remote.of(""), 5, {}, owner) as git:
        store = store_of(params, git)
        live = store.layout.live()
        entry = store.entry(live.name) if live.name else None
        return {"live": live.kind, "current": entry.shown() if entry else {}}


def read_logs(params: Params) -> dict[str, list[str]]:
    """The last lines of the units' journals and of the files, by unit or path."""
    count = params["lines"]
    found = {path: tail(path, count) for path in params["files"]}
    for unit in params["units"]:
        command = [*_JOURNAL, "-n", str(count), "-u", unit]
        found[unit] = capture(command, clean_environment(), 5).output.splitlines()
    return found


def read_check(params: Params) -> dict[str, t.Any]:
    """Whether a program finds a configuration in order, and what it says."""
    done = capture(params["command"], clean_environment(), 10)
    return {
        "unit": params["unit"],
        "ok": done.code == 0,
        "output": f"{done.errors}{done.output}".strip(),
    }


def read_paths(params: Params) -> dict[str, dict[str, t.Any]]:
    """For each path whether it is there, whose, and how open."""
    return {path: _path(path) for path in params["paths"]}


def _path(path: str) -> dict[str, t.Any]:
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return {"exists": False}
    return {
        "exists": True,
        "owner": _name("passwd", status.st_uid),
        "group": _name("group", status.st_gid),
        "mode": f"{status.st_mode & 0o7777:04o}",
        "size_bytes": status.st_size,
        "changed_at": _changed_at(path, status),
    }


def _changed_at(path: str, status: os.stat_result) -> float:
    """When it, what it links to, or what lies directly in it was changed, owner and mode too."""
    times = [status.st_ctime]
    try:
        times.append(os.stat(path).st_ctime)
        for name in os.listdir(path):
            times.append(os.lstat(os.path.join(path, name)).st_ctime)
    except OSError:
        pass  # a file, or gone meanwhile
    return round(max(times), 3)


def _name(base: str, number: int) -> str:
    import grp
    import pwd

    try:
        if base == "passwd":
            return pwd.getpwuid(number).pw_name
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def read_healed(params: Params) -> dict[str, t.Any]:
    """Which procedure healed something on this host last, and how many seconds ago; {} if none."""
    now = time.time()
    # What is yet to come, by a clock that was set back, would hide what is logged until then.
    ended = [one for one in Attempts(params["path"]).read() if one.ended <= now]
    healed = [one for one in ended if one.outcome == HEALED]
    if not healed:
        return {}
    last = max(healed, key=lambda one: one.ended)
    return {"procedure": last.procedure, "ago_s": round(now - last.ended, 1)}


LOGS: dict[str, dict[str, t.Any]] = {
    "units": {"type": "list", "elements": "str", "default": []},
    "files": {"type": "list", "elements": "path", "default": []},
    "lines": {"type": "int", "default": 50},
}
CHECK: dict[str, dict[str, t.Any]] = {
    "unit": {"type": "str", "required": True},
    "command": {"type": "list", "elements": "str", "required": True},
}
PATHS: dict[str, dict[str, t.Any]] = {
    "paths": {"type": "list", "elements": "path", "required": True},
}
ATTEMPTS: dict[str, dict[str, t.Any]] = {
    "path": {"type": "path", "required": True},
}
# Each part: the options that it takes, and who reads it.
PARTS: dict[str, tuple[Spec, Reader]] = {
    "host": (_host_report.ARGUMENT_SPEC, read_host),
    "pm2": (_pm2_report.ARGUMENT_SPEC, _pm2_report.report),
    "release": (LAYOUT, read_release),
    "redis": (_redis.ARGUMENT_SPEC, lambda params: _redis.look(**params)),
    "mongodb": (_mongodb_report.ARGUMENT_SPEC, read_mongodb),
    "mongodb_config": (_mongodb_config.PLACE, lambda params: _mongodb_config.look(params["path"])),
    "logs": (LOGS, read_logs),
    "check": (CHECK, read_check),
    "paths": (PATHS, read_paths),
    "access_log": (_access_log.ARGUMENT_SPEC, _access_log.look),
    "slow_queries": (_mongodb_slow_log.ARGUMENT_SPEC, _mongodb_slow_log.look),
    "instances": (_instance_answers.ARGUMENT_SPEC, _instance_answers.look),
    "healed": (ATTEMPTS, read_healed),
}
# What others have to know before they look.
_FIRST: dict[str, set[str]] = {
    "pm2": {"host", "instances"},
    "healed": {"access_log", "slow_queries"},
}


def take(
    wanted: t.Mapping[str, Params],
    probes: t.Sequence[_probe.Probe],
    timeout: float,
    settle: bool = False,
    readers: t.Mapping[str, Reader] | None = None,
) -> dict[str, t.Any]:
    """The evidence: one value for each part that is wanted, None with a sentence in C(errors) for
    one that could not be read, and the rows of the probes.

    timeout: seconds for each part. settle: look at the parts only when the probes have come to
    their end, so that what is seen is how things are then.
    """
    readers = readers or {name: reader for name, (_spec, reader) in PARTS.items()}
    asked: dict[str, t.Callable[[], t.Any]] = {}
    before: dict[str, t.Any] = {}
    errors: dict[str, str] = {}
    if settle:
        before["probes"] = probe_all(probes)
    else:
        asked["probes"] = lambda: probe_all(probes)
    first = [part for part, others in _FIRST.items() if part in wanted and others & set(wanted)]
    known = ask_all({part: _reading(readers[part], wanted[part]) for part in first}, timeout)
    errors.update(known.pop("errors"))
    before.update(known)
    wanted = _since(_closely(wanted, known.get("pm2")), known.get("healed"))
    for part, params in wanted.items():
        if part not in before:
            asked[part] = _reading(readers[part], params)
    longest = max([timeout, *(probe.within + probe.timeout for probe in probes)])
    report = ask_all(asked, longest)
    report["errors"].update(errors)
    return {**before, **report}


def _closely(wanted: t.Mapping[str, Params], pm2: t.Any) -> t.Mapping[str, Params]:
    """Whom PM2 calls its own is looked at closely, busy or not, and asked one by one."""
    own = _pids(pm2)
    pids = {"host": [*own, *_daemon(pm2)], "instances": own}
    return {
        part: {**params, "pids": [*params.get("pids", ()), *pids[part]]} if part in pids else params
        for part, params in wanted.items()
    }


def _since(wanted: t.Mapping[str, Params], healed: t.Any) -> t.Mapping[str, Params]:
    """What a log says of the time before something was healed is over."""
    if not healed:
        return wanted
    ago = max(1, int(healed["ago_s"]))
    return {
        part: {**params, "since": min(params["since"] or ago, ago)}
        if part in _FIRST["healed"]
        else params
        for part, params in wanted.items()
    }


def _reading(reader: Reader, params: Params) -> t.Callable[[], t.Any]:
    return lambda: reader(params)


def _pids(pm2: t.Any) -> list[int]:
    """The processes of all applications."""
    found = [one["pid"] for app in (pm2 or {}).get("apps", ()) for one in app["instances"]]
    return [pid for pid in found if pid]


def _daemon(pm2: t.Any) -> list[int]:
    """The process that they are children of."""
    return [pm2["daemon"]["pid"]] if pm2 and pm2["daemon"]["pid"] else []
