# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a deployment, on real Git repositories and directories."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from release_site import SECRET, Site
from started_module import started

from ansible_collections.plugspace.titan.plugins.module_utils._release import ReleaseError
from ansible_collections.plugspace.titan.plugins.modules import release

RUN = {"id": "ctl:1:1", "controller": "ctl", "host": "bastion", "user": "alice", "alive": []}
FIRST, SECOND, THIRD = (f"20260101T00000{n}Z-aaaaaaa" for n in (1, 2, 3))


@pytest.fixture(params=["releases", "in_place"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    site = Site(tmp_path, request.param)
    site.commit("v1")
    return site


@pytest.fixture
def linked(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    site.commit("v1")
    return site


def three_releases(site: Site) -> None:
    site.deploy("v1", FIRST)
    for version, name in (("v2", SECOND), ("v3", THIRD)):
        site.commit(version)
        site.deploy(version, name)


def current_and_previous(site: Site) -> tuple[str, str]:
    info = site.info()
    return info["current"].get("name", ""), info["previous"].get("name", "")


def switch(site: Site, name: str) -> None:
    site.act("current", name)
    site.act("confirmed", name)


def test_a_host_that_has_nothing_gets_its_first_release(site: Site) -> None:
    name = site.deploy("v1")
    assert site.live_version == "v1"
    info = site.info("v1")
    assert info["live"] == ("link" if site.strategy == "releases" else "directory")
    assert info["current"]["name"] == name
    assert info["current"]["status"] == "active"
    assert info["current"]["complete"], info["current"]
    assert info["plan"]["change"] is False
    assert site.git("log", "-1", "--format=%s", at=site.path) == "Release v1"
    assert site.git("status", "--porcelain", at=site.path) == ""


def test_a_second_call_changes_nothing(site: Site) -> None:
    name = site.deploy("v1")
    commit = site.git("rev-parse", "HEAD")
    for state in ("prepared", "current", "confirmed", "pruned"):
        assert site.act(state, name, commit=commit)["changed"] is False, state
        assert site.check(state, name, commit=commit)["changed"] is False, state
    assert site.npm_calls == ["ci", "run build"]


def test_check_mode_touches_nothing(site: Site) -> None:
    commit = site.git("rev-parse", "HEAD")
    before = site.files()
    planned = site.check("prepared", FIRST, commit=commit)
    assert planned["changed"] is True
    assert planned["release"]["directory"].endswith(f"/releases/{FIRST}")
    assert site.check("current", FIRST)["changed"] is True
    assert site.check("confirmed", FIRST)["changed"] is True
    assert site.check("failed", FIRST)["changed"] is True
    assert site.files() == before
    site.deploy("v1", FIRST)
    commit = site.commit("v2")
    before = site.files()
    site.check("prepared", SECOND, commit=commit)
    site.check("current", SECOND)
    site.info("v2")
    assert site.files() == before


def test_rollback_goes_where_it_was_asked_to(site: Site) -> None:
    three_releases(site)
    assert current_and_previous(site) == (THIRD, SECOND)
    switch(site, FIRST)
    assert (current_and_previous(site), site.live_version) == ((FIRST, THIRD), "v1")
    switch(site, THIRD)
    assert (current_and_previous(site), site.live_version) == ((THIRD, FIRST), "v3")
    switch(site, current_and_previous(site)[1])
    assert (current_and_previous(site), site.live_version) == ((FIRST, THIRD), "v1")


def test_current_is_what_is_live_and_not_the_newest(linked: Site) -> None:
    """Pitfall 3: after a step back the newest directory is not the current release."""
    three_releases(linked)
    switch(linked, FIRST)
    removed = linked.act("pruned", keep=1, keep_failed=0)["removed"]
    assert removed == [SECOND]
    assert linked.live_version == "v1"
    assert current_and_previous(linked) == (FIRST, THIRD)


def test_old_releases_go_and_the_way_back_stays(site: Site) -> None:
    """Pitfall 8."""
    three_releases(site)
    names = [r["name"] for r in site.info()["releases"]]
    assert names == [THIRD, SECOND, FIRST]
    result = site.act("pruned", keep=2)
    assert result["removed"] == [FIRST]
    assert not (site.root / "repository.git" / "worktrees" / FIRST).exists()
    assert site.act("pruned", keep=0)["removed"] == []


def test_a_failed_release_is_marked_and_left(site: Site) -> None:
    site.deploy("v1", FIRST)
    commit = site.commit("v2")
    site.act("prepared", SECOND, commit=commit, run=RUN)
    site.act("current", SECOND, run=RUN)
    assert site.live_version == "v2"
    result = site.act("failed", SECOND, reason="health answered 503", run=RUN)
    assert site.live_version == "v1"
    assert result["release"]["name"] == FIRST
    assert result["marked"]["status"] == "failed"
    assert result["marked"]["reason"] == "health answered 503"
    assert result["lock"]["held"]
    assert site.info()["previous"] == {}
    with pytest.raises(ReleaseError, match="marked as failed: health answered 503"):
        site.act("current", SECOND, run=RUN)
    with pytest.raises(ReleaseError, match="marked as failed"):
        site.act("prepared", SECOND, commit=commit, run=RUN)
    plan = site.info("v2")["plan"]
    assert plan["change"]
    assert plan["name"] != SECOND


def test_without_a_release_before_nothing_is_live_again(site: Site) -> None:
    site.act("prepared", FIRST, commit=site.git("rev-parse", "HEAD"))
    site.act("current", FIRST)
    result = site.act("failed", FIRST, reason="down")
    assert result["release"] == {}
    assert not os.path.lexists(site.path)
    assert site.info()["releases"][0]["status"] == "failed"


def test_an_unconfirmed_release_is_taken_up_again(site: Site) -> None:
    site.deploy("v1", FIRST)
    commit = site.commit("v2")
    site.act("prepared", SECOND, commit=commit)
    site.act("current", SECOND)
    plan = site.info("v2")["plan"]
    assert (plan["change"], plan["name"]) == (True, SECOND)
    # Deploying something else instead goes back to what was verified, not to the unproven one.
    site.commit("v3")
    site.deploy("v3", THIRD)
    assert current_and_previous(site) == (THIRD, FIRST)
    assert [r["status"] for r in site.info()["releases"]] == ["active", "prepared", "active"]


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        ("rm -r node_modules/dep", "node_modules/dep is missing"),
        ("rm node_modules/dep/lib/index.js", "files are missing in node_modules"),
        ("rm version", "version differs from its commit"),
        ("echo x > version", "version differs from its commit"),
        ("rm -r dist", "dist/app.js is missing"),
        ("truncate -s 0 dist/app.js", "dist/app.js is not as it was built"),
        ("printf 'vX\\n' > dist/app.js", "dist/app.js is not as it was built"),
        ("rm .git", "its .git is missing"),
        ('d="$PWD" && cd / && rm -r "$d"', "its directory is missing"),
    ],
)
def test_a_damaged_release_is_no_target(linked: Site, break_it: str, reason: str) -> None:
    linked.deploy("v1", FIRST)
    linked.commit("v2")
    linked.deploy("v2", SECOND)
    subprocess.run(["sh", "-c", break_it], cwd=linked.root / "releases" / FIRST, check=True)
    with pytest.raises(ReleaseError, match=f"not complete.*{reason}"):
        linked.act("current", FIRST)
    assert linked.live_version == "v2"


def test_damage_is_listed(linked: Site) -> None:
    three_releases(linked)
    shutil.rmtree(linked.root / "releases" / SECOND / "dist")
    (linked.root / "metadata" / f"{FIRST}.json").write_text("{")
    listed = {r["name"]: (r["complete"], r["reason"]) for r in linked.info()["releases"]}
    assert listed == {
        THIRD: (True, ""),
        SECOND: (False, "dist/app.js is missing"),
        FIRST: (False, "its metadata is damaged"),
    }
    assert linked.info()["previous"] == {}


@pytest.mark.parametrize("checkout", [False, True])
def test_shared_paths_survive_every_release(site: Site, checkout: bool) -> None:
    """Pitfall 7."""
    if checkout:
        site.plain_checkout()
    else:
        shared = site.root / "shared"
        (shared / "uploads").mkdir(parents=True)
        (shared / ".env").write_text(f"PASSWORD={SECRET}\n")
        (shared / "uploads" / "cat.png").write_text("cat")
    for number in (2, 3, 4):
        site.commit(f"v{number}")
        site.deploy(f"v{number}")
        assert SECRET in (site.path / ".env").read_text()
        assert (site.path / "uploads" / "cat.png").read_text() == "cat"
        assert (site.root / "shared" / ".env").is_file()
        assert not (site.root / "shared" / ".env").is_symlink()
    (site.path / "uploads" / "dog.png").write_text("dog")
    switch(site, current_and_previous(site)[1])
    assert (site.path / "uploads" / "dog.png").read_text() == "dog"


def test_an_adopted_checkout_is_a_release_like_others(site: Site) -> None:
    site.plain_checkout()
    (site.path / "version").write_text("patched by hand\n")
    site.commit("v2")
    plan = site.info("v2")["plan"]
    assert not plan["problems"]
    assert any("plain Git checkout" in warning for warning in plan["warnings"])
    before = (site.path / ".env").stat().st_ino
    seen = {p: p.lstat().st_mtime_ns for p in site.path.rglob("*") if ".git" not in p.parts}
    site.act("prepared", SECOND, commit=plan["commit"])
    # Preparing leaves the checkout alone.
    assert seen == {p: p.lstat().st_mtime_ns for p in site.path.rglob("*") if ".git" not in p.parts}
    assert (site.root / "releases" / SECOND / "uploads" / "cat.png").read_text() == "cat"
    result = site.act("current", SECOND)
    adopted = result["adopted"]
    assert any("local change(s), which were kept: version" in note for note in result["notes"])
    assert (site.root / "shared" / ".env").stat().st_ino == before
    site.act("confirmed", SECOND)
    info = site.info()
    assert info["previous"]["name"] == adopted
    assert info["previous"]["adopted"]
    assert info["previous"]["local_changes"] == [" M version"]
    switch(site, adopted)
    assert (site.path / "version").read_text() == "patched by hand\n"
    assert current_and_previous(site) == (adopted, SECOND)
    switch(site, SECOND)
    assert site.live_version == "v2"
    assert site.act("current", SECOND)["changed"] is False


def test_what_cannot_be_adopted_is_told_before(linked: Site) -> None:
    linked.plain_checkout()
    shared = linked.root / "shared"
    shared.mkdir(parents=True)
    (shared / ".env").write_text("PASSWORD=another-one\n")
    commit = linked.git("rev-parse", "HEAD")
    assert any("both exist and differ" in p for p in linked.info("v1")["plan"]["problems"])
    linked.act("prepared", FIRST, commit=commit)
    with pytest.raises(ReleaseError, match="both exist and differ"):
        linked.act("current", FIRST)
    assert SECRET in (linked.path / ".env").read_text()
    assert (shared / ".env").read_text() == "PASSWORD=another-one\n"


@pytest.mark.parametrize("strategies", [("releases", "in_place"), ("in_place", "releases")])
def test_the_strategy_can_be_changed(tmp_path: Path, strategies: tuple[str, str]) -> None:
    site = Site(tmp_path, strategies[0])
    site.commit("v1")
    site.deploy("v1", FIRST)
    site.strategy = strategies[1]
    site.commit("v2")
    site.deploy("v2", SECOND)
    assert site.path.is_symlink() is (strategies[1] == "releases")
    assert (current_and_previous(site), site.live_version) == ((SECOND, FIRST), "v2")
    switch(site, FIRST)
    assert (current_and_previous(site), site.live_version) == ((FIRST, SECOND), "v1")


def test_dependencies_are_reused_without_copying(linked: Site) -> None:
    linked.deploy("v1", FIRST)
    commit = linked.commit("v2")
    result = linked.act("prepared", SECOND, commit=commit)
    assert result["dependencies"] == f"reused from {FIRST}"
    assert linked.npm_calls == ["ci", "run build", "run build"]
    old, new = (linked.root / "releases" / name / "node_modules" for name in (FIRST, SECOND))
    shared = new / "dep" / "lib" / "index.js"
    assert shared.stat().st_ino == (old / "dep" / "lib" / "index.js").stat().st_ino
    assert shared.stat().st_mode & 0o222 == 0
    assert (new / ".cache" / "state").stat().st_ino != (old / ".cache" / "state").stat().st_ino
    assert (new / ".bin" / "dep").read_text() == "one\n"


def lock_file(version: str, dep: str) -> str:
    """A lock file of npm 7 and later."""
    packages = {"": {"version": version}, "node_modules/dep": {"version": dep}}
    return json.dumps({"version": version, "lockfileVersion": 3, "packages": packages})


def test_the_projects_own_version_is_no_dependency(linked: Site) -> None:
    results = []
    locks = (("1", "1"), ("2", "1"), ("2", "2"))
    for name, versions in zip((FIRST, SECOND, THIRD), locks, strict=True):
        commit = linked.commit(name, **{"package-lock.json": lock_file(*versions)})
        results.append(linked.act("prepared", name, commit=commit)["dependencies"])
    assert results == ["installed", f"reused from {FIRST}", "installed"]


@pytest.mark.parametrize(
    "files",
    [
        {"package-lock.json": "{ }"},
        {"package.json": '{"dependencies": {"dep": "2"}}'},
        {".npmrc": "x=y"},
        {"part/package.json": '{"dependencies": {"dep": "2"}}'},
    ],
)
def test_other_dependencies_are_installed(linked: Site, files: dict[str, str]) -> None:
    linked.deploy("v1", FIRST)
    commit = linked.commit("v2", **files)
    assert linked.act("prepared", SECOND, commit=commit)["dependencies"] == "installed"


def test_what_a_build_adds_to_the_packages_is_its_own(linked: Site) -> None:
    script = "mkdir -p dist node_modules/dep/gen\ncp version dist/app.js\n"
    script += "cp version node_modules/dep/gen/out.js"
    linked.commit("v2", **{"build.sh": script})
    linked.deploy("v2", FIRST)
    linked.commit("v3")
    linked.deploy("v3", SECOND)
    outputs = [
        linked.root / "releases" / n / "node_modules/dep/gen/out.js" for n in (FIRST, SECOND)
    ]
    assert [place.read_text() for place in outputs] == ["v2\n", "v3\n"]
    linked.commit("v4")
    linked.deploy("v4", THIRD)
    assert [place.read_text() for place in outputs] == ["v2\n", "v3\n"]


def test_the_projects_own_install_scripts_run_on_reused_packages(linked: Site) -> None:
    package = '{"scripts": {"postinstall": "x"}}'
    linked.commit("v2", **{"package.json": package, "postinstall.sh": "cp version generated"})
    linked.deploy("v2", FIRST)
    commit = linked.commit("v3")
    linked.act("prepared", SECOND, commit=commit)
    assert linked.npm_calls[2:] == ["run postinstall", "run build"]
    assert (linked.root / "releases" / SECOND / "generated").read_text() == "v3\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user, for whom modes count")
def test_a_build_that_writes_into_shared_packages_fails_and_hurts_nobody(linked: Site) -> None:
    linked.deploy("v1", FIRST)
    script = (
        "setpriv --reuid=65534 --clear-groups sh -c 'echo bad > node_modules/dep/lib/index.js'"
        " || { echo 'EACCES: permission denied, node_modules/dep/lib/index.js'; exit 3; }"
    )
    commit = linked.commit("v2", **{"build.sh": script})
    with pytest.raises(ReleaseError, match="dependency_private_paths") as caught:
        linked.act("prepared", SECOND, commit=commit)
    assert caught.value.cause == "build"
    assert (linked.path / "node_modules/dep/lib/index.js").read_text() == "one\n"


def test_a_failing_build_leaves_nothing(site: Site) -> None:
    site.deploy("v1", FIRST)
    (site.root / "shared" / ".env").write_text(f"PASSWORD={SECRET}\n")
    script = f"echo 'Error: cannot reach db:{SECRET}@host'; sleep 60 & exit 7"
    commit = site.commit("v2", **{"build.sh": script})
    before = site.info()
    with pytest.raises(
        ReleaseError, match=r"build failed: npm run build ended with code 7"
    ) as caught:
        site.act("prepared", SECOND, commit=commit)
    assert caught.value.cause == "build"
    assert caught.value.logs == ["Error: cannot reach db:********@host"]
    assert SECRET not in str(caught.value)
    after = site.info()
    assert after == before
    assert os.listdir(site.root / "releases") == ([FIRST] if site.strategy == "releases" else [])
    assert not (site.root / "lock.json").exists()


@pytest.mark.parametrize(
    ("files", "options", "cause", "message"),
    [
        ({"package-lock.json": "unsatisfiable"}, {}, "install", "does not fit package.json"),
        ({"build.sh": "sleep 30"}, {"build_timeout": 0.5}, "build", "did not end within 0.5 s"),
        ({}, {"build_command": ["no-such-command"]}, "build", "was not found on PATH"),
    ],
)
def test_a_failure_names_its_step(
    linked: Site, files: dict[str, str], options: dict[str, object], cause: str, message: str
) -> None:
    commit = linked.commit("v2", **files)
    with pytest.raises(ReleaseError, match=message) as caught:
        linked.act("prepared", SECOND, commit=commit, **options)
    assert caught.value.cause == cause
    assert linked.info()["releases"] == []


def test_an_unknown_commit_is_told(linked: Site) -> None:
    with pytest.raises(ReleaseError, match="fetch failed") as caught:
        linked.act("prepared", FIRST, commit="0" * 40)
    assert caught.value.cause == "fetch"
    assert linked.info()["releases"] == []


def test_a_commit_that_no_branch_holds_can_be_deployed(linked: Site) -> None:
    lost = linked.commit("v2")
    linked.git("reset", "--quiet", "--hard", "v1")
    linked.git("tag", "-d", "v2")
    plan = linked.info(lost)["plan"]
    assert (plan["commit"], plan["problems"]) == (lost, [])
    linked.act("prepared", FIRST, commit=lost)
    assert (linked.root / "releases" / FIRST / "version").read_text() == "v2\n"


def test_a_name_means_one_commit(linked: Site) -> None:
    linked.deploy("v1", FIRST)
    commit = linked.commit("v2")
    with pytest.raises(ReleaseError, match="choose another name"):
        linked.act("prepared", FIRST, commit=commit)
    with pytest.raises(ReleaseError, match="cannot be the name"):
        linked.act("prepared", "../x", commit=commit)


def test_the_module_keeps_credentials_to_itself(linked: Site) -> None:
    output, failed = started(
        release,
        state="prepared",
        root=str(linked.root),
        path=str(linked.path),
        repository=f"https://ada:{SECRET}@127.0.0.1:1/x.git",
        name=FIRST,
        commit="0" * 40,
        environment=linked.environment,
    )
    assert failed
    assert "fetch failed" in json.loads(output)["msg"]
    assert SECRET not in output
    config = (linked.root / "repository.git" / "config").read_text()
    assert SECRET not in config
    assert "https://127.0.0.1:1/x.git" in config


def test_uploads_on_a_disk_of_their_own_stay_there(site: Site) -> None:
    site.plain_checkout()
    data = site.base / "data"
    (site.path / "uploads").rename(data)
    (site.path / "uploads").symlink_to(data)
    site.commit("v2")
    site.deploy("v2")
    assert (site.path / "uploads" / "cat.png").read_text() == "cat"
    assert (data / "cat.png").exists()
    switch(site, current_and_previous(site)[1])
    assert (site.path / "uploads" / "cat.png").read_text() == "cat"


def test_what_a_commit_has_at_a_shared_path_is_only_its_first_content(linked: Site) -> None:
    linked.commit("v2", **{"uploads/first.txt": "from the commit"})
    linked.deploy("v2")
    (linked.path / "uploads" / "first.txt").write_text("changed since")
    linked.commit("v3")
    linked.deploy("v3")
    assert (linked.path / "uploads" / "first.txt").read_text() == "changed since"
    assert all(release["complete"] for release in linked.info()["releases"])


@pytest.mark.parametrize("shared", ["../x", "/etc", ".git", "."])
def test_shared_paths_stay_inside(linked: Site, shared: str) -> None:
    linked.shared_paths = [shared]
    with pytest.raises(ReleaseError, match="must lie inside"):
        linked.info()


def test_another_user_than_the_owner_is_refused(
    linked: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked.root.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    with pytest.raises(ReleaseError, match="become_user") as caught:
        linked.act("pruned")
    assert caught.value.cause == "wrong_user"
    assert any("become_user" in problem for problem in linked.info("v1")["plan"]["problems"])
