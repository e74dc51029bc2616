"""Every host of the platform is what the runbook takes for granted."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from testinfra.host import Host

SERVICES = [
    "fail2ban",
    "mongod",
    "nginx",
    "prometheus-node-exporter",
    "redis-server",
    "rsyslog",
    "ssh",
]

EXCHANGE = """
import ctypes, os, tempfile
os.chdir(tempfile.mkdtemp(dir="/home/plugspace"))
os.symlink("old", "a")
os.symlink("new", "b")
assert ctypes.CDLL(None).renameat2(-100, b"a", -100, b"b", 2) == 0
assert os.readlink("a") == "new"
os.unlink("a")
os.unlink("b")
os.rmdir(os.getcwd())
"""

USE_DATABASES = """
import redis
from pymongo import MongoClient
lines = open("/home/plugspace/deploy/shared/.env").read().splitlines()
env = dict(line.split("=", 1) for line in lines)
with MongoClient(env["MONGODB_URL"]) as client:
    collection = client.get_default_database()["platform_check"]
    collection.insert_one({"written": True})
    assert collection.find_one({"written": True})
    collection.drop()
assert redis.Redis.from_url(env["REDIS_URL"]).ping()
"""

HELLO = """
import json
from pymongo import MongoClient
hello = MongoClient("127.0.0.1", directConnection=True).admin.command("isMaster")
print(json.dumps({key: hello.get(key) for key in ("hosts", "primary", "ismaster", "secondary")}))
"""

REFUSED = """
from pymongo import MongoClient
from pymongo.errors import OperationFailure
try:
    MongoClient("127.0.0.1", directConnection=True).list_database_names()
except OperationFailure as error:
    assert error.code == 13, error
else:
    raise SystemExit("mongod answers without a login")
"""


def python(host: Host, program: str) -> str:
    return str(host.check_output("python3 -c %s", program))


def test_every_service_runs(host: Host) -> None:
    states = host.run(f"systemctl is-active {' '.join(SERVICES)}").stdout.split()
    assert dict(zip(SERVICES, states, strict=True)) == dict.fromkeys(SERVICES, "active")


def test_no_unit_has_failed(host: Host) -> None:
    assert host.check_output("systemctl --failed --no-legend") == ""


def test_pm2_starts_at_boot(host: Host) -> None:
    assert host.service("pm2-plugspace").is_enabled
    assert host.run("systemctl is-failed pm2-plugspace").stdout.strip() != "failed"
    assert host.file("/home/plugspace/.pm2").mode == 0o700


@pytest.mark.parametrize("version", ["5.4.3", "6.0.14", "7.0.4"])
def test_pm2_versions_stand_side_by_side(host: Host, version: str) -> None:
    package = f"/opt/pm2-{version.split('.')[0]}/lib/node_modules/pm2/package.json"
    assert json.loads(host.check_output(f"cat {package}"))["version"] == version


def test_the_platforms_pm2_is_the_newest(host: Host) -> None:
    assert host.check_output("readlink -f /usr/local/bin/pm2").startswith("/opt/pm2-7/")


def test_ssh_takes_keys_only(host: Host, address: str) -> None:
    options = ["BatchMode=yes", "PubkeyAuthentication=no", "UserKnownHostsFile=/dev/null"]
    # The host's key is of no interest: nothing is sent to whoever answers.
    options.append("StrictHostKeyChecking=accept-new")
    command = ["ssh", "-p", "2222", f"plugspace@{address}", "true"]
    for option in options:
        command[1:1] = ["-o", option]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert answer.returncode == 255
    assert "Permission denied (publickey)" in answer.stderr


def test_two_links_can_be_exchanged_in_one_step(host: Host) -> None:
    python(host, EXCHANGE)


@pytest.mark.parametrize(
    ("path", "owner", "mode"),
    [
        ("/etc/redis/password.conf", "redis", 0o600),
        ("/etc/mongod.keyfile", "mongodb", 0o600),
        ("/root/mongodb-admin-password", "root", 0o600),
        ("/etc/nginx/conf.d/git-token.conf", "root", 0o600),
        ("/home/plugspace/deploy/shared/.env", "plugspace", 0o600),
        ("/home/plugspace/.ssh/deploy_key", "plugspace", 0o600),
    ],
)
def test_secrets_are_for_their_owner_alone(host: Host, path: str, owner: str, mode: int) -> None:
    with host.sudo():
        file = host.file(path)
        assert (file.user, file.mode) == (owner, mode)


def test_the_application_reaches_its_databases(host: Host) -> None:
    python(host, USE_DATABASES)


def test_databases_ask_for_a_login(host: Host) -> None:
    python(host, REFUSED)
    assert "NOAUTH" in host.check_output("redis-cli ping")


def test_replica_set_agrees_on_a_primary(host: Host) -> None:
    hello: dict[str, Any] = json.loads(python(host, HELLO))
    assert sorted(hello["hosts"]) == ["titan1:27017", "titan2:27017", "titan3:27017"]
    assert hello["primary"] in hello["hosts"]
    assert hello["ismaster"] != hello["secondary"]


def test_site_is_served_with_a_certificate_of_pebble(get: Callable[..., int]) -> None:
    # Without a release there is nothing behind nginx, which still answers by itself.
    assert get("plugspace.test", "/api/health") in (200, 502)


def test_http_is_redirected_to_https(host: Host) -> None:
    answer = host.check_output(
        "curl --silent --output /dev/null --write-out '%{http_code} %{redirect_url}' http://plugspace.test/a"
    )
    assert answer == "308 https://plugspace.test/a"


def test_the_host_itself_trusts_the_certificate(host: Host) -> None:
    assert host.run("curl --silent https://plugspace.test/").rc == 0


def test_the_deploy_key_reads_the_repository(host: Host) -> None:
    variables = host.ansible.get_variables()
    ssh = "ssh -o BatchMode=yes -i /home/plugspace/.ssh/deploy_key"
    refs = host.check_output(
        f"GIT_SSH_COMMAND='{ssh}' git ls-remote {variables['titan_app_repository']}"
    )
    assert "refs/tags/v1" in refs


def test_backup_holds_what_its_manifest_says(host: Host) -> None:
    directory = host.check_output("/usr/local/bin/backup.sh")
    manifest = json.loads(host.check_output(f"cat {directory}/manifest.json"))
    assert "env" in manifest["checksums"]
    for name, checksum in manifest["checksums"].items():
        assert host.file(f"{directory}/{name}").sha256sum == checksum
    assert host.file(directory).mode == 0o700
    host.check_output(f"rm -r {directory}")
