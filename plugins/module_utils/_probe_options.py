# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a health probe is: its options, read and checked before anything is asked."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from ansible_collections.plugspace.titan.plugins.module_utils._redact import named_secrets

TYPES = ("http", "websocket", "tcp", "redis", "mongodb")
ROLES = ("primary", "member")
MAX_SEND = 65535  # bytes: what one short WebSocket frame holds
_HEADER_NAME = re.compile(r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
_SCHEMES = {"http": ("http", "https"), "websocket": ("ws", "wss")}
_PORTS = {"redis": 6379, "mongodb": 27017}
# On another type it would be passed over in silence, and the probe would prove less than it says.
_BELONGS = {
    "contains": "http",
    "send": "websocket",
    "reply": "websocket",
    "username": "redis",
    "password": "redis",
    "role": "mongodb",
}

# The options of one probe, as a module's argument_spec; the documentation fragment says the rest.
ARGUMENT_SPEC: dict[str, t.Any] = {
    "name": {"type": "str"},
    "type": {"type": "str", "choices": list(TYPES), "default": "http"},
    "url": {"type": "str"},
    "host": {"type": "str", "default": "127.0.0.1"},
    "port": {"type": "int"},
    "status": {"type": "list", "elements": "int", "default": [200]},
    "expect": {"type": "dict", "default": {}},
    "contains": {"type": "str"},
    "pid_field": {"type": "str"},
    "send": {"type": "str"},
    "reply": {"type": "str"},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "role": {"type": "str", "choices": list(ROLES)},
    "connect_to": {"type": "str"},
    "ca_file": {"type": "path"},
    "headers": {"type": "dict", "default": {}, "no_log": True},
    "successes": {"type": "int", "default": 3},
    "interval": {"type": "float", "default": 0.2},
    "timeout": {"type": "float", "default": 2.0},
    "within": {"type": "float", "default": 30.0},
}


# A probe inside of a free mapping was not read by Ansible's own argument_spec.
_READ: dict[str, t.Callable[[t.Any], t.Any]] = {
    "str": str,
    "path": str,
    "int": int,
    "float": float,
    "list": lambda value: list(value) if isinstance(value, (list, tuple)) else [value],
    "dict": dict,
}


class ProbeError(ValueError):
    """A probe that is described wrongly, or that this host cannot make."""


@dataclass(frozen=True)
class Probe:
    """One health probe. The defaults are those of the documentation."""

    type: str = "http"
    url: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    status: tuple[int, ...] = (200,)
    expect: t.Mapping[str, t.Any] = field(default_factory=dict)
    contains: str = ""
    pid_field: str = ""
    send: str = ""
    reply: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    role: str = ""
    connect_to: str = ""
    ca_file: str = ""
    headers: t.Mapping[str, str] = field(default_factory=dict, repr=False)
    successes: int = 3
    interval: float = 0.2
    timeout: float = 2.0
    within: float = 30.0
    name: str = ""

    @property
    def shown(self) -> str:
        """The probe in one word or two, as it stands in messages."""
        if self.type == "http":
            return f"GET {self.url}"
        if self.type == "websocket":
            return f"WebSocket {self.url}"
        title = {"redis": "Redis", "mongodb": "MongoDB"}.get(self.type, "TCP")
        return f"{title} {self.host}:{self.port}"

    def expecting(self, expect: t.Mapping[str, t.Any]) -> Probe:
        """The same probe with more to expect; only an HTTP answer can show it."""
        if self.type != "http" or not expect:
            return self
        return replace(self, expect={**self.expect, **expect})


def parse(options: t.Mapping[str, t.Any]) -> Probe:
    """A probe from its options; ProbeError says what is wrong with them."""
    values = {key: value for key, value in options.items() if value is not None}
    unknown = sorted(set(values) - set(ARGUMENT_SPEC))
    if unknown:
        raise ProbeError(f"a probe has no option {', '.join(unknown)}")
    try:
        values = {key: _READ[str(ARGUMENT_SPEC[key]["type"])](v) for key, v in values.items()}
        values["status"] = tuple(int(code) for code in values.get("status", (200,)))
    except (TypeError, ValueError) as error:
        raise ProbeError(f"a probe is malformed: {error}") from None
    values["headers"] = {str(k): str(v) for k, v in values.get("headers", {}).items()}
    values.setdefault("port", _PORTS.get(values.get("type", ""), 0))
    probe = Probe(**values)
    _check(probe)
    return probe


def secrets_of(probes: t.Mapping[str, t.Any] | None) -> set[str]:
    """The secret headers and passwords of several probes, a free mapping from name to options."""
    found: set[str] = set()
    for options in (probes or {}).values():
        if isinstance(options, dict):
            headers, password = options.get("headers"), options.get("password")
            found |= named_secrets(headers if isinstance(headers, dict) else None)
            found |= named_secrets({"password": password} if password is not None else None)
    return found


def address_of(text: str) -> tuple[str, int]:
    """Host and port of C(connect_to)."""
    host, _colon, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise ProbeError(f"connect_to is host:port, not {text!r}")
    return host.strip("[]"), int(port)


def _check(probe: Probe) -> None:
    if probe.type not in TYPES:
        raise ProbeError(f"a probe is of type {_either(TYPES)}, not {probe.type!r}")
    for option, kind in _BELONGS.items():
        if getattr(probe, option) and probe.type != kind:
            raise ProbeError(f"{option} belongs to a probe of type {kind}, not {probe.type}")
    if probe.type in _SCHEMES:
        _check_url(probe)
    elif not 0 < probe.port < 65536:
        raise ProbeError(f"a {probe.type} probe needs a port between 1 and 65535")
    if probe.send and not probe.reply:
        raise ProbeError("a probe with send needs reply, a text that has to come back")
    if len(probe.send.encode()) > MAX_SEND:
        raise ProbeError(f"a probe sends at most {MAX_SEND} bytes")
    if probe.username and not probe.password:
        raise ProbeError("a probe with username needs its password")
    if probe.type == "mongodb":
        _check_mongodb(probe)
    if probe.connect_to:
        address_of(probe.connect_to)
    for name, value in probe.headers.items():
        if not _HEADER_NAME.match(name) or re.search(r"[\r\n\0]", value):
            raise ProbeError(f"the header {name!r} of a probe is malformed")
    if probe.successes < 1 or probe.interval < 0 or probe.timeout <= 0 or probe.within <= 0:
        raise ProbeError("successes, timeout and within of a probe are greater than 0")


def _check_url(probe: Probe) -> None:
    schemes = _SCHEMES[probe.type]
    try:
        url = urlsplit(probe.url)
        port_ok = url.port is None or url.port > 0
    except ValueError:
        raise ProbeError(f"{probe.url!r} is not a URL") from None
    if url.scheme not in schemes or not url.hostname or not port_ok:
        raise ProbeError(
            f"a {probe.type} probe needs a url that begins with"
            f" {' or '.join(f'{scheme}://' for scheme in schemes)},"
            f" not {probe.url!r}"
        )
    if re.search(r"[\x00-\x20\x7f]", probe.url):
        raise ProbeError("the url of a probe holds no blanks or control characters")


def _check_mongodb(probe: Probe) -> None:
    if probe.role and probe.role not in ROLES:
        raise ProbeError(f"the role of a mongodb probe is {_either(ROLES)}, not {probe.role!r}")
    # Told here, before anything was touched, instead of by every attempt for half a minute.
    try:
        from bson import decode, encode  # noqa: F401
    except ImportError:
        raise ProbeError(
            "a mongodb probe needs PyMongo on the host: install Debian's python3-pymongo"
        ) from None


def _either(words: t.Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"
