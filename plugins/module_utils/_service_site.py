# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service as the inventory describes it: what is missing there, and its state in a few lines."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils import _probe
from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_queries import (
    slow_operations,
)
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen
from ansible_collections.plugspace.titan.plugins.module_utils._words import age, plain, plural, size

DEPENDENCIES = ("mongodb", "redis")


def problems(services: object, name: str) -> list[str]:
    """What a procedure for a service lacks, in sentences; all of it."""
    known = Seen({"services": services}).rows("services")
    if not known:
        return [
            "titan_services names no service: describe the platform's services in the inventory"
        ]
    service = next((one for one in known if one.text("name") == name), None)
    if service is None:
        names = ", ".join(one.text("name") or "one without a name" for one in known)
        asked = f"{name} is none of" if name else "no service was named, say one of"
        return [f"{asked} the services in titan_services ({names})"]
    found = []
    if not 0 < service.whole("port") < 65536:
        found.append(f"{name} has no port in titan_services: say where it listens")
    if not service.part("probe"):
        found.append(f"{name} has no probe in titan_services: nothing could prove that it is back")
    else:
        found += [f"the probe of {name} in titan_services: {told}" for told in _bad(services, name)]
    strange = [one for one in service.texts("depends_on") if one not in DEPENDENCIES]
    if strange:
        found.append(
            f"{name} depends on {', '.join(strange)} in titan_services; what can be looked at is"
            f" {' and '.join(DEPENDENCIES)}"
        )
    return found


def _bad(services: t.Any, name: str) -> list[str]:
    """What is wrong with a service's probe."""
    options = next(one["probe"] for one in services if Seen(one).text("name") == name)
    # Whether a host has what such a probe needs is seen on the host.
    if options.get("type") == "mongodb":
        return []
    try:
        _probe.parse(options)
    except _probe.ProbeError as error:
        return [str(error)]
    return []


def others(services: object, name: str) -> list[dict[str, t.Any]]:
    """The probes of the other services, named as these are; none that could not be sent."""
    found = []
    for one in Seen({"services": services}).rows("services"):
        own, probe = one.text("name"), one.part("probe")
        # Whether a host has what a probe of MongoDB needs is not known.
        if own in ("", name) or not probe or probe.text("type") == "mongodb" or _bad(services, own):
            continue
        found.append({**probe.value, "name": own})
    return found


def shown(observed: object) -> dict[str, str]:
    """The state of a service in a few lines, by label."""
    seen = Seen(observed)
    name = seen.part("service").text("name")
    # Where slowness is the question, so is how long an answer took.
    timed = seen.part("limits").has("answer_ms")
    lines = {label: _answer(seen.part(label), timed) for label in ("answer", "site")}
    # After a rung the log still has the requests from before, so it is no proof.
    if not seen.flag("settled"):
        lines["requests"] = _requests(seen.part("access_log"), _healed(seen))
    limits = seen.part("limits")
    if limits.has("operation_s"):
        running = slow_operations(seen.part("mongodb"), limits.number("operation_s"))
        lines["operations"] = running[0]["evidence"] if running else ""
    pm2 = seen.part("pm2")
    if pm2.part("daemon"):
        lines["PM2"] = _instances(pm2, name)
    lines["Redis"] = _redis(seen.part("redis"))
    lines["MongoDB"] = _mongodb(seen.part("mongodb"))
    host = seen.part("host")
    memory = host.part("memory")
    if memory:
        lines["memory"] = f"{size(memory.number('available_bytes'))} available"
    systems = host.rows("file_systems")
    if systems:
        worst = systems[0]
        lines["fullest disk"] = f"{worst.text('mount')} {worst.number('used_percent'):.0f} %"
    return {label: line for label, line in lines.items() if line}


def _answer(row: Seen, timed: bool) -> str:
    if row.flag("ok") is None:
        return ""
    if row.flag("ok"):
        took = row.part("latency_ms")
        return f"good within {max(took.number('max'), 1):.0f} ms" if timed and took else "good"
    return plain(row.text("reason") or row.text("msg") or "bad")


def _healed(seen: Seen) -> str:
    """Since when the access log counts, where that is shorter than it was asked for."""
    healed = seen.part("healed")
    ago = healed.number("ago_s")
    if not healed or ago >= seen.part("limits").number("since_s"):
        return ""
    procedure, _space, subject = healed.text("procedure").partition(" ")
    return f" since {procedure} healed {subject} {age(ago)} ago"


def _requests(log: Seen, since: str) -> str:
    """How long visitors waited, by the access log."""
    total = log.part("all")
    count = total.whole("count")
    if not log:
        return ""
    if not count:
        return f"the access log has no requests{since or ' of that time'}"
    if log.whole("lines_without_time") >= count:
        return f"{plural(count, 'request')}, of which the access log tells no time"
    told = f"95 % of {plural(count, 'request')}{since} took {total.number('p95_ms'):.0f} ms or less"
    errors = total.whole("gateway_errors")
    if errors:
        told += f"; nginx got no good answer for {errors}"
        told += f", the last {age(log.number('last_gateway_error_s'))} ago"
    slowest = max(log.rows("routes"), key=lambda one: one.number("p95_ms"), default=None)
    if slowest is None:
        return told
    route, of_it = slowest.text("route"), slowest.number("p95_ms")
    return plain(f"{told}; the slowest route is {route}, with {of_it:.0f} ms")


def _redis(redis: Seen) -> str:
    state = redis.text("state")
    memory = redis.part("memory")
    if state in ("", "refused", "hung", "closed") or not memory:
        return state
    most = memory.number("max_bytes")
    limit = f" of {size(most)}" if most else ""
    return f"{state}, {size(memory.number('used_bytes'))}{limit} in use"


def _mongodb(mongodb: Seen) -> str:
    state = mongodb.text("state")
    members = mongodb.rows("members")
    if state != "ok" or not members:
        return state
    answering = [one for one in members if one.text("role")]
    return f"{mongodb.text('role')}, {len(answering)} of {plural(len(members), 'member')} answer"


def _instances(pm2: Seen, name: str) -> str:
    state = pm2.part("daemon").text("state")
    if state != "running":
        return f"daemon {state}"
    app = next((one for one in pm2.rows("apps") if one.text("name") == name), None)
    if app is None:
        return f"no application {name}"
    instances = app.rows("instances")
    online = [one for one in instances if one.text("status") == "online"]
    return f"{len(online)} of {plural(len(instances), 'instance')} online"
