# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom the kernel killed; the messages of 3.10 and 4.15 are made after the known format."""

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.plugspace.titan.plugins.module_utils._host import HostError
from ansible_collections.plugspace.titan.plugins.module_utils._host_oom import (
    dmesg_messages,
    journal_messages,
    kills,
    oom_kill_count,
    oom_kills,
)
from ansible_collections.plugspace.titan.plugins.module_utils._process import Finished

CGROUP = "/docker/64dbb87680ab/system.slice/titan-eat.service"
# Linux 6.18, a service that reached its MemoryMax.
LIMIT_REACHED = [
    "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=64dbb87680ab,mems_allowed=0,"
    f"oom_memcg={CGROUP},task_memcg={CGROUP},task=python3,pid=11587,uid=0",
    "Memory cgroup out of memory: Killed process 11587 (python3) total-vm:218564kB, "
    "anon-rss:40704kB, file-rss:5148kB, shmem-rss:0kB, UID:0 pgtables:140kB oom_score_adj:0",
]
# Linux 4.18 (RHEL 8), the whole host.
HOST_FULL = [
    "pool invoked oom-killer: gfp_mask=0x6200ca(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=0",
    "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
    "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,"
    "task_memcg=/user.slice/user-21417.slice/user@21417.service,task=perl,pid=1440763,uid=21417",
    "Out of memory: Killed process 1440763 (perl) total-vm:87033376kB, anon-rss:60356340kB, "
    "file-rss:0kB, shmem-rss:0kB, UID:21417 pgtables:169956kB oom_score_adj:0",
    "oom_reaper: reaped process 1440763 (perl), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB",
]
# Linux 4.15, a control group.
OLD = [
    "Memory cgroup out of memory: Kill process 3034 (stress) score 1089 or sacrifice child",
    "Killed process 3034 (stress) total-vm:1054944kB, anon-rss:102288kB, file-rss:656kB, "
    "shmem-rss:0kB",
]
# Linux 3.10 (RHEL 7).
OLDER = [
    "Out of memory: Kill process 2592 (oracle) score 9 or sacrifice child",
    "Killed process 2592 (oracle), UID 1001, total-vm:1054944kB, anon-rss:100kB, file-rss:20kB, "
    "shmem-rss:0kB",
]
# Linux 5.4: the summary was left out, since the kernel limits how often it prints one.
NO_SUMMARY = [
    "Memory cgroup out of memory: Killed process 63214 (uwsgi) total-vm:3149468kB, "
    "anon-rss:164992kB, file-rss:52176kB, shmem-rss:92kB, UID:0 pgtables:1372kB oom_score_adj:986",
]
NOW = 1_795_476_529.0
UPTIME = 48_900.0


def seen(lines: list[str]) -> list[dict[str, t.Any]]:
    return kills((NOW, line) for line in lines)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (LIMIT_REACHED, (11587, "python3", "titan-eat.service", CGROUP, "cgroup", CGROUP, 45852)),
        (
            HOST_FULL,
            (
                1440763,
                "perl",
                "user@21417.service",
                "/user.slice/user-21417.slice/user@21417.service",
                "host",
                None,
                60356340,
            ),
        ),
        (OLD, (3034, "stress", None, None, "cgroup", None, 102944)),
        (OLDER, (2592, "oracle", None, None, "host", None, 120)),
        (NO_SUMMARY, (63214, "uwsgi", None, None, "cgroup", None, 217260)),
        (OLD[1:], (3034, "stress", None, None, None, None, 102944)),
    ],
)
def test_a_kill_in_the_words_of_a_kernel(lines: list[str], expected: tuple[t.Any, ...]) -> None:
    (found,) = seen(lines)
    *words, rss_kb = expected
    assert list(found.values()) == ["2026-11-23T23:28:49Z", *words, rss_kb * 1024]


def test_a_name_may_hold_anything() -> None:
    lines = [line.replace("python3", "(a, b=c) \x1b") for line in LIMIT_REACHED]
    (found,) = seen(lines)
    assert (found["name"], found["unit"]) == ("(a, b=c) ?", "titan-eat.service")


def test_what_is_no_kill_is_left_out() -> None:
    assert seen([*HOST_FULL[:2], HOST_FULL[-1], LIMIT_REACHED[0], "", "Killed process"]) == []


def test_each_kill_gets_its_own_summary() -> None:
    found = seen([*LIMIT_REACHED, *HOST_FULL, *NO_SUMMARY])
    assert [(kill["pid"], kill["scope"], kill["unit"]) for kill in found] == [
        (11587, "cgroup", "titan-eat.service"),
        (1440763, "host", "user@21417.service"),
        (63214, "cgroup", None),
    ]


@given(st.lists(st.text() | st.sampled_from(LIMIT_REACHED + HOST_FULL + OLD + OLDER)))
def test_any_messages_are_kills_or_none(lines: list[str]) -> None:
    assert len(seen(lines)) <= len(lines)


@given(st.text() | st.binary().map(lambda data: data.decode(errors="surrogateescape")))
def test_any_output_is_messages_or_none(output: str) -> None:
    journal_messages(output)
    dmesg_messages(output, 0)


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists))
def test_any_value_is_a_message_or_none(value: t.Any) -> None:
    line = json.dumps({"__REALTIME_TIMESTAMP": "1000000", "MESSAGE": value})
    assert all(isinstance(text, str) for _, text in journal_messages(line))


def entry(text: t.Any, ago: float = 0) -> str:
    """What journalctl 252 prints for one message of the kernel."""
    return json.dumps(
        {
            "_BOOT_ID": "1cff56f1a22f43dbafc0af9b97f4b1f6",
            "MESSAGE": text,
            "__MONOTONIC_TIMESTAMP": "2000",
            "__CURSOR": "s=71c14b4861494aefb7e57d7f3ebf6698;i=2",
            "__REALTIME_TIMESTAMP": str(round((NOW - ago) * 1e6)),
        }
    )


def test_entries_of_the_journal() -> None:
    output = "\n".join(
        [
            entry("one"),
            entry([116, 119, 111, 255]),  # bytes that are no text
            entry(None),  # too large to be told
            "-- No entries --",
            "[]",
            json.dumps({"MESSAGE": "no time"}),
            json.dumps({"MESSAGE": "foreign", "__REALTIME_TIMESTAMP": "x"}),
        ]
    )
    assert journal_messages(output) == [(NOW, "one"), (NOW, "two\ufffd")]


def test_lines_of_the_buffer() -> None:
    output = (
        "[48696.757827] oom-kill:constraint=x\n"
        "[    0.000000][    T0] Linux version 6.1\n"
        "[12.5][ C1] text\n"
        "no time\n"
    )
    assert dmesg_messages(output, 1000.0) == [
        (49696.757827, "oom-kill:constraint=x"),
        (1000.0, "Linux version 6.1"),
        (1012.5, "text"),
    ]


class FakeHost:
    """A host whose commands give what they are told to."""

    def __init__(self) -> None:
        self.vmstat = "nr_free_pages 1\noom_kill 3\npgmajfault 5\n"
        self.probe = Finished(0, entry("UFW BLOCK noise"))
        self.journal: Finished | HostError = Finished(1, "")
        self.dmesg: Finished | HostError = Finished(0, "")
        self.cgroup: str | OSError = "4:memory:/init.scope\n0::/init.scope\n"
        self.commands: list[list[str]] = []

    def read(self, path: str) -> str:
        if path == "/proc/1/cgroup":
            if isinstance(self.cgroup, OSError):
                raise self.cgroup
            return self.cgroup
        assert path == "/proc/vmstat"
        return self.vmstat

    def run(self, command: t.Sequence[str]) -> Finished:
        self.commands.append(list(command))
        if command[0] == "dmesg":
            answer = self.dmesg
        else:
            answer = self.probe if "--lines=1" in command else self.journal
        if isinstance(answer, HostError):
            raise answer
        return answer

    def now(self) -> float:
        return NOW

    def monotonic(self) -> float:
        return UPTIME


def test_kills_from_the_journal_newest_first() -> None:
    host = FakeHost()
    lines = [
        *(entry(line, 4000) for line in HOST_FULL),  # before the time asked for
        *(entry(line, 60) for line in LIMIT_REACHED),
        *(entry(line, 10) for line in NO_SUMMARY),
    ]
    host.journal = Finished(0, "\n".join(lines))
    assert [kill["pid"] for kill in oom_kills(host, 3600)] == [63214, 11587]
    assert f"--since=@{int(NOW) - 3600}" in host.commands[1]
    assert len(host.commands) == 2  # the buffer was not asked


def test_a_journal_without_a_match_is_no_failure() -> None:
    host = FakeHost()
    assert oom_kills(host, 3600) == []
    assert len(host.commands) == 2


def test_a_loop_of_kills_is_cut_at_the_newest() -> None:
    host = FakeHost()
    lines = [entry(NO_SUMMARY[0].replace("63214", str(pid))) for pid in range(1, 151)]
    host.journal = Finished(0, "\n".join(lines))
    assert [kill["pid"] for kill in oom_kills(host, 3600)] == list(range(150, 50, -1))


# A container's first process, with control groups of version 1 (Docker 20.10), and of version 2.
CONTAINED = (
    "9:name=systemd:{0}/init.scope\n7:blkio:{0}\n4:memory:{0}/init.scope\n0::{0}/init.scope\n"
)


@pytest.mark.parametrize(
    ("cgroup", "found"),
    [
        (CONTAINED.format("/docker/64dbb87680ab"), True),
        (CONTAINED.format("/docker/258e36929fb1"), False),
        ("4:cpu,memory:/docker/64dbb8\n", False),
        ("0::/docker/64dbb87680ab\n", True),
        ("0::/\n", True),
        ("", True),
        (OSError("hidden"), True),
    ],
)
def test_a_kill_in_another_container_is_not_of_this_host(
    cgroup: str | OSError, found: bool
) -> None:
    host = FakeHost()
    host.cgroup = cgroup
    host.journal = Finished(0, "\n".join(entry(line, 60) for line in LIMIT_REACHED))
    assert bool(oom_kills(host, 3600)) is found
    # One that the log does not place may have been here.
    host.journal = Finished(0, "\n".join(entry(line, 60) for line in NO_SUMMARY))
    assert oom_kills(host, 3600)


@pytest.mark.parametrize(
    "silent",
    [
        Finished(0, ""),
        Finished(1, "", "No journal files were opened due to insufficient permissions.\n"),
    ],
)
def test_without_the_journal_the_buffer_is_read(silent: Finished) -> None:
    host = FakeHost()
    host.probe = silent
    at = f"[{UPTIME - 30:.6f}]"
    host.dmesg = Finished(0, f"{at} {LIMIT_REACHED[0]}\n{at} {LIMIT_REACHED[1]}\n")
    (found,) = oom_kills(host, 60)
    assert (found["time"], found["unit"]) == ("2026-11-23T23:28:19Z", "titan-eat.service")
    assert oom_kills(host, 20) == []


@pytest.mark.parametrize(
    ("journal", "said"),
    [
        (Finished(1, "", "Compiled without pattern matching support\n"), "without pattern"),
        (HostError("journalctl gave no result within 4.9 s"), "no result within 4.9 s"),
    ],
)
def test_a_log_that_cannot_be_read_is_an_error(journal: Finished | HostError, said: str) -> None:
    host = FakeHost()
    host.journal = journal
    host.dmesg = Finished(1, "", "dmesg: read kernel buffer failed: Operation not permitted\n")
    with pytest.raises(HostError, match=f"cannot be read: .*{said}.*; dmesg: read kernel buffer"):
        oom_kills(host, 3600)
    host.dmesg = HostError("the command dmesg was not found on PATH")
    with pytest.raises(HostError, match="dmesg was not found"):
        oom_kills(host, 3600)


def test_the_counter_of_the_kernel() -> None:
    host = FakeHost()
    assert oom_kill_count(host) == 3
    host.vmstat = "nr_free_pages 1\n"  # before Linux 4.13
    assert oom_kill_count(host) is None
