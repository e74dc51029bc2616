# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of pm2_app over a PM2 in memory."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils import _pm2_process, _pm2_run
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_app import FailedError
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_client import (
    AbsentError,
    HungError,
    Pm2Error,
    StaleError,
)
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_gate import Clock, Gate

from .fake_pm2 import FakeClock, FakePm2

APPS = [
    {"name": "api", "script": "api.js", "instances": 2, "env": {"TOKEN": "hunter2-hunter2"}},
    {"name": "voice", "script": "voice.js", "instances": 1},
]


class World:
    """What stands behind the names that a run uses."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.pm2 = FakePm2(FakeClock())
        self.error: Pm2Error | None = None
        self.saved: list[bool] = []
        self.apps = APPS

    def run(self, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        """Run with these options."""
        params = {key: spec.get("default") for key, spec in _pm2_run.ARGUMENT_SPEC.items()}
        params.update(pm2_home=str(self.home), **options)
        self.last = _pm2_run.Run(params, check)
        return self.last.execute()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with an empty PM2."""
    made = World(tmp_path)
    tmp_path.chmod(0o700)
    (tmp_path / "logs").mkdir()

    class Client:
        peer_pid = 7

        def __init__(self, *_args: object) -> None:
            pass

        def __enter__(self) -> Client:
            return self

        def __exit__(self, *_exc: object) -> None:
            pass

        def version(self) -> str:
            return "7.0.4"

        def processes(self) -> list[dict[str, t.Any]]:
            if made.error:
                raise made.error
            return made.pm2.processes()

        def act(self, *arguments: t.Any) -> None:
            made.pm2.act(*arguments)

    class Cli:
        def __init__(self, site: t.Any) -> None:
            self.site = site

        def environment(self) -> dict[str, str]:
            return {"PATH": "/bin"}

        def read(self, _path: str) -> list[dict[str, t.Any]]:
            return made.apps

        def start(self, instances: t.Any) -> None:
            made.error = None
            made.pm2.start(instances)

        def save(self, force: bool) -> None:
            made.saved.append(force)

    def gate(records: t.Any, _clock: Clock, tick: t.Any) -> Gate:
        tick()
        fake = made.pm2.clock
        return Gate(records, Clock(fake.monotonic, fake.wall, fake.sleep), made.pm2.ask, tick)

    monkeypatch.setattr(_pm2_run, "Pm2Client", Client)
    monkeypatch.setattr(_pm2_run, "Cli", Cli)
    monkeypatch.setattr(_pm2_run, "Gate", gate)
    monkeypatch.setattr(_pm2_run.time, "time", made.pm2.clock.wall)
    exists = os.path.exists
    monkeypatch.setattr(
        _pm2_process.os.path, "exists", lambda path: path.startswith("/proc/") or exists(path)
    )
    return made


ECOSYSTEM = {"ecosystem": "/app/ecosystem.config.cjs"}


def test_every_application_of_the_file_in_order(world: World) -> None:
    world.error = AbsentError("none")
    result = world.run(**ECOSYSTEM)
    assert result["changed"]
    assert [app["name"] for app in result["apps"]] == ["api", "voice"]
    assert result["apps"][0]["before"] is None
    assert result["apps"][0]["after"]["verdict"] == "online"
    assert result["diff"]["before"] == {"api": None, "voice": None}
    assert result["timings"].keys() == {"gate", "pm2"}
    again = world.run(**ECOSYSTEM)
    assert not again["changed"]


def test_check_mode_plans_and_touches_nothing(world: World) -> None:
    world.error = AbsentError("none")
    result = world.run(check=True, save=True, flush=True, **ECOSYSTEM)
    assert result["actions"][:2] == ["Start 2 of api", "Start 1 of voice"]
    assert result["changed"]
    assert world.pm2.calls == []
    assert world.saved == []
    assert os.listdir(world.home) == ["logs"]


def test_one_application_of_the_file(world: World) -> None:
    assert [app["name"] for app in world.run(name="voice", **ECOSYSTEM)["apps"]] == ["voice"]
    with pytest.raises(Pm2Error, match=r"no application x \(it has: api, voice\)"):
        world.run(name="x", **ECOSYSTEM)


def test_options_in_place_of_a_file(world: World) -> None:
    world.run(name="mailer", script="/app/m.js", cwd="/app", instances="+1", env={"A": "1"})
    assert world.pm2.records[0]["pm2_env"]["env"] == {"PATH": "/bin", "A": "1"}
    assert world.pm2.records[0]["pm2_env"]["exec_mode"] == "fork_mode"


def test_what_runs_is_kept_of_every_application(world: World) -> None:
    world.run(**ECOSYSTEM)
    world.run(name="api", instances="3", **ECOSYSTEM)
    # What the file says, without a change.
    assert [app["wanted"] for app in world.run(check=True, **ECOSYSTEM)["apps"]] == [2, 1]
    kept = world.run(instances="keep", **ECOSYSTEM)
    assert [app["wanted"] for app in kept["apps"]] == [3, 1]
    assert not kept["changed"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"instances": "2"}, "belong to one application"),
        ({"ids": [0]}, "belong to one application"),
        ({"probe": {"port": 1, "type": "tcp"}}, "belong to one application"),
        ({"probes": {"web": {}}}, "probes names web"),
    ],
)
def test_options_that_do_not_fit(world: World, options: t.Any, message: str) -> None:
    with pytest.raises(Pm2Error, match=message):
        world.run(**ECOSYSTEM, **options)


def test_a_service_that_the_file_has_not_is_ended_last_and_only_if_asked(world: World) -> None:
    """A release goes back to one that had no such service yet."""
    world.run(**ECOSYSTEM)
    world.apps = APPS[:1]
    probes: dict[str, t.Any] = {"voice": {"port": 1, "type": "tcp"}}
    result = world.run(state="reloaded", probes=probes, prune=True, **ECOSYSTEM)
    assert result["actions"][-1] == "Deleted voice instance 2"
    assert [record["name"] for record in world.pm2.records] == ["api", "api"]
    assert [app["name"] for app in result["apps"]] == ["api", "voice"]
    assert world.last.warnings == ["voice is not in the ecosystem file any more and is ended"]
    again = world.run(probes=probes, prune=True, **ECOSYSTEM)
    assert not again["changed"]
    assert world.last.warnings == ["neither the ecosystem file nor PM2 has an application voice"]


def test_a_service_that_seems_renamed_is_not_ended(world: World) -> None:
    world.run(**ECOSYSTEM)
    world.apps = [APPS[0], {**APPS[1], "name": "voise"}]
    told = "probes names voice, .* while it brings voise, for which there is no probe"
    with pytest.raises(Pm2Error, match=told):
        world.run(state="reloaded", probes={"api": {}, "voice": {}}, prune=True, **ECOSYSTEM)
    assert [record["name"] for record in world.pm2.records] == ["api", "api", "voice"]


def test_a_service_is_not_ended_when_another_one_fails(world: World) -> None:
    world.run(**ECOSYSTEM)
    world.apps = APPS[:1]
    world.pm2.behaviour = "unhealthy"
    probe = {"url": "http://127.0.0.1/", "pid_field": "pid", "within": 1}
    with pytest.raises(FailedError):
        world.run(state="reloaded", probes={"api": probe, "voice": {}}, prune=True, **ECOSYSTEM)
    assert [record["name"] for record in world.pm2.records] == ["api", "api", "voice"]


def test_two_of_the_same_name(world: World) -> None:
    world.apps = [APPS[0], APPS[0]]
    with pytest.raises(Pm2Error, match="same name"):
        world.run(**ECOSYSTEM)


def test_a_failure_tells_who_and_why_and_shows_new_lines(world: World) -> None:
    world.run(**ECOSYSTEM)
    for record in world.pm2.records:
        record["pm2_env"]["pm_err_log_path"] = str(world.home / "logs" / "api.log")
    log = world.home / "logs" / "api.log"
    log.write_text("from last week\n")
    world.pm2.behaviour = "unhealthy"
    ask = world.pm2.ask

    def printing(*arguments: t.Any) -> t.Any:
        log.write_text("from last week\nbad login hunter2-hunter2\n")
        return ask(*arguments)

    world.pm2.ask = printing  # type: ignore[method-assign]
    probe = {"url": "http://127.0.0.1/", "pid_field": "pid", "within": 1}
    told = r"api: instance 3 .*, the running ones were not touched$"
    with pytest.raises(FailedError, match=told) as failure:
        world.run(state="reloaded", probes={"api": probe}, **ECOSYSTEM)
    result = world.last.result
    assert "answered 503" in str(failure.value)
    assert result["cause"] == "unhealthy"
    assert (result["failed_app"], result["failed_instance"]) == ("api", 3)
    assert result["logs"] == ["bad login ********"]
    assert result["changed"]
    assert result["apps"][0]["after"]["verdict"] == "online"


def test_a_failure_half_way_tells_what_was_not_begun_with(world: World) -> None:
    world.run(**ECOSYSTEM)
    act = world.pm2.act

    def turn_bad(action: str, number: int, timeout: float) -> None:
        world.pm2.behaviour = "hang" if action == "reload" else "well"
        act(action, number, timeout)

    world.pm2.act = turn_bad  # type: ignore[method-assign]
    probe = {"url": "http://127.0.0.1/", "pid_field": "pid", "within": 1}
    with pytest.raises(FailedError, match=r"the canary serves in its place\. Not touched: voice$"):
        world.run(state="reloaded", probes={"api": probe}, **ECOSYSTEM)


def test_a_hung_daemon_changes_nothing(world: World) -> None:
    world.error = HungError("the PM2 daemon did not answer")
    with pytest.raises(HungError, match="nothing was changed"):
        world.run(**ECOSYSTEM)
    assert world.pm2.calls == []


def test_a_killed_daemon_is_told_and_replaced(world: World) -> None:
    world.error = StaleError("killed")
    result = world.run(**ECOSYSTEM)
    assert result["changed"]
    assert any("killed" in warning for warning in world.last.warnings)


def test_a_daemon_that_dies_on_the_way_is_an_error(world: World) -> None:
    world.pm2.add()
    act = world.pm2.act

    def last_act(*arguments: t.Any) -> None:
        act(*arguments)
        world.error = AbsentError("gone")

    world.pm2.act = last_act  # type: ignore[method-assign]
    with pytest.raises(AbsentError):
        world.run(name="api", state="restarted")
    assert world.last.result["changed"]


def test_save(world: World) -> None:
    result = world.run(save=True, **ECOSYSTEM)
    assert result["actions"][-1] == "Save the list of processes"
    assert world.saved == [False]
    dump = world.home / "dump.pm2"
    dump.write_text("[]")
    dump.chmod(0o644)
    result = world.run(save=True, state="absent", **ECOSYSTEM)
    assert f"Close {dump} to others (it holds every secret)" in result["actions"]
    assert dump.stat().st_mode & 0o777 == 0o600
    assert world.saved == [False]
    assert not world.run(save=True, state="absent", **ECOSYSTEM)["changed"]


def test_an_emptied_list_is_saved_only_when_this_call_emptied_it(world: World) -> None:
    dump = world.home / "dump.pm2"
    dump.write_text('[{"name": "api"}]')
    dump.chmod(0o600)
    assert not world.run(save=True, state="absent", name="api")["changed"]
    assert any("was not overwritten" in warning for warning in world.last.warnings)
    world.pm2.add()
    world.run(save=True, state="absent", name="api")
    assert world.saved == [True]


def test_flush(world: World) -> None:
    world.run(**ECOSYSTEM)
    log = world.home / "logs" / "api.log"
    log.write_text("x")
    world.pm2.records[0]["pm2_env"]["pm_out_log_path"] = str(log)
    assert world.run(check=True, flush=True, **ECOSYSTEM)["actions"] == [f"Empty {log}"]
    assert log.read_text() == "x"
    assert world.run(flush=True, **ECOSYSTEM)["changed"]
    assert not world.run(flush=True, **ECOSYSTEM)["changed"]
