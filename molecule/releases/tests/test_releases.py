"""The list of releases: what is live, what one would go back to, and what is good for nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support import application
from support.playbooks import Run, play

HOST = "titan2"


def releases(**variables: str) -> Run:
    """The list of two hosts, of which the first one is looked at."""
    return play("releases", releases_hosts="titan2:titan3", **variables)


@pytest.fixture(scope="module")
def names() -> dict[str, str]:
    """One release of each kind on one host, by its tag."""
    assert play("deploy", deploy_hosts=HOST, deploy_ref="failing-health").code != 0
    application.kill_preparation(HOST, "v6")
    found = {ref: application.named(HOST, ref) for ref in ("v4", "v5", "v6", "failing-health")}
    assert all(found.values())
    return found


def shown(run: Run) -> str:
    assert (run.code, run.changed) == (0, 0), run.output
    return str(run.result("Show the releases", HOST)["msg"])


def test_the_table(names: dict[str, str]) -> None:
    before = application.trace(HOST)
    lines = shown(releases()).splitlines()
    assert lines[0].split() == ["host", "release", "state", "ref", "commit", "live", "since", "by"]
    rows = {line.split()[1]: line.split() for line in lines if line.split()[1] in names.values()}
    states = {ref: rows[name][2] for ref, name in names.items()}
    assert states == {
        "v4": "previous",
        "v5": "current",
        "v6": "incomplete",
        "failing-health": "failed",
    }
    for ref, name in names.items():
        assert rows[name][0] == HOST
        assert rows[name][3:5] == [ref, application.commits()[ref][:7]]
    # Newest first, and a reason for what cannot be used.
    assert list(rows) == sorted(names.values(), reverse=True)
    assert f"{HOST}: {names['v6']}: its preparation was not finished" in lines
    (reason,) = [line for line in lines if line.startswith(f"{HOST}: {names['failing-health']}: ")]
    assert "503" in reason
    assert application.trace(HOST) == before


def test_the_table_is_whole_on_the_terminal(names: dict[str, str]) -> None:
    output = releases().output
    for name in names.values():
        (line,) = [x for x in output.splitlines() if name in x and f"{name}:" not in x]
        assert HOST in line


def test_json(names: dict[str, str]) -> None:
    hosts: dict[str, dict[str, Any]] = json.loads(shown(releases(releases_format="json")))
    assert hosts[HOST]["current"]["name"] == names["v5"]
    assert hosts[HOST]["previous"]["name"] == names["v4"]
    about = {release["ref"]: release for release in hosts[HOST]["releases"]}
    assert {ref: (r["status"], r["complete"]) for ref, r in about.items()} == {
        "v4": ("active", True),
        "v5": ("active", True),
        "v6": ("preparing", False),
        "failing-health": ("failed", True),
    }


def test_a_host_without_a_release() -> None:
    run = play("releases", releases_hosts=HOST, titan_deploy_root=f"{application.HOME}/nothing")
    assert shown(run) == f"{HOST}: no release yet"


def test_a_host_that_does_not_answer_is_told(tmp_path: Path) -> None:
    further = tmp_path / "further.yml"
    # Nobody listens on the discard port.
    host = {"titan4": {"ansible_host": "127.0.0.1", "ansible_port": 9}}
    further.write_text(json.dumps({"titan_app": {"hosts": host}}), encoding="utf-8")
    run = play("releases", f"--inventory={further}", releases_hosts="titan2:titan3:titan4")
    lines = run.result("Show the releases", HOST)["msg"].splitlines()
    (silent,) = [line for line in lines if line.startswith("titan4: ")]
    assert "Connection refused" in silent
    assert any(line.startswith(f"{HOST} ") for line in lines), lines
    # The report is there, and the run says that it is not complete.
    assert run.code != 0
