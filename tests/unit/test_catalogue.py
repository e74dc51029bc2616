"""The catalogue that triage ships: what it names is there, and its page says the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import runbook
import yaml
from procedures_page import ROOT, ladder, section

from ansible_collections.plugspace.titan.plugins.module_utils._record_list import STATES

ENTRIES: list[dict[str, Any]] = yaml.safe_load(
    (ROOT / "roles/triage/vars/main.yml").read_text(encoding="utf-8")
)["__triage_catalogue"]
RECORDS: dict[str, Any] = yaml.safe_load(
    (ROOT / "roles/records/vars/main.yml").read_text(encoding="utf-8")
)
RULES = ROOT / "molecule/shared/image/root/etc/prometheus/rules/titan.yml"
# No procedure for an incident: certificates and disks have procedures of their own kind.
ELSEWHERE = {"SSLCertificateExpiringSoon", "LowDiskSpace"}
# What a person has to name because the diagnosis wants it, and only then; the ladder asks always.
ASKED_BY_DIAGNOSIS = {"service_down": {"replace_pm2"}}


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
    about = section(entry["procedure"])
    for alert in entry["alerts"]:
        assert re.search(rf"\b{alert}\b", about.fact("Alerts")), alert
    assert about.fact("Severity").startswith(f": {entry['severity']}.")


@pytest.mark.parametrize("entry", ENTRIES, ids=[one["procedure"] for one in ENTRIES])
def test_an_entry_requires_what_its_playbook_does(entry: dict[str, Any]) -> None:
    assert entry["required"] == required(entry["playbook"])


@pytest.mark.parametrize("entry", ENTRIES, ids=[one["procedure"] for one in ENTRIES])
def test_an_entry_has_the_symptoms_of_the_runbook_and_the_page_has_them_all(
    entry: dict[str, Any],
) -> None:
    symptoms = {one.casefold() for one in entry["symptoms"]}
    assert {one.casefold() for one in runbook.SYMPTOMS[entry["procedure"]]} <= symptoms
    told = section(entry["procedure"]).fact("Symptoms").replace("`", "").casefold()
    assert symptoms <= {one.rpartition(": ")[2] for one in re.split(r"; |\. |\.$", told)}


def test_the_alerts_of_the_runbook_are_for_its_procedures() -> None:
    alerts = {entry["procedure"]: entry["alerts"] for entry in ENTRIES}
    assert {name for name, alert in runbook.ALERTS.items() if alert not in alerts[name]} == set()


@pytest.mark.parametrize("entry", ENTRIES, ids=[one["procedure"] for one in ENTRIES])
def test_what_a_person_has_to_name_is_told(entry: dict[str, Any]) -> None:
    role = entry["role"]
    asked = {rung["name"] for rung in ladder(role) if rung.get("destructive")}
    asked |= ASKED_BY_DIAGNOSIS.get(role, set())
    assert entry["destructive"] is bool(asked)
    assert set(re.findall(r"`(\w+)`", section(entry["procedure"]).fact("Destructive"))) == asked


def hosts(playbook: str) -> set[str]:
    """The group that a playbook, or the one that it imports, is for unless others are named."""
    text = (ROOT / "playbooks" / playbook).read_text(encoding="utf-8")
    imported = re.search(r"import_playbook: (\S+)", text)
    if imported:
        return hosts(imported[1])
    named = re.findall(r"_hosts \| default\('(\w+)'\)|common_group: (\w+)", text)
    return {group for one in named for group in one if group}


@pytest.mark.parametrize("entry", ENTRIES, ids=[one["procedure"] for one in ENTRIES])
def test_by_hand_a_procedure_is_for_the_hosts_that_triage_runs_it_on(entry: dict[str, Any]) -> None:
    assert hosts(entry["playbook"]) == {entry["group"]}


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
