"""A client that runs on a host beside what happens there, and tells in the end what it saw."""

from __future__ import annotations

import json
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from support.hosts import ssh

# For 15 minutes at most, should nobody end it. `goes_on` is for the programs.
_FRAME = """
import json, os, sys, time
flag, end = sys.argv[1], time.monotonic() + 900
open(flag, 'w').close()
def goes_on():
    return os.path.exists(flag) and time.monotonic() < end
"""
# Past nginx, which would ask another host: each request on a connection of its own.
VISITOR = """
import urllib.request
told, failed = 0, []
while goes_on():
    try:
        with urllib.request.urlopen(sys.argv[2], timeout=10) as answer:
            told += 1
    except OSError as error:
        failed.append(f'{time.strftime("%T")} {error!r}'[:200])
    time.sleep(0.05)
print(json.dumps({'told': told, 'failed': failed}))
"""


class Client:
    """Runs until the block ends.

    program: in Python; it works while goes_on(), finds its argument in sys.argv[2], and prints a
    JSON object in the end, which `told` is then.
    """

    told: dict[str, Any]

    def __init__(self, name: str, host: str, program: str, argument: str) -> None:
        self._host = host
        self._program = _FRAME + program
        self._script, self._flag = f"/tmp/titan-{name}.py", f"/tmp/titan-{name}"
        self._argument = argument

    def __enter__(self) -> Client:
        ssh(self._host, f"cat > {self._script}; rm -f {self._flag}", stdin=self._program)
        self._pool = ThreadPoolExecutor(1)
        command = f"python3 {self._script} {self._flag} '{self._argument}'"
        self._run: Future[str] = self._pool.submit(ssh, self._host, command, timeout=920)
        started = f"timeout 30 sh -c 'until [ -e {self._flag} ]; do sleep 0.2; done'"
        ssh(self._host, started)
        return self

    def __exit__(self, *_error: object) -> None:
        ssh(self._host, f"rm -f {self._flag}")
        try:
            self.told = json.loads(self._run.result())
        finally:
            self._pool.shutdown()
