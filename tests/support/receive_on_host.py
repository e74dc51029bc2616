"""Receives posts and mails, and asks the test what to answer. Sent to a host by SSH.

It prints its ports, stays behind, and ends with the connection over which it asks. The test knows
the schemas, and a host lacks what checks them.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WAIT_SECONDS = 30
HANG_SECONDS = 300


class Asked:
    """The test, at the other end of a connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._stream = connection.makefile("rw", encoding="utf-8")
        self._one = threading.Lock()

    def answer(self, **came: Any) -> dict[str, Any]:
        """Tell what came, and wait for what is to be done about it."""
        with self._one:
            self._stream.write(json.dumps(came) + "\n")
            self._stream.flush()
            told: dict[str, Any] = json.loads(self._stream.readline())
            return told

    def wait_for_end(self) -> None:
        """Return when the test is gone."""
        with contextlib.suppress(OSError):
            while self._connection.recv(1, socket.MSG_PEEK):
                time.sleep(0.2)


class Posts(BaseHTTPRequestHandler):
    asked: Asked

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        told = self.asked.answer(
            client=self.client_address[0],
            path=self.path,
            headers=dict(self.headers.items()),
            body=raw.decode(),
        )
        content = str(told["content"]).encode()
        self.send_response(told["status"])
        self.send_header("Content-Type", told["kind"])
        self.send_header("Content-Length", "100000" if told["hangs"] else str(len(content)))
        self.end_headers()
        if told["hangs"]:
            self._send_a_byte_now_and_then()
        self.wfile.write(content)

    def _send_a_byte_now_and_then(self) -> None:
        with contextlib.suppress(OSError):
            for _ in range(HANG_SECONDS * 2):
                self.wfile.write(b".")
                self.wfile.flush()
                time.sleep(0.5)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: the test is told what came."""


class Mails(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs that delivers one mail, with AUTH PLAIN and LOGIN."""

    asked: Asked

    def handle(self) -> None:
        self._say("220 receiver")
        recipients: list[str] = []
        while line := self.rfile.readline().decode("ascii", "replace").strip():
            command = line.split(":")[0].split()[0].upper()
            if command == "EHLO":
                self._say("250-receiver")
                self._say("250 AUTH PLAIN")
            elif command == "AUTH":
                self._say("235 welcome")
            elif command == "RCPT":
                address = line.partition(":")[2].strip(" <>")
                if address.startswith("nobody@"):
                    self._say("550 no such mailbox")
                else:
                    recipients.append(address)
                    self._say("250 ok")
            elif command == "DATA":
                self._say("354 go on")
                self._keep(recipients)
                recipients = []
                self._say("250 kept")
            elif command == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _keep(self, recipients: list[str]) -> None:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        mail = base64.b64encode(b"".join(lines)).decode()
        self.asked.answer(client=self.client_address[0], recipients=recipients, mail=mail)

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode("ascii"))


def stay_behind() -> None:
    """Go on in a process of its own, which the connection that started it need not wait for."""
    if os.fork():
        os._exit(0)
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nowhere, descriptor)


def main() -> None:
    posts = ThreadingHTTPServer(("0.0.0.0", 0), Posts)
    mails = socketserver.ThreadingTCPServer(("0.0.0.0", 0), Mails)
    with socket.create_server(("0.0.0.0", 0)) as closed:
        dead = closed.getsockname()[1]
    door = socket.create_server(("0.0.0.0", 0))
    door.settimeout(WAIT_SECONDS)
    servers: tuple[socketserver.BaseServer, ...] = (posts, mails)
    ports = {"http": posts.server_address[1], "smtp": mails.server_address[1], "dead": dead}
    sys.stdout.write(json.dumps({**ports, "asks": door.getsockname()[1]}))
    sys.stdout.flush()
    stay_behind()
    connection = door.accept()[0]
    connection.settimeout(None)
    Posts.asked = Mails.asked = Asked(connection)
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    Posts.asked.wait_for_end()
    os._exit(0)


main()
