# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deployment in a temporary directory: real Git, real files, and an npm that only pretends."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from ansible_collections.plugspace.titan.plugins.module_utils._git import Git
from ansible_collections.plugspace.titan.plugins.module_utils._release_action import Action
from ansible_collections.plugspace.titan.plugins.module_utils._release_layout import Layout
from ansible_collections.plugspace.titan.plugins.module_utils._release_options import (
    environment_of,
    remote_of,
    store_of,
)
from ansible_collections.plugspace.titan.plugins.module_utils._release_store import Store
from ansible_collections.plugspace.titan.plugins.modules import release, release_info

SECRET = "correct-horse-battery"

_NPM = """#!/bin/sh
# ci installs one package; run starts the script of that name, if the project has it.
echo "$*" >> "$(dirname "$0")/calls"
case "$1" in
  ci)
    if grep -q unsatisfiable package-lock.json; then
      echo "npm error code EUSAGE"
      echo "npm error The lock file does not fit package.json ($(cat .env))"
      exit 1
    fi
    mkdir -p node_modules/dep/lib node_modules/.cache node_modules/.bin
    echo '{"name": "dep"}' > node_modules/dep/package.json
    echo one > node_modules/dep/lib/index.js
    echo cached > node_modules/.cache/state
    ln -sf ../dep/lib/index.js node_modules/.bin/dep
    touch -d '1985-10-26' node_modules/dep/lib/index.js node_modules/dep/package.json
    ;;
  run)
    test ! -f "$2.sh" || exec sh "./$2.sh"
    ;;
esac
"""


class Site:
    """One application: where it comes from, where it is deployed, and the modules' steps on it."""

    def __init__(self, base: Path, strategy: str = "releases") -> None:
        self.base = base
        self.source = base / "source"
        self.path = base / "home" / "app"
        self.root = base / "home" / "deploy"
        self.bin = base / "bin"
        self.strategy = strategy
        self.shared_paths = [".env", "uploads/"]
        self.layout = Layout(str(self.root), str(self.path))
        self.path.parent.mkdir(parents=True)
        self.bin.mkdir()
        self._script("npm", _NPM)
        self._script("node", "#!/bin/sh\necho v20.11.0\n")
        self.source.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        (self.source / ".gitignore").write_text("/dist\nnode_modules\n")
        (self.source / "package.json").write_text('{"name": "app", "engines": {"node": ">=18"}}')
        (self.source / "package-lock.json").write_text("{}")
        (self.source / "build.sh").write_text("mkdir -p dist && cp version dist/app.js\n")

    def _script(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": f"{self.bin}:{os.environ['PATH']}"}

    @property
    def npm_calls(self) -> list[str]:
        calls = self.bin / "calls"
        return calls.read_text().splitlines() if calls.exists() else []

    @property
    def live_version(self) -> str:
        return (self.path / "dist" / "app.js").read_text().strip()

    def git(self, *arguments: str, at: Path | None = None) -> str:
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        done = subprocess.run(
            ["git", *identity, *arguments],
            cwd=at or self.source,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def commit(self, version: str, **files: str) -> str:
        """Commit a version, tag it, return the commit."""
        for name, text in {"version": version, **files}.items():
            place = self.source / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(f"{text}\n")
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", f"Release {version}")
        self.git("tag", "-a", version, "-m", version)
        return self.git("rev-parse", "HEAD")

    def plain_checkout(self) -> None:
        """What was there before the first deployment: a clone, its environment and uploads."""
        self.git("clone", "--quiet", str(self.source), str(self.path))
        (self.path / ".env").write_text(f"PASSWORD={SECRET}\n")
        (self.path / ".env").chmod(0o600)
        (self.path / "uploads").mkdir()
        (self.path / "uploads" / "cat.png").write_text("cat")

    def params(self, arguments: Any, options: dict[str, Any]) -> dict[str, Any]:
        return {
            **{name: spec.get("default") for name, spec in arguments.items()},
            "root": str(self.root),
            "path": str(self.path),
            "strategy": self.strategy,
            "shared_paths": self.shared_paths,
            "repository": str(self.source),
            "environment": self.environment,
            **options,
        }

    def action(self, state: str, name: str = "", **options: Any) -> Action:
        params = self.params(release.ARGUMENTS, {"state": state, "name": name, **options})
        return Action(params, Git(remote_of(params), 60, environment_of(params)))

    def act(self, state: str, name: str = "", **options: Any) -> dict[str, Any]:
        """One step of the module, for real."""
        action = self.action(state, name, **options)
        return {**action.apply(), **action.details()}

    def check(self, state: str, name: str = "", **options: Any) -> dict[str, Any]:
        """The same step in check mode."""
        return self.action(state, name, **options).plan()

    def info(self, ref: str | None = None, **options: Any) -> dict[str, Any]:
        params = self.params(release_info.ARGUMENTS, {"ref": ref, "min_memory_mb": 1, **options})
        with Git(remote_of(params), 60, environment_of(params)) as git:
            return dict(release_info.look(params, git))

    def deploy(self, ref: str, name: str = "", **options: Any) -> str:
        """A whole deployment; the release's name."""
        plan = self.info(ref)["plan"]
        assert not plan["problems"], plan
        name = name or plan["name"]
        self.act("prepared", name, commit=plan["commit"], ref=ref, **options)
        self.act("current", name)
        self.act("confirmed", name)
        return name

    def store(self) -> Store:
        params = self.params(release.ARGUMENTS, {})
        return store_of(params, Git(remote_of(params), 60, environment_of(params)))

    def files(self) -> dict[str, tuple[int, int, str]]:
        """Everything below the home, to see whether anything was touched."""
        found = {}
        for parent, directories, names in os.walk(self.path.parent):
            for name in directories + names:
                place = os.path.join(parent, name)
                about = os.lstat(place)
                link = os.readlink(place) if os.path.islink(place) else ""
                if not os.path.isdir(place) or link:
                    found[place] = (about.st_size, about.st_mtime_ns, link)
                else:
                    found[place] = (0, 0, "")
        return found
