# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes and the listeners of a fake host, with what real ones wrote."""

from __future__ import annotations

import os
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.plugspace.titan.plugins.module_utils._host import LocalHost
from ansible_collections.plugspace.titan.plugins.module_utils._host_listeners import (
    Socket,
    listeners,
)
from ansible_collections.plugspace.titan.plugins.module_utils._host_processes import (
    Reading,
    cpu_percent,
    descendants,
    look_at,
    parse_open_files_limit,
    parse_pss,
    parse_stat,
    processes,
    script,
    script_of,
)

PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")
ROLLUP = """564259c8c000-7ffea059e000 ---p 00000000 00:00 0                          [rollup]
Rss:                1624 kB
Pss:                 245 kB
Pss_Dirty:           112 kB
Pss_Anon:            112 kB
Shared_Clean:       1472 kB
SwapPss:               0 kB
"""
LIMITS = """Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max processes             96343                96343                processes 
Max open files            20000                524288               files     
Max locked memory         unlimited            unlimited            bytes     
"""  # noqa: W291


def stat(
    pid: int,
    name: str = "node",
    state: str = "S",
    ppid: int = 1,
    ticks: int = 0,
    started: float = 10,
    pages: int = 10,
) -> str:
    head = f"{pid} ({name}) {state} {ppid} 1 1 0 -1 4194560 1 0 0 0 {ticks} 0 0 0 20 0 11 0"
    return f"{head} {round(started * TICKS)} 1000000 {pages} 18446744073709551615 1 1 0\n"


class FakeHost:
    """A host in memory: one second passes in each sleep, and what is `next` becomes true."""

    def __init__(self) -> None:
        self.clock = 100.0
        self.files: dict[str, str] = {}
        self.links: dict[str, str] = {}
        self.folders: dict[str, list[str]] = {}
        self.users: dict[str, str] = {}
        self.forbidden: set[str] = set()
        self.next: list[t.Callable[[], None]] = []
        self.asked: list[str] = []

    def add(self, pid: int, unit: str = "", pss: int = 0, **fields: t.Any) -> None:
        folder = f"/proc/{pid}"
        self.files[f"{folder}/stat"] = stat(pid, **fields)
        self.files[f"{folder}/cgroup"] = f"0::/system.slice/{unit}\n"
        self.files[f"{folder}/limits"] = LIMITS
        self.files[f"{folder}/cmdline"] = "node\0--token=tiger\0/srv/api.js\0--password\0tiger\0"
        self.files[f"{folder}/smaps_rollup"] = ROLLUP.replace(" 245", f" {pss}")
        self.links[f"{folder}/exe"] = "/usr/bin/node"
        self.folders[f"{folder}/fd"] = ["0", "1", "2"]
        self.users[folder] = "plugspace"
        if str(pid) not in self.folders.setdefault("/proc", ["self", "meminfo"]):
            self.folders["/proc"].append(str(pid))

    def end(self, pid: int, listed: bool = False) -> None:
        """Let a process end; it may still stand in the list that was read before."""
        for table in (self.files, self.links, self.folders, self.users):
            for path in [path for path in table if path.startswith(f"/proc/{pid}")]:
                del t.cast("dict[str, t.Any]", table)[path]
        if not listed:
            self.folders["/proc"].remove(str(pid))

    def _get(self, table: t.Mapping[str, t.Any], path: str) -> t.Any:
        self.asked.append(path)
        if path in self.forbidden:
            raise PermissionError(13, "Permission denied", path)
        if path not in table:
            raise FileNotFoundError(2, "No such file or directory", path)
        return table[path]

    def read(self, path: str) -> str:
        return str(self._get(self.files, path))

    def names(self, path: str) -> list[str]:
        return list(self._get(self.folders, path))

    def exists(self, path: str) -> bool:
        return path in self.files

    def link(self, path: str) -> str:
        return str(self._get(self.links, path))

    def user(self, path: str) -> str:
        return str(self._get(self.users, path))

    def since_boot(self) -> float:
        return self.clock

    def sleep(self, seconds: float) -> None:
        self.clock += seconds
        for change in self.next:
            change()


def kept(report: dict[str, t.Any]) -> list[int]:
    return [row["pid"] for row in report["kept"]]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("node /home/plug", "node /home/plug"),
        ("(sd-pam)", "(sd-pam)"),
        ("PM2 v7.0.4: God", "PM2 v7.0.4: God"),
        ("a) S 1 (b", "a) S 1 (b"),
        ("red\x1b[31m", "red?[31m"),
    ],
)
def test_a_process_may_be_called_anything(name: str, shown: str) -> None:
    found = parse_stat(stat(7, name, "D", 3, ticks=2 * TICKS, started=40, pages=5), 100.0)
    assert found == Reading(7, 3, shown, "D", 40.0, 2.0, 5 * PAGE, 100.0)


def test_stat_of_a_real_kernel() -> None:
    text = (
        "21950 (mongod) S 21071 21950 21950 0 -1 4194560 70427 0 158 0 7010 3204 0 0 20 0 45 0"
        " 4501083 2819215360 41134 18446744073709551615 94119093428224 94119172489040"
        " 140731340293936 0 0 0 0 4096 402745863 0 0 0 17 0 0 0 0 0 0 94119172493312"
        " 94119173297640 94119198908416 140731340300047 140731340300086 140731340300086"
        " 140731340300258 0\n"
    )
    found = parse_stat(text)
    assert found
    assert (found.pid, found.ppid, found.name, found.state) == (21950, 21071, "mongod", "S")
    assert (found.cpu_s, found.rss_bytes) == ((7010 + 3204) / TICKS, 41134 * PAGE)


@given(st.text() | st.text().map(lambda text: f"1 (a) S 1 {text}"))
def test_any_text_is_a_process_or_none(text: str) -> None:
    found = parse_stat(text)
    assert found is None or found.name.isprintable()


@given(st.text())
def test_any_text_has_a_size_and_a_limit_or_none(text: str) -> None:
    assert parse_pss(text) is None or "Pss:" in text
    assert parse_open_files_limit(text) is None or "Max open files" in text


def test_size_and_limit() -> None:
    assert parse_pss(ROLLUP) == 245 * 1024
    assert parse_pss("Rss: 1 kB\n") is None
    assert parse_open_files_limit(LIMITS) == 20000
    assert parse_open_files_limit(LIMITS.replace("20000    ", "unlimited")) is None


@pytest.mark.parametrize(
    ("program", "command", "expected"),
    [
        ("/usr/bin/node", ["node", "/x/server.js"], "/x/server.js"),
        ("/usr/bin/node", ["node", "server.mjs", "--token", "tiger"], "server.mjs"),
        # PM2 gives its processes a title, and the rest of the old command line is empty.
        (
            "/usr/bin/node",
            ["node /home/plugspace/dist/api.js", "", ""],
            "/home/plugspace/dist/api.js",
        ),
        ("/usr/bin/node", ["PM2 v7.0.4: God Daemon (/home/plugspace/.pm2)"], None),
        (None, ["node /srv/api.js"], "/srv/api.js"),
        (None, ["/usr/bin/python3", "/srv/a.py"], "/srv/a.py"),
        ("/usr/bin/node (deleted)", ["node", "a.js"], "a.js"),
        ("/usr/bin/node", ["node", "-r", "./first.js", "--inspect", "a.js"], "a.js"),
        ("/usr/bin/node", ["node", "--title", "tiger.js", "--", "a.js"], "a.js"),
        ("/usr/bin/node", ["node", "-e", "login('tiger')", "a.js"], None),
        ("/usr/bin/node", ["node", "--eval", "/tiger"], None),
        ("/usr/bin/node", ["node", "tiger", "a.js"], None),
        ("/usr/bin/node", ["node", "https://me:tiger@host/a.js"], None),
        ("/usr/bin/node", ["node", "--require"], None),
        ("/usr/bin/node", ["node"], None),
        (
            "/usr/bin/python3.11",
            ["python3", "-u", "-X", "dev", "/usr/bin/certbot", "renew"],
            "/usr/bin/certbot",
        ),
        ("/usr/bin/python3.11", ["python3", "-m", "http.server", "80"], "-m http.server"),
        ("/usr/bin/python3.11", ["python3", "-m", "a b"], None),
        ("/usr/bin/python3.11", ["python3", "-m"], None),
        ("/usr/bin/python3.11", ["python3", "-Ic", "tiger.py"], None),
        ("/usr/bin/bash", ["bash", "-lc", "/tiger"], None),
        ("/usr/bin/bash", ["bash", "-o", "pipefail", "/opt/backup.sh", "tiger"], "/opt/backup.sh"),
        ("/usr/bin/perl", ["perl", "-ne", "tiger.pl"], None),
        ("/usr/bin/redis-server", ["redis-server", "/etc/redis.conf"], None),
        # What it calls itself is no matter where its file is known.
        ("/usr/bin/node", ["api", "/srv/a.js"], "/srv/a.js"),
        ("/usr/bin/redis-server", ["node", "/etc/redis.js"], None),
        ("/usr/sbin/mysqldump", ["mysqldump", "-ptiger"], None),
        (None, [], None),
    ],
)
def test_only_a_script_is_told_of_a_command(
    program: str | None, command: list[str], expected: str | None
) -> None:
    assert script(program, command) == expected


@given(
    st.sampled_from(["/usr/bin/node", "/bin/sh", "/usr/bin/python3", "/usr/bin/perl", None]),
    st.lists(st.text() | st.sampled_from(["-c", "-m", "-r", "--", "-e", "a.js", "node"])),
)
def test_a_script_is_a_word_of_the_command(program: str | None, command: list[str]) -> None:
    found = script(program, command)
    if found is not None:
        assert found.removeprefix("-m ") in " ".join(command).split() or found in command
        assert found.isprintable()


@pytest.mark.parametrize(
    ("word", "folder", "expected"),
    [
        ("dist/api.js", "/srv/app", "/srv/app/dist/api.js"),
        ("./api.js", "/srv/app", "/srv/app/api.js"),
        ("../api.js", "/srv/app", "/srv/api.js"),
        # A release that was removed under it.
        ("api.js", "/srv/r0 (deleted)", "/srv/r0/api.js"),
        # It has gone elsewhere since its start.
        ("api.js", "/srv/data", "api.js"),
        ("/opt/api.js", "/srv/app", "/opt/api.js"),
        # Where a daemon works says nothing about where it was started.
        ("api.js", "/", "api.js"),
        # What is no path without a doubt is not made one.
        ("api.js", "/srv/a b", "api.js"),
        # Not permitted to be known.
        ("api.js", None, "api.js"),
        ("tiger", "/srv/app", None),
    ],
)
def test_a_script_is_told_by_its_absolute_path(
    word: str, folder: str | None, expected: str | None
) -> None:
    host = FakeHost()
    host.add(10)
    host.files["/proc/10/cmdline"] = f"node\0{word}\0"
    for path in ("/srv/app/dist/api.js", "/srv/app/api.js", "/srv/api.js", "/srv/a b/api.js"):
        host.files[path] = ""
    if folder:
        host.links["/proc/10/cwd"] = folder
    reading = look_at(host, 10)
    assert reading
    assert script_of(host, reading, "/usr/bin/node") == expected


def test_a_module_of_python_is_in_no_folder() -> None:
    host = FakeHost()
    host.add(10)
    host.files["/proc/10/cmdline"] = "python3\0-m\0http.server\0"
    host.links["/proc/10/cwd"] = "/srv/app"
    reading = look_at(host, 10)
    assert reading
    assert script_of(host, reading, "/usr/bin/python3.11") == "-m http.server"


def test_use_is_measured_between_two_readings() -> None:
    old = Reading(7, 1, "a", "R", started=10, cpu_s=500, rss_bytes=0, at=100)
    new = Reading(7, 1, "a", "R", started=10, cpu_s=501, rss_bytes=0, at=102)
    assert cpu_percent(old, new, 2.5) == 50.0
    # The number went to another process, or there was none before: all that it used counts.
    other = Reading(7, 1, "b", "R", started=101, cpu_s=1, rss_bytes=0, at=102)
    assert cpu_percent(old, other, 2.5) == 40.0
    assert cpu_percent(None, other, 2.5) == 40.0
    assert cpu_percent(old, old, 2.5) == 0.0


def test_descendants_of_those_that_are_there() -> None:
    parents = {1: 0, 2: 1, 3: 2, 4: 3, 5: 1, 6: 7, 7: 6}
    table = {pid: Reading(pid, ppid, "", "S", 0, 0, 0) for pid, ppid in parents.items()}
    assert descendants([2, 99], table) == {2, 3, 4}
    assert descendants([6], table) == {6, 7}  # as two readings at different times may look
    assert descendants([], table) == set()


def test_the_busiest_the_largest_and_those_asked_for() -> None:
    host = FakeHost()
    host.add(1, "init.scope", name="systemd", ppid=0, pss=100)
    host.add(10, "pm2.service", ticks=1000, pss=200, pages=1000)
    host.add(11, "pm2.service", ppid=10, pss=300, pages=900)
    host.add(12, "mongod.service", pss=4000, pages=2000)
    host.add(13, "cron.service", pss=1, pages=5000)
    host.next.append(
        lambda: host.add(10, "pm2.service", ticks=1000 + TICKS // 2, pss=200, pages=1000)
    )
    found = processes(host, 1, 1.0)
    assert kept(found) == [10, 12]  # by PSS: what 13 has it shares with many
    assert found["interval_s"] == 1.0
    assert found["count"] == 5
    assert found["states"] == {"S": 5}
    assert found["kept"][0] == {
        "pid": 10,
        "ppid": 1,
        "name": "node",
        "program": "/usr/bin/node",
        "script": "/srv/api.js",
        "user": "plugspace",
        "state": "S",
        "age_s": 91.0,
        "open_files": 3,
        "open_files_limit": 20000,
        "unit": "pm2.service",
        "cpu_percent": 50.0,
        "rss_bytes": 1000 * PAGE,
        "pss_bytes": 200 * 1024,
    }
    assert found["by_unit"][0]["unit"] == "mongod.service"
    assert found["by_unit"][1] == {
        "unit": "pm2.service",
        "processes": 2,
        "cpu_percent": 50.0,
        "rss_bytes": 1900 * PAGE,
        "pss_bytes": 500 * 1024,
    }
    assert kept(processes(host, 0, 1.0, [10])) == [11, 10]  # idle: by memory
    assert kept(processes(host, 0, 1.0, unit_names=["mongod"])) == [12]
    assert kept(processes(host, 0, 1.0, unit_names=["mongod.service", "none"])) == [12]


def test_arguments_and_environments_stay_where_they_are() -> None:
    host = FakeHost()
    host.add(10)
    found = processes(host, 5, 1.0)
    assert kept(found) == [10]
    assert "tiger" not in str(found)
    assert not [path for path in host.asked if path.endswith("environ")]


def test_what_is_not_permitted_is_null() -> None:
    host = FakeHost()
    host.add(10, "a.service", pages=100)
    host.add(11, "b.service", pages=200, pss=1)
    host.forbidden = {f"/proc/10/{name}" for name in ("smaps_rollup", "exe", "fd")}
    found = processes(host, 5, 1.0)
    assert kept(found) == [10, 11]  # RSS stands in where the order needs a number
    row = found["kept"][0]
    assert (row["program"], row["open_files"], row["pss_bytes"]) == (None, None, None)
    assert row["open_files_limit"] == 20000
    assert [unit["pss_bytes"] for unit in found["by_unit"]] == [None, 1024]


def test_the_memory_of_a_process_that_hangs_is_not_touched() -> None:
    host = FakeHost()
    host.add(10, state="D")
    host.add(2, name="kthreadd", pages=0)
    rows = {row["pid"]: row for row in processes(host, 5, 1.0)["kept"]}
    assert (rows[10]["state"], rows[10]["pss_bytes"], rows[10]["script"]) == ("D", None, None)
    assert rows[2]["pss_bytes"] == 0
    assert not {"/proc/10/smaps_rollup", "/proc/10/cmdline", "/proc/2/smaps_rollup"} & set(
        host.asked
    )


def test_what_ends_meanwhile_is_no_error() -> None:
    host = FakeHost()
    for pid in (10, 11, 12):
        host.add(pid, "a.service", pss=1)
    host.next.append(lambda: host.end(10))
    host.next.append(lambda: host.end(11, listed=True))
    read = host.read

    def ends(path: str) -> str:
        text = read(path)
        if path == "/proc/12/cgroup":
            host.end(12)
        return text

    host.read = ends  # type: ignore[method-assign]
    found = processes(host, 5, 1.0)
    assert (found["count"], found["kept"]) == (1, [])


def test_memory_of_what_ended_between_is_nothing() -> None:
    host = FakeHost()
    host.add(10, "a.service", pages=100)
    read = host.read

    def ends(path: str) -> str:
        if path == "/proc/10/smaps_rollup":
            host.end(10)
        return read(path)

    host.read = ends  # type: ignore[method-assign]
    found = processes(host, 5, 1.0)
    assert found["kept"] == []
    assert found["by_unit"][0]["pss_bytes"] == 0


def test_memory_is_added_up_only_for_those_that_matter() -> None:
    host = FakeHost()
    for pid in range(1, 1001):
        host.add(pid, "a.service", pss=1, pages=pid)
    found = processes(host, 10, 1.0)
    assert sum(path.endswith("smaps_rollup") for path in host.asked) <= 110
    assert found["count"] == 1000
    assert found["by_unit"][0]["pss_bytes"] > 800 * PAGE


def test_this_very_process_is_seen() -> None:
    host = LocalHost(5)
    found = processes(host, 0, 0.05, [os.getpid()])
    row = next(row for row in found["kept"] if row["pid"] == os.getpid())
    assert row["ppid"] == os.getppid()
    assert row["open_files"] > 2
    assert row["rss_bytes"] > 1_000_000
    assert row["age_s"] > 0
    mine = look_at(host, os.getpid())
    assert mine
    assert mine.cpu_s <= sum(os.times()[:2]) + 0.02


class FakeSockets:
    """Some sockets."""

    def listening(self) -> list[Socket]:
        return [
            Socket(4000, "tcp", "127.0.0.1", 10),
            Socket(4000, "tcp", "127.0.0.1", 10),
            Socket(53, "udp", "0.0.0.0", None),
            Socket(80, "tcp", "::", 77),
            Socket(80, "tcp", "0.0.0.0", 10),
        ]


def test_listeners_by_port() -> None:
    host = FakeHost()
    host.add(10, "pm2.service", name="node")
    found = listeners(host, FakeSockets())
    assert [(row["port"], row["protocol"], row["address"], row["pid"]) for row in found] == [
        (53, "udp", "0.0.0.0", None),
        (80, "tcp", "0.0.0.0", 10),
        (80, "tcp", "::", 77),
        (4000, "tcp", "127.0.0.1", 10),
    ]
    assert [row["name"] for row in found] == [None, "node", None, "node"]  # 77 is gone meanwhile
    owner = {"script": "/srv/api.js", "user": "plugspace", "unit": "pm2.service"}
    for row in found:
        assert {key: row[key] for key in owner} == (owner if row["name"] else dict.fromkeys(owner))


def test_listeners_of_some_ports() -> None:
    host = FakeHost()
    host.add(10)
    assert [row["port"] for row in listeners(host, FakeSockets(), [4000, 1])] == [4000]
