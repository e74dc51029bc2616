"""What the tests of the platform share: a client that looks at it from outside."""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Callable
from http.client import HTTPResponse

import pytest
from testinfra.host import Host


@pytest.fixture
def address(host: Host) -> str:
    return str(host.ansible.get_variables()["ansible_host"])


@pytest.fixture
def trusted(host: Host) -> ssl.SSLContext:
    """Trust what the host trusts of pebble, and nothing else."""
    roots = host.check_output("cat /usr/local/share/ca-certificates/pebble-*.crt")
    return ssl.create_default_context(cadata=roots)


@pytest.fixture
def get(address: str, trusted: ssl.SSLContext) -> Callable[..., int]:
    """Ask this one host over HTTPS, by the site's name, for a status."""

    def ask(name: str, path: str, login: str = "") -> int:
        request = f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n"
        if login:
            request += f"Authorization: Basic {base64.b64encode(login.encode()).decode()}\r\n"
        with (
            socket.create_connection((address, 443), timeout=10) as plain,
            trusted.wrap_socket(plain, server_hostname=name) as connection,
        ):
            connection.sendall(f"{request}\r\n".encode())
            response = HTTPResponse(connection)
            response.begin()
            return response.status

    return ask
