# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real PM2 of each installed version, with an application whose releases behave as told."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import signal
import socket
import subprocess
import textwrap
import threading
import time
import typing as t
import urllib.request

from ansible_collections.plugspace.titan.plugins.module_utils import _pm2_client, _pm2_run

PREFIXES = (
    os.environ.get("PM2_PREFIXES", "").split(":")
    if os.environ.get("PM2_PREFIXES")
    else (sorted(glob.glob("/opt/pm2-[0-9]*")))
)

SERVER = """
const http = require('http');
const release = require('./release.json');
if (release.mode === 'crash') {
  throw new Error('no configuration, the token is ' + process.env.API_TOKEN);
}
if (release.mode === 'hang') { setInterval(() => {}, 1000); }
else {
  if (release.mode === 'crash_later') setTimeout(() => { throw new Error('lost it'); }, 600);
  const server = http.createServer((request, response) => {
    const status = release.mode === 'unhealthy' && request.url === '/health' ? 503 : 200;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ pid: process.pid, commit: release.commit }));
  });
  const listen = () => server.listen(Number(process.env.PORT));
  release.mode === 'slow' ? setTimeout(listen, 4000) : listen();
  if (release.mode !== 'abrupt') {
    process.on('SIGINT', () => { server.close(); setTimeout(() => process.exit(0), 300); });
  }
}
"""

ECOSYSTEM = """
module.exports = { apps: [{
  name: 'api', script: './server.js', cwd: __dirname, exec_mode: '%(exec_mode)s',
  instances: %(instances)s, env: %(env)s, ...%(options)s,
}] };
"""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Platform:
    """One PM2_HOME with releases and a link to the current one."""

    def __init__(self, prefix: str, root: str) -> None:
        # As `npm install --global --prefix` puts it, or as a plain `npm install` does.
        programs = [
            os.path.join(prefix, *way, "pm2") for way in (["bin"], ["node_modules", ".bin"])
        ]
        self.bin = next(filter(os.path.exists, programs))
        self.root = root
        self.home = os.path.join(root, "pm2")
        self.link = os.path.join(root, "current")
        self.port = free_port()
        self.ecosystem = os.path.join(self.link, "ecosystem.config.cjs")
        self.run_result: dict[str, t.Any] = {}

    def release(
        self,
        commit: str,
        mode: str = "good",
        instances: int = 2,
        exec_mode: str = "cluster",
        switch: bool = True,
        options: t.Mapping[str, t.Any] | None = None,
        **env: str,
    ) -> str:
        """Write a release and switch the link to it. options: further ones of PM2."""
        folder = os.path.join(self.root, "releases", commit)
        os.makedirs(folder)
        variables = {"PORT": str(self.port), "API_TOKEN": "hunter2-hunter2", **env}
        files = {
            "server.js": SERVER,
            "release.json": json.dumps({"commit": commit, "mode": mode}),
            "ecosystem.config.cjs": ECOSYSTEM
            % {
                "exec_mode": exec_mode,
                "instances": instances,
                "env": json.dumps(variables),
                "options": json.dumps(options or {}),
            },
        }
        for name, content in files.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as target:
                target.write(textwrap.dedent(content))
        if switch:
            self.switch(commit)
        return folder

    def switch(self, commit: str) -> None:
        """Point the link to a release."""
        temporary = self.link + ".new"
        os.symlink(os.path.join(self.root, "releases", commit), temporary)
        os.replace(temporary, self.link)

    def probe(self, **extra: t.Any) -> dict[str, t.Any]:
        """The health probe of the application."""
        return {
            "url": f"http://127.0.0.1:{self.port}/health",
            "pid_field": "pid",
            "within": 20.0,
            **extra,
        }

    def app(self, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        """Run pm2_app with these options; the result stays in run_result when it fails."""
        params = {key: spec.get("default") for key, spec in _pm2_run.ARGUMENT_SPEC.items()}
        # Half of the defaults: what is told here is told in less time, too.
        params.update(min_uptime=1.0)
        params.update(
            pm2_home=self.home, pm2_bin=self.bin, ecosystem=self.ecosystem, probes={}, **options
        )
        if params["state"] not in ("stopped", "absent") and "probe" not in options:
            params["probes"] = {"api": self.probe()}
        run = _pm2_run.Run(params, check)
        self.run_result = run.result
        return run.execute()

    def client(self, timeout: float = 5.0) -> _pm2_client.Pm2Client:
        """A client of this daemon."""
        return _pm2_client.Pm2Client(self.home, os.geteuid(), timeout)

    def records(self) -> list[dict[str, t.Any]]:
        """PM2's own list."""
        with self.client() as client:
            return client.processes()

    def pids(self) -> dict[int, int]:
        """The pid of each instance by id."""
        return {one["pm_id"]: one["pid"] for one in self.records()}

    def children(self) -> list[str]:
        """The processes of the daemon, whether it knows them or not."""
        with self.client() as client:
            client.version()
            daemon = client.peer_pid
        with open(f"/proc/{daemon}/task/{daemon}/children", encoding="ascii") as source:
            return source.read().split()

    def cli(self, *arguments: str, cwd: str | None = None) -> subprocess.CompletedProcess[str]:
        """PM2's own command."""
        env = {"PATH": os.environ["PATH"], "HOME": self.root, "PM2_HOME": self.home}
        return subprocess.run(
            [self.bin, *arguments],
            env=env,
            cwd=cwd or self.root,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def kill(self) -> None:
        """End the daemon and everything that it left."""
        with contextlib.suppress(Exception), self.client(2.0) as client:
            client.version()
            os.kill(t.cast(int, client.peer_pid), signal.SIGCONT)
        with contextlib.suppress(Exception):
            self.cli("kill")


class Load:
    """Requests on new connections all the time; counts every answer."""

    def __init__(self, port: int, threads: int = 2) -> None:
        self.good = 0
        self.failures: list[str] = []
        self._url = f"http://127.0.0.1:{port}/"
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work) for _ in range(threads)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                with urllib.request.urlopen(self._url, timeout=5) as answer:  # noqa: S310
                    answer.read()
                self.good += 1
            except OSError as error:
                self.failures.append(f"{time.time():.2f} {error}")
            time.sleep(0.005)
