"""The demo application on the hosts: its state from outside, and a way back to nothing."""

from __future__ import annotations

import functools
import json
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from support.hosts import NAMES, address, ssh
from support.playbooks import ROOT, play
from support.traffic import Traffic

HOME = "/home/plugspace"
PATH = f"{HOME}/plugspace"
ROOT_ON_HOST = f"{HOME}/deploy"
DOMAIN = "plugspace.test"
CA_FILE = str(ROOT / ".cache" / "platform" / "ca.pem")
SERVICES = ("plugspace-api", "plugspace-voice")


def reset(*hosts: str) -> None:
    """Take everything away that a deployment made; what the site provides, such as .env, stays."""
    for host in hosts or NAMES:
        ssh(
            host,
            # A stopped daemon hears no kill, so it is continued first.
            f"pkill -CONT -u plugspace -f 'PM2 v' ; timeout 30 pm2 kill >/dev/null 2>&1 ;"
            f"pkill -9 -u plugspace node ; rm -rf {HOME}/.pm2/dump.pm2* {HOME}/.pm2/*.sock"
            f" {HOME}/.pm2/pm2.pid {HOME}/.pm2/reload.lock {PATH}"
            f" {ROOT_ON_HOST}/releases {ROOT_ON_HOST}/metadata {ROOT_ON_HOST}/manifests"
            f" {ROOT_ON_HOST}/repository.git {ROOT_ON_HOST}/lock.json {HOME}/data/*.db* ; true",
        )


@functools.cache
def commits() -> dict[str, str]:
    """The commit of every tag of the demo application's repository."""
    with tempfile.TemporaryDirectory() as directory:
        builder = ROOT / "tests" / "fixtures" / "plugspace" / "build-repository"
        subprocess.run([str(builder), directory], check=True, capture_output=True)
        listing = subprocess.run(
            ["git", "-C", directory, "for-each-ref", "--format=%(refname:short) %(objectname)"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    return dict(line.split(" ", 1) for line in listing.splitlines())


def current(host: str) -> str:
    """The name of the release that the path leads to; empty when it leads nowhere."""
    target = ssh(host, f"readlink -e {PATH} || true").strip()
    return target.removeprefix(f"{ROOT_ON_HOST}/releases/") if target else ""


def metadata(host: str) -> dict[str, dict[str, Any]]:
    """What the host keeps about each release, by name."""
    listing = ssh(host, f"cat {ROOT_ON_HOST}/metadata/*.json 2>/dev/null || true")
    found: dict[str, dict[str, Any]] = {}
    decoder = json.JSONDecoder()
    while listing := listing.lstrip():
        entry, end = decoder.raw_decode(listing)
        found[entry["name"]] = entry
        listing = listing[end:]
    return found


def named(host: str, ref: str) -> str:
    """The name of the newest release of a tag; empty when the host keeps none."""
    return max((n for n, entry in metadata(host).items() if entry["ref"] == ref), default="")


def trace(host: str) -> dict[str, Any]:
    """What a procedure that touches nothing leaves as it is."""
    listing = f"find {HOME} -name node_modules -prune -o -printf '%p %T@ %m %l\\n'"
    grown = "-e '/logs' -e '\\.log' -e '/\\.pm2 ' -e '/\\.pm2/touch' -e '/\\.ansible'"
    return {
        "current": current(host),
        "metadata": metadata(host),
        # Logs grow, and PM2's own list command touches its home; nothing else may differ.
        "files": ssh(host, f"{listing} | grep -v {grown} | sort").splitlines(),
        "processes": processes(host),
    }


def kill_preparation(host: str, ref: str) -> str:
    """Kill what prepares a release as soon as there is something of it; the release's name."""
    with ThreadPoolExecutor() as pool:
        run = pool.submit(play, "deploy", deploy_hosts=host, deploy_ref=ref)
        ssh(
            host,
            # Not for ever: a test that was cut off must not leave this behind.
            f"cd {ROOT_ON_HOST}/metadata; timeout 120 sh -c 'until grep -q preparing *.json;"
            " do sleep 0.05; done' && pkill -9 -u plugspace 'python3|npm'; true",
            timeout=180,
        )
        assert run.result().code != 0, run.result().output
    name = named(host, ref)
    assert metadata(host)[name]["status"] == "preparing"
    return name


def locked(host: str) -> bool:
    """Whether a procedure holds the host."""
    return bool(ssh(host, f"ls {ROOT_ON_HOST}/lock.json 2>/dev/null || true").strip())


def processes(host: str) -> list[dict[str, Any]]:
    """What PM2 runs: name, id, pid and status of every instance."""
    listing = json.loads(ssh(host, "pm2 jlist -s 2>/dev/null | tail -n 1") or "[]")
    return [
        {
            "name": p["name"],
            "id": p["pm_id"],
            "pid": p["pid"],
            "status": p["pm2_env"]["status"],
        }
        for p in listing
    ]


def health(host: str) -> dict[str, Any]:
    """The health report through the host's nginx, as a user of the site gets it."""
    report: dict[str, Any] = json.loads(
        ssh(
            host,
            f"curl -s --max-time 10 https://{DOMAIN}/api/health --resolve {DOMAIN}:443:127.0.0.1",
        )
    )
    return report


def traffic(host: str = "titan1", threads: int = 4) -> Traffic:
    """Traffic through one host's nginx."""
    return Traffic(address(host), DOMAIN, CA_FILE, threads)
