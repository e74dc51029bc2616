# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several probes at the same time, and what is said of them together."""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.plugspace.titan.plugins.module_utils import _probe

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "probes": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": _probe.ARGUMENT_SPEC,
    },
    "expect": {"type": "dict", "default": {}},
}
_AT_ONCE = 16


def probe_all(probes: t.Sequence[_probe.Probe]) -> list[dict[str, t.Any]]:
    """A row for each probe, as service_probe returns it."""
    if not probes:
        return []
    with ThreadPoolExecutor(max_workers=min(_AT_ONCE, len(probes))) as pool:
        outcomes = list(pool.map(_probe.persist, probes))
    return [outcome.as_result(probe) for probe, outcome in zip(probes, outcomes)]


def report(params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What service_probe returns: C(results), and C(msg) when one failed or is none."""
    try:
        probes = [_probe.parse(options).expecting(params["expect"]) for options in params["probes"]]
    except _probe.ProbeError as error:
        return {"msg": str(error), "results": []}
    results = probe_all(probes)
    failed = [one for one in results if not one["ok"]]
    if not failed:
        return {"results": results}
    reasons = "; ".join(f"{one['name']}: {one['reason']}" for one in failed)
    return {
        "msg": f"{len(failed)} of {len(results)} probes failed: {reasons}",
        "results": results,
    }
