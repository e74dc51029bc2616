# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Git with credentials, time limits and without prompts, on real servers of its own."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from release_site import Site

from ansible_collections.plugspace.titan.plugins.module_utils._git import (
    Git,
    GitError,
    Remote,
    advertised_commit,
    fetch_commit,
)

TOKEN = "s3cret-t0ken-of-ada"
KEY = "-----BEGIN KEY-----\nabcdef\n-----END KEY-----"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    site.commit("v1")
    return site


@pytest.fixture
def server(site: Site) -> Iterator[str]:
    """The repository by HTTP, for who has the token; the path /slow never answers."""
    wanted = "Basic " + base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            if self.path.startswith("/slow"):
                time.sleep(5)
            if self.headers.get("Authorization") != wanted:
                self.send_response(401)
                self.send_header("WWW-Authenticate", "Basic realm=x")
                self.end_headers()
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path, _mark, query = self.path.partition("?")
            done = subprocess.run(
                ["git", "http-backend"],
                input=body,
                capture_output=True,
                check=True,
                env={
                    "PATH": os.environ["PATH"],
                    "GIT_PROJECT_ROOT": str(site.base),
                    "GIT_HTTP_EXPORT_ALL": "1",
                    "REQUEST_METHOD": self.command,
                    "PATH_INFO": path,
                    "QUERY_STRING": query,
                    "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                    "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                },
            )
            head, _blank, content = done.stdout.partition(b"\r\n\r\n")
            self.send_response(200)
            for line in head.decode().splitlines():
                name, _colon, value = line.partition(": ")
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{web.server_port}"
    web.shutdown()


def mirror(site: Site, git: Git) -> str:
    place = str(site.base / "mirror.git")
    git.run("init", "--quiet", "--bare", place)
    return place


@pytest.mark.parametrize("in_url", [False, True])
def test_a_token_opens_the_repository_and_stays_hidden(
    site: Site, server: str, in_url: bool
) -> None:
    if in_url:
        remote = Remote.of(f"http://x-access-token:{TOKEN}@{server}/source/.git")
    else:
        remote = Remote.of(f"http://{server}/source/.git", token=TOKEN)
    assert TOKEN not in remote.url
    with Git(remote, 20, {}) as git:
        commit = advertised_commit(git, "v1")
        place = mirror(site, git)
        fetch_commit(git, commit, place)
        assert git.has_commit(commit, place)
    for path in Path(place).rglob("*"):
        assert not path.is_file() or TOKEN.encode() not in path.read_bytes()


def test_a_wrong_token_is_told_without_a_prompt(server: str) -> None:
    with (
        Git(Remote.of(f"http://{server}/source/.git", token="wrong-token"), 20, {}) as git,
        pytest.raises(GitError, match="does not accept the token") as caught,
    ):
        advertised_commit(git, "v1")
    assert "wrong-token" not in str(caught.value)


def test_no_token_is_told_without_a_prompt(server: str) -> None:
    with (
        Git(Remote.of(f"http://{server}/source/.git"), 20, {}) as git,
        pytest.raises(GitError, match="token"),
    ):
        advertised_commit(git, "v1")


def test_a_server_that_never_answers_ends_in_time(server: str) -> None:
    started = time.monotonic()
    with (
        Git(Remote.of(f"http://{server}/slow", token=TOKEN), 0.7, {}) as git,
        pytest.raises(GitError, match=r"no result within 0.7 s"),
    ):
        advertised_commit(git, "v1")
    assert time.monotonic() - started < 4


FAKE_SSH = """#!/bin/sh
# Notes its arguments and the key that they point to, then runs what the server would.
printf '%s\\n' "$@" > "{notes}/arguments"
for argument; do
  case "$argument" in IdentityFile=*)
    stat -Lc %a "${{argument#*=}}" > "{notes}/mode"; cat "${{argument#*=}}" > "{notes}/key";;
  esac
  last=$argument
done
exec sh -c "$last"
"""


def test_a_key_is_given_to_ssh_and_is_nowhere_on_the_disk(site: Site) -> None:
    notes = site.base / "notes"
    notes.mkdir()
    (site.bin / "ssh").write_text(FAKE_SSH.format(notes=notes))
    (site.bin / "ssh").chmod(0o755)
    remote = Remote.of(f"git@example.com:{site.source}", key=KEY, known_hosts="/etc/known")
    with Git(remote, 20, site.environment) as git:
        commit = advertised_commit(git, "v1")
        fetch_commit(git, commit, mirror(site, git))
    assert (notes / "key").read_text() == f"{KEY}\n"
    assert (notes / "mode").read_text() == "600\n"
    arguments = (notes / "arguments").read_text().splitlines()
    assert "StrictHostKeyChecking=yes" in arguments
    assert "UserKnownHostsFile=/etc/known" in arguments
    assert "BatchMode=yes" in arguments
    key_file = next(a for a in arguments if a.startswith("IdentityFile=")).partition("=")[2]
    assert key_file.startswith("/proc/")
    assert not os.path.exists(key_file)


def test_hooks_of_the_user_are_not_run(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    home = site.base / "user"
    (home / "hooks").mkdir(parents=True)
    hook = home / "hooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {site.base}/hooked\n")
    hook.chmod(0o755)
    (home / ".gitconfig").write_text(f"[core]\n\thooksPath = {home}/hooks\n")
    monkeypatch.setenv("HOME", str(home))
    site.deploy("v1")
    assert not (site.base / "hooked").exists()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ada:pw@git.example.com/x.git", "https://git.example.com/x.git"),
        ("https://tok@git.example.com/x.git", "https://git.example.com/x.git"),
        ("git@git.example.com:x.git", "git@git.example.com:x.git"),
        ("ssh://git@git.example.com/x.git", "ssh://git@git.example.com/x.git"),
        ("/srv/x.git", "/srv/x.git"),
    ],
)
def test_credentials_leave_the_url(url: str, shown: str) -> None:
    assert Remote.of(url).url == shown


def test_an_option_is_no_repository() -> None:
    with (
        Git(Remote.of("--upload-pack=x"), 5, {}) as git,
        pytest.raises(GitError, match="is not the address"),
    ):
        advertised_commit(git, "v1")
