# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a visitor does not get through nginx to a service that answers on its own port."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_down_unit import (
    down_unit,
    is_down,
    unit_state,
)
from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_host import find_unit
from ansible_collections.plugspace.titan.plugins.module_utils._finding import (
    LIKELY,
    POSSIBLE,
    Finding,
    finding,
)
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen
from ansible_collections.plugspace.titan.plugins.module_utils._words import plain

# What service_probe says of an attempt.
_BAD_CERTIFICATE = re.compile(r"bad certificate|speaks no TLS")


class NginxDiagnosis:
    """The way of a visitor to one service.

    seen: what ServiceDiagnosis documents. own_names: what the inventory calls the host, in lower
    case.
    """

    def __init__(self, seen: Seen, own_names: t.Collection[str]) -> None:
        self._name = seen.part("service").text("name")
        self._site = seen.part("site")
        self._nginx = seen.part("nginx")
        self._unit = find_unit(seen.part("host"), self._nginx.text("unit"))
        self._edge = seen.texts("edge")
        self._own_names = own_names

    def findings(self, needs: t.Sequence[Finding]) -> t.Iterator[Finding]:
        """Why a service that answers on its own port does not answer through nginx.

        needs: what is wrong with what the service needs.
        """
        site = self._site
        if site.text("unseen"):
            yield finding(
                "site_unseen",
                "site",
                f"nobody could look at {self._name} as a visitor does: {site.text('unseen')}",
                POSSIBLE,
                advice="look why the host that probes gave no answer (titan_probe_from)",
            )
        if site.flag("ok") is not False:
            return
        answers = f"{self._name} answers on its own port, but not through nginx"
        told = f"{answers}: {site.text('reason')}"
        elsewhere = self._elsewhere(told)
        ill = [] if elsewhere else [*self._ill(answers)]
        if ill:
            yield from ill
        elif _BAD_CERTIFICATE.search(site.text("reason")):
            yield finding(
                "certificate",
                "nginx",
                told,
                advice="look at the certificate that nginx serves (playbooks/status.yml)",
            )
        else:
            # It may have answered a moment before it missed what it needs.
            yield from needs or elsewhere or [self._stale(told)]

    def _elsewhere(self, told: str) -> list[Finding]:
        """Where to look for nginx, when it does not run on this host."""
        others = [name for name in self._edge if name.lower() not in self._own_names]
        is_edge = not self._edge or len(others) < len(self._edge)
        if is_edge and self._unit.text("load") != "not-found":
            return []
        where = f"on {', '.join(others)} (titan_edge)" if others else "where it runs (titan_edge)"
        advice = f"look {where} whether nginx runs, and whether its upstreams are the right ones"
        why = f"{told}; nginx does not run on this host"
        return [finding("nginx_elsewhere", "nginx", why, LIKELY, advice=advice)]

    def _ill(self, answers: str) -> t.Iterator[Finding]:
        """What keeps nginx on this host from running."""
        if self._nginx.flag("ok") is False:
            yield finding(
                "nginx_configuration",
                "nginx",
                f"{answers}: {_first_error(self._nginx.text('output'))}",
                advice="put nginx's configuration right (nginx -t); it was left as it is",
            )
        elif is_down(self._unit):
            told = f"{answers}: {unit_state(self._unit)}"
            yield down_unit("nginx_stopped", "nginx", told, self._unit, "titan_nginx_unit")

    def _stale(self, told: str) -> Finding:
        """Nothing is wrong with it that was seen, so it may not have read its configuration."""
        fit = self._nginx.flag("ok") is True
        return finding(
            "nginx_stale",
            "nginx",
            told,
            POSSIBLE,
            rung="reload_unit" if fit else "",
            target=self._nginx.text("unit") if fit else "",
            advice="" if fit else "see whether its upstreams are the right ones",
        )


def _first_error(output: str) -> str:
    """The line of nginx's configuration test that says what is wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    worst = [line for line in lines if "[emerg]" in line or "[alert]" in line]
    return plain((worst or lines or ["its configuration test fails"])[0])
