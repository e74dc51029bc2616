"""The hosts of the local platform, from outside: their addresses, and commands on them by SSH."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from typing import Any

from support.playbooks import INVENTORY, ROOT, environment

NAMES = ("titan1", "titan2", "titan3")


@functools.cache
def inventory() -> dict[str, dict[str, Any]]:
    """The variables of every host, as Ansible sees them."""
    process = subprocess.run(
        ["ansible-inventory", "-i", str(INVENTORY), "--list"],
        cwd=ROOT,
        env=os.environ | environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, dict[str, Any]] = json.loads(process.stdout)["_meta"]["hostvars"]
    return found


def container(host: str) -> str:
    """The container that the host is, as molecule/shared/vars/platform.yml names it."""
    platform = os.environ.get("TITAN_PLATFORM", "first")
    return host if platform == "first" else f"{platform}-{host}"


@functools.cache
def shared_connection() -> list[str]:
    """Options of SSH for one connection to each host: a login costs more than most commands."""
    folder = tempfile.mkdtemp(prefix="titan-ssh-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    options = ("ControlMaster=auto", "ControlPersist=60s", f"ControlPath={folder}/%C")
    return [f"-o{option}" for option in options]


def address(host: str) -> str:
    """The host's address."""
    return str(inventory()[host]["ansible_host"])


def ssh(host: str, command: str, check: bool = True, timeout: float = 60, stdin: str = "") -> str:
    """Run a shell command on a host as the application's user and return what it prints."""
    variables = inventory()[host]
    process = subprocess.run(
        [
            "ssh",
            *shlex.split(variables["ansible_ssh_common_args"]),
            *shared_connection(),
            "-i",
            variables["ansible_ssh_private_key_file"],
            "-p",
            str(variables["ansible_port"]),
            f"{variables['ansible_user']}@{variables['ansible_host']}",
            command,
        ],
        check=False,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    if check:
        assert process.returncode == 0, f"{host}: {command}: {process.stdout}{process.stderr}"
    return process.stdout


@contextlib.contextmanager
def cut_off(host: str) -> Iterator[None]:
    """Nobody reaches the host by SSH, while everything on it goes on."""
    inside = ["docker", "exec", container(host), "sh", "-c"]
    cut = "systemctl stop ssh; pkill -u plugspace sshd; true"
    subprocess.run([*inside, cut], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run([*inside, "systemctl start ssh"], check=True, capture_output=True)


@contextlib.contextmanager
def paused(host: str) -> Iterator[None]:
    """Nothing on the host goes on, while its connections stay: it is silent and refuses nobody."""
    subprocess.run(["docker", "pause", container(host)], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["docker", "unpause", container(host)], check=True, capture_output=True)
