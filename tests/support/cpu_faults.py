"""What keeps the processors of a host busy, three at a time: one on each host."""

from __future__ import annotations

from typing import Any

from support.application import processes
from support.incidents import EAGER, Fault, Seen, procedure
from support.service_faults import API, PM2, VOICE, inspect, pids

LOAD = "/tmp/titan-load"
# The kernel lets the busy host win against all else on the machine, or a whole processor would be
# a few percent of one there.
_SHARES = (
    "group=$(sed -n 's/^[0-9]*:cpu\\(,cpuacct\\)\\?:\\/docker/docker/p' /proc/1/cgroup);"
    ' [ -z "$group" ] || echo {} | sudo tee /sys/fs/cgroup/cpu/$group/cpu.shares >/dev/null'
)
PREFER, EQUAL = _SHARES.format(16384), _SHARES.format(1024)


def one(number: int) -> str:
    """The process of one instance of the API."""
    return f"$(echo {pids(API)} | cut -d ' ' -f {number})"


def later(program: str) -> str:
    """Something that a process does when it has closed its inspector, of which a host has one."""
    return (
        "setTimeout(() => { process.mainModule.require(`inspector`).close();"
        f" const busy = () => process.mainModule.require(`fs`).existsSync(`{LOAD}`);"
        f" {program} }}, 500)"
    )


def spin(busy_ms: int, pause_ms: int) -> str:
    """Keeps a process busy, which answers all the same, as long as there is a load."""
    return later(
        # By what it was given, so that it takes no less where others are busy too.
        "const used = () => process.cpuUsage().user / 1000;"
        f" const spin = () => {{ const end = used() + {busy_ms}; while (used() < end);"
        f" if (busy()) setTimeout(spin, {pause_ms}); }}; spin();"
    )


def put(program: str, process: str) -> str:
    """Have a process do it."""
    return f"{PREFER}; touch {LOAD}; {inspect(process, program)}"


HANG = later("while (busy());")
CHILD = later(
    "process.mainModule.require(`child_process`)"
    f".spawn(`sh`, [`-c`, `while [ -e {LOAD} ]; do :; done`]);"
)
STRANGER = Fault(
    "a process of nobody",
    f"{PREFER}; sudo systemd-run --quiet --unit titan-stranger python3 -c 'while True: pass'",
    "foreign_busy",
    cure="sudo systemctl stop titan-stranger",
    after="systemctl is-active titan-stranger",
    evidence="titan-stranger.service",
)
DAEMON = Fault(
    "PM2's daemon",
    put(spin(50, 0), PM2),
    "pm2_busy",
    cure=f"rm -f {LOAD}",
    evidence="PM2's daemon",
)
RUNAWAY = Fault(
    "an instance that answers",
    put(spin(50, 0), one(1)),
    "runaway",
    ("restart_instances",),
    evidence="plugspace-api",
)
FAULTS: tuple[tuple[Fault, ...], ...] = (
    (RUNAWAY, STRANGER, DAEMON),
    (
        Fault(
            "an instance that does nothing else any more",
            put(HANG, one(2)),
            "runaway",
            ("restart_instances",),
            evidence="plugspace-api",
        ),
        Fault(
            "the only instance there is",
            put(HANG, pids(VOICE)),
            "runaway",
            ("restart_instances",),
            evidence="nobody gets an answer",
        ),
        Fault(
            "a child of an instance",
            put(CHILD, one(1)),
            "runaway",
            ("restart_instances",),
            evidence="plugspace-api",
            after="! pgrep -f '[w]hile .*; do :; done'",
        ),
    ),
)
# All instances of the API have something to do, and answer.
PLAIN_LOAD = f"({put(spin(45, 55), one(1))}) && ({put(spin(45, 55), one(2))})"
# Others use the machine too, so a whole processor may be a part of one; who was put in just now
# counts, and so does an instance that was restarted just now.
SOON: dict[str, Any] = {
    **EAGER,
    "process_percent": 15,
    "busy_percent": 99,
    "min_age": 3,
    "interval": 2,
}


def cpu(*arguments: str, **options: Any) -> Seen:
    """Run the procedure."""
    return procedure("high_cpu", "high_cpu", *arguments, **{**SOON, **options})


def instances() -> int:
    """The instances of the API on the first host that are online."""
    online = [one for one in processes("titan1") if one["status"] == "online"]
    return [one["name"] for one in online].count(API)
