"""What keeps the processors of a host busy, three at a time: one on each host."""

from __future__ import annotations

from support.incidents import Fault
from support.service_faults import API, PM2, VOICE, inspect, inspector, pids

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


def spin(busy_ms: int, pause_ms: int) -> str:
    """Keeps a process busy, which answers all the same, as long as there is a load."""
    return (
        "(() => { const fs = process.mainModule.require(`fs`);"
        f" const spin = () => {{ const end = Date.now() + {busy_ms}; while (Date.now() < end);"
        f" if (fs.existsSync(`{LOAD}`)) setTimeout(spin, {pause_ms}); }};"
        " setTimeout(spin, 10); })()"
    )


HANG = "setTimeout(() => { for (;;); }, 10); 1"
CHILD = "process.mainModule.require(`child_process`).spawn(`sh`, [`-c`, `while :; do :; done`]).pid"
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
    f"{PREFER}; touch {LOAD}; {inspect(PM2, spin(50, 0))}",
    "pm2_busy",
    cure=f"rm -f {LOAD}",
    evidence="PM2's daemon",
)
FAULTS: tuple[tuple[Fault, ...], ...] = (
    (
        Fault(
            "an instance that answers",
            f"{PREFER}; touch {LOAD}; {inspect(one(1), spin(50, 0))}",
            "runaway",
            ("restart_instances",),
            evidence="plugspace-api",
        ),
        STRANGER,
        DAEMON,
    ),
    (
        Fault(
            "an instance that does nothing else any more",
            f"{PREFER}; {inspect(one(2), HANG)}",
            "runaway",
            ("restart_instances",),
            evidence="plugspace-api",
        ),
        Fault(
            "the only instance there is",
            f"{PREFER}; {inspector(VOICE, HANG)}",
            "runaway",
            ("restart_instances",),
            evidence="nobody gets an answer",
        ),
        Fault(
            "a child of an instance",
            f"{PREFER}; {inspect(one(1), CHILD)}",
            "runaway",
            ("restart_instances",),
            evidence="plugspace-api",
            after="! pgrep -f '[w]hile :; do :; done'",
        ),
    ),
)
# All instances of the API have something to do, and answer.
PLAIN_LOAD = f"{PREFER}; touch {LOAD}; " + "; ".join(
    f"({inspect(one(number), spin(45, 55))})" for number in (1, 2)
)
