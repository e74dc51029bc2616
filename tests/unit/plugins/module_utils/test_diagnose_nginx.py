# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service that answers itself, and not through nginx."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_service import (
    diagnose_service,
)

from .service_samples import told, well


def through_nginx(reason: str, ok: bool | None = True, active: str = "active") -> dict[str, Any]:
    seen = well()
    seen["site"] = {"ok": False, "reason": reason}
    output = 'nginx: [emerg] unknown directive "x" in /etc/nginx/nginx.conf:3\nnginx: failed\n'
    seen["nginx"] = {"unit": "nginx", "ok": ok, "output": "" if ok else output}
    seen["host"]["units"][0]["active"] = active
    return seen


NGINX = [
    (through_nginx("refused", active="inactive"), ("nginx_stopped", "start_unit", "nginx")),
    (through_nginx("refused", ok=False, active="failed"), ("nginx_configuration", "", "")),
    (through_nginx("GET https://x shows a bad certificate: expired"), ("certificate", "", "")),
    (through_nginx("GET https://x speaks no TLS: WRONG_VERSION_NUMBER"), ("certificate", "", "")),
    (through_nginx("answered 502"), ("nginx_stale", "reload_unit", "nginx")),
    # Nobody said where nginx is.
    ({**through_nginx("answered 502"), "edge": []}, ("nginx_stale", "reload_unit", "nginx")),
    (through_nginx("answered 502", ok=None), ("nginx_stale", "", "")),
]


@pytest.mark.parametrize(("seen", "finding"), NGINX)
def test_nginx_is_blamed_where_the_service_answers_itself(
    seen: dict[str, Any], finding: tuple[str, str, str]
) -> None:
    assert told(seen) == [finding]
    (found,) = diagnose_service(seen)
    assert bool(found["rung"]) is not bool(found["advice"])


def test_a_service_that_may_open_few_connections_more_is_the_cause_and_not_nginx() -> None:
    seen = through_nginx("WebSocket wss://x gave no answer within 2 s")
    seen["host"]["processes"]["kept"][0].update(open_files=40, open_files_limit=40)
    assert told(seen) == [("too_many_open_files", "restart_instances", "0")]
    # Whoever is served all the same is well.
    assert told({**seen, "site": {"ok": True}}) == []


@pytest.mark.parametrize(
    ("edge", "load", "where"),
    [
        (["edge1", "edge2"], "loaded", "look on edge1, edge2 (titan_edge) whether nginx runs"),
        (["edge1"], "not-found", "look on edge1 (titan_edge) whether nginx runs"),
        (["app1", "edge1"], "not-found", "look on edge1 (titan_edge) whether nginx runs"),
        (["app1"], "not-found", "look where it runs (titan_edge) whether nginx runs"),
        ([], "not-found", "look where it runs (titan_edge) whether nginx runs"),
    ],
)
@pytest.mark.parametrize("ok", [None, False])
def test_nginx_on_another_host_is_looked_for_there(
    edge: list[str], load: str, where: str, ok: bool | None
) -> None:
    seen = through_nginx("answered 502", ok=ok, active="inactive")
    seen["edge"] = edge
    seen["host"]["units"][0]["load"] = load
    (found,) = diagnose_service(seen)
    assert (found["cause"], found["rung"], found["target"]) == ("nginx_elsewhere", "", "")
    assert found["evidence"].endswith("answered 502; nginx does not run on this host")
    assert found["advice"].startswith(where)


def test_nginx_on_another_host_is_not_blamed_for_its_certificate_or_what_the_service_needs() -> (
    None
):
    seen = {**through_nginx("shows a bad certificate: expired"), "edge": ["edge1"]}
    assert told(seen) == [("certificate", "", "")]
    seen = {**through_nginx("answered 502"), "edge": ["edge1"]}
    seen["redis"] = {"state": "busy"}
    assert told(seen) == [("redis_down", "", "")]


def test_nginx_that_somebody_masked_is_for_a_person() -> None:
    seen = through_nginx("refused", active="inactive")
    seen["host"]["units"][0]["load"] = "masked"
    (found,) = diagnose_service(seen)
    assert (found["cause"], found["rung"], found["target"]) == ("nginx_stopped", "", "")
    assert found["evidence"].endswith("nginx is masked")
    assert "systemctl unmask --now nginx" in found["advice"]


def test_a_site_that_nobody_looked_at_is_not_well() -> None:
    seen = {**well(), "site": {"unseen": "the host that probes gave no answer"}}
    (found,) = diagnose_service(seen)
    assert (found["cause"], found["rung"]) == ("site_unseen", "")
    assert "the host that probes gave no answer" in found["evidence"]


def test_nginx_is_not_blamed_for_what_the_service_needs() -> None:
    seen = through_nginx("GET https://x gave no answer within 2 s")
    seen["mongodb"] = {"state": "refused", "error": "mongod refuses connections"}
    assert told(seen) == [("mongodb_down", "", "")]


WARNING = 'nginx: [warn] conflicting server name "x" on 0.0.0.0:80, ignored'
EMERGENCY = 'nginx: [emerg] unknown directive "x" in /etc/nginx/nginx.conf:3'
ALERT = "nginx: [alert] could not open error log file"


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        (f"{WARNING}\n{EMERGENCY}\nnginx: failed\n", EMERGENCY),
        (f"{WARNING}\n{ALERT}\n{EMERGENCY}\n", ALERT),
        ("\nnginx: not found\nnginx: failed\n", "nginx: not found"),
        ("", "its configuration test fails"),
    ],
)
def test_the_worst_line_of_nginx_is_shown(output: str, shown: str) -> None:
    seen = through_nginx("refused", ok=False)
    seen["nginx"]["output"] = output
    assert diagnose_service(seen)[0]["evidence"].endswith(f": {shown}")
