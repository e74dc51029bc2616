# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugspace.titan.service_probe: from the controller itself, no module has to be packed."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase

from ansible_collections.plugspace.titan.plugins.module_utils import _probe_report


class ActionModule(ActionBase):  # type: ignore[misc]
    """Probes in this process when it is asked to look from here, else by the module on the host."""

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        """Return what the module returns."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        # Whoever becomes somebody else may look at another network.
        if self._connection.transport != "local" or self._connection.become:
            result.update(self._execute_module(task_vars=task_vars))
            return result
        _validated, params = self.validate_argument_spec(_probe_report.ARGUMENT_SPEC)
        told = _probe_report.report(params)
        secrets = [one["password"] for one in params["probes"] if one.get("password")]
        result.update(remove_values(told, secrets), changed=False, failed="msg" in told)
        return result
