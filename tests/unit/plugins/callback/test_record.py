# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The callback, with hand-written plays, tasks and results; and real runs that are cut off."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
import time
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from record_samples import result

from ansible_collections.plugspace.titan.plugins.callback import record as plugin
from ansible_collections.plugspace.titan.plugins.callback.record import CallbackModule

ROOT = Path(__file__).resolve().parents[4]


class Named:
    def __init__(self, name: str) -> None:
        self.name = name

    def get_name(self) -> str:
        return self.name


class Display:
    """What the callback shows."""

    verbosity = 0

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.warnings: list[str] = []

    def display(self, text: str) -> None:
        self.shown.append(text)

    banner = display

    def warning(self, text: str) -> None:
        self.warnings.append(text)


class Inventory:
    def get_hosts(self, pattern: Any) -> list[Named]:
        return [Named("titan1")]


class Variables:
    """The variables of a run and of its hosts."""

    _inventory = Inventory()

    @property
    def extra_vars(self) -> dict[str, Any]:
        hook = {"name": "hook", "type": "slack", "url": "https://hooks.example.net/services/T01"}
        return {
            "service": "api",
            "api_token": "from-the-command-line",
            "titan_escalation_channels": [hook],
        }

    def get_vars(self, **arguments: Any) -> dict[str, Any]:
        return {"vault_redis": "from-the-vault"}


class Play(Named):
    hosts = "all"

    def __init__(self, **variables: Any) -> None:
        super().__init__("Bring it back")
        self.vars = variables

    def get_variable_manager(self) -> Variables:
        return Variables()


class Task(Named):
    action = "ansible.builtin.command"
    _role = None

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._uuid = name


class Result:
    def __init__(self, content: dict[str, Any], task: str = "act | Restart") -> None:
        self._result = content
        self._task = Task(task)
        self._host = Named("titan1")


class Stats:
    """Ansible's counts, and what set_stats was given."""

    processed = ("titan1",)

    def __init__(self, *results: dict[str, Any], failures: int = 0) -> None:
        self.custom = {"_run": {"titan_results": list(results)}} if results else {}
        self._failures = failures

    def summarize(self, host: str) -> dict[str, int]:
        return {"ok": 1, "failures": self._failures, "unreachable": 0}


class Playbook:
    _file_name = "playbooks/service_down.yml"


@pytest.fixture
def display() -> Display:
    return Display()


@pytest.fixture
def callback(
    tmp_path: Path, display: Display, monkeypatch: pytest.MonkeyPatch
) -> Iterator[CallbackModule]:
    """One that has seen a playbook begin, and writes into a new directory."""
    monkeypatch.setattr(plugin.atexit, "register", lambda function: None)
    made = CallbackModule(display=display)
    made._plugin_options = {"directory": str(tmp_path / "records")}
    made.v2_playbook_on_start(Playbook())
    yield made
    made._leave_signals()


def records(tmp_path: Path) -> list[dict[str, Any]]:
    texts = [path.read_text() for path in sorted((tmp_path / "records").glob("*.json"))]
    # A run that has just begun has taken its name, and written nothing yet.
    return [json.loads(text) for text in texts if text]


def only(tmp_path: Path) -> dict[str, Any]:
    (one,) = records(tmp_path)
    return one


def test_a_run_of_a_procedure(callback: CallbackModule, display: Display, tmp_path: Path) -> None:
    callback.v2_playbook_on_play_start(Play(titan_procedure="service_down"))
    assert only(tmp_path)["status"] == "running"
    callback.v2_runner_on_start(Named("titan1"), Task("act | Restart"))
    callback.v2_runner_on_ok(Result({"changed": True}))
    evidence = {"answer": "from-the-vault and from-the-command-line"}
    facts = {"ansible_facts": {"common_result": result(before=evidence)}}
    callback.v2_runner_on_ok(Result(facts, "verify | Say it"))
    assert only(tmp_path)["outcome"] == "healed"
    callback.v2_playbook_on_stats(Stats(result(before=evidence)))
    written = only(tmp_path)
    assert written["status"] == "finished"
    assert written["inputs"] == {
        "service": "api",
        "api_token": "********",
        # The address of a channel is its key.
        "titan_escalation_channels": [{"name": "hook", "type": "slack", "url": "********"}],
    }
    assert written["results"][0]["before"] == {"answer": "******** and ********"}
    assert [one["state"] for one in written["timeline"]["titan1"]] == ["changed", "ok"]
    (page,) = (tmp_path / "records").glob("*.html")
    assert "from-the-" not in page.read_text()
    assert display.shown[0] == "RECORD"
    assert display.shown[1] == "plugspace-api on titan1: healed"
    assert display.shown[-1] == f"record: {page}"
    assert display.warnings == []
    # Nothing of it is left to do, and the signals are Ansible's own again.
    callback._at_exit()
    assert len(display.shown) == display.shown.index(f"record: {page}") + 1
    assert callback._handlers == {}


def test_any_other_run_leaves_nothing(
    callback: CallbackModule, display: Display, tmp_path: Path
) -> None:
    callback.v2_playbook_on_play_start(Play(other=1))
    callback.v2_runner_on_ok(Result({"ansible_facts": {"a": 1}, "results": [{"item": 1}, "x"]}))
    callback.v2_playbook_on_stats(Stats())
    callback._at_exit()
    assert not (tmp_path / "records").exists()
    assert (display.shown, display.warnings) == ([], [])


@pytest.mark.parametrize("by", ["fact", "loop", "stats"])
def test_a_result_alone_makes_a_record(callback: CallbackModule, tmp_path: Path, by: str) -> None:
    callback.v2_playbook_on_play_start(Play())
    facts = {"ansible_facts": {"common_result": result()}}
    if by == "fact":
        callback.v2_runner_on_ok(Result(facts))
    elif by == "loop":
        callback.v2_runner_on_ok(Result({"results": [facts]}))
    callback.v2_playbook_on_stats(Stats(*([result()] if by == "stats" else [])))
    assert only(tmp_path)["procedure"] == "service_down"
    assert len(only(tmp_path)["results"]) == 1


def test_a_templated_name_is_the_plays(callback: CallbackModule, tmp_path: Path) -> None:
    callback.v2_playbook_on_play_start(Play(titan_procedure="{{ name }}"))
    assert only(tmp_path)["procedure"] == "Bring it back"


def test_a_run_that_fails(callback: CallbackModule, display: Display, tmp_path: Path) -> None:
    callback.v2_playbook_on_play_start(Play(titan_procedure="service_down"))
    callback.v2_runner_on_failed(
        Result({"msg": "One failed", "results": [{}, {"failed": True, "msg": "no from-the-vault"}]})
    )
    callback.v2_runner_on_failed(Result({"msg": "expected"}), ignore_errors=True)
    callback.v2_runner_on_unreachable(Result({"msg": "timed out"}))
    callback.v2_runner_on_skipped(Result({}))
    callback.v2_playbook_on_stats(Stats(failures=1))
    written = only(tmp_path)
    assert written["status"] == "failed"
    assert [one["message"] for one in written["failures"]] == [
        "One failed: no ********",
        "timed out",
    ]
    assert "It said: timed out." in written["summary"]


def test_two_playbooks_of_one_command_have_a_record_each(
    callback: CallbackModule, tmp_path: Path
) -> None:
    stats = Stats(result())
    callback.v2_playbook_on_play_start(Play(titan_procedure="one"))
    callback.v2_playbook_on_stats(stats)
    callback.v2_playbook_on_start(Playbook())
    callback.v2_playbook_on_play_start(Play(titan_procedure="two"))
    callback.v2_playbook_on_stats(stats)
    assert sorted((one["procedure"], len(one["results"])) for one in records(tmp_path)) == [
        ("one", 1),
        ("two", 0),
    ]


def test_no_host_is_told(callback: CallbackModule, tmp_path: Path) -> None:
    callback.v2_playbook_on_play_start(Play(titan_procedure="x"))
    callback.v2_playbook_on_no_hosts_matched()
    callback.v2_playbook_on_stats(Stats())
    assert only(tmp_path)["summary"].endswith("No host matched, so nothing was looked at.")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_is_told_and_then_ansibles(
    callback: CallbackModule, display: Display, tmp_path: Path, name: str
) -> None:
    number = signal.Signals[name]
    arrived: list[int] = []
    before = signal.signal(number, lambda got, frame: arrived.append(got))
    try:
        callback.v2_playbook_on_play_start(Play(titan_procedure="service_down"))
        os.kill(os.getpid(), number)
        time.sleep(0)
        written = only(tmp_path)
        assert (written["status"], written["signal"]) == ("interrupted", name)
        assert arrived == [number]
        # After an interruption Ansible speaks first.
        assert bool(display.shown) == (name != "SIGINT")
        callback._at_exit()
        assert len([line for line in display.shown if line == "RECORD"]) == 1
    finally:
        callback._leave_signals()
        signal.signal(number, before)


def _launch(number: int) -> None:
    """Stand for the start of a worker: Python drops what is raised in it."""
    with contextlib.suppress(KeyboardInterrupt):
        os.kill(os.getpid(), number)


def test_a_signal_while_a_worker_is_started_comes_once_more(
    callback: CallbackModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    starter = types.FunctionType(
        _launch.__code__.replace(co_filename="/lib/multiprocessing/popen_fork.py"), globals()
    )
    try:
        callback.v2_playbook_on_play_start(Play(titan_procedure="service_down"))
        starter(signal.SIGINT)
        assert only(tmp_path)["status"] == "running"
        with pytest.raises(KeyboardInterrupt):
            time.sleep(5)
        assert only(tmp_path)["status"] == "interrupted"
    finally:
        callback._leave_signals()
        signal.signal(signal.SIGINT, before)


def test_a_worker_that_is_told_to_stop_writes_nothing(
    callback: CallbackModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    callback.v2_playbook_on_play_start(Play(titan_procedure="service_down"))
    callback._handlers[signal.SIGTERM] = lambda number, frame: None
    monkeypatch.setattr(callback, "_process", -1)
    callback._interrupted(signal.SIGTERM, None)
    callback._at_exit()
    assert only(tmp_path)["status"] == "running"


def test_a_run_that_ansible_gave_up(
    callback: CallbackModule, display: Display, tmp_path: Path
) -> None:
    callback.v2_playbook_on_play_start(Play(titan_procedure="service_down"))
    callback._at_exit()
    assert only(tmp_path)["status"] == "failed"
    assert "Ansible gave up before the end" in only(tmp_path)["summary"]
    assert display.shown[0] == "RECORD"


def test_without_a_directory_the_end_is_still_told(
    callback: CallbackModule, display: Display, tmp_path: Path
) -> None:
    (tmp_path / "records").write_text("")
    callback.v2_playbook_on_play_start(Play(titan_procedure="service_down"))
    callback.v2_playbook_on_stats(Stats(result()))
    assert display.shown[-1] == "record: none could be written"
    (warning,) = display.warnings
    assert "cannot write records in" in warning


def test_an_error_is_one_warning_and_never_more(
    callback: CallbackModule,
    display: Display,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    callback.v2_playbook_on_play_start(Play(titan_procedure="service_down"))

    def broken(record: dict[str, Any]) -> str:
        raise ValueError("from-the-vault\nis broken")

    monkeypatch.setattr(plugin, "page", broken)
    callback.v2_runner_on_ok(Result({"ansible_facts": {"common_result": result()}}))
    callback.v2_runner_on_ok(object())
    callback.v2_playbook_on_stats(Stats(result()))
    (warning,) = display.warnings
    assert warning == "The record of this run is not complete: ValueError: ******** is broken"
    # What could be written is there.
    assert only(tmp_path)["status"] == "finished"
    assert display.shown[-1].startswith("record: ")


# Real runs of Ansible, since what it does with a signal is its own.

PLAY = """
- hosts: a
  gather_facts: false
  vars: {titan_procedure: service_down}
  tasks:
    - name: act | Wait
      ansible.builtin.command: sleep 30
"""


def wait_for(condition: Any, seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "interrupted"), (signal.SIGKILL, "running")],
)
def test_a_real_run_that_is_cut_off(tmp_path: Path, number: int, status: str) -> None:
    (tmp_path / "play.yml").write_text(PLAY)
    folder = tmp_path / "records"
    process = subprocess.Popen(
        [
            str(Path(sys.executable).with_name("ansible-playbook")),
            *("-i", "a,", "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}"),
            str(tmp_path / "play.yml"),
        ],
        cwd=ROOT,
        env={**os.environ, "TITAN_RECORD_DIRECTORY": str(folder), "ANSIBLE_NOCOLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    wait_for(lambda: any("Wait" in one["task"] for one in records(tmp_path)))
    process.send_signal(number)
    if number == signal.SIGKILL:
        process.wait(timeout=40)
        # The worker is left behind and holds the pipe.
        assert process.stdout
        process.stdout.close()
    else:
        output, _errors = process.communicate(timeout=40)
        (page,) = folder.glob("*.html")
        assert f"record: {page}" in output
        assert "not complete" not in output
    written = only(tmp_path)
    assert (written["status"], written["task"]) == (status, "act | Wait")
    assert written["timeline"]["a"][-1]["state"] in ("cut", "at_work")
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
