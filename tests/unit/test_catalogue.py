"""The catalogue that triage ships: what it names is there, and its page says the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ENTRIES: list[dict[str, Any]] = yaml.safe_load(
    (ROOT / "roles/triage/vars/main.yml").read_text(encoding="utf-8")
)["__triage_catalogue"]
PAGE = (ROOT / "docs/procedures.md").read_text(encoding="utf-8")
RULES = ROOT / "molecule/shared/image/root/etc/prometheus/rules/titan.yml"
# No procedure for an incident: certificates and disks have procedures of their own kind.
ELSEWHERE = {"SSLCertificateExpiringSoon", "LowDiskSpace"}


def section(playbook: str) -> str:
    """The part of the page about a playbook."""
    (found,) = [part for part in PAGE.split("\n## ") if f"`playbooks/{playbook}`" in part[:200]]
    return found


def required(playbook: str) -> list[str]:
    """What a playbook, or the one that it imports, asks of the inventory."""
    plays = yaml.safe_load((ROOT / "playbooks" / playbook).read_text(encoding="utf-8"))
    if "ansible.builtin.import_playbook" in plays[0]:
        return required(plays[0]["ansible.builtin.import_playbook"])
    (found,) = [
        task["vars"]["common_required"] for play in plays for task in play.get("pre_tasks", ())
    ]
    return list(found)


@pytest.mark.parametrize("entry", ENTRIES, ids=[one["procedure"] for one in ENTRIES])
def test_what_an_entry_names_is_there(entry: dict[str, Any]) -> None:
    assert (ROOT / "playbooks" / entry["playbook"]).is_file()
    assert (ROOT / "roles" / entry["role"] / "tasks/main.yml").is_file()
    assert entry["severity"] in ("critical", "high", "medium", "low")
    assert entry["group"] in ("all", "titan_app", "titan_mongodb", "titan_redis")
    about = section(entry["playbook"])
    for alert in entry["alerts"]:
        assert re.search(rf"\b{alert}\b", about), alert
    assert f"Severity: {entry['severity']}." in about


@pytest.mark.parametrize("entry", ENTRIES, ids=[one["procedure"] for one in ENTRIES])
def test_an_entry_requires_what_its_playbook_does(entry: dict[str, Any]) -> None:
    # Triage itself names the service.
    wanted = [name for name in required(entry["playbook"]) if name != "service_down_service"]
    assert entry["required"] == wanted


def test_no_alert_is_for_two_procedures() -> None:
    alerts = [alert for entry in ENTRIES for alert in entry["alerts"]]
    assert len(alerts) == len(set(alerts))


def test_the_platforms_alerts_are_known() -> None:
    known = {alert for entry in ENTRIES for alert in entry["alerts"]}
    rules = set(re.findall(r"- alert: (\w+)", RULES.read_text(encoding="utf-8")))
    assert "HighCPUUsage" in rules
    assert rules - known == ELSEWHERE


def test_the_rungs_on_the_page_are_those_of_the_roles() -> None:
    files = {path.stem for path in ROOT.glob("roles/*/tasks/rung_*.yml")}
    lines = re.findall(r"[Rr]ungs? ((?:`\w+`(?:, | and )?)+)", PAGE)
    named = {rung for line in lines for rung in re.findall(r"`(\w+)`", line)}
    assert {"restart", "start_unit", "scale"} <= named
    assert {f"rung_{rung}" for rung in named} - files == set()
