"""A replica set that speaks TLS alone and has users, by PyMongo of the hosts and a current one."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.adhoc import HERE, by_hand
from support.hosts import address, ssh
from support.mongodb_faults import hello, until

HOST, PORT, FOLDER = "titan1", 27217, "/var/tmp/titan-tls"
AUTHORITY = f"{FOLDER}/ca.pem"
MEMBER = f"{HOST}:{PORT}"
LISTENS = f"ss -tln | grep -q :{PORT}"
LOGIN = {"login_user": "watch", "login_password": "only-for-this-test"}


@pytest.fixture(scope="module", autouse=True)
def _secured() -> Iterator[None]:
    names = f"DNS:{HOST},IP:{address(HOST)},IP:127.0.0.1"
    made = (
        f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={HOST}"
        f" -addext subjectAltName={names} -keyout {FOLDER}/key -out {AUTHORITY} 2>/dev/null;"
        f" cat {FOLDER}/key {AUTHORITY} > {FOLDER}/both.pem;"
        f" openssl rand -base64 96 > {FOLDER}/members; chmod 400 {FOLDER}/members;"
        f" chown mongodb {FOLDER}/*"
    )
    start = (
        "systemd-run --quiet --unit titan-tls --uid mongodb /usr/local/bin/mongod"
        f" --port {PORT} --dbpath {FOLDER} --bind_ip_all --wiredTigerCacheSizeGB 0.25"
        f" --logpath {FOLDER}/mongod.log --tlsMode requireTLS --tlsCAFile {AUTHORITY}"
        f" --tlsCertificateKeyFile {FOLDER}/both.pem --tlsAllowConnectionsWithoutCertificates"
        f" --replSet secured --keyFile {FOLDER}/members --oplogSize 16"
    )
    ssh(HOST, f"sudo install -d -o mongodb {FOLDER}; sudo sh -c '{made}'; sudo {start}")
    try:
        ssh(HOST, until(LISTENS))
        # From its own host, where the first user may be made as well.
        first = {"host": "127.0.0.1", **over_tls(), "members": [{"host": MEMBER}]}
        initiated = by_hand("mongodb_replica_set", HOST, name="secured", port=PORT, **first)
        assert initiated["actions"] == [f"Initiate secured with {MEMBER}"], initiated
        ssh(HOST, f"python3 -c {shlex.quote(USER)}")
        yield
    finally:
        ssh(HOST, f"sudo systemctl stop titan-tls; sudo rm -r {FOLDER}")


USER = (
    f"import pymongo; d = pymongo.MongoClient('127.0.0.1', {PORT}, directConnection=True,"
    f" tls=True, tlsCAFile='{AUTHORITY}').admin; d.command('createUser', '{LOGIN['login_user']}',"
    f" pwd='{LOGIN['login_password']}', roles=['clusterManager', 'clusterMonitor'])"
)


def over_tls(authority: str = AUTHORITY) -> dict[str, Any]:
    return {"tls": True, "tls_ca_file": authority}


def asked(where: str, **options: Any) -> dict[str, Any]:
    """What mongodb_info says of it."""
    return by_hand("mongodb_info", where, port=PORT, **options)


@pytest.fixture(params=[HOST, HERE])
def secured(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, dict[str, Any]]:
    """Where it is asked from, whose PyMongo is the one of the host or the current one, and how."""
    if request.param == HOST:
        return HOST, {"host": HOST, **over_tls()}
    authority = tmp_path / "ca.pem"
    authority.write_text(ssh(HOST, f"sudo cat {AUTHORITY}"))
    return HERE, {"host": address(HOST), **over_tls(str(authority))}


def test_it_is_asked_from_outside(secured: tuple[str, dict[str, Any]]) -> None:
    where, options = secured
    assert asked(where, **options)["state"] == "ok"


def test_it_is_asked_with_a_login(secured: tuple[str, dict[str, Any]]) -> None:
    where, options = secured
    seen = asked(where, **options, **LOGIN)
    assert (seen["state"], seen["server"]["state_str"]) == ("ok", "PRIMARY"), seen
    wrong = asked(where, **options, **{**LOGIN, "login_password": "x"})
    assert wrong["state"] == "auth", wrong


def test_its_configuration_is_changed_with_a_login() -> None:
    """By the PyMongo of the host: no other machine knows the member by its name."""
    wanted = {"name": "secured", "port": PORT, "members": [{"host": MEMBER, "priority": 2}]}
    options = {"host": HOST, **over_tls(), **wanted}
    without = by_hand("mongodb_replica_set", HOST, **options)
    assert (without["cause"], without["changed"]) == ("auth", False), without
    changed = by_hand("mongodb_replica_set", HOST, **options, **LOGIN)
    assert changed["actions"] == [f"Change {MEMBER} (priority from 1.0 to 2.0)"], changed
    assert not by_hand("mongodb_replica_set", HOST, **options, **LOGIN)["changed"]


def test_an_authority_that_nobody_knows_is_told() -> None:
    said = asked(HOST, host=HOST, tls=True)
    assert said["state"] != "ok"
    assert "certificate" in said["error"].lower(), said


def test_a_certificate_for_another_name_is_told() -> None:
    # The certificate is for its address, and not for that name of it.
    other = {"host": "localhost", **over_tls()}
    said = asked(HOST, **other)
    assert said["state"] != "ok"
    assert "not valid for 'localhost'" in said["error"], said
    assert asked(HOST, **other, tls_allow_invalid_hostnames=True)["state"] == "ok"


def test_a_certificate_of_ones_own_is_shown() -> None:
    options = {"host": HOST, **over_tls()}
    assert asked(HOST, **options, tls_certificate_key_file=f"{FOLDER}/both.pem")["state"] == "ok"
    # It has no key.
    said = asked(HOST, **options, tls_certificate_key_file=AUTHORITY)
    assert said["state"] != "ok"
    assert "key" in said["error"], said


def test_without_tls_nothing_is_believed() -> None:
    assert not ssh(HOST, f"{hello('h', PORT)} && echo answered; true")
    assert asked(HOST, host=HOST)["state"] != "ok"
