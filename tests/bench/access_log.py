"""Reads a gigabyte of access log in a process of its own, and tells seconds and megabytes."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SIZE = 1024**3
PATHS = (
    "/api/users/{0}",
    "/api/rooms/{0}/messages?page={1}",
    "/api/health",
    "/voice",
    "/static/app.{1}.js",
    "/api/search?q=word{0}",
)


def write(path: Path) -> None:
    """A log as the platform's nginx writes it: 40 000 users, times that are mostly short."""
    chance = random.Random(1)  # noqa: S311 - no secret is made of it
    lines = []
    for number in range(200_000):
        route = chance.choice(PATHS).format(chance.randrange(40_000), chance.randrange(90))
        status = chance.choice((*[200] * 20, 304, 404, 502))
        took = f"{chance.expovariate(20):.3f}"
        lines.append(
            f"172.29.77.1 - - [24/Nov/2026:08:{number // 12000:02}:{number // 200 % 60:02} +0000]"
            f' "GET {route} HTTP/1.1" {status} {chance.randrange(9000)} "-" "Mozilla/5.0 (X11;'
            ' Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0 Safari/537.36"'
            f" time=1795508981.340 took={took} upstream=127.0.0.1:4000 upstream_status={status}"
            f" upstream_took={took}\n"
        )
    block = "".join(lines).encode()
    with path.open("wb") as log:
        while log.tell() < SIZE:
            log.write(block)


def read(path: str) -> dict[str, float]:
    """Read it here, and tell what it took."""
    sys.path.insert(0, str(ROOT / "collections"))
    from ansible_collections.plugspace.titan.plugins.module_utils import _access_log

    began = time.monotonic()
    report = _access_log.read(path, 0, 0, 10, "took=")
    seconds = time.monotonic() - began
    return {"seconds": seconds, "megabytes": _most_megabytes(), "lines": report["lines"]}


def _most_megabytes() -> float:
    """The most memory that this process had. What getrusage tells was its parent's at the start."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    told = next(line for line in lines if line.startswith("VmHWM:"))
    return int(told.split()[1]) / 1024


def measure(directory: Path) -> tuple[float, float, float]:
    """Seconds and megabytes for a gigabyte, and the seconds that counting its lines takes (wc)."""
    log = directory / "access.log"
    write(log)
    began = time.monotonic()
    subprocess.run(["wc", "-l", str(log)], check=True, stdout=subprocess.DEVNULL)
    counted = time.monotonic() - began
    done = subprocess.run(
        [sys.executable, __file__, str(log)], check=True, capture_output=True, text=True
    )
    told = json.loads(done.stdout)
    log.unlink()
    return told["seconds"], told["megabytes"], counted


if __name__ == "__main__":
    print(json.dumps(read(sys.argv[1])))
