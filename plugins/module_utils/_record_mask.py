# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets out of a record: those that a run was given, and those that its site keeps."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._escalation_channels import (
    MAIL,
    PAGERDUTY,
    SLACK,
    WEBHOOK,
    channel_secrets,
)
from ansible_collections.plugspace.titan.plugins.module_utils._redact import (
    MASK,
    Redactor,
    named_secrets,
)

VAULT_PREFIX = "vault_"
_MAX_DEPTH = 12
# A line of a key, not a word of a sentence.
_SHORTEST_LINE = 16
# The masked value is told to be secret by its name; any name of this kind does.
_SECRET = "password"
_CHANNELS = ("titan_escalation_channels", "escalate_channels")
# Other hosts', and what is templated as it is read; and the results, which have a key that is no
# secret.
_NO_SETTINGS = (
    *("hostvars", "vars", "ansible_delegated_vars"),
    *("common_result", "escalate_outcome"),
)


def settings_of(variables: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What a site, a host and a run were given, of all variables that a task has."""
    return {
        name: one
        for name, one in variables.items()
        if name not in _NO_SETTINGS and not name.startswith("__")
    }


def secrets_of(variables: t.Mapping[str, t.Any]) -> set[str]:
    """The values of variables, at any depth, whose names say that they are secret.

    Of a channel that messages go out by, its URL is a key too.
    """
    found: set[str] = set()
    for name, value in variables.items():
        _collect(str(name), value, found, 0)
    return found


def masked_inputs(variables: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Variables for a person to read: what is secret by its name is not there, however short."""
    return {str(name): _masked(str(name), value, 0) for name, value in variables.items()}


def mask(value: t.Any, redactor: Redactor) -> t.Any:
    """The same structure, all of its text masked."""
    if isinstance(value, str):
        return redactor.text(value)
    if isinstance(value, t.Mapping):
        return {redactor.text(str(key)): mask(one, redactor) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [mask(one, redactor) for one in value]
    return value


def _is_secret(name: str) -> bool:
    return name.startswith(VAULT_PREFIX) or bool(named_secrets({name: "x" * 8}))


def _collect(name: str, value: t.Any, found: set[str], depth: int) -> None:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, t.Mapping):
        if name in _CHANNELS or _text(value.get("type")) in (PAGERDUTY, MAIL, WEBHOOK, SLACK):
            found |= _of_channel(value)
        for key, one in value.items():
            _collect(_SECRET if _is_secret(name) else str(key), one, found, depth + 1)
    elif isinstance(value, (list, tuple)):
        for one in value:
            _collect(name, one, found, depth + 1)
    elif value is not None and not isinstance(value, bool) and _is_secret(name):
        text = _text(value)
        # What it is made of has a name of its own.
        if "{{" not in text:
            found |= named_secrets({_SECRET: text.strip()})
            lines = text.splitlines()
            if len(lines) > 1:
                found.update(line for line in lines if len(line) >= _SHORTEST_LINE)


def _of_channel(channel: t.Mapping[str, t.Any]) -> set[str]:
    """The secrets of a channel, of one that is written down wrong as well."""
    given = channel.get("headers")
    headers = given if isinstance(given, t.Mapping) else {}
    sound: dict[str, t.Any] = {
        "type": "",
        **{key: _text(value) for key, value in channel.items()},
        "headers": {key: _text(value) for key, value in headers.items()},
    }
    try:
        found = channel_secrets([sound])
    except ValueError:
        # An address that cannot be taken apart.
        found = named_secrets({_SECRET: sound["url"]})
    return {one for one in found if "{{" not in one}


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:
        # It lies in a vault that was not opened, so nothing of this run knows it.
        return ""


def _masked(name: str, value: t.Any, depth: int) -> t.Any:
    if _is_secret(name):
        return MASK if value not in (None, "") else value
    if depth > _MAX_DEPTH:
        return "..."
    if isinstance(value, t.Mapping):
        return {str(key): _masked(str(key), one, depth + 1) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(name, one, depth + 1) for one in value]
    return value
