"""The first deployment onto the runbook's plain checkout, in both strategies.

The tests follow each other: each begins with the checkout or the release that the one before left.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import pytest
from support import application
from support.application import PATH, ROOT_ON_HOST
from support.deployment import assert_live, look
from support.hosts import ssh
from support.playbooks import play
from support.single import HOST, deploy, plan

SHARED = f"{ROOT_ON_HOST}/shared"
KEY = f"ssh -i {application.HOME}/.ssh/deploy_key"
REPOSITORY = "ssh://git@titan1:2222/srv/git/plugspace.git"
UPLOADS = {"a.txt": "first", "albums/b.txt": "second"}
# The ecosystem file starts by the path, the other way by what PM2 finds in the current directory.
FROM_FILE = f"cd / && pm2 start -s {PATH}/ecosystem.config.cjs"
FROM_INSIDE = (
    f"cd {PATH} && pm2 start -s dist/api.js --name plugspace-api -i 2"
    " && pm2 start -s dist/voice.js --name plugspace-voice -i 1"
)


@functools.cache
def built() -> str:
    """A checkout of v1 beside all others, made as the runbook says, to be copied."""
    place = f"{application.HOME}/checkout"
    ssh(
        HOST,
        f"rm -rf {place} && GIT_SSH_COMMAND='{KEY}' git clone -q {REPOSITORY} {place}"
        f" && cd {place} && git checkout -q v1 && npm ci >/dev/null && npm run build >/dev/null",
        timeout=300,
    )
    return place


@pytest.fixture(scope="module", autouse=True)
def settings_return() -> Iterator[None]:
    """Whatever happens, the settings end up where the platform put them."""
    kept = f"{application.HOME}/.env.kept"
    ssh(HOST, f"cp -p {SHARED}/.env {kept}")
    yield
    application.reset(HOST)
    ssh(
        HOST,
        f"rm -rf {application.HOME}/checkout {SHARED}/uploads; mkdir -p {SHARED}"
        f" && mv {kept} {SHARED}/.env",
    )


def run_checkout(start: str) -> str:
    """Let the host be one that nobody has used the collection on; its settings."""
    place = built()
    application.reset(HOST)
    files = "; ".join(f"echo {text} > uploads/{name}" for name, text in UPLOADS.items())
    ssh(
        HOST,
        f"cp -a {place} {PATH} && mv {SHARED}/.env {PATH}/.env && rm -rf {ROOT_ON_HOST}"
        f" && cd {PATH} && mkdir -p uploads/albums && {files}"
        f" && npx prisma migrate deploy >/dev/null && {start} && pm2 save -s",
        timeout=120,
    )
    return ssh(HOST, f"cat {PATH}/.env")


def assert_kept(settings: str) -> None:
    """Settings and uploads are what they were, and the live release sees them."""
    assert ssh(HOST, f"cat {SHARED}/.env") == settings
    assert ssh(HOST, f"stat -c %a {SHARED}/.env").strip() == "600"
    assert ssh(HOST, f"readlink -f {PATH}/.env").strip() == f"{SHARED}/.env"
    for name, text in UPLOADS.items():
        assert ssh(HOST, f"cat {PATH}/uploads/{name}").strip() == text


def test_a_checkout_is_adopted_once() -> None:
    settings = run_checkout(FROM_FILE)
    with application.traffic(HOST) as traffic:
        run = deploy("v2")
    assert run.code == 0, run.output
    assert f"{PATH} is a plain Git checkout; it becomes the first release" in plan(run)
    assert traffic.failures == []
    assert {application.commits()["v1"], application.commits()["v2"]} == set(traffic.releases)
    assert_live("v2", HOST)
    assert_kept(settings)
    (adopted,) = [n for n, about in application.metadata(HOST).items() if about["adopted"]]
    assert application.metadata(HOST)[adopted]["commit"] == application.commits()["v1"]
    assert "titan1: now an unmanaged checkout" in plan(run)


def test_the_next_deployment_is_a_normal_one() -> None:
    settings = ssh(HOST, f"cat {SHARED}/.env")
    with application.traffic(HOST) as traffic:
        run = deploy("v3")
    assert run.code == 0, run.output
    assert "checkout" not in plan(run)
    assert traffic.failures == []
    assert_live("v3", HOST)
    assert_kept(settings)


def test_one_can_go_back_to_the_adopted_release() -> None:
    (adopted,) = [n for n, about in application.metadata(HOST).items() if about["adopted"]]
    variables = {"rollback_target": adopted, "rollback_confirm": adopted}
    with application.traffic(HOST) as traffic:
        run = play("rollback", rollback_hosts=HOST, **variables)
    assert run.code == 0, run.output
    assert traffic.failures == []
    assert application.current(HOST) == adopted
    assert application.health(HOST)["commit"] == application.commits()["v1"]


def test_in_place_a_checkout_stays_a_directory() -> None:
    settings = run_checkout(FROM_INSIDE)
    run = deploy("v2", deploy_strategy="in_place")
    assert run.code == 0, run.output
    assert_kept(settings)
    assert_live_in_place("v2")


def test_in_place_a_good_release_loses_nothing() -> None:
    with application.traffic(HOST) as traffic:
        run = deploy("v3", deploy_strategy="in_place")
    assert run.code == 0, run.output
    assert traffic.failures == []
    assert_live_in_place("v3")


def test_in_place_a_bad_release_goes_back_by_itself() -> None:
    with application.traffic(HOST) as traffic:
        run = deploy("crash-at-start", deploy_strategy="in_place")
    assert run.code != 0
    assert traffic.failures == []
    assert_live_in_place("v3")
    name = application.named(HOST, "v3")
    assert f"titan1 is back on release {name} (v3): every instance and the site" in run.failure
    bad = application.named(HOST, "crash-at-start")
    assert application.metadata(HOST)[bad]["status"] == "failed"
    again = deploy("v3", deploy_strategy="in_place")
    assert (again.code, again.changed) == (0, 0), again.output


def test_in_place_one_goes_back_by_hand() -> None:
    name = application.named(HOST, "v2")
    variables = {"rollback_strategy": "in_place", "rollback_confirm": name}
    with application.traffic(HOST) as traffic:
        run = play("rollback", rollback_hosts=HOST, **variables)
    assert run.code == 0, run.output
    assert traffic.failures == []
    assert_live_in_place("v2")


def test_the_strategy_may_change_to_releases() -> None:
    with application.traffic(HOST) as traffic:
        run = deploy("v4")
    assert run.code == 0, run.output
    assert traffic.failures == []
    assert_live("v4", HOST)
    assert ssh(HOST, f"git -C {PATH} status --porcelain --untracked-files=no") == ""


def assert_live_in_place(ref: str) -> None:
    """The path is a directory with a working checkout of this tag, and everything runs there."""
    about = ssh(HOST, f"stat -c %F {PATH}; cd {PATH}; git rev-parse HEAD; git status -s -uno")
    assert about.splitlines() == ["directory", application.commits()[ref]]
    state = look(HOST)[HOST]
    assert state["releases"][application.named(HOST, ref)]["status"] == "active"
    assert [(one["status"], one["cwd"]) for one in state["instances"]] == [("online", PATH)] * 3
    for report in state["health"].values():
        assert (report["status"], report["commit"]) == ("ok", application.commits()[ref])
    assert state["strays"] == []
    assert not state["locked"]
