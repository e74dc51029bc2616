"""One module on one host, as a person runs it by hand."""

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
    module = ["-m", f"plugspace.titan.{name}", "-a", json.dumps(options)]
    python = _OWN_PYTHON if where == HERE else ()
    told = subprocess.run(
        ["ansible", where, "-i", str(INVENTORY), *module, *python, *arguments],
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
    result: dict[str, Any] = play["tasks"][0]["hosts"][where]
    return result
