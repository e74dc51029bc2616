# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only PM2's own code can do: evaluate an ecosystem file, start from a definition, save.

Each is one Node.js process with a minimal environment and a hard time limit. It answers on a
descriptor of its own, because an ecosystem file may print whatever it likes.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils import _process
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_client import Pm2Error
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_definition import Definition
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_home import SEARCH_PATH, Site

_MAX_ANSWER = 8 * 1024 * 1024

# PM2's switches are removed again before anything is started, or they would be inherited by the
# daemon and its applications. An instance is started the way `resurrect` does it: one record with
# its number, no count.
_SCRIPT = r"""
'use strict';
const fs = require('fs');
const job = JSON.parse(fs.readFileSync(0, 'utf8'));
const answer = (result) => { fs.writeSync(3, JSON.stringify(result)); process.exit(0); };
const fail = (error) => answer({ error: String((error && error.message) || error) });
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

async function read() {
  const { createRequire } = require('module');
  const source = () => fs.readFileSync(job.file, 'utf8');
  let config;
  if (/\.ya?ml$/.test(job.file)) {
    config = createRequire(job.root + '/package.json')('js-yaml').load(source());
  } else if (/\.json$/.test(job.file)) {
    try { config = JSON.parse(source()); } catch {
      config = require('vm').runInNewContext('(' + source() + ')', {}, { timeout: 1000 });
    }
  } else {
    try { config = require(job.file); } catch (error) {
      if (error.code !== 'ERR_REQUIRE_ESM') throw error;
      config = (await import(require('url').pathToFileURL(job.file))).default;
    }
  }
  config = config && config.default && !config.apps ? config.default : config;
  answer({ apps: [].concat(config.apps || config.pm2 || config) });
}

function withPm2(work) {
  process.env.PM2_PROGRAMMATIC = process.env.PM2_SILENT = 'true';
  const pm2 = require(job.root);
  const common = require(job.root + '/lib/Common.js');
  delete process.env.PM2_PROGRAMMATIC;
  delete process.env.PM2_SILENT;
  console.log = console.error = console.warn = () => {};
  pm2.connect((error) => (error ? fail(error) : work(pm2, common)));
}

function start(pm2, common) {
  const ids = [];
  (function next() {
    const wanted = job.apps.shift();
    if (!wanted) return answer({ ids });
    const verified = common.verifyConfs([wanted.conf]);
    if (verified instanceof Error) return fail(verified);
    const app = common.resolveAppAttributes({ cwd: pm2.cwd, pm2_home: pm2.pm2_home }, verified[0]);
    if (app.env && app.env.PYTHONUNBUFFERED) wanted.env.PYTHONUNBUFFERED = '1';
    app.env = wanted.env;
    app.km_link = pm2.gl_is_km_linked;
    delete app.instances;
    app[app.instance_var] = wanted.number;
    pm2.Client.executeRemote('prepare', app, (error, started) => {
      if (error) return fail(error);
      ids.push(started[0].pm2_env.pm_id);
      next();
    });
  })();
}

function save(pm2) {
  process.umask(0o077);
  pm2.dump(job.force, (error) => (error ? fail(error) : answer({ saved: true })));
}

if (job.task === 'read') read().catch(fail);
else withPm2(job.task === 'start' ? start : save);
"""


class Cli:
    """PM2's own code, run as the owner of the PM2_HOME."""

    def __init__(self, site: Site, timeout: float = 30.0) -> None:
        self.site = site
        self.timeout = timeout

    def environment(self) -> dict[str, str]:
        """All that an application gets beyond its own variables."""
        return {
            "PATH": _search_path(self.site.node),
            "HOME": self.site.user_home,
            "USER": self.site.user,
            "LANG": "C.UTF-8",
            "PM2_HOME": self.site.home,
        }

    def read(self, path: str) -> list[dict[str, t.Any]]:
        """The sections of an ecosystem file."""
        if not os.path.isfile(path):
            raise Pm2Error(f"there is no ecosystem file {path}")
        answer = self._run({"task": "read", "file": path}, f"reading {path}", path)
        apps = answer.get("apps")
        if not isinstance(apps, list) or not apps or not all(isinstance(a, dict) for a in apps):
            raise Pm2Error(f"{path} describes no applications")
        return apps

    def start(self, instances: t.Sequence[tuple[Definition, int]]) -> None:
        """Start these instances one after the other; starts the daemon when there is none."""
        apps = [
            {"conf": one.conf, "env": dict(one.env), "number": number} for one, number in instances
        ]
        name = instances[0][0].name
        self._run({"task": "start", "apps": apps}, f"starting {name}")

    def save(self, force: bool) -> None:
        """Write PM2's dump, readable for the owner alone."""
        for file in ("dump.pm2", "dump.pm2.bak"):
            with contextlib.suppress(FileNotFoundError):
                os.chmod(os.path.join(self.site.home, file), 0o600)
        self._run({"task": "save", "force": force}, "saving the list of processes")

    def _run(self, job: dict[str, t.Any], what: str, file: str = "") -> dict[str, t.Any]:
        if self.site.root is None:
            raise Pm2Error(
                f"{what} needs PM2, and there is none on {self.site.path}:"
                " install it (npm install -g pm2) or set pm2_bin"
            )
        if self.site.node is None:
            raise Pm2Error(f"{what} needs Node.js, and there is none on {self.site.path}")
        folder = os.path.dirname(file) if file else self.site.user_home
        content = json.dumps(dict(job, root=self.site.root))
        reader, writer = os.pipe()
        received = bytearray()
        thread = threading.Thread(target=_drain, args=(reader, received), daemon=True)
        thread.start()
        try:
            done = _process.capture(
                [self.site.node, "-e", _redirected(writer)],
                self.environment(),
                self.timeout,
                cwd=folder,
                stdin=content,
                pass_fds=[writer],
            )
        except _process.ProcessError:
            raise Pm2Error(f"{what} did not end within {self.timeout:g} s") from None
        finally:
            os.close(writer)
        # A daemon started on the way must not keep us waiting for the end of the pipe.
        thread.join(1.0)
        try:
            answer = json.loads(received.decode("utf-8"))
        except ValueError:
            last = (done.errors.strip().splitlines() or ["no message"])[-1]
            raise Pm2Error(f"{what} ended with code {done.code}: {last[:300]}") from None
        if not isinstance(answer, dict):
            raise Pm2Error(f"{what} gave no result")
        if "error" in answer:
            raise Pm2Error(f"{what} failed: {str(answer['error'])[:500]}")
        return answer


def _search_path(node: str | None) -> str:
    folders = SEARCH_PATH.split(":")
    beside = os.path.dirname(node) if node else ""
    return ":".join(folders if not beside or beside in folders else [beside, *folders])


def _redirected(descriptor: int) -> str:
    return _SCRIPT.replace("writeSync(3,", f"writeSync({descriptor},")


def _drain(reader: int, received: bytearray) -> None:
    with open(reader, "rb") as source:
        while len(received) < _MAX_ANSWER:
            data = source.read1(65536)
            if not data:
                return
            received += data
