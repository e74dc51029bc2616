# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the databases that a service needs, and whether its host can start them."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_down_unit import (
    down_unit,
    is_down,
    unit_state,
)
from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_host import find_unit
from ansible_collections.plugspace.titan.plugins.module_utils._finding import Finding, finding
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen


class DependencyDiagnosis:
    """What a service needs, as its host sees it.

    seen: what ServiceDiagnosis documents. own_names: what the inventory calls the host, in lower
    case.
    """

    def __init__(self, seen: Seen, own_names: t.Collection[str]) -> None:
        self._seen = seen
        self._service = seen.part("service")
        self._name = self._service.text("name")
        self._host = seen.part("host")
        self._own_names = own_names

    def findings(self) -> t.Iterator[Finding]:
        """Each database that does not serve, in the order of the inventory."""
        for name in self._service.texts("depends_on"):
            seen = self._seen.part(name)
            state = seen.text("state")
            if state == "ok" and name == "mongodb" and not self._has_primary(seen):
                yield finding(
                    "mongodb_down",
                    name,
                    f"{self._name} needs {name}, and its replica set has no primary",
                    rung="wait",
                    advice="see playbooks/mongodb_down.yml",
                )
            if not state or state == "ok":
                continue
            yield self._down(name, seen)

    def _down(self, name: str, seen: Seen) -> Finding:
        """Its unit is started only on the host that it is on: another one would be empty."""
        address = self._seen.part("dependency_hosts").text(name)
        why = seen.text("error") or f"{name} is {seen.text('state')}"
        told = f"{self._name} needs {name}, and {why}"
        cause, playbook = f"{name}_down", f"playbooks/{name}_down.yml"
        if not self._is_here(address):
            where = f" ({address})" if address else ""
            advice = f"run {playbook} for the host that {name} is on{where}"
            return finding(cause, name, told, advice=advice)
        unit = find_unit(self._host, self._seen.part("dependency_units").text(name))
        if not is_down(unit):
            return finding(cause, name, told, advice=f"run {playbook}")
        told = f"{told}; {unit_state(unit)}"
        return down_unit(cause, name, told, unit, f"titan_{name}_unit", f"see {playbook}")

    def _is_here(self, address: str) -> bool:
        """Whether an address or a name is of this host, as far as the inventory tells."""
        try:
            return ipaddress.ip_address(address).is_loopback or address in self._own_names
        except ValueError:
            return address.lower() in {"localhost", *self._own_names}

    @staticmethod
    def _has_primary(mongodb: Seen) -> bool:
        """Whether somebody takes writes; a set whose members are not told is not judged."""
        members = mongodb.rows("members")
        return not members or any(one.text("role") == "PRIMARY" for one in members)
