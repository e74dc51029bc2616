# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A unit that a service needs and that is down: systemd starts it, or a person has to help."""

from __future__ import annotations

from ansible_collections.plugspace.titan.plugins.module_utils._finding import Finding, finding
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen


def is_down(unit: Seen) -> bool:
    """Whether it could be started; one on its way is left alone."""
    return unit.text("active") in ("inactive", "failed")


def unit_state(unit: Seen) -> str:
    """A unit that is down, for a person."""
    load = unit.text("load")
    state = unit.text("active") if load == "loaded" else load or "unknown"
    return f"{unit.text('name')} is {state}"


def down_unit(
    cause: str, subject: str, evidence: str, unit: Seen, variable: str, advice: str = ""
) -> Finding:
    """The finding about a unit that is down.

    variable: of the inventory, which names the unit. advice: what a person does after the start.
    """
    if unit.text("load") != "loaded":
        return finding(cause, subject, evidence, advice=_no_unit(unit, variable))
    name = unit.text("name")
    return finding(cause, subject, evidence, rung="start_unit", target=name, advice=advice)


def _no_unit(unit: Seen, variable: str) -> str:
    """What a person does about a unit that systemd cannot start."""
    name = unit.text("name")
    if unit.text("load") == "masked":
        return f"somebody masked {name}; if it is to run here: systemctl unmask --now {name}"
    return f"systemd cannot start {name} on this host; say its unit in {variable}"
