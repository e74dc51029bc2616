# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs as nginx 1.22 writes them, and what is told of them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import started_module
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.plugspace.titan.plugins.module_utils import _access_log
from ansible_collections.plugspace.titan.plugins.modules import access_log_info

NOW = 1795508981


def line(path: str = "/api/health", status: int = 200, took: str = "0.100", at: float = NOW) -> str:
    told = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(at))
    return (
        f'172.29.77.1 - - [{told}] "GET {path} HTTP/1.1" {status} 10 "-" "curl/7.88.1"'
        f" time={at}.340 took={took} upstream=127.0.0.1:4000 upstream_status={status}"
        f" upstream_took={took}\n"
    )


def told(tmp_path: Path, text: str, **options: Any) -> dict[str, Any]:
    log = tmp_path / "access.log"
    log.write_text(text)
    return started_module.result(
        access_log_info, path=str(log), **{"since": 0, "tail_bytes": 0, **options}
    )


def test_the_route_that_costs_the_most_comes_first(tmp_path: Path) -> None:
    quick = line("/api/users/17?page=2") * 60 + line("/api/users/99/") * 1
    slow = line("/api/search?q=someone%40example.org", took="2.000") * 5
    found = told(tmp_path, quick + slow + line("/voice", 502, "0.001"))
    assert [row["route"] for row in found["routes"]] == [
        "/api/search",
        "/api/users/:id",
        "/api/users/:id/",
        "/voice",
    ]
    search, users, _slash, voice = found["routes"]
    assert (search["count"], users["count"]) == (5, 60)
    assert search["p95_ms"] == pytest.approx(2000, rel=0.05)
    assert users["p50_ms"] == pytest.approx(100, rel=0.05)
    assert (voice["statuses"], voice["gateway_errors"]) == ({"5xx": 1}, 1)
    assert (found["lines"], found["strange_lines"], found["lines_without_time"]) == (67, 0, 0)
    assert found["all"]["count"] == 67


def test_the_age_of_the_last_error_of_an_upstream_is_told(tmp_path: Path) -> None:
    now = time.time()
    errors = line("/", 504, at=now - 300) + line("/", 502, at=now - 70)
    text = errors + line("/", 500, at=now - 9) + line(at=now)
    assert told(tmp_path, text)["last_gateway_error_s"] == pytest.approx(70, abs=20)
    assert told(tmp_path, line())["last_gateway_error_s"] is None
    assert told(tmp_path, line("/", 502, at=now + 900))["last_gateway_error_s"] == 0


def test_percentiles_are_those_of_the_requests(tmp_path: Path) -> None:
    text = "".join(line(took=f"{number / 1000:.3f}") for number in range(1, 1001))
    row = told(tmp_path, text)["all"]
    assert row["p50_ms"] == pytest.approx(500, rel=0.06)
    assert row["p95_ms"] == pytest.approx(950, rel=0.06)
    assert row["p99_ms"] == pytest.approx(990, rel=0.06)
    quickest = told(tmp_path, line(took="0.000"))["all"]
    assert quickest["p99_ms"] == 1.0
    longest = told(tmp_path, line(took="86400.000"))["all"]
    assert longest["p50_ms"] == pytest.approx(86_400_000, rel=0.06)


def test_a_log_without_times_tells_statuses(tmp_path: Path) -> None:
    combined = line().split(" time=")[0] + "\n"
    found = told(tmp_path, combined * 3 + line(took="-"))
    assert found["lines_without_time"] == 4
    assert found["all"]["statuses"] == {"2xx": 4}
    assert found["all"]["p95_ms"] == 0.0


def test_a_websocket_is_not_slow_because_it_stays_open(tmp_path: Path) -> None:
    found = told(tmp_path, line("/voice", 101, "3600.000") * 40 + line())
    assert found["all"]["count"] == 41
    assert found["all"]["p95_ms"] == pytest.approx(100, rel=0.05)
    assert found["lines_without_time"] == 0


def test_what_is_no_request_is_counted(tmp_path: Path) -> None:
    text = 'nonsense\n172.29.77.1 - - [x] "\\x16\\x03" 400 10 "-" "-" took=0.1\n' + line()
    found = told(tmp_path, text)
    assert (found["lines"], found["strange_lines"]) == (3, 2)


def test_a_last_line_that_is_being_written_counts(tmp_path: Path) -> None:
    assert told(tmp_path, line() + line().rstrip())["lines"] == 2
    assert told(tmp_path, "")["lines"] == 0


def test_only_the_end_is_read(tmp_path: Path) -> None:
    one = line()
    found = told(tmp_path, one * 100, tail_bytes=len(one) * 10 + 5)
    assert found["lines"] == 10
    assert found["bytes"] == len(one) * 10 + 5


@pytest.mark.parametrize("minutes", [0, 1, 30, 59, 60])
def test_only_what_is_new_is_read(
    minutes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # More than a few blocks, so that halves are looked at.
    monkeypatch.setattr(_access_log, "_BLOCK", 4096)
    text = "".join(line(at=NOW - 3600 + second) for second in range(3600))
    log = tmp_path / "access.log"
    log.write_text(text)
    found = _access_log.read(str(log), 0, NOW - minutes * 60, 3, "took=")
    assert found["lines"] == minutes * 60


def test_seconds_back_are_those_of_the_clock(tmp_path: Path) -> None:
    text = line(at=time.time() - 4000) + line(at=time.time() - 10)
    assert told(tmp_path, text, since=3600)["lines"] == 1
    assert told(tmp_path, text, since=0)["lines"] == 2


def test_the_zone_of_a_log_is_read() -> None:
    ours = b'1.2.3.4 - - [24/Nov/2026:08:29:41 +0000] "GET / HTTP/1.1"'
    assert _access_log.time_of(ours) == NOW
    assert _access_log.time_of(ours.replace(b"08:29:41 +0000", b"10:59:41 +0230")) == NOW
    assert _access_log.time_of(ours.replace(b"08:29:41 +0000", b"03:29:41 -0500")) == NOW
    assert _access_log.time_of(ours.replace(b"Nov", b"XXX")) is None
    assert _access_log.time_of(ours.replace(b"24/Nov", b"31/Nov")) is None
    assert _access_log.time_of(b"nothing") is None


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", "/"),
        ("/api/rooms/4711/messages?page=2", "/api/rooms/:id/messages"),
        ("/u/550e8400-e29b-41d4-a716-446655440000", "/u/:id"),
        ("/reset/0123456789abcdef0123", "/reset/:id"),
        ("/files/" + "x" * 40, "/files/:id"),
        ("/v2/status", "/v2/status"),
    ],
)
def test_a_route_is_a_path_without_what_changes(path: str, route: str) -> None:
    assert _access_log.route_of(path.encode()).decode() == route


def test_memory_does_not_grow_with_routes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_access_log, "MAX_ROUTES", 3)
    monkeypatch.setattr(_access_log, "_MAX_CACHED", 2)
    letters = "abcdefgh"
    text = "".join(line(f"/{one}", took=f"0.{n}00") for n, one in enumerate(letters))
    log = tmp_path / "access.log"
    log.write_text(text)
    found = _access_log.read(str(log), 0, 0, 10, "took=")
    counts = {row["route"]: row["count"] for row in found["routes"]}
    assert counts == {"/a": 1, "/b": 1, "/c": 1, "(other)": 5}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"path": "/nowhere/access.log"}, "/nowhere/access.log cannot be read: No such file"),
        ({"since": -1}, "since is -1; it has to be 0 or more"),
        ({"tail_bytes": -1}, "tail_bytes is -1; it has to be 0 or more"),
        ({"top": 0}, "top is 0; it has to be 1 or more"),
        ({"time_marker": ""}, "time_marker is empty"),
    ],
)
def test_wrong_options(options: dict[str, Any], sentence: str) -> None:
    result = started_module.result(access_log_info, **options)
    assert result["msg"].startswith(sentence), result


@given(st.lists(st.binary()))
def test_no_line_breaks_it(lines: list[bytes]) -> None:
    reader = _access_log.Reader("took=")
    reader.count(lines)
    assert reader.report(3)["lines"] == len(lines)
