"""Measures the collection on the platform under test and prints what docs/performance.md keeps.

Every figure is a ratio of two things measured in turn in the same run, since machines are shared
and noisy. The platform has to be up (make bench sees to it).
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import access_log
import incidents
from support import application
from support.hosts import inventory, ssh
from support.playbooks import INVENTORY, ROOT, environment
from timing import Timed, command, playbook

HOST = "titan1"
ROUNDS = 3
Row = tuple[str, str, str, str]


def row(what: str, ours: float, other: float, wanted: str) -> Row:
    """One line of the table: both figures in milliseconds, and how they compare."""
    ratio = ours / other
    shown = f"{1 / ratio:.1f} x faster" if "faster" in wanted else f"{ratio:.2f} x"
    return (what, f"{ours * 1000:.0f} / {other * 1000:.0f} ms", shown, wanted)


def pm2_read(processes: int, wanted: str) -> Row:
    """The list in one process against `pm2 jlist`, with this many processes of a PM2 of its own."""
    home = f"/tmp/bench-pm2-{processes}"
    pm2 = f"PM2_HOME={home} pm2"
    try:
        # A program that does nothing: what is measured is the list, not the applications.
        # Fewer at a time than PM2 starts at once, or it takes the machine for itself.
        for first in range(0, processes, 20):
            count = min(20, processes - first)
            names = " ".join(f"b{first + n}" for n in range(count))
            ssh(
                HOST,
                f"for name in {names}; do {pm2} start -s -f /bin/sleep --interpreter none"
                " --name $name -- 100000; done",
                timeout=300,
            )
        copy_collection()
        output = ssh(HOST, f"cd /tmp/bench && PM2_HOME={home} python3 pm2_read.py", timeout=300)
    finally:
        ssh(HOST, f"{pm2} kill -s; rm -rf {home} /tmp/bench", check=False)
    figures = json.loads(output)
    return row(
        f"pm2_info's read against `pm2 jlist`, {processes} processes",
        figures["read"],
        figures["jlist"],
        wanted,
    )


def copy_collection() -> None:
    """Put the collection's Python and the measuring script on the host."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(Path(__file__).parent / "pm2_read.py", "pm2_read.py")
        inside = "ansible_collections/plugspace/titan/plugins/module_utils"
        tar.add(ROOT / "plugins" / "module_utils", inside)
    variables = inventory()[HOST]
    subprocess.run(
        [
            "ssh",
            *shlex.split(variables["ansible_ssh_common_args"]),
            *("-i", variables["ansible_ssh_private_key_file"]),
            *("-p", str(variables["ansible_port"])),
            f"{variables['ansible_user']}@{variables['ansible_host']}",
            "mkdir -p /tmp/bench && tar -x -C /tmp/bench",
        ],
        input=archive.getvalue(),
        check=True,
        capture_output=True,
    )


def ad_hoc() -> Row:
    """The whole command, as a person types it."""
    ours = command("ansible", HOST, "-m", "plugspace.titan.pm2_info", runs=5)
    other = command("ansible", HOST, "-m", "command", "-a", "pm2 jlist -s", runs=5)
    return row("`ansible -m pm2_info` against `-m command -a 'pm2 jlist'`", ours, other, "<= 1 x")


def empty_play(hosts: str, directory: str) -> Path:
    """A play that reaches every host and does nothing there."""
    path = Path(directory) / "empty.yml"
    path.write_text(
        f"- hosts: {hosts}\n  gather_facts: false\n  tasks:\n    - ansible.builtin.ping:\n"
    )
    return path


def start_from(tag: str) -> None:
    """Every host with this release alone, so that no later one is ready already."""
    application.reset(*hosts_of_the_platform())
    playbook("playbooks/deploy.yml", "-e", f"deploy_ref={tag}")


def hosts_of_the_platform() -> list[str]:
    """All hosts of the application."""
    return [name for name in inventory() if name.startswith("titan")]


def deployments(directory: str, hosts: str, shown: str) -> list[Row]:
    """A release with the lock file of the one before, the same one again, and an empty play."""
    empty = str(empty_play(hosts, directory))
    start_from("v3")
    to = ("-e", f"deploy_hosts={hosts}")
    releases: list[Timed] = []
    again: list[float] = []
    nothing: list[float] = []
    for number in range(ROUNDS):
        release = ("playbooks/deploy.yml", "-e", f"deploy_ref=v{number + 4}", *to)
        nothing.append(playbook(empty).total)
        releases.append(playbook(*release))
        nothing.append(playbook(empty).total)
        again.append(playbook(*release).total)
    base = statistics.median(nothing)
    own = statistics.median(timed.own for timed in releases)
    parts = {
        part: statistics.median(timed.parts[part] for timed in releases)
        for part in releases[0].parts
    }
    told = ", ".join(f"{part} {seconds:.1f} s" for part, seconds in parts.items())
    print(
        f"  a release to {shown} took {statistics.median(t.total for t in releases):.1f} s: "
        f"own {own:.1f} s, {told}",
        flush=True,
    )
    return [
        row(
            f"deploy's own time for a release, {shown}, against an empty play", own, base, "<= 4 x"
        ),
        row(
            f"deploy of the current commit, {shown}, against an empty play",
            statistics.median(again),
            base,
            "<= 2.5 x",
        ),
    ]


def by_hand() -> Row:
    """A release with an unchanged lock file on one host, against the runbook's commands by SSH."""
    start_from("v3")
    checkout = "/tmp/bench-checkout"
    repository = inventory()[HOST]["titan_app_repository"]
    git = "GIT_SSH_COMMAND='ssh -i ~/.ssh/deploy_key'"
    ssh(
        HOST,
        f"rm -rf {checkout}; {git} git clone -q {repository} {checkout} && cd {checkout}"
        f" && ln -s {application.ROOT_ON_HOST}/shared/.env .env && git checkout -q v3"
        " && npm ci --prefer-offline && npm run build",
        timeout=300,
    )
    ours: list[float] = []
    other: list[float] = []
    try:
        for number in range(ROUNDS):
            tag = f"v{7 + number}"
            ours.append(
                playbook(
                    "playbooks/deploy.yml", "-e", f"deploy_ref={tag}", "-e", f"deploy_hosts={HOST}"
                ).total
            )
            started = time.monotonic()
            for line in (
                f"cd {checkout} && {git} git fetch -q && git checkout -q {tag}",
                f"cd {checkout} && npm ci",
                f"cd {checkout} && npx prisma migrate deploy",
                f"cd {checkout} && npm run build",
                "pm2 reload all",
                "pm2 status && curl -sf --resolve plugspace.test:443:127.0.0.1"
                " https://plugspace.test/api/health",
            ):
                ssh(HOST, line, timeout=300)
            other.append(time.monotonic() - started)
    finally:
        ssh(HOST, f"rm -rf {checkout}")
    return row(
        "deploy with an unchanged lock file against the runbook by hand, 1 host",
        statistics.median(ours),
        statistics.median(other),
        ">= 3 x faster",
    )


@contextlib.contextmanager
def further_hosts(count: int) -> Iterator[None]:
    """More hosts on this machine beside the platform's own, as long as they are measured."""
    addresses = {name: facts["ansible_host"] for name, facts in inventory().items()}
    network = next(iter(addresses.values())).rpartition(".")[0]
    more = {f"titan{number}": f"{network}.{10 + number}" for number in range(4, count + 1)}
    create = ["ansible-playbook", "molecule/shared/create.yml"]
    try:
        wanted = json.dumps({"platform_addresses": addresses | more})
        run(*create, "-e", wanted)
        inventory.cache_clear()
        yield
    finally:
        run("docker", "rm", "--force", "--volumes", *more)
        (INVENTORY / "hosts.yml").unlink()
        run(*create)
        inventory.cache_clear()


def run(*argv: str) -> None:
    """Run a command of which only a failure is of interest."""
    process = subprocess.run(
        argv,
        cwd=ROOT,
        env=os.environ | environment(),
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(argv)} failed:\n{process.stdout[-4000:]}{process.stderr}")


def growth() -> list[Row]:
    """The time of a whole deployment as hosts are added."""
    counts = (1, 3, 10)
    seconds: dict[int, float] = {}
    with further_hosts(max(counts)):
        deploy_to(counts, seconds)
    first = counts[0]
    return [
        (
            f"a deployment to {count} hosts against {first}",
            f"{seconds[count]:.1f} / {seconds[first]:.1f} s",
            f"{seconds[count] / seconds[first]:.2f} x",
            f"< {count // first} x",
        )
        for count in counts[1:]
    ]


def deploy_to(counts: Sequence[int], seconds: dict[int, float]) -> None:
    """Note the median time of a release on so many hosts."""
    hosts = hosts_of_the_platform()
    # Once: to bring ten hosts to a first release takes minutes.
    start_from("v3")
    tags = (f"v{number}" for number in range(4, 11))
    for count in counts:
        chosen = f"deploy_hosts={':'.join(hosts[:count])}"
        seconds[count] = statistics.median(
            playbook("playbooks/deploy.yml", "-e", f"deploy_ref={next(tags)}", "-e", chosen).total
            for _round in range(2)
        )


def slow_routes(directory: str) -> Row:
    """access_log_info's read of a gigabyte."""
    seconds, megabytes, counted = access_log.measure(Path(directory))
    return (
        "`access_log_info`'s read of 1 GB of access log, against `wc -l`",
        f"{seconds:.1f} s, {megabytes:.0f} MB / {counted:.1f} s",
        f"{seconds / counted:.0f} x",
        "<= 10 s, 100 MB",
    )


def incident_response(directory: str) -> list[Row]:
    """What a procedure costs when all is well, and when a restart is all that is wanted."""
    start_from("v3")
    looked, nothing = incidents.look(HOST, str(empty_play(HOST, directory)))
    rows = [
        row("a look at everything on one host, against an empty play", looked, nothing, "<= 3 x")
    ]
    for what, *broken in incidents.RECOVERIES:
        healed = incidents.recovery(HOST, *broken)
        rows.append(
            (
                f"own time of a recovery, of the whole until it is verified: {what}",
                f"{healed.own:.1f} / {healed.total:.1f} s",
                f"{healed.own / nothing:.1f} empty plays",
                "<= 15 s",
            )
        )
    return rows


def machine() -> str:
    """What was measured on."""
    with open("/proc/meminfo", encoding="ascii") as meminfo:
        memory = int(meminfo.readline().split()[1]) // 1024 // 1024
    return f"{os.cpu_count()} cores, {memory} GiB, Linux {platform.release()}, shared"


def main() -> None:
    """Measure one thing after the other, then print the table."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as directory:
        for title, measure in (
            ("PM2's list, 2 processes", lambda: [pm2_read(2, ">= 50 x faster")]),
            ("PM2's list, 200 processes", lambda: [pm2_read(200, ">= 10 x faster")]),
            ("a gigabyte of access log", lambda: [slow_routes(directory)]),
            ("ad hoc", lambda: [ad_hoc()]),
            ("deployments", lambda: deployments(directory, "titan_app", "3 hosts in 2 batches")),
            ("deployments to one host", lambda: deployments(directory, HOST, "1 host")),
            ("incident response", lambda: incident_response(directory)),
            ("by hand", lambda: [by_hand()]),
            ("hosts", lambda: growth()),
        ):
            print(f"Measuring: {title}", flush=True)
            rows += measure()
    day = datetime.now(timezone.utc).strftime("%Y-%m-%d")
    print(f"\nMeasured {day} on {machine()}\n")
    print("| what | measured | ratio | wanted |\n|---|---|---|---|")
    for line in rows:
        print(f"| {' | '.join(line)} |")


if __name__ == "__main__":
    main()
