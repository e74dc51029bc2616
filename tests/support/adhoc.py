"""One module, or one part of a role, on one host, as a person runs it by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from support.playbooks import INVENTORY, ROOT, environment

# The controller, where a module gets the Python of the tests, which has the current libraries.
HERE = "localhost"
_OWN_PYTHON = ("-e", f"ansible_python_interpreter={sys.executable}")


def by_hand(name: str, where: str, /, *arguments: str, **options: Any) -> dict[str, Any]:
    """What the module returned, also when it failed. where: a host, or HERE."""
    python = _OWN_PYTHON if where == HERE else ()
    return _tasks(where, f"plugspace.titan.{name}", options, *python, *arguments)[0]


def part_by_hand(role: str, tasks: str, where: str, /, **variables: Any) -> None:
    """Run a file of a role's tasks, and fail when one of them does."""
    part = {"name": f"plugspace.titan.{role}", "tasks_from": tasks}
    told = _tasks(where, "ansible.builtin.include_role", part, "-e", json.dumps(variables))
    assert len(told) > 1, told
    assert not [each.get("msg") for each in told if each.get("failed")]


def _tasks(where: str, module: str, options: Any, *arguments: str) -> list[dict[str, Any]]:
    """What each task returned."""
    told = subprocess.run(
        ["ansible", where, "-i", INVENTORY, "-m", module, "-a", json.dumps(options), *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            **environment(),
            "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        },
        check=False,
        capture_output=True,
        text=True,
    )
    output = told.stdout
    assert "{" in output, output + told.stderr
    play = json.loads(output[output.index("{") :])["plays"][0]
    return [task["hosts"][where] for task in play["tasks"]]
