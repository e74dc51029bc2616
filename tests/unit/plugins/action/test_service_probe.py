# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the controller in this process, from elsewhere by the module."""

from __future__ import annotations

import json
import socket
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.plugspace.titan.plugins.action.service_probe import ActionModule


def look(transport: str = "local", become: object = None, **options: Any) -> dict[str, Any]:
    """Run the action as a task does."""
    task = SimpleNamespace(
        args=options, async_val=0, check_mode=False, diff=False, action="service_probe"
    )
    connection = SimpleNamespace(
        transport=transport,
        become=become,
        _shell=SimpleNamespace(tmpdir=None),
        has_pipelining=True,
    )
    action = ActionModule(task, connection, None, None, None, None)
    action._execute_module = lambda **_more: {"by": "module"}  # type: ignore[method-assign]
    found: dict[str, Any] = action.run(task_vars={})
    return found


def test_here() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        result = look(probes=[{"type": "tcp", "port": listener.getsockname()[1]}])
    assert (result["failed"], result["changed"]) == (False, False)
    assert result["results"][0]["ok"] is True


def test_a_failure_is_told_without_its_password() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    probe = {"type": "redis", "port": port, "password": "hush-hush", "within": 0.1}
    result = look(probes=[probe | {"name": "cache hush-hush"}])
    assert result["failed"]
    assert result["msg"].startswith("1 of 1 probes failed")
    assert "hush" not in json.dumps(result)


def test_wrong_options() -> None:
    with pytest.raises(AnsibleActionFail, match="nonsense"):
        look(probes=[], nonsense=1)
    assert "needs a port" in look(probes=[{"type": "tcp"}])["msg"]


@pytest.mark.parametrize(("transport", "become"), [("ssh", None), ("local", object())])
def test_elsewhere(transport: str, become: object) -> None:
    assert look(transport, become, probes=[])["by"] == "module"
