"""Runs on a host: reads PM2's list in one process as pm2_info does, and by the CLI. Prints JSON."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from ansible_collections.plugspace.titan.plugins.module_utils import _pm2_home, _pm2_process
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_client import Pm2Client

HOME = os.environ["PM2_HOME"]
SITE = _pm2_home.find(None, HOME, None)


def read() -> None:
    """What pm2_info does between its start and its answer."""
    with Pm2Client(SITE.home, SITE.uid) as client:
        _daemon, records = _pm2_home.look(SITE, client)
    _pm2_process.group(records, time.time())


def jlist() -> None:
    """What a person does, or a module that calls the CLI."""
    output = subprocess.run(["pm2", "jlist", "-s"], check=True, capture_output=True).stdout
    json.loads(output[output.index(b"[") :])


def seconds(action: object, runs: int) -> float:
    """The median of several runs, the first not counted."""
    spent = []
    for _run in range(runs + 1):
        started = time.perf_counter()
        action()  # type: ignore[operator]
        spent.append(time.perf_counter() - started)
    return statistics.median(spent[1:])


print(json.dumps({"read": seconds(read, 20), "jlist": seconds(jlist, 5)}))
