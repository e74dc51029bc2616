# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wire format of the PM2 daemon, and the calls that may be sent to it.

A frame is one byte (version in the high half, number of arguments in the low one), then for each
argument a 4-byte big-endian length and the bytes. This file is pure: no socket, no clock.
"""

from __future__ import annotations

import json
from typing import Any, Callable, NoReturn

VERSION = 1
MAX_ID = 2**31 - 1
MAX_REPLY = 32 * 1024 * 1024


class WireError(ValueError):
    """Bytes that are not an answer of PM2, or a call that must not be sent."""


def _is_empty_object(value: Any) -> bool:
    return isinstance(value, dict) and not value


def _is_process_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_ID


def _is_id_with_empty_env(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and sorted(value) == ["env", "id"]
        and _is_process_id(value["id"])
        and _is_empty_object(value["env"])
    )


# A malformed call kills the daemon and every application with it, so that only these go out,
# each with exactly one argument of the shape named here.
METHODS: dict[str, Callable[[Any], bool]] = {
    "ping": _is_empty_object,
    "getVersion": _is_empty_object,
    "getMonitorData": _is_empty_object,
    "restartProcessId": _is_id_with_empty_env,
    "reloadProcessId": _is_id_with_empty_env,
    "startProcessId": _is_process_id,
    "stopProcessId": _is_process_id,
    "deleteProcessId": _is_process_id,
    "duplicateProcessId": _is_process_id,
}

READS = frozenset({"ping", "getVersion", "getMonitorData"})


def encode_call(method: str, argument: Any, request_id: str) -> bytes:
    """The frame of one call; refuses whatever is not on the list."""
    check = METHODS.get(method) if isinstance(method, str) else None
    if check is None:
        raise WireError(f"the call {method!r} is not on the list of calls that may be sent")
    if not check(argument):
        raise WireError(f"the argument of {method} has the wrong shape")
    if not isinstance(request_id, str) or not request_id.isascii() or not request_id.isalnum():
        raise WireError("a request id consists of ASCII letters and digits")
    body = {"type": "call", "method": method, "args": [argument]}
    parts = (b"j:" + json.dumps(body).encode("ascii"), b"s:" + request_id.encode("ascii"))
    return bytes([VERSION << 4 | len(parts)]) + b"".join(
        len(part).to_bytes(4, "big") + part for part in parts
    )


class FrameReader:
    """Collects bytes until a frame is complete, and never more than max_size of them."""

    def __init__(self, max_size: int = MAX_REPLY) -> None:
        self._buffer = bytearray()
        self._max_size = max_size
        # Where the next length stands, so that a slow drip is not parsed from the start each time.
        self._offset = 1
        self._left = -1
        self._parts: list[tuple[int, int]] = []

    def feed(self, data: bytes) -> list[bytes] | None:
        """Take bytes in; the arguments of the frame when it is complete, else None."""
        if len(self._buffer) + len(data) > self._max_size + 64:
            raise WireError(f"the answer is larger than {self._max_size} bytes")
        self._buffer += data
        if not self._buffer:
            return None
        if self._left < 0:
            version, self._left = self._buffer[0] >> 4, self._buffer[0] & 0x0F
            if version != VERSION:
                raise WireError("the answer does not begin like a PM2 frame")
        while self._left:
            start = self._offset + 4
            if len(self._buffer) < start:
                return None
            size = int.from_bytes(self._buffer[self._offset : start], "big")
            if start + size > self._max_size:
                raise WireError(f"the answer announces more than {self._max_size} bytes")
            if len(self._buffer) < start + size:
                return None
            self._parts.append((start, start + size))
            self._offset = start + size
            self._left -= 1
        frame = [bytes(self._buffer[start:end]) for start, end in self._parts]
        rest = bytes(self._buffer[self._offset :])
        self._buffer = bytearray(rest)
        self._offset, self._left, self._parts = 1, -1, []
        return frame


class RefusalError(Exception):
    """The daemon's own refusal of a call, together with the id of that request."""

    def __init__(self, request_id: str, message: str) -> None:
        super().__init__(message)
        self.request_id = request_id


def _short_int(text: str) -> int:
    # PM2's numbers are JavaScript's; a longer one would only cost time.
    if len(text) > 24:
        raise WireError("the answer holds an absurd number")
    return int(text)


def _no_constant(name: str) -> NoReturn:
    raise WireError(f"the answer holds {name}, which is not JSON")


def decode_reply(frame: list[bytes]) -> tuple[str, Any]:
    """Request id and result of one answer; RefusalError carries the daemon's refusal."""
    if len(frame) != 2:
        raise WireError(f"an answer has two parts, this one has {len(frame)}")
    body_raw, id_raw = frame
    if not id_raw.startswith(b"s:") or not body_raw.startswith(b"j:"):
        raise WireError("the parts of the answer have unexpected types")
    try:
        request_id = id_raw[2:].decode("utf-8")
        body = json.loads(
            body_raw[2:].decode("utf-8"), parse_int=_short_int, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:
        raise WireError(f"the answer is not readable: {type(error).__name__}") from None
    if not isinstance(body, dict):
        raise WireError("the body of the answer is not an object")
    if "error" in body:
        raise RefusalError(request_id, str(body["error"])[:500])
    args = body.get("args")
    if not isinstance(args, list):
        raise WireError("the answer has no arguments")
    return request_id, args[0] if args else None
