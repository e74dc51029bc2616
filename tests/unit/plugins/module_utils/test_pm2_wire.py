# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wire format: nothing malformed goes out, and nothing that comes in does harm."""

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.plugspace.titan.plugins.module_utils import _pm2_wire as wire

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def frame(*parts: bytes) -> bytes:
    """A frame as the daemon sends it."""
    return bytes([0x10 | len(parts)]) + b"".join(len(p).to_bytes(4, "big") + p for p in parts)


def well_formed(data: bytes) -> tuple[str, t.Any]:
    """Method and argument of a call, read strictly the way the daemon reads it."""
    assert data[0] == 0x12
    size = int.from_bytes(data[1:5], "big")
    body, rest = data[5 : 5 + size], data[5 + size :]
    assert len(rest) == 4 + int.from_bytes(rest[:4], "big")
    assert body[:2] == b"j:"
    assert rest[4:6] == b"s:"
    call = json.loads(body[2:])
    assert set(call) == {"type", "method", "args"}
    assert call["type"] == "call"
    assert len(call["args"]) == 1
    assert call["args"][0] is not None
    return call["method"], call["args"][0]


@pytest.mark.parametrize("method", sorted(wire.METHODS))
def test_the_listed_calls_are_well_formed(method: str) -> None:
    argument: t.Any = 3
    if method in wire.READS:
        argument = {}
    elif method in ("restartProcessId", "reloadProcessId"):
        argument = {"id": 3, "env": {}}
    assert well_formed(wire.encode_call(method, argument, "a1")) == (method, argument)


@pytest.mark.parametrize(
    "method", ["prepare", "killMe", "getReport", "msgProcess", "profileCPU", "", None, 4]
)
def test_other_calls_are_refused(method: t.Any) -> None:
    with pytest.raises(wire.WireError, match="not on the list"):
        wire.encode_call(method, {}, "a1")


@given(
    st.sampled_from(sorted(wire.METHODS)) | st.text(max_size=20),
    json_values | st.fixed_dictionaries({"id": json_values, "env": json_values}),
    st.text(max_size=8),
)
def test_no_call_is_malformed(method: str, argument: t.Any, request_id: str) -> None:
    try:
        data = wire.encode_call(method, argument, request_id)
    except wire.WireError:
        return
    sent, value = well_formed(data)
    assert sent == method
    assert wire.METHODS[sent](value)


@given(st.binary(max_size=400), st.integers(1, 40))
def test_any_bytes_end_in_a_frame_or_a_wire_error(data: bytes, step: int) -> None:
    reader = wire.FrameReader(max_size=200)
    try:
        for start in range(0, len(data), step):
            found = reader.feed(data[start : start + step])
            while found is not None:
                with_decoder(found)
                found = reader.feed(b"")
    except wire.WireError:
        return


def with_decoder(found: list[bytes]) -> None:
    """Decode, taking the two errors that decoding may end in."""
    try:
        wire.decode_reply(found)
    except (wire.WireError, wire.RefusalError):
        return


@given(json_values.filter(lambda value: value == value), st.integers(1, 9))
def test_answers_survive_any_cutting(value: t.Any, step: int) -> None:
    try:
        text = json.dumps({"args": [value]}, allow_nan=False)
        limited = all(
            len(part) < 20 for part in "".join(c if c.isdigit() else " " for c in text).split()
        )
    except ValueError:
        return
    data = frame(b"j:" + text.encode(), b"s:x1")
    reader = wire.FrameReader()
    found = None
    for start in range(0, len(data), step):
        assert found is None
        found = reader.feed(data[start : start + step])
    assert found is not None
    if limited:
        assert wire.decode_reply(found) == ("x1", json.loads(text)["args"][0])


def test_two_frames_in_one_piece() -> None:
    reader = wire.FrameReader()
    first = reader.feed(frame(b"a", b"b") + frame(b"c"))
    assert first == [b"a", b"b"]
    assert reader.feed(b"") == [b"c"]
    assert reader.feed(b"") is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x22", "does not begin"),
        (b"HTTP/1.1 400", "does not begin"),
        (b"\x12\xff\xff\xff\xff", "announces more"),
        (b"\x12" + (2**31).to_bytes(4, "big"), "announces more"),
    ],
)
def test_nonsense_is_told_at_once(data: bytes, reason: str) -> None:
    with pytest.raises(wire.WireError, match=reason):
        wire.FrameReader().feed(data)


def test_a_reply_is_capped() -> None:
    reader = wire.FrameReader(max_size=1000)
    assert reader.feed(b"\x12" + (900).to_bytes(4, "big")) is None
    with pytest.raises(wire.WireError, match="larger than"):
        reader.feed(b"x" * 1100)


@pytest.mark.parametrize(
    "parts",
    [
        (b"j:{}",),
        (b"j:{}", b"s:1", b"s:2"),
        (b"{}", b"s:1"),
        (b"j:{}", b"1"),
        (b"j:{}", b"s:1"),
        (b"j:[]", b"s:1"),
        (b"j:{", b"s:1"),
        (b"j:\xff", b"s:1"),
        (b'j:{"args":[NaN]}', b"s:1"),
        (b'j:{"args":[' + b"9" * 5000 + b"]}", b"s:1"),
        (b"j:" + b"[" * 200000, b"s:1"),
    ],
)
def test_malformed_answers_are_wire_errors(parts: tuple[bytes, ...]) -> None:
    with pytest.raises(wire.WireError):
        wire.decode_reply(list(parts))


def test_a_refusal_keeps_its_request() -> None:
    with pytest.raises(wire.RefusalError, match="id unknown") as refusal:
        wire.decode_reply([b'j:{"error":"7 id unknown","stack":"x"}', b"s:q7"])
    assert refusal.value.request_id == "q7"


def test_an_answer_without_a_value() -> None:
    assert wire.decode_reply([b'j:{"args":[]}', b"s:a"]) == ("a", None)
