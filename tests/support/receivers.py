"""Receivers of messages: real servers on a host, which refuse what a real one would.

The check of PagerDuty events was written from what PagerDuty publishes about its Events API v2.
"""

from __future__ import annotations

import base64
import contextlib
import email
import email.policy
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import jsonschema

from support.hosts import address, ssh

SERVERS = Path(__file__).with_name("receive_on_host.py").read_text()

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
    """What the receivers got, in order: the path of each post with its body, and each mail.

    clients: the addresses that it came from.
    """

    posts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    clients: set[str] = field(default_factory=set)

    def at(self, path: str) -> list[dict[str, Any]]:
        """The bodies posted to a path."""
        return [body for where, body in self.posts if where == path]

    def take(self, came: dict[str, Any]) -> dict[str, Any]:
        """Keep what came, and say what is answered to it."""
        self.clients.add(came["client"])
        if "mail" in came:
            raw = base64.b64decode(came["mail"])
            parsed = email.message_from_bytes(raw, policy=email.policy.default)
            assert isinstance(parsed, EmailMessage)
            self.mails.append(parsed)
            self.recipients.append(came["recipients"])
            return {}
        path, body = came["path"], json.loads(came["body"])
        if path == "/broken":
            return _answer(500, came["body"])
        if path == "/hangs":
            return {**_answer(200), "hangs": True}
        schema = {"/pagerduty": PAGERDUTY_EVENT, "/slack": _SLACK_MESSAGE}.get(path, {})
        try:
            jsonschema.validate(body, schema)
        except jsonschema.ValidationError as error:
            self.refused.append(error.message)
            told = {"status": "invalid event", "message": error.message, "echo": body}
            return _answer(400, json.dumps(told))
        self.posts.append((path, body))
        self.headers.append(came["headers"])
        if path == "/slack":
            return _answer(200, "ok", "text/plain")
        if path == "/pagerduty":
            told = {"status": "success", "message": "Event processed"}
            return _answer(202, json.dumps({**told, "dedup_key": body["dedup_key"]}))
        return _answer(204)


def _answer(status: int, content: str = "", kind: str = "application/json") -> dict[str, Any]:
    return {"status": status, "content": content, "kind": kind, "hangs": False}


@dataclass
class Receivers:
    """Running servers. host: their address. dead: a port that nobody listens on."""

    host: str
    http: str
    smtp_port: int
    dead: int
    received: Received


@contextlib.contextmanager
def receivers(name: str) -> Iterator[Receivers]:
    """Servers for HTTP and SMTP on a host, for the length of a block.

    POST /pagerduty and /slack check what they get as the real ones do; /broken answers 500 and
    repeats the body, /hangs sends a byte now and then, any other path takes what is JSON.
    """
    host = address(name)
    # Not as the application's user: whose processes are looked at by tests beside this one.
    ports = json.loads(ssh(name, "sudo -u nobody python3 -", stdin=SERVERS))
    running = Receivers(
        host, f"http://{host}:{ports['http']}", ports["smtp"], ports["dead"], Received()
    )
    with socket.create_connection((host, ports["asks"]), timeout=30) as connection:
        connection.settimeout(None)
        judge = threading.Thread(target=_judge, args=(connection, running))
        judge.start()
        try:
            yield running
        finally:
            # The servers end with it.
            connection.shutdown(socket.SHUT_RDWR)
            judge.join(30)


def _judge(connection: socket.socket, running: Receivers) -> None:
    with connection.makefile("rw", encoding="utf-8") as stream:
        for line in stream:
            stream.write(json.dumps(running.received.take(json.loads(line))) + "\n")
            stream.flush()
