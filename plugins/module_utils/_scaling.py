# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a service has more to do than its instances can: how many it may have, or what lacks."""

from __future__ import annotations

from ansible_collections.plugspace.titan.plugins.module_utils._finding import (
    LIKELY,
    Finding,
    finding,
)
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen
from ansible_collections.plugspace.titan.plugins.module_utils._words import plural

# As many as a person adds at a time.
STEP = 2
_BACK = "when the load has passed, go back with playbooks/scale_back.yml"


def saturated(service: Seen, app: Seen, evidence: str) -> Finding:
    """The finding that more instances help, as far as the site permits.

    service: as in titan_services, with max_instances. app: as pm2_info tells it. evidence: why.
    """
    name, most = service.text("name"), service.whole("max_instances")
    instances = app.rows("instances")
    count = len(instances)
    advice = ""
    if any(one.text("exec_mode") == "fork_mode" for one in instances):
        advice = f"let {name} run in cluster mode: in fork mode its instances cannot share a port"
    elif most <= 0:
        advice = f"say how many instances {name} may have: max_instances in titan_services"
    elif count >= most:
        told = plural(count, "instance")
        advice = f"add a host, or raise max_instances of {name}, which has the {told} it may have"
    return finding(
        "saturated",
        name,
        evidence,
        LIKELY,
        rung="" if advice else "scale",
        target="" if advice else str(min(count + STEP, most)),
        advice=advice or _BACK,
    )
