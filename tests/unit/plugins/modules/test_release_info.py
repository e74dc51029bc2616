# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a deployment, and that looking changes nothing."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from release_site import SECRET, Site

from ansible_collections.plugspace.titan.plugins.module_utils import _release_plan
from ansible_collections.plugspace.titan.plugins.module_utils._release import ReleaseError

FIRST, SECOND = (f"20260101T00000{n}Z-aaaaaaa" for n in (1, 2))
RUN = {"id": "ctl:1:1", "controller": "ctl", "host": "bastion", "user": "alice", "alive": []}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    site = Site(tmp_path)
    site.commit("v1", **{"prisma/migrations/001_init/migration.sql": "select 1"})
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return site


def problems(site: Site, ref: str = "v1", **options: object) -> str:
    return "\n".join(site.info(ref, **options)["plan"]["problems"])


def test_the_plan_tells_what_goes_out(site: Site) -> None:
    site.deploy("v1", FIRST)
    site.commit("v2", **{"prisma/migrations/002_more/migration.sql": "select 2"})
    commit = site.commit("v3")
    before = site.files()
    plan = site.info("main", now="20261123T101500Z")["plan"]
    assert plan["commit"] == commit
    assert plan["name"] == f"20261123T101500Z-{commit[:7]}"
    assert [c["subject"] for c in plan["commits"]] == ["Release v3", "Release v2"]
    assert plan["commits"][0]["author"] == "Ada"
    assert plan["migrations"] == ["002_more"]
    assert (plan["change"], plan["step_back"], plan["problems"]) == (True, False, [])
    assert site.files() == before
    assert list((site.base / "tmp").iterdir()) == []


def test_a_step_back_is_told(site: Site) -> None:
    site.commit("v2", **{"prisma/migrations/002_more/migration.sql": "select 2"})
    site.deploy("v2", FIRST)
    plan = site.info("v1")["plan"]
    assert plan["step_back"]
    assert [c["subject"] for c in plan["taken_back"]] == ["Release v2"]
    assert (plan["commits"], plan["migrations"], plan["migrations_left"]) == ([], [], ["002_more"])
    assert any("step back" in warning for warning in plan["warnings"])


@pytest.mark.parametrize("deployed", [False, True])
def test_every_kind_of_ref_is_found(site: Site, deployed: bool) -> None:
    if deployed:
        site.deploy("v1", FIRST)
    commit = site.commit("v2")
    site.git("branch", "feature/x")
    site.git("tag", "light")
    for ref in ("main", "v2", "light", "feature/x", "refs/tags/v2", "HEAD", commit, commit[:7]):
        plan = site.info(ref)["plan"]
        assert (plan["commit"], plan["subject"]) == (commit, "Release v2"), ref
        assert plan["problems"] == [], ref


def test_a_known_commit_needs_no_network(site: Site) -> None:
    site.deploy("v1", FIRST)
    commit = site.git("rev-parse", "HEAD")
    gone = str(site.base / "gone")
    for ref in (commit, commit[:8]):
        plan = site.info(ref, repository=gone)["plan"]
        assert (plan["change"], plan["problems"]) == (False, []), ref
    assert "gone" in problems(site, "main", repository=gone)


@pytest.mark.parametrize("ref", ["nothing", "deadbeef", "0" * 40])
def test_an_unknown_ref_is_told(site: Site, ref: str) -> None:
    assert "no" in problems(site, ref)
    assert site.info(ref)["plan"]["name"] == "" or ref == "0" * 40


@pytest.mark.parametrize("ref", ["--upload-pack=x", "a..b", "x y", "ref*", "$(id)", "a@{1}"])
def test_what_cannot_be_a_ref_never_reaches_git(site: Site, ref: str) -> None:
    assert "cannot be a branch" in problems(site, ref)


def test_a_name_that_is_both_a_branch_and_a_tag_is_refused(site: Site) -> None:
    site.git("branch", "twice")
    site.commit("v2")
    site.git("tag", "twice")
    assert "both a branch and a tag" in problems(site, "twice")


def test_all_problems_are_told_together(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_release_plan, "available_memory", lambda: 1024 * 1024)
    site.commit(
        "v2",
        **{
            ".env.example": "PASSWORD=\nexport NEW_KEY=x # why\n#OLD=\n",
            "package.json": '{"engines": {"node": ">=99"}}',
        },
    )
    shared = site.root / "shared"
    shared.mkdir(parents=True)
    (shared / ".env").write_text(f"PASSWORD={SECRET}\n")
    (shared / ".env").chmod(0o644)
    site.path.mkdir()
    plan = site.info(
        "v2", min_free_mb=10**9, min_memory_mb=256, required_commands=["git", "no-such-command"]
    )["plan"]
    told = "\n".join(plan["problems"])
    for part in (
        "neither a link to a release nor a Git checkout",
        "no-such-command",
        "MB of memory",
        "wants Node.js >=99, here is v20.11.0",
        "the release needs NEW_KEY (.env.example); set it in",
        "min_free_mb",
    ):
        assert part in told
    assert len(plan["problems"]) == 6, told
    assert any("readable by everyone" in warning for warning in plan["warnings"])
    assert SECRET not in str(plan)


def test_a_subject_may_hold_any_character(site: Site) -> None:
    site.deploy("v1")
    subject = "One\u2028two \x1f three \x0c four"
    (site.source / "version").write_text("v2\n")
    site.git("commit", "--quiet", "--all", "-m", subject)
    (commit,) = site.info("main")["plan"]["commits"]
    assert (commit["subject"], commit["author"]) == (subject, "Ada")


def test_files_that_are_not_utf_8_hide_nothing(site: Site) -> None:
    (site.source / ".env.example").write_bytes("GR\xd6SSE=1\n# \xe4\xf6\xfc\n".encode("latin-1"))
    (site.source / ".gitmodules").write_text("")
    site.commit("v2")
    warnings = site.info("v2")["plan"]["warnings"]
    assert "the release has Git submodules, which are not fetched" in warnings


def test_a_branch_named_like_a_commit_is_a_branch(site: Site) -> None:
    site.git("checkout", "--quiet", "-b", "1234567")
    site.deploy("v1")
    newer = site.commit("v2")
    assert site.info("1234567")["plan"]["commit"] == newer


def test_a_foreign_link_is_told_and_left(site: Site) -> None:
    site.path.symlink_to("/etc")
    assert "which is not one of the releases" in problems(site)
    site.act("prepared", FIRST, commit=site.git("rev-parse", "HEAD"))
    with pytest.raises(ReleaseError, match="move it away"):
        site.act("current", FIRST)
    assert os.readlink(site.path) == "/etc"


def test_a_dangling_link_is_told_and_put_right(site: Site) -> None:
    site.path.symlink_to(site.root / "releases" / "gone")
    info = site.info("v1")
    assert (info["live"], info["current"]) == ("dangling", {})
    assert any("does not exist" in warning for warning in info["plan"]["warnings"])
    assert info["plan"]["problems"] == []
    site.deploy("v1", FIRST)
    assert site.live_version == "v1"


def test_the_holder_of_the_lock_is_told(site: Site) -> None:
    site.act("prepared", FIRST, commit=site.git("rev-parse", "HEAD"), run=RUN, procedure="deploy")
    info = site.info("v1")
    assert info["lock"]["user"] == "alice"
    assert any("held by alice on bastion" in warning for warning in info["plan"]["warnings"])
    assert not any("held" in w for w in site.info("v1", run=RUN)["plan"]["warnings"])
    assert site.act("unlocked", run=RUN)["changed"]
    assert site.info()["lock"] == {}


def test_a_plain_checkout_is_shown_as_what_is_live(site: Site) -> None:
    site.plain_checkout()
    commit = site.commit("v2", **{"prisma/migrations/002_more/migration.sql": "select 2"})
    before = site.files()
    info = site.info("v2")
    assert (info["live"], info["current"]["name"]) == ("checkout", "")
    assert info["current"]["subject"] == "Release v1"
    plan = info["plan"]
    assert (plan["commit"], plan["migrations"]) == (commit, ["002_more"])
    assert [c["subject"] for c in plan["commits"]] == ["Release v2"]
    assert site.files() == before


def test_a_prepared_release_is_taken_up(site: Site) -> None:
    site.act("prepared", FIRST, commit=site.git("rev-parse", "HEAD"))
    plan = site.info("v1")["plan"]
    assert (plan["name"], plan["change"]) == (FIRST, True)


@pytest.mark.parametrize(("root", "path"), [("relative", "/x"), ("/x", "/x/y"), ("/x/y", "/x")])
def test_places_that_cannot_work_are_refused(site: Site, root: str, path: str) -> None:
    with pytest.raises(ReleaseError, match="must"):
        site.info(root=root, path=path)
