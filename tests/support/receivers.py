"""Receivers of messages: real servers that keep what they got, and refuse what a real one would.

The check of PagerDuty events was written from what PagerDuty publishes about its Events API v2.
"""

from __future__ import annotations

import contextlib
import email
import email.policy
import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jsonschema

_TEXT = {"type": "string", "minLength": 1}
_PAYLOAD = {
    "type": "object",
    "additionalProperties": False,
    "required": ["summary", "source", "severity"],
    "properties": {
        "summary": {**_TEXT, "maxLength": 1024},
        "source": _TEXT,
        "severity": {"enum": ["critical", "error", "warning", "info"]},
        "timestamp": {
            "type": "string",
            "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$",
        },
        "component": _TEXT,
        "group": _TEXT,
        "class": _TEXT,
        "custom_details": {"type": "object"},
    },
}
PAGERDUTY_EVENT = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["routing_key", "event_action"],
    "properties": {
        "routing_key": {"type": "string", "minLength": 32, "maxLength": 32},
        "event_action": {"enum": ["trigger", "acknowledge", "resolve"]},
        "dedup_key": {**_TEXT, "maxLength": 255},
        "payload": _PAYLOAD,
        "client": _TEXT,
        "client_url": _TEXT,
        "links": {"type": "array"},
        "images": {"type": "array"},
    },
    "if": {"properties": {"event_action": {"const": "trigger"}}},
    "then": {"required": ["payload"]},
    "else": {"required": ["dedup_key"]},
}
_SLACK_MESSAGE = {
    "type": "object",
    "required": ["text"],
    # A bare < would be a mention or a link.
    "properties": {"text": {**_TEXT, "maxLength": 40000, "pattern": "^[^<>]*$"}},
}


@dataclass
class Received:
    """What the receivers got, in order: the path of each post with its body, and each mail."""

    posts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def at(self, path: str) -> list[dict[str, Any]]:
        """The bodies posted to a path."""
        return [body for where, body in self.posts if where == path]


@dataclass
class Receivers:
    """Running servers. dead: a port that nobody listens on."""

    http: str
    smtp_port: int
    dead: int
    received: Received


@contextlib.contextmanager
def receivers(host: str = "127.0.0.1") -> Iterator[Receivers]:
    """Servers for HTTP and SMTP for the length of a block.

    POST /pagerduty and /slack check what they get as the real ones do; /broken answers 500 and
    repeats the body, /hangs sends a byte now and then, any other path takes what is JSON.
    """
    received = Received()
    posts = ThreadingHTTPServer((host, 0), type("Posts", (_Posts,), {"received": received}))
    mails = socketserver.ThreadingTCPServer((host, 0), type("Mails", (_Mails,), {"box": received}))
    with socket.create_server((host, 0)) as closed:
        dead = closed.getsockname()[1]
    servers: tuple[socketserver.BaseServer, ...] = (posts, mails)
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Receivers(
            f"http://{host}:{posts.server_address[1]}", mails.server_address[1], dead, received
        )
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


class _Posts(BaseHTTPRequestHandler):
    received: Received

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.loads(raw)
        if self.path == "/broken":
            self._answer(500, raw)
            return
        if self.path == "/hangs":
            self._hang()
            return
        schema = {"/pagerduty": PAGERDUTY_EVENT, "/slack": _SLACK_MESSAGE}.get(self.path, {})
        try:
            jsonschema.validate(body, schema)
        except jsonschema.ValidationError as error:
            self.received.refused.append(error.message)
            told = {"status": "invalid event", "message": error.message, "echo": body}
            self._answer(400, json.dumps(told).encode())
            return
        self.received.posts.append((self.path, body))
        self.received.headers.append(dict(self.headers.items()))
        if self.path == "/slack":
            self._answer(200, b"ok", "text/plain")
        elif self.path == "/pagerduty":
            told = {"status": "success", "message": "Event processed"}
            self._answer(202, json.dumps({**told, "dedup_key": body["dedup_key"]}).encode())
        else:
            self._answer(204, b"")

    def _answer(self, status: int, content: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _hang(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(600):
                self.wfile.write(b".")
                self.wfile.flush()
                threading.Event().wait(0.5)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: what came in is kept."""


class _Mails(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs that delivers one mail, with AUTH PLAIN and LOGIN."""

    box: Received

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
        parsed = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        self.box.mails.append(parsed)
        self.box.recipients.append(recipients)

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode("ascii"))
