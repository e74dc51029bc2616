"""A mongod that speaks TLS alone, asked with the PyMongo of the hosts and with a current one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.adhoc import HERE, by_hand
from support.hosts import address, ssh
from support.mongodb_faults import hello, until

HOST, PORT, FOLDER = "titan1", 27217, "/var/tmp/titan-tls"
AUTHORITY = f"{FOLDER}/ca.pem"
LISTENS = f"ss -tln | grep -q :{PORT}"


@pytest.fixture(scope="module", autouse=True)
def _secured() -> Iterator[None]:
    names = f"DNS:{HOST},IP:{address(HOST)}"
    made = (
        f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={HOST}"
        f" -addext subjectAltName={names} -keyout {FOLDER}/key -out {AUTHORITY} 2>/dev/null;"
        f" cat {FOLDER}/key {AUTHORITY} > {FOLDER}/both.pem; chown mongodb {FOLDER}/*"
    )
    start = (
        "systemd-run --quiet --unit titan-tls --uid mongodb /usr/local/bin/mongod"
        f" --port {PORT} --dbpath {FOLDER} --bind_ip_all --wiredTigerCacheSizeGB 0.25"
        f" --logpath {FOLDER}/mongod.log --tlsMode requireTLS"
        f" --tlsCertificateKeyFile {FOLDER}/both.pem"
    )
    ssh(HOST, f"sudo install -d -o mongodb {FOLDER}; sudo sh -c '{made}'; sudo {start}")
    try:
        ssh(HOST, until(LISTENS))
        yield
    finally:
        ssh(HOST, f"sudo systemctl stop titan-tls; sudo rm -r {FOLDER}")


def asked(where: str, **options: Any) -> dict[str, Any]:
    """What mongodb_info says of it."""
    return by_hand("mongodb_info", where, port=PORT, **options)


def test_the_hosts_own_pymongo() -> None:
    assert asked(HOST, host=HOST, tls=True, tls_ca_file=AUTHORITY)["state"] == "ok"


def test_the_current_pymongo(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text(ssh(HOST, f"sudo cat {AUTHORITY}"))
    options = {"host": address(HOST), "tls": True, "tls_ca_file": str(authority)}
    assert asked(HERE, **options)["state"] == "ok"


def test_an_authority_that_nobody_knows_is_told() -> None:
    said = asked(HOST, host=HOST, tls=True)
    assert said["state"] != "ok"
    assert "certificate" in said["error"].lower(), said


def test_without_tls_nothing_is_believed() -> None:
    assert not ssh(HOST, f"{hello('h', PORT)} && echo answered; true")
    assert asked(HOST, host=HOST)["state"] != "ok"
