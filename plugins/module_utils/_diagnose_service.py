# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a service under PM2 does not answer, from what one host showed.

What is looked at goes from the ground up: disk, PM2, release, dependencies, port, processes, and
nginx in front of them. What lies deeper explains what stands on it, so its finding comes first.
"""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_dependencies import (
    DependencyDiagnosis,
)
from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_host import (
    EMPTY,
    NO_SPACE,
    full_disks,
    last_line,
)
from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_instances import (
    ROLL_BACK,
    InstanceDiagnosis,
    stopped_by_signal,
)
from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_nginx import NginxDiagnosis
from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_port import PortDiagnosis
from ansible_collections.plugspace.titan.plugins.module_utils._finding import (
    POSSIBLE,
    Finding,
    finding,
)
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen

_NAME_PM2 = (
    "end PM2's daemon and start it with its applications, which all are gone for a few seconds, by"
    " -e service_down_confirm=PM2"
)
_DAEMON = {
    "absent": ("pm2_absent", "no PM2 daemon runs, so no application does", "start_pm2"),
    "stale": ("pm2_dead", "the PM2 daemon is dead and has left its socket behind", "start_pm2"),
    "hung": ("pm2_hung", "the PM2 daemon does not answer", "replace_pm2"),
    "foreign": ("pm2_foreign", "the PM2 daemon belongs to another user", ""),
}
_LIVE = {
    "absent": "there is nothing at the path that the application runs from",
    "dangling": "the link to the live release leads nowhere",
    "foreign_link": "the application's path is a link to something that is no release",
    "other": "the application's path is neither a release nor a directory",
}


class ServiceDiagnosis:
    """The evidence about one service on one host, and what it says.

    observed: service (name, port, depends_on, paths as in the inventory), answer and site (a row of
    service_probe each, from the service itself and through nginx; in unseen, why there is none of
    the site), instances (how each process answered, as evidence_info tells it), pm2 (pm2_info with
    log lines), release (release_info), host (host_info with units, listeners, processes and
    oom_kills), redis and mongodb (redis_info, mongodb_info), dependency_units (unit of each
    dependency) and dependency_hosts (where the inventory says that each is), own_names (what the
    inventory calls this host), others and other_answers (the names of the other services, and rows
    of service_probe of them), named (what a person has named), nginx (unit, ok, output of its
    configuration test), edge (the hosts that nginx runs on). Any of them may be missing.
    """

    def __init__(self, observed: object) -> None:
        seen = self._seen = Seen(observed)
        self._service = seen.part("service")
        self.name = self._service.text("name")
        self._daemon = seen.part("pm2").part("daemon")
        self._host = seen.part("host")
        apps = seen.part("pm2").rows("apps")
        app = next((app for app in apps if app.text("name") == self.name), EMPTY)
        self._log = app.part("logs").texts("err")
        self._answer = seen.part("answer")
        self._answers = self._answer.flag("ok") is True
        own_names = {name.lower() for name in seen.texts("own_names")}
        self._dependencies = list(DependencyDiagnosis(seen, own_names).findings())
        self._port = PortDiagnosis(seen, app.rows("instances"))
        self._instances = InstanceDiagnosis(seen, app)
        self._nginx = NginxDiagnosis(seen, own_names)

    def findings(self) -> list[Finding]:
        """All causes, the one that explains most first; none when the service is well."""
        if self._answers:
            return [
                # Who answers may be somebody else than the service.
                *self._port.strangers(),
                *self._instances.some(),
                # One that may open few connections more serves this one and not that one.
                *self._nginx.findings([*self._instances.out_of_files(), *self._dependencies]),
            ]
        found = [
            *self._disk(),
            *self._pm2(),
            *self._release(),
            *self._dependencies,
            *self._port.holders(),
        ]
        # A daemon that cannot be asked tells nothing true about its processes.
        if self._daemon.text("state") == "running":
            found += self._instances.findings()
        return found or self._unexplained()

    def remark(self) -> str:
        """What is said of a service that answers, though something that it needs does not."""
        if not self._dependencies:
            return ""
        down = self._dependencies[0]
        advice = f"run playbooks/{down['cause']}.yml" if down["rung"] else down["advice"]
        return f"but {down['evidence']}: {advice}"

    def _disk(self) -> t.Iterator[Finding]:
        # By the application's own path, and where the link there leads.
        release = self._seen.part("release").part("current").text("directory")
        paths = [self._service.text("path"), *([release] if release else [])]
        return full_disks(self._host, paths, last_line(self._log, NO_SPACE))

    def _pm2(self) -> t.Iterator[Finding]:
        state = self._daemon.text("state")
        if state not in _DAEMON:
            return
        cause, said, rung = _DAEMON[state]
        said = self._daemon.text("reason") or said
        pid, in_use = self._daemon.whole("pid"), self._in_use()
        answering = self._still_answer()
        if state == "hung" and pid in stopped_by_signal(self._host):
            why = f"a signal has stopped the PM2 daemon (pid {pid})"
            yield finding(cause, "PM2", why, rung="continue_processes", target=str(pid))
        elif state == "hung" and in_use and self._seen.shown("named") != "PM2":
            yield finding(cause, "PM2", f"{in_use}, but {said}", advice=_NAME_PM2)
        else:
            # Whoever outlived the daemon is of its unit, and ends with it.
            if rung == "start_pm2" and answering:
                said = f"{answering}, and will be gone for a moment when PM2 starts; {said}"
            advice = "" if rung else "name the right user or PM2_HOME (titan_pm2_home)"
            yield finding(cause, "PM2", said, rung=rung, advice=advice)

    def _in_use(self) -> str:
        """Which other services a new daemon would end although they serve; empty when none does."""
        unseen = ", ".join(self._others_that(None))
        return self._still_answer() or (
            f"nobody could see whether {unseen} still serves" if unseen else ""
        )

    def _still_answer(self) -> str:
        """Which other services were seen to serve; empty when none was."""
        good = self._others_that(True)
        return f"{', '.join(good)} still answer{'s' if len(good) == 1 else ''}" if good else ""

    def _others_that(self, answer: bool | None) -> list[str]:
        """The other services that answer, do not, or (None) were not seen."""
        answers = {one.text("name"): one.flag("ok") for one in self._seen.rows("other_answers")}
        return [name for name in self._seen.texts("others") if answers.get(name) is answer]

    def _release(self) -> t.Iterator[Finding]:
        live = self._seen.part("release").text("live")
        current = self._seen.part("release").part("current")
        if live in _LIVE:
            yield finding("release_gone", self.name, _LIVE[live], advice=ROLL_BACK)
        elif current.flag("complete") is False and current.text("name"):
            reason = current.text("reason") or "something of it is missing"
            yield finding(
                "release_damaged",
                self.name,
                f"release {current.text('name')} is live and not complete: {reason}",
                # It may run all the same, so what can be helped is helped first.
                POSSIBLE,
                advice=ROLL_BACK,
            )

    def _unexplained(self) -> list[Finding]:
        reason = self._answer.text("reason") or self._answer.text("msg")
        if not reason and self._answer.flag("ok") is None:
            reason = "nobody could look whether it answers"
        return [
            finding(
                "unknown",
                self.name,
                reason or "it does not answer, and nothing that was seen says why",
                POSSIBLE,
                advice=f"look at the logs: pm2 logs {self.name} --lines 100",
            )
        ]


def remark(observed: object) -> str:
    """What is said of a service that answers, though something that it needs does not; or empty."""
    return ServiceDiagnosis(observed).remark()


def diagnose_service(observed: object) -> list[Finding]:
    """All causes of a service's illness on one host, the one that explains most first."""
    return ServiceDiagnosis(observed).findings()
