"""The application of converge, from outside of the modules."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import testinfra
from support.hosts import ssh
from support.playbooks import INVENTORY
from testinfra.host import Host

FOLDER = "/home/plugspace/pm2-scenario"


@pytest.fixture(scope="module", autouse=True)
def _removed_afterwards() -> Iterator[None]:
    """The other scenarios find the host as it was."""
    yield
    ssh("titan1", f"PM2_HOME={FOLDER}/.pm2 pm2 -s kill; rm -rf {FOLDER}")


@pytest.fixture(scope="module")
def host() -> Host:
    return testinfra.get_host(f"ansible://titan1?ansible_inventory={INVENTORY}")


def test_two_workers_answer(host: Host) -> None:
    asked = "for i in 1 2 3 4 5 6; do curl -s http://127.0.0.1:4900/; echo; done | sort -u | wc -l"
    assert host.check_output(asked) == "2"


def test_the_saved_list_is_private_and_clean(host: Host) -> None:
    dump = host.file(f"{FOLDER}/.pm2/dump.pm2")
    assert dump.mode == 0o600
    saved = json.loads(dump.content_string)
    assert [one["NODE_APP_INSTANCE"] for one in saved] == [0, 1]
    names = {"PATH", "HOME", "USER", "LANG", "PM2_HOME", "PORT", "SEEN", "unique_id"}
    assert set(saved[0]["env"]) == names
    assert saved[0]["pm_cwd"] == FOLDER
