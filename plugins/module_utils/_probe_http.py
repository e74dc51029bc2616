# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A probe over HTTP: one GET request, its status, its text and what its JSON says."""

from __future__ import annotations

import http.client
import json
import typing as t
from urllib.parse import urlsplit

from ansible_collections.plugspace.titan.plugins.module_utils._probe_connection import (
    MAX_BODY,
    SHOWN,
    UnhealthyError,
    connect,
    excerpt,
    target,
)
from ansible_collections.plugspace.titan.plugins.module_utils._probe_holder import holder
from ansible_collections.plugspace.titan.plugins.module_utils._probe_options import Probe


def lookup(document: t.Any, path: str) -> t.Any:
    """The value at a dotted path of a JSON document, None when it is not there."""
    for key in path.split("."):
        if isinstance(document, dict) and key in document:
            document = document[key]
        elif isinstance(document, list) and key.isdigit() and int(key) < len(document):
            document = document[int(key)]
        else:
            return None
    return document


def attempt(probe: Probe, candidates: t.Collection[int]) -> int | None:
    """Ask once; the process that answered, or UnhealthyError."""
    url = urlsplit(probe.url)
    address, server_name, path = target(url)
    with connect(probe, address, server_name) as connection:
        # The connection is ours already, so that the class is only asked to speak the protocol.
        client = http.client.HTTPConnection(*address, timeout=probe.timeout)
        client.sock = connection
        headers = {"Host": url.netloc.rpartition("@")[2], "Accept": "application/json, */*"}
        headers.update(probe.headers)
        try:
            client.request("GET", path, headers=headers)
            response = client.getresponse()
            body = response.read(MAX_BODY)
            if response.length and len(body) < MAX_BODY:
                raise http.client.IncompleteRead(body, response.length)
        except http.client.HTTPException as error:
            raise UnhealthyError(
                f"answered no HTTP: {type(error).__name__}", connected=True
            ) from None
        document = _json(body) if probe.expect or probe.pid_field else None
        pid = lookup(document, probe.pid_field) if probe.pid_field else None
        if not isinstance(pid, int) or isinstance(pid, bool):
            pid = holder(connection, candidates)
        if response.status not in probe.status:
            wanted = " or ".join(map(str, probe.status))
            raise UnhealthyError(
                f"answered {response.status} (wanted {wanted}): {excerpt(body)}", True, pid
            )
        if probe.contains and probe.contains not in body.decode("utf-8", "replace"):
            raise UnhealthyError(
                f"answered without {_excerpt_value(probe.contains)}: {excerpt(body)}", True, pid
            )
        for key, value in probe.expect.items():
            found = lookup(document, key)
            if not _equal(found, value):
                raise UnhealthyError(
                    f"answered {key}={_excerpt_value(found)} (wanted {_excerpt_value(value)})",
                    True,
                    pid,
                )
    return pid


def _json(body: bytes) -> t.Any:
    try:
        return json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def _equal(found: t.Any, wanted: t.Any) -> bool:
    # Ansible hands over templated values as text more often than not.
    return bool(found == wanted) or (
        isinstance(found, (str, int, float))
        and not isinstance(found, bool)
        and str(found) == str(wanted)
    )


def _excerpt_value(value: t.Any) -> str:
    return "nothing" if value is None else str(value)[:SHOWN]
