# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The channels that messages go out by: what each takes, its request, and how the delivery went."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import urlsplit

from ansible_collections.plugspace.titan.plugins.module_utils._escalation import (
    SEVERITIES,
    Level,
)
from ansible_collections.plugspace.titan.plugins.module_utils._redact import Redactor
from ansible_collections.plugspace.titan.plugins.module_utils._words import plain

PAGERDUTY, MAIL, WEBHOOK, SLACK = "pagerduty", "mail", "webhook", "slack"
PAGERDUTY_URL = "https://events.pagerduty.com/v2/enqueue"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_. -]{0,63}")
_URL = re.compile(r"https?://[^\s/]\S*")
# What Ansible puts around the reason of a failure.
_AROUND = re.compile(
    r"^(Task failed: )?(Module failed: )?(Status code was -1 and not [^]]*]: )?(Request failed: )?"
)
_SECURE = ("always", "never", "starttls", "try")
# A shorter one, masked everywhere, would hide too much.
_SHORTEST = 6

# What a channel of a type takes beside name, type and severities; those that it needs come first.
_NEEDS = {PAGERDUTY: ("routing_key",), MAIL: ("host", "from"), WEBHOOK: ("url",), SLACK: ("url",)}
_TAKES = {
    PAGERDUTY: ("url", "ca_file"),
    MAIL: ("to", "port", "username", "password", "secure"),
    WEBHOOK: ("headers", "ca_file"),
    SLACK: ("headers", "ca_file"),
}

Channel = t.Mapping[str, t.Any]


class Delivery(t.TypedDict):
    """How one message went: to which channel, for which incident, and why not."""

    channel: str
    key: str
    action: str
    ok: bool
    error: str


def sorted_channels(channels: object) -> tuple[list[Channel], list[str]]:
    """Those that can be used, and what is wrong with the others.

    A sentence each; none shows a value that may be secret.
    """
    if not isinstance(channels, (list, tuple)):
        return [], ["the escalation channels are no list"]
    usable: list[Channel] = []
    told = []
    names: set[str] = set()
    for place, channel in enumerate(channels):
        where, problems = _looked_at(channel, names)
        told += [f"escalation channel {place + 1}{where}: {problem}" for problem in problems]
        if not problems:
            usable.append(channel)
    return usable, told


def _looked_at(channel: object, names: set[str]) -> tuple[str, list[str]]:
    """How a channel is called, and what is wrong with it; its name joins those before."""
    if not isinstance(channel, t.Mapping):
        return "", ["it is no mapping with name and type"]
    where, problems = "", []
    name = channel.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        problems.append("its name is not letters, digits, dots, dashes and spaces")
    else:
        where = f" ({name})"
        if name in names:
            problems.append("another one has this name")
        names.add(name)
    kind = channel.get("type")
    if kind not in _NEEDS:
        problems.append(f"its type is none of {', '.join(_NEEDS)}")
    else:
        problems += _own_problems(channel, str(kind))
    return where, problems


def _own_problems(channel: Channel, kind: str) -> list[str]:
    problems = []
    for key in _NEEDS[kind]:
        if not isinstance(channel.get(key), str) or not channel[key].strip():
            problems.append(f"{key} is missing or empty")
    takes = ("name", "type", "severities", *_NEEDS[kind], *_TAKES[kind])
    for key in channel:
        if key not in takes:
            problems.append(f"{plain(key, 40)} is not known; {kind} takes {', '.join(takes)}")
    if channel.get("url") and not _URL.fullmatch(str(channel["url"])):
        problems.append("url is no address that begins with http:// or https:// and has no spaces")
    headers = channel.get("headers", {})
    if not isinstance(headers, t.Mapping):
        problems.append("headers is no mapping")
    elif not all(str(one).isprintable() for pair in headers.items() for one in pair):
        problems.append("headers has a line break or another control character in it")
    severities = channel.get("severities", SEVERITIES)
    if not isinstance(severities, (list, tuple)) or set(severities) - set(SEVERITIES):
        problems.append(f"severities is no list of {', '.join(SEVERITIES)}")
    if bool(channel.get("username")) != bool(channel.get("password")):
        problems.append("username and password go together")
    if channel.get("secure", _SECURE[0]) not in _SECURE:
        problems.append(f"secure is none of {', '.join(_SECURE)}")
    port = str(channel.get("port", 25))
    if not port.isdecimal() or not 0 < int(port) < 65536:
        problems.append("port is none")
    return problems


def channel_secrets(channels: t.Iterable[Channel]) -> set[str]:
    """What of the channels nobody may see: keys, passwords, headers, and a URL, which is a key."""
    found: set[str] = set()
    for channel in channels:
        found |= {str(channel.get(key) or "") for key in ("routing_key", "password")}
        found |= {str(value) for value in (channel.get("headers") or {}).values()}
        url = urlsplit(str(channel.get("url") or ""))
        found.add(url.password or "")
        # The address of PagerDuty is no secret.
        if channel["type"] != PAGERDUTY:
            found |= {url.geturl(), url.path, url.query}
    return {one for one in found if len(one) >= _SHORTEST}


def accepts(channel: Channel, severity: str) -> bool:
    """Whether a channel wants incidents of this severity."""
    return severity in channel.get("severities", SEVERITIES)


def unreached(
    channels: t.Iterable[Channel],
    matrix: t.Mapping[str, Level],
    contacts: t.Mapping[str, t.Mapping[str, str]],
) -> list[str]:
    """Whom of the matrix a channel cannot reach since nobody wrote down how, a sentence each."""
    told = []
    for channel in channels:
        if channel["type"] != MAIL or channel.get("to"):
            continue
        wanted = [name for name in SEVERITIES if accepts(channel, name)]
        called = dict.fromkeys(role for name in wanted for role in matrix[name]["chain"])
        missing = [role for role in called if not contacts.get(role, {}).get("mail")]
        if missing:
            told.append(
                f"escalation channel {channel['name']} does not reach {', '.join(missing)}; give "
                "them a mail in titan_contacts, or the channel an address in to"
            )
    return told


def http_request(channel: Channel, message: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """URL, headers and body of a message. It holds secrets: only for a task that shows nothing."""
    kind = channel["type"]
    body = dict(message[kind])
    if kind == PAGERDUTY:
        body["routing_key"] = channel["routing_key"]
    return {
        "url": channel.get("url") or PAGERDUTY_URL,
        "headers": dict(channel.get("headers") or {}),
        "body": body,
        "ca_file": channel.get("ca_file") or "",
    }


def mail_request(
    channel: Channel,
    message: t.Mapping[str, t.Any],
    called: t.Sequence[str],
    contacts: t.Mapping[str, t.Mapping[str, str]],
) -> dict[str, t.Any]:
    """The options of a mail. It holds secrets: only for a task that shows nothing.

    A channel without addresses sends it to those who are called.
    """
    to = channel.get("to") or [contacts.get(role, {}).get("mail", "") for role in called]
    return {
        "host": channel["host"],
        "port": int(channel.get("port", 25)),
        "username": channel.get("username") or "",
        "password": channel.get("password") or "",
        "secure": channel.get("secure", "try"),
        "from": channel["from"],
        "to": [to] if isinstance(to, str) else [address for address in to if address],
        "subject": message["subject"],
        "body": message["text"],
    }


def delivery(result: t.Mapping[str, t.Any], channel: Channel, key: str, action: str) -> Delivery:
    """Read from the result of the task that sent a message how it went, without its secrets."""
    error = _error(result, channel["type"])
    masked = Redactor(channel_secrets([channel])).text(error)
    return Delivery(
        channel=channel["name"], key=key, action=action, ok=not error, error=plain(masked)
    )


# As Python's urllib begins it; in one word, ansible-test would take it for a call.
_URL_ERROR = "<url" + "open error "


def bare(told: str) -> str:
    """The reason of a failure, without what Ansible puts around it."""
    return _AROUND.sub("", told.strip()).removeprefix(_URL_ERROR).removesuffix(">")


def _error(result: t.Mapping[str, t.Any], kind: str) -> str:
    """Why it failed, or empty."""
    told = bare(str(result.get("msg") or "it failed and gave no reason"))
    # Where a module broke off, the reason is the last line.
    broken = str(result.get("module_stderr") or "").strip()
    told = broken.splitlines()[-1] if broken else told
    if result.get("unreachable"):
        return f"the host that sends was not reached: {told}"
    if result.get("skipped"):
        return "it has no address to send to, and no one who is called has a mail in the contacts"
    if kind == MAIL:
        refused = result.get("result")
        if isinstance(refused, t.Mapping):
            return f"refused: {', '.join(refused)}" if refused else ""
        return told
    status = int(result.get("status") or -1)
    if 200 <= status < 300:
        return ""
    if status > 0:
        return f"answered {status}: {result.get('content') or told}"
    return told
