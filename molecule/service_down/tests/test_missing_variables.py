"""A site that does not say what a procedure needs: one sentence, and nothing is touched."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future

import pytest
from support.incidents import Seen, procedure, refused, touching_nothing
from support.playbooks import site_without

APPLICATION = ("titan_services", "titan_app_user", "titan_app_path", "titan_deploy_root")
# The playbook, its role, and what the site lacks; all together are told at once.
CASES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "api_down": ("api_down", "service_down", (*APPLICATION, "titan_pm2_home")),
    "api_down, its service": ("api_down", "service_down", ("titan_api_service",)),
    "voice_down": ("voice_down", "service_down", (*APPLICATION, "titan_pm2_home")),
    "voice_down, its service": ("voice_down", "service_down", ("titan_voice_service",)),
    "redis_down": ("redis_down", "redis_down", ("titan_app_user", "titan_deploy_root")),
    "mongodb_down": ("mongodb_down", "mongodb_down", ("titan_app_user", "titan_deploy_root")),
    "mongodb_down, its set": ("mongodb_down", "mongodb_down", ("titan_mongodb_replica_set",)),
    "high_cpu": ("high_cpu", "high_cpu", (*APPLICATION, "titan_pm2_home")),
    "high_memory": ("high_memory", "high_memory", ("titan_app_user", "titan_deploy_root")),
    "high_memory, PM2": ("high_memory", "high_memory", ("titan_pm2_home",)),
    "high_response_time": (
        "high_response_time",
        "high_response_time",
        (*APPLICATION, "titan_pm2_home"),
    ),
    "high_response_time, its service": (
        "high_response_time",
        "high_response_time",
        ("titan_api_service",),
    ),
    "scale_back": ("scale_back", "scale_back", (*APPLICATION, "titan_pm2_home")),
    # The services of this site are made of it.
    "api_down, a probe": ("api_down", "service_down", ("titan_public_probe",)),
    "high_cpu, a probe": ("high_cpu", "high_cpu", ("titan_public_probe",)),
    "triage": ("triage", "triage", ("titan_api_service",)),
    "triage, a probe": ("triage", "triage", ("titan_public_probe",)),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Seen]]]:
    folder = tmp_path_factory.mktemp("sites")
    # Triage runs the procedure; the others look at one host, as a person names it.
    alert = {"run": True, "alert": {"alertname": "ApiDown", "instance": "titan1"}}
    with touching_nothing() as pool:
        yield {
            case: pool.submit(
                procedure,
                playbook,
                role,
                inventory=site_without(folder / case, *names),
                titan_incidents_path=str(folder / "incidents.json"),
                **(alert if role == "triage" else {"hosts": "titan1"}),
            )
            for case, (playbook, role, names) in CASES.items()
        }


@pytest.mark.parametrize("case", CASES)
def test_what_the_site_lacks_is_named(case: str, runs: dict[str, Future[Seen]]) -> None:
    names = CASES[case][2]
    sentence = (
        f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} not defined for this host:"
        " describe the site in the inventory's group_vars (see inventories/README.md)."
        " Nothing was touched"
    )
    refused(runs[case], sentence)
    # What hides its arguments says nothing, and triage ends with what it could not run.
    said = filter(None, runs[case].result().run.failure.splitlines())
    assert {line.rstrip(".") for line in said} == {sentence}
