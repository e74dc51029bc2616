"""Secrets stand where they belong, for their owner alone, and nowhere else."""

from __future__ import annotations

import contextlib
import fnmatch
import json
import subprocess
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import application
from support.application import HOME, ROOT_ON_HOST
from support.hosts import ssh
from support.playbooks import INVENTORY, ROOT, Run, play

HOST = "titan1"
HTTPS = "https://git.plugspace.test/plugspace.git"
# What a site may need for a private package registry, and for a probe that has to log in.
TOKENS = {"NPM_TOKEN": uuid.uuid4().hex, "X-Probe-Token": uuid.uuid4().hex}
KEY_FILE = ROOT / ".cache" / "platform" / "deploy_key"
PLACES = [HOME, "/tmp", "/var/tmp", "/var/log", "/root"]
# What may hold a secret: the settings, their backups, and the key that the site put there.
ALLOWED = [
    f"{ROOT_ON_HOST}/shared/.env",
    f"{HOME}/backups/*/env",
    f"{HOME}/.ssh/deploy_key",
    # Put there by the platform, for the faults of the tests.
    "/root/mongodb-admin-password",
]

SAMPLER = """
import glob, json, os, time
seen = set()
while os.path.exists("/tmp/sampling"):
    for place in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(place, "rb") as source:
                seen.add(source.read().decode(errors="replace"))
        except OSError:
            pass
    time.sleep(0.02)
print(json.dumps(sorted(seen)))
"""

SEARCH = """
import json, os, stat, sys
asked = json.load(sys.stdin)
secrets = {name: text.encode() for name, text in asked["secrets"].items()}
found, known = [], set()
for place in asked["places"]:
    for directory, _, names in os.walk(place):
        for path in (os.path.join(directory, name) for name in names):
            about = os.lstat(path)
            if not stat.S_ISREG(about.st_mode) or (about.st_dev, about.st_ino) in known:
                continue
            known.add((about.st_dev, about.st_ino))
            try:
                with open(path, "rb") as source:
                    content = source.read()
            except OSError:
                continue
            held = [name for name, text in secrets.items() if text in content]
            if held:
                found.append([path, about.st_mode & 0o777, held])
print(json.dumps(found))
"""


def secrets() -> dict[str, str]:
    """Every secret of the inventory, each by a name that a failing test may show."""
    stored = yaml.safe_load((INVENTORY / "group_vars" / "all" / "secrets.yml").read_text())
    settings = stored.pop("titan_app_env")
    # This one is the name of a file.
    del settings["DATABASE_URL"]
    key = KEY_FILE.read_text().splitlines()[1:-1]
    return {
        **stored,
        **settings,
        **TOKENS,
        **{f"deploy key, line {n}": line for n, line in enumerate(key)},
    }


def leaked(text: str) -> list[str]:
    return [name for name, secret in secrets().items() if secret in text]


@contextlib.contextmanager
def sampled() -> Iterator[list[str]]:
    """Collect the command lines of all processes on the host, for as long as the block takes."""
    lines: list[str] = []
    ssh(HOST, "touch /tmp/sampling")
    with ThreadPoolExecutor() as pool:
        sampler = pool.submit(ssh, HOST, f"sudo python3 -c '{SAMPLER}'", timeout=1800)
        try:
            yield lines
        finally:
            ssh(HOST, "rm -f /tmp/sampling")
            lines += json.loads(sampler.result())


def run(playbook: str, **variables: str) -> Run:
    return play(
        playbook,
        "--diff",
        verbosity=3,
        titan_build_environment={"NPM_TOKEN": TOKENS["NPM_TOKEN"]},
        titan_services=services(),
        **variables,
    )


def services() -> list[dict[str, Any]]:
    """The site's services; the first one's probe sends a secret header."""
    site = yaml.safe_load((INVENTORY / "group_vars" / "all" / "main.yml").read_text())
    found: list[dict[str, Any]] = site["titan_services"]
    found[0]["probe"]["headers"] = {"X-Probe-Token": TOKENS["X-Probe-Token"]}
    return found


@pytest.fixture(scope="module")
def told() -> dict[str, str]:
    """Every procedure with everything that it can say, and what ps showed meanwhile."""
    key = KEY_FILE.read_text()
    with sampled() as lines:
        runs = {
            "deploy by key file": run("deploy", deploy_hosts=HOST, deploy_ref="v4"),
            "deploy by key": run(
                "deploy", deploy_hosts=HOST, deploy_ref="v5", deploy_repository_key=key
            ),
            "deploy by token": run(
                "deploy", deploy_hosts=HOST, deploy_ref="v6", deploy_repository=HTTPS
            ),
            "deploy a bad one": run("deploy", deploy_hosts=HOST, deploy_ref="crash-at-start"),
            "rollback": run("rollback", rollback_hosts=HOST),
            "status": run("status"),
            "releases": run("releases", releases_hosts=HOST),
            "migrate": run("migrate"),
        }
    failed = {name for name, one in runs.items() if one.code != 0}
    assert failed == {"deploy a bad one"}, "\n".join(runs[name].output for name in failed)
    return {**{name: one.output for name, one in runs.items()}, "ps": "\n".join(lines)}


def test_each_way_to_the_repository_brought_its_release(told: dict[str, str]) -> None:
    for ref in ("v1", "v4", "v5", "v6"):
        assert application.metadata(HOST)[application.named(HOST, ref)]["status"] == "active"
    assert application.health(HOST)["commit"] == application.commits()["v5"]


def test_no_output_shows_a_secret(told: dict[str, str]) -> None:
    assert {name: leaked(text) for name, text in told.items() if leaked(text)} == {}


def test_ps_was_watched_all_the_time(told: dict[str, str]) -> None:
    assert "npm" in told["ps"]
    assert "git" in told["ps"]


def test_files_hold_a_secret_only_where_it_belongs(told: dict[str, str]) -> None:
    asked = json.dumps({"secrets": secrets(), "places": PLACES})
    answer = ssh(HOST, f"sudo python3 -c '{SEARCH}'", timeout=300, stdin=asked)
    found: dict[str, tuple[int, list[str]]] = {
        path: (mode, held) for path, mode, held in json.loads(answer)
    }
    assert "SESSION_SECRET" in found[f"{ROOT_ON_HOST}/shared/.env"][1]
    assert "deploy key, line 0" in found[f"{HOME}/.ssh/deploy_key"][1]
    wrong = [p for p in found if not any(fnmatch.fnmatch(p, allowed) for allowed in ALLOWED)]
    assert {path: found[path] for path in wrong} == {}
    assert {path: oct(mode) for path, (mode, _) in found.items() if mode & 0o077} == {}


def test_pm2s_dump_is_for_its_owner_alone(told: dict[str, str]) -> None:
    dumps = ssh(HOST, f"stat -c '%a %U' {HOME}/.pm2/dump.pm2*").split("\n")
    assert set(filter(None, dumps)) == {"600 plugspace"}


@pytest.mark.parametrize("way", ["token", "key"])
def test_a_wrong_secret_gives_one_sentence(way: str, tmp_path: Path) -> None:
    if way == "token":
        wrong = "wrong-token-0123456789"
        variables = {"deploy_repository": HTTPS, "deploy_repository_token": wrong}
        sentence = "does not accept the token"
    else:
        file = tmp_path / "key"
        subprocess.run(["ssh-keygen", "-qt", "ed25519", "-N", "", "-f", str(file)], check=True)
        wrong = file.read_text().splitlines()[1]
        variables = {"deploy_repository_key": file.read_text()}
        sentence = "does not accept the deploy key"
    one = run("deploy", deploy_hosts=HOST, deploy_ref="v7", **variables)
    assert one.code != 0
    lines = one.failure.splitlines()
    assert lines[0] == "Nothing was touched, because:"
    assert len(lines) == 2, one.failure
    assert sentence in lines[1]
    assert wrong not in one.output
    assert leaked(one.output) == []
    assert not application.locked(HOST)
