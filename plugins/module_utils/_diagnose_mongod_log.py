# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of mongod for a person, and what its words mean when it could not start.

The words are those that MongoDB 6.0.5 printed. That of refused connections (id 22942) is from its
source; those of damaged data and of a stale member were not provoked.
"""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_host import (
    NO_SPACE,
    words_of,
)
from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_unit import (
    Symptom,
    once_cured,
    put_right,
)

_RESTARTED = "***** SERVER RESTARTED *****"
# What systemd says of a start; of one that failed, only that it began.
_STARTED = r"^Started |^Starting .*\.\.\.$"
_READY = "Waiting for connections"
_BEGUN = f"{_STARTED}|{_READY}"
# mongod quotes what it does not like of a key file.
_KEY = re.compile(r"(invalid char in key file \S+?):.*")
# Each is followed by worse, which says less.
_TELLING = ("E", "F")
_WORDS = ("error", "errmsg", "reason", "message")
MAX_CONNECTIONS = re.compile(r"Connection refused because there are too many open connections")
TOO_STALE = re.compile(r"too stale to", re.I)


class MongodLog(t.NamedTuple):
    """lines: words for a person, those of the last start only. last_words: what it died with."""

    lines: list[str]
    last_words: str


def read(lines: t.Iterable[str]) -> MongodLog:
    """Read lines of the journal and lines of JSON, the newest of each last."""
    told: list[str] = []
    logged: list[str] = []
    worst = ""
    for line in lines:
        entry = _entry(line)
        if entry is None:
            told.append(words_of(line))
            continue
        text = _text(entry)
        if entry.get("msg") == _RESTARTED:
            logged, worst = [], ""
        elif entry.get("s") in _TELLING:
            worst = worst or text
        logged.append(text)
    return MongodLog([*told, *logged], worst)


def _entry(line: str) -> dict[str, t.Any] | None:
    start = line.find("{")
    if start < 0:
        return None
    try:
        entry: dict[str, t.Any] = json.loads(line[start:])
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry.get("msg"), str) else None


def _text(entry: dict[str, t.Any]) -> str:
    """The message and its error. Other attributes may be people's data."""
    attributes = entry.get("attr")
    words = [entry["msg"].strip()]
    if isinstance(attributes, dict):
        error = attributes.get("error")
        for source in (error if isinstance(error, dict) else {}, attributes):
            words += [source[key] for key in _WORDS if isinstance(source.get(key), str)]
        if isinstance(attributes.get("exitCode"), int):
            words.append(f"exit code {attributes['exitCode']}")
    return _KEY.sub(r"\1", ": ".join(words))


def symptoms(unit: str, path: str, user: str, group: str, config_file: str) -> list[Symptom]:
    """What the words of a start that failed mean, those that explain most first."""
    give_back = f"give it its files back: chown -R {user}:{group} {path}, then run this again"
    right = put_right(config_file, unit)
    cured = once_cured(unit)
    return [
        Symptom(
            "keyfile",
            re.compile(
                r"permissions on \S+ are too open|Read security file failed|key ?[fF]ile"
                r"|Unable to acquire security key"
            ),
            f"make security.keyFile of {config_file} that of the other members, owned by {user}:"
            f" chown {user}:{group} KEYFILE; chmod 400 KEYFILE; {cured}",
            # A condition of the unit that was not met once, and was at a later start.
            healed=_BEGUN,
            places=(config_file,),
        ),
        Symptom(
            "configuration",
            re.compile(
                r"Unrecognized option|unrecognised option|Error parsing|Error opening config file"
                r"|^BadValue"
            ),
            right,
            healed=_STARTED,
            places=(config_file,),
        ),
        Symptom(
            "configuration",
            re.compile("Error during global initialization"),
            f"put {config_file}, or what it names, right; {cured}",
            healed=_STARTED,
            places=(config_file,),
        ),
        # What systemd says where mongod's own words are not to be had.
        Symptom(
            "configuration",
            re.compile("status=2/INVALIDARGUMENT"),
            right,
            healed=_STARTED,
            places=(config_file,),
        ),
        Symptom(
            "data_in_use",
            re.compile(r"DBPathInUse|Another mongod instance is already running"),
            f"end the other mongod that uses {path} (fuser -v {path}/mongod.lock), {cured}",
            healed=_READY,
        ),
        Symptom(
            "data_missing",
            re.compile(r"NonExistentPath|Data directory \S+ not found"),
            f"mount or restore {path}, {cured}; an empty directory there would be a member without"
            " data",
            healed=_READY,
        ),
        Symptom(
            "wrong_owner",
            re.compile(
                r"Permission denied|read-only directory|Unable to determine status of lock file"
                r"|Unable to create/open the lock file|Operation not permitted"
                # One that is held by another mongod is temporarily unavailable.
                r"|Unable to lock the lock file(?!.*temporarily unavailable)"
            ),
            give_back,
            healed=_READY,
            places=(path, f"{path}/mongod.lock"),
        ),
        Symptom(
            "data_damaged",
            re.compile(
                r"WT_PANIC|WT_TRY_SALVAGE|unable to read root page|UPGRADE PROBLEM"
                r"|Invalid feature ?[cC]ompatibility ?[vV]ersion|Wrong mongod version"
            ),
            f"keep a copy of {path}; let the member copy its data again from the others, or restore"
            f" a backup; {cured}",
            healed=_READY,
        ),
        # Whoever held it is gone, or it would have been found at the port.
        Symptom("port_was_taken", re.compile("Address already in use"), "", "start_unit", _READY),
        Symptom("disk_was_full", NO_SPACE, "", "start_unit", _READY),
    ]
