# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Callback plugspace.titan.record."""

from __future__ import annotations

DOCUMENTATION = r"""
name: record
type: notification
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Write a record of each run of a procedure
version_added: 0.1.0
description:
  - Writes one record for each run of a procedure, as JSON and as a page that needs nothing else,
    and tells at the end of the run the outcome, the cause, what was done, the time to recovery and
    the path of the record.
  - A run is recorded from its first play whose C(vars) hold C(titan_procedure), the name of the
    procedure. A run without such a play is recorded from its first result on, which is a fact
    C(common_result), or a list C(titan_results) that M(ansible.builtin.set_stats) was given.
  - Any other run leaves nothing, nor do C(--syntax-check), C(--list-tasks) and the like.
  - The record is there from the beginning, with the status V(running), and is kept up to date. So a
    run that is interrupted leaves one that says so, and a run that is killed one that shows how far
    it came.
  - A record is never changed by another run, and none is ever removed.
  - Secrets are masked. These are the values of all variables of the run, its hosts and its inputs
    whose names end in C(password), C(token), C(secret) and the like, or begin with C(vault_), and
    the addresses of the channels that messages go out by.
  - An error in it never breaks a run; it becomes a warning.
options:
  directory:
    description:
      - Where the records are written, on the controller. It is made when it is missing, for its
        owner alone.
    type: path
    default: ~/.local/state/titan/records
    ini:
      - section: callback_record
        key: directory
    env:
      - name: TITAN_RECORD_DIRECTORY
"""

EXAMPLES = r"""
ansible.cfg: |
  [defaults]
  callbacks_enabled = plugspace.titan.record

  [callback_record]
  directory = /var/lib/titan/records

playbooks/service_down.yml: |
  - name: Bring a service back
    hosts: titan_app
    vars:
      titan_procedure: service_down
    roles:
      - role: plugspace.titan.service_down
"""

RETURN = r"""
record:
  description: What the JSON file holds; the most important of it.
  returned: in the file
  type: dict
  contains:
    id:
      description: The record's own name, which begins with the time.
      type: str
      sample: 20261124T031500Z-service_down-4f1a2b
    procedure:
      description: The procedure that the run is named after.
      type: str
      sample: service_down
    status:
      description: How the run ended; V(running), V(finished), V(failed) or V(interrupted).
      type: str
      sample: finished
    outcome:
      description: The worst outcome of all results; empty when there was none.
      type: str
      sample: healed
    summary:
      description: Two sentences for a person.
      type: str
      sample: plugspace-api on titan1 was healed by restart within 6.2 s. The cause was errored.
    recovery_seconds:
      description: Until the last subject that was healed was seen to be back; null when none was.
      type: float
      sample: 6.2
    results:
      description: The procedures' own results, each with its findings, rungs, and before and after.
      type: list
      elements: dict
      sample: []
    inputs:
      description: The extra variables, without secrets.
      type: dict
      sample: {}
    timeline:
      description: For each host what it was busy with, and when.
      type: dict
      sample: {}
"""

import atexit
import contextlib
import functools
import os
import platform
import signal
import sys
import threading
import time
import typing as t

from ansible import context
from ansible.plugins.callback import CallbackBase
from ansible.release import __version__ as ansible_version

from ansible_collections.plugspace.titan.plugins.module_utils._identity import Run, user
from ansible_collections.plugspace.titan.plugins.module_utils._record import (
    FAILED,
    INTERRUPTED,
    Recorder,
    native,
    who,
)
from ansible_collections.plugspace.titan.plugins.module_utils._record_mask import (
    mask,
    masked_inputs,
    secrets_of,
)
from ansible_collections.plugspace.titan.plugins.module_utils._record_page import page
from ansible_collections.plugspace.titan.plugins.module_utils._record_store import (
    RecordError,
    Store,
)
from ansible_collections.plugspace.titan.plugins.module_utils._record_text import lines, summary
from ansible_collections.plugspace.titan.plugins.module_utils._redact import Redactor
from ansible_collections.plugspace.titan.plugins.module_utils._words import plain

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# What of the run's time it may take to note which hosts have begun a task.
_SHARE = 0.1
_AGAIN_SECONDS = 0.05

_F = t.TypeVar("_F", bound=t.Callable[..., None])


def _never_breaks_a_run(method: _F) -> _F:
    """An event that cannot be recorded is one warning; further ones are silent."""

    @functools.wraps(method)
    def guarded(self: CallbackModule, *arguments: t.Any, **keywords: t.Any) -> None:
        with self.lock:
            try:
                method(self, *arguments, **keywords)
            except Exception as error:
                self.warn(f"{type(error).__name__}: {error}")

    return t.cast(_F, guarded)


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """The callback: it hands events to the recorder, and the record to the store."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "plugspace.titan.record"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *arguments: t.Any, **keywords: t.Any) -> None:
        super().__init__(*arguments, **keywords)
        # Results come from another thread, and a signal comes in the middle of anything.
        self.lock = threading.RLock()
        self._process = os.getpid()
        self._warned = False
        self._recorder: Recorder | None = None
        self._store: Store | None = None
        self._begun = False
        self._told = True
        self._moment = 0.0
        self._secrets: set[str] = set()
        self._known_hosts: set[str] = set()
        self._known_tasks: set[str] = set()
        self._taken_results = 0
        self._next_save = 0.0
        self._handlers: dict[int, t.Any] = {}
        atexit.register(self._at_exit)

    def warn(self, problem: str) -> None:
        """Say once that there is no record, or not all of it."""
        if not self._warned:
            self._warned = True
            with contextlib.suppress(Exception):
                text = Redactor(self._secrets).text(problem)
                self._display.warning(f"The record of this run is not complete: {plain(text)}")

    @_never_breaks_a_run
    def v2_playbook_on_start(self, playbook: t.Any) -> None:
        options = context.CLIARGS
        self._moment = time.time()
        self._begun = False
        self._store = None
        self._recorder = Recorder(
            {
                "playbook": str(getattr(playbook, "_file_name", "")),
                "check": bool(options.get("check")),
                "limit": str(options.get("subset") or ""),
                "tags": [str(tag) for tag in options.get("tags") or () if tag != "all"],
                "skip_tags": [str(tag) for tag in options.get("skip_tags") or ()],
                "inventory": [str(source) for source in options.get("inventory") or ()],
                "by": user(),
                "controller": platform.node(),
                "run": Run.of_process(self._process).id,
                "ansible": ansible_version,
                "inputs": {},
            },
            self._moment,
        )

    @_never_breaks_a_run
    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        if self._recorder is None:
            return
        procedure = str(native((play.vars or {}).get("titan_procedure")) or "")
        if "{{" in procedure:
            # It is not known before a task templates it, and a record needs its name now.
            procedure = os.path.splitext(os.path.basename(str(play.get_name())))[0]
        self._recorder.play_started(str(play.get_name()), procedure)
        self._learn_variables(play)
        if procedure:
            self._begin()
        self._save()

    @_never_breaks_a_run
    def v2_playbook_on_no_hosts_matched(self) -> None:
        if self._recorder is not None:
            self._recorder.note("No host matched, so nothing was looked at.")

    @_never_breaks_a_run
    def v2_runner_on_start(self, host: t.Any, task: t.Any) -> None:
        if self._recorder is not None:
            self._recorder.task_started(host.get_name(), task.name or task.action, _role(task))
            # The one that a run is killed in may be long: its begin is always written.
            self._save(at_once=task._uuid not in self._known_tasks, with_page=False)
            self._known_tasks.add(task._uuid)

    @_never_breaks_a_run
    def v2_runner_on_ok(self, result: t.Any) -> None:
        content = result._result
        self._ended(result, "changed" if content.get("changed") else "ok")
        looped = content.get("results")
        for one in [content, *(looped if isinstance(looped, list) else [])]:
            facts = one.get("ansible_facts") if isinstance(one, dict) else None
            if isinstance(facts, dict) and "common_result" in facts:
                self._take(facts["common_result"])

    @_never_breaks_a_run
    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._ended(result, "ok" if ignore_errors else "failed", _message(result._result))

    @_never_breaks_a_run
    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self._ended(result, "unreachable", _message(result._result))

    @_never_breaks_a_run
    def v2_runner_on_skipped(self, result: t.Any) -> None:
        self._ended(result, "skipped")

    @_never_breaks_a_run
    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        if self._recorder is None:
            return
        results = stats.custom.get("_run", {}).get("titan_results") or []
        # The counts are of all playbooks of this command, so what was seen before is left out.
        for one in results[self._taken_results :]:
            self._take(one)
        self._taken_results = len(results)
        self._recorder.add_hosts({host: stats.summarize(host) for host in stats.processed})
        if self._begun:
            self._end()
            self._tell()

    def _ended(self, result: t.Any, state: str, message: str = "") -> None:
        if self._recorder is not None:
            task = result._task
            self._recorder.task_ended(
                result._host.get_name(), task.name or task.action, state, message, _role(task)
            )

    def _take(self, result: object) -> None:
        if self._recorder is not None and self._recorder.add_result(result):
            self._begin()
            self._save()

    def _learn_variables(self, play: t.Any) -> None:
        """The inputs of the run, and the secrets of it and of each host of the play."""
        manager = play.get_variable_manager()
        extra = dict(manager.extra_vars)
        self._secrets |= secrets_of(extra)
        if self._recorder is not None:
            self._recorder.learn(
                by=who(user(), extra, os.environ), inputs=native(masked_inputs(extra))
            )
        inventory = manager._inventory
        for host in inventory.get_hosts(play.hosts) if inventory else ():
            if host.name not in self._known_hosts:
                self._known_hosts.add(host.name)
                variables = manager.get_vars(play=play, host=host, include_hostvars=False)
                self._secrets |= secrets_of(variables)

    def _begin(self) -> None:
        """From here on there is a record."""
        if self._begun or self._recorder is None:
            return
        self._begun, self._told = True, False
        self._watch_signals()
        try:
            directory = str(self.get_option("directory"))
            self._store = Store(directory, self._recorder.procedure, self._moment)
        except RecordError as error:
            self.warn(str(error))

    def _record(self) -> dict[str, t.Any]:
        """The record, as it may be seen."""
        if self._recorder is None:
            return {}
        record = {"id": self._store.id if self._store else "", **self._recorder.to_dict()}
        record["summary"] = summary(record)
        masked: dict[str, t.Any] = mask(record, Redactor(self._secrets))
        return masked

    @_never_breaks_a_run
    def _save(self, at_once: bool = True, with_page: bool = True) -> None:
        now = time.monotonic()
        if self._store is None or not (at_once or now >= self._next_save):
            return
        record = self._record()
        self._store.write(record)
        self._next_save = now + (time.monotonic() - now) / _SHARE
        if with_page:
            self._store.write_page(page(record))

    def _end(self, status: str = "", name: str = "") -> None:
        if self._recorder is not None:
            self._recorder.end(status, name)
            self._leave_signals()
            self._save()

    def _tell(self) -> None:
        """The last lines of the run."""
        if self._told:
            return
        self._told = True
        path = self._store.page_path if self._store else ""
        self._display.banner("RECORD")
        for line in lines(self._record(), path):
            self._display.display(line)

    def _watch_signals(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number in _SIGNALS:
            handler = signal.getsignal(number)
            if handler not in (signal.SIG_IGN, None):
                self._handlers[number] = handler
                signal.signal(number, self._interrupted)

    def _leave_signals(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number, handler in self._handlers.items():
                signal.signal(number, handler)
            self._handlers.clear()

    def _interrupted(self, number: int, frame: t.Any) -> None:
        """Write the record, then let happen what would have happened without it."""
        if os.getpid() == self._process and _is_forking(frame):
            # Python drops what is raised there: the run would go on, and be recorded as cut off.
            again = threading.Timer(_AGAIN_SECONDS, os.kill, (self._process, number))
            again.daemon = True
            again.start()
            return
        handler = self._handlers.get(number, signal.SIG_DFL)
        # A second signal does not wait for the record.
        signal.signal(number, handler)
        if os.getpid() == self._process:
            self._interrupt(signal.Signals(number).name)
        if callable(handler):
            handler(number, frame)
        else:
            os.kill(os.getpid(), number)

    @_never_breaks_a_run
    def _interrupt(self, name: str) -> None:
        self._end(INTERRUPTED, name)
        if name != "SIGINT":
            # Nothing else comes after it; after an interruption Ansible has words of its own.
            self._tell()
            sys.stdout.flush()

    @_never_breaks_a_run
    def _at_exit(self) -> None:
        """A run that had no end of its own: it was interrupted, or Ansible gave it up."""
        if not self._begun or os.getpid() != self._process:
            return
        if self._recorder is not None and not self._recorder.is_over:
            self._recorder.note("Ansible gave up before the end; its own message says why.")
            self._end(FAILED)
        self._tell()


def _is_forking(frame: t.Any) -> bool:
    """Whether the main process is just starting a worker."""
    while frame is not None:
        code = frame.f_code
        if code.co_name == "_launch" and code.co_filename.endswith("popen_fork.py"):
            return True
        frame = frame.f_back
    return False


def _role(task: t.Any) -> str:
    role = getattr(task, "_role", None)
    return str(role.get_name()) if role else ""


def _message(content: t.Mapping[str, t.Any]) -> str:
    """Why a task failed; of a loop, its first item that did."""
    told = str(content.get("msg") or content.get("censored") or content.get("stderr") or "")
    for one in content.get("results") or ():
        if isinstance(one, dict) and one.get("failed"):
            return f"{told}: {one.get('msg') or one.get('stderr') or ''}"
    return told
