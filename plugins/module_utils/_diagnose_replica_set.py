# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a replica set, as one member that answers sees it."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_host import (
    EMPTY,
    last_line,
)
from ansible_collections.plugspace.titan.plugins.module_utils._diagnose_mongod_log import TOO_STALE
from ansible_collections.plugspace.titan.plugins.module_utils._finding import (
    CERTAIN,
    LIKELY,
    Finding,
    finding,
)
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen
from ansible_collections.plugspace.titan.plugins.module_utils._words import age, plural

# As in mongodb_replica_set.
_MAX_LAG_S = 10.0
# Of a hidden member one hears every 2 s, and an idle set is written to every 10 s.
_HEARD_S = 12.0
_ANSWERING = ("ok", "auth", "not_initialized", "removed")
_NO_LOGIN = re.compile(r"authentication ?failed|not authorized|unauthorized", re.I)
_LOCAL = re.compile(r"^(?:127\.|localhost|\[?::1)")
_ADD = "plugspace.titan.mongodb_replica_set"


def self_name(answer: Seen) -> str:
    """What a member calls itself, by mongodb_info of its host; empty where it did not say."""
    return next((row.text("name") for row in answer.rows("members") if row.flag("self")), "")


class ReplicaSetDiagnosis:
    """The set as this host's member sees it, and what the other hosts' members say.

    name: of the server, for a person. seen: what the filter diagnose_mongodb documents. log: of
    this host's member. healing: the members that this run helps on their own hosts.
    """

    def __init__(
        self, name: str, seen: Seen, log: t.Sequence[str], healing: t.Collection[str] = ()
    ) -> None:
        self._healing = healing
        self._name = name
        self._set_name = seen.part("service").text("replica_set")
        self._own = seen.part("mongodb")
        self._member = seen.text("member")
        others = seen.part("others")
        self._there = others
        # By the inventory's name of each member, what it calls itself.
        self._called = {one: self_name(others.part(one).part("mongodb")) for one in others.names()}
        self._called[self._member] = self_name(self._own)
        self._log = log
        self._expected = list(dict.fromkeys(seen.texts("expected_members")))
        self._max_lag = seen.number("lag_max_s", _MAX_LAG_S)
        answers = seen.part("members")
        self._hosts = answers.names()
        self._others = [answers.part(host) for host in self._hosts]
        self._server = self._own.part("server")
        self._config = self._server.part("config").rows("members")
        self._rows = self._own.rows("members")
        self._states = {one.text("name"): one for one in self._server.rows("members")}

    def findings(self) -> list[Finding]:
        """All that is wrong, what explains most first; none when the set is well."""
        role = self._own.text("role")
        if self._own.text("state") == "removed":
            return [self._removed()]
        if role == "NOT_INITIALIZED":
            return [self._uninitiated()]
        if role == "STANDALONE":
            return list(self._standalone())
        return [
            *self._mismatched(),
            *self._no_primary(),
            *self._own_state(),
            *self._down(),
            *self._missing(),
            *self._lagging(),
        ]

    # -- it has no set ------------------------------------------------------------------------

    def _uninitiated(self) -> Finding:
        with_set = [one for one in self._others if one.text("set")]
        silent = [
            host
            for host, one in zip(self._hosts, self._others)
            if one.text("state") not in _ANSWERING
        ]
        own = self._own_name()
        if with_set:
            found = with_set[0]
            name = found.text("set")
            # The set may call it by the address rather than by the inventory's name.
            names = (own, self_name(self._own))
            if any(row.text("name") in names for row in found.rows("members")):
                why = f"{own} is a member of {name}, and has not got the configuration yet"
                return finding("joining", own, why, LIKELY, rung="wait")
            why = f"{own} is in no set, while the other hosts have the set {name}"
            advice = f"it is new or was removed: add it to {name} with {_ADD}"
            return finding("not_a_member", own, why, advice=advice)
        cause, subject = "never_initiated", self._set_name or self._name
        count = plural(len(self._others) - len(silent) + 1, "member")
        why = f"{count} answered, and none of them has a configuration of a set"
        if silent:
            advice = f"start {', '.join(silent)} first: one that is silent may have the set"
            return finding(cause, subject, f"{why}; {', '.join(silent)} did not", advice=advice)
        # Only a login tells a member that was removed from one that never was in a set.
        if any(one.text("state") != "not_initialized" for one in (self._own, *self._others)):
            advice = "look again with a login that the members accept: one may have been in a set"
            return finding(cause, subject, why, LIKELY, advice=advice)
        if len(self._others) + 1 < len(self._expected) or not self._expected:
            advice = "look at all members before anything is initiated: one may have the set"
            return finding(cause, subject, why, LIKELY, advice=advice)
        advice = "a new set is empty: where there is a backup, restore that"
        return finding(cause, subject, why, CERTAIN, "initiate_set", self._set_name, advice)

    def _removed(self) -> Finding:
        own = self._own_name()
        why = f"{own} has been removed from its set: {self._own.text('error')}"
        advice = f"add it again (playbooks/mongodb_down.yml, or {_ADD}), or stop its unit"
        return finding("member_missing", own, why, CERTAIN, "add_member", own, advice)

    def _standalone(self) -> t.Iterator[Finding]:
        if len(self._expected) > 1:
            yield finding(
                "standalone",
                self._own_name(),
                f"{self._own_name()} runs for no replica set, and the inventory has"
                f" {plural(len(self._expected), 'member')}",
                advice="set replication.replSetName in its configuration, and restart it",
            )

    def _own_name(self) -> str:
        """This member as the set knows it; one without a set knows only where it was asked."""
        name = self_name(self._own)
        in_set = self._own.text("set") and not _LOCAL.match(name)
        return (name if in_set else "") or self._member or name or self._name

    # -- the set as a whole -------------------------------------------------------------------

    def _answers(self, name: str) -> bool:
        """Whether a member answers, so that it can elect."""
        row = next((row for row in self._rows if row.text("name") == name), EMPTY)
        heard = self._states.get(name, EMPTY)
        return not self._refuses(heard) and bool(row.text("role") or heard.flag("answers"))

    @staticmethod
    def _refuses(heard: Seen) -> bool:
        """Whether a member runs, and does not let this one in."""
        beat = heard.text("last_heartbeat_message")
        return heard.flag("answers") is False and _NO_LOGIN.search(beat) is not None

    def _voters(self) -> list[str]:
        """Those who elect; without a login, all that are known."""
        config = [one.text("host") for one in self._config if one.whole("votes", 1) > 0]
        return config or [row.text("name") for row in self._rows]

    def _no_primary(self) -> t.Iterator[Finding]:
        if not self._rows or any(row.text("role") == "PRIMARY" for row in self._rows):
            return
        voters = self._voters()
        silent = [name for name in voters if not self._answers(name)]
        here = self._own_name()
        subject = self._own.text("set") or self._name
        counted = f"{len(voters) - len(silent)} of {plural(len(voters), 'voting member')}"
        elsewhere = [row for one in self._others for row in one.rows("members")]
        primary = next((row for row in elsewhere if row.text("role") == "PRIMARY"), None)
        running = [name for name in silent if name in self._called.values()]
        if (len(voters) - len(silent)) * 2 > len(voters):
            why = f"no member is primary, and {counted} answer: an election is due"
            yield finding("electing", subject, why, rung="wait")
        elif primary or running:
            others = f"on their own hosts {', '.join(running)} answer"
            if primary:
                others = f"{primary.text('name')} is primary"
            why = f"{here} reaches only {counted}, while {others}"
            advice = f"look at the network and the firewall between {here} and {', '.join(silent)}"
            yield finding("cut_off", here, why, LIKELY, advice=advice)
        else:
            yield self._majority_lost(subject, silent, counted)

    def _majority_lost(self, subject: str, silent: t.Sequence[str], counted: str) -> Finding:
        why = f"no member is primary: only {counted} answer, without {', '.join(silent)}"
        # The others' own results say what becomes of them.
        left = [name for name in silent if name not in self._healing]
        forced = "without them, what only they have or still write unseen is lost"
        advice = f"start {', '.join(left)}; {forced}" if left else ""
        rung, target = "", ""
        if len(left) < len(silent):
            rung = "wait"
        elif self._can_go_on(silent):
            rung, target = "force_set", f"{subject}-without-{','.join(silent)}"
        return finding("majority_lost", subject, why, CERTAIN, rung, target, advice)

    def _can_go_on(self, silent: t.Iterable[str]) -> bool:
        """Whether one is left that can be elected, and none of the others is known to run.

        A host of the inventory that was not looked at may know a primary.
        """
        electable = {one.text("host") for one in self._config if one.number("priority", 1) > 0}
        left = {row.text("name") for row in self._rows if row.text("role") == "SECONDARY"}
        looked_at = {self._member, *self._there.names()} >= set(self._expected)
        return looked_at and bool(electable & left) and all(map(self._is_lost, silent))

    def _is_lost(self, name: str) -> bool:
        """Whether a member's own host cannot be reached, or has nobody at its port.

        By the inventory's name: whoever is called otherwise has not been looked at.
        """
        there = self._there.part(name)
        nobody = there.part("mongodb").text("state") == "refused"
        return nobody or there.flag("unreachable") is True

    def _own_state(self) -> t.Iterator[Finding]:
        if self._own.text("role") != "NOT_READY":
            return
        own, state = self._own_name(), self._server.text("state_str") or "not ready"
        said = last_line(self._log, TOO_STALE)
        if said:
            why = f"{own} is {state}; its log: {said}"
            yield finding("too_stale", own, why, LIKELY, advice=self._resync(own))
        else:
            why = f"{own} answers and is {state}: it serves nothing until it is ready"
            yield finding("member_not_ready", own, why, rung="wait")

    # -- the other members --------------------------------------------------------------------

    def _mismatched(self) -> t.Iterator[Finding]:
        for name, heard in self._states.items():
            if self._refuses(heard):
                beat = heard.text("last_heartbeat_message")
                why = f"{name} runs, and {self._own_name()} may not speak to it: {beat}"
                advice = "make security.keyFile the same on all members, and restart those changed"
                yield finding("keyfile_mismatch", name, why, LIKELY, advice=advice)

    def _down(self) -> t.Iterator[Finding]:
        silent = {
            row.text("name"): row.text("error")
            for row in self._rows
            if not row.text("role") and not row.flag("self")
        }
        # Hidden members, which only a login shows.
        shown = [row.text("name") for row in self._rows]
        for name, heard in self._states.items():
            if name not in shown and heard.flag("answers") is False and not self._refuses(heard):
                silent[name] = heard.text("last_heartbeat_message")
        for name, reason in silent.items():
            why = f"{name} gives no answer: {reason or 'no reason is known'}"
            rung = "wait" if name in self._healing else ""
            heal = "heal it on its own host; the set goes on as long as a majority answers"
            advice = "" if rung else heal
            yield finding("member_down", name or self._name, why, rung=rung, advice=advice)

    def _missing(self) -> t.Iterator[Finding]:
        """In the inventory, and not in the set."""
        members = [one.text("host") for one in self._config]
        # Without a login hidden members stay unknown.
        sure = CERTAIN if members else LIKELY
        members = members or [row.text("name") for row in self._rows]
        known = {*self._expected, *self._called.values()}
        unclaimed = [one for one in members if one not in known]
        for name in self._expected if members else ():
            # The inventory may call it otherwise than the set does.
            called = self._called.get(name)
            if name in members or called in members or (unclaimed and not called):
                continue
            count = plural(len(members), "member")
            why = f"{name} is in the inventory, and not among the {count} of the set"
            advice = f"name it to have it added, or add it with {_ADD}"
            if not self._is_lost(name):
                yield finding("member_missing", name, why, sure, "add_member", name, advice)
                continue
            # A member that is silent from the start may leave the set without a majority.
            rung = "wait" if name in self._healing else ""
            advice = "" if rung else f"start it on its own host first; then {advice}"
            yield finding("member_missing", name, why, sure, rung, advice=advice)

    def _lagging(self) -> t.Iterator[Finding]:
        delays = {one.text("host"): one.number("delay_s") for one in self._config}
        window = self._server.number("oplog_window_h") * 3600
        shown = [row.text("name") for row in self._rows]
        hidden = [one for name, one in self._states.items() if name not in shown]
        for row in (*self._rows, *hidden):
            name = row.text("name")
            lag = row.number("lag_s") - delays.get(name, 0.0)
            late = 0.0 if name in shown else _HEARD_S
            if lag - late <= self._max_lag:
                continue
            why = f"{name} is {age(lag)} behind the primary, more than {self._max_lag:g} s"
            if window:
                why += f"; the oplog holds {age(window)}"
            advice = (
                "look at its load and its disk; it catches up as long as the oplog reaches back"
            )
            if 0 < window < lag:
                advice = self._resync(name)
            yield finding("lagging", name or self._name, why, advice=advice)

    @staticmethod
    def _resync(name: str) -> str:
        return (
            f"{name} cannot catch up: stop it, move its data away, start it, and it copies all data"
            " again; a larger oplog keeps it from happening"
        )
