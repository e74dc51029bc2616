"""The catalogue that triage ships: what it names is there, and its page says the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.plugspace.titan.plugins.module_utils._record_list import STATES

ROOT = Path(__file__).resolve().parents[2]
ENTRIES: list[dict[str, Any]] = yaml.safe_load(
    (ROOT / "roles/triage/vars/main.yml").read_text(encoding="utf-8")
)["__triage_catalogue"]
RECORDS: dict[str, Any] = yaml.safe_load(
    (ROOT / "roles/records/vars/main.yml").read_text(encoding="utf-8")
)
PAGE = (ROOT / "docs/procedures.md").read_text(encoding="utf-8")
RULES = ROOT / "molecule/shared/image/root/etc/prometheus/rules/titan.yml"
# No procedure for an incident: certificates and disks have procedures of their own kind.
ELSEWHERE = {"SSLCertificateExpiringSoon", "LowDiskSpace"}


def section(playbook: str) -> str:
    """The part of the page about a playbook."""
    (found,) = [part for part in PAGE.split("\n## ") if f"`playbooks/{playbook}`" in part[:200]]
    return found


def required(playbook: str, service: str = "service_down_service") -> list[str]:
    """What a playbook, or the one that it imports, asks of the inventory."""
    plays = yaml.safe_load((ROOT / "playbooks" / playbook).read_text(encoding="utf-8"))
    if "ansible.builtin.import_playbook" in plays[0]:
        service = plays[0]["vars"]["titan_service_variable"]
        return required(plays[0]["ansible.builtin.import_playbook"], service)
    (found,) = [
        task["vars"]["common_required"] for play in plays for task in play.get("pre_tasks", ())
    ]
    return [service if "titan_service_variable" in name else name for name in found]


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
    assert entry["required"] == required(entry["playbook"])


def leaves_records(playbook: Path) -> bool:
    """Whether a playbook, or the one that it imports, names a procedure."""
    plays = yaml.safe_load(playbook.read_text(encoding="utf-8"))
    imported = plays[0].get("ansible.builtin.import_playbook")
    if imported:
        return leaves_records(playbook.with_name(imported))
    return any("titan_procedure" in play.get("vars", {}) for play in plays)


def test_the_list_of_records_knows_every_procedure_and_outcome() -> None:
    playbooks = {one.stem for one in (ROOT / "playbooks").glob("*.yml") if leaves_records(one)}
    assert set(RECORDS["__records_procedures"]) == playbooks
    services = {one["procedure"]: one["service"] for one in ENTRIES if "service" in one}
    assert RECORDS["__records_services"] == services
    assert RECORDS["__records_outcomes"] == list(STATES)


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
