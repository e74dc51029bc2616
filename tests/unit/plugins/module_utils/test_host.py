# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read of a host, from a fake one."""

from __future__ import annotations

import os
import pwd
import sys
import typing as t

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils._host import (
    HostError,
    LocalHost,
    file_systems,
    memory,
    mounts,
    printable,
    units,
)

MEMINFO = """MemTotal:        8000000 kB
MemFree:          100000 kB
MemAvailable:    6000000 kB
Buffers:           20000 kB
Cached:          5000000 kB
Shmem:             30000 kB
SReclaimable:     900000 kB
SwapTotal:             0 kB
HugePages_Total:       0
"""
MOUNTINFO = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:20 / /proc rw - proc proc rw
24 22 8:2 / /var\040data rw - xfs /dev/sdb1 rw
25 22 8:2 /sub /var\040data/deeper/bound rw - xfs /dev/sdb1 rw
26 22 0:30 / /run rw - tmpfs tmpfs rw
27 22 8:1 /hosts /etc/hosts rw - ext4 /dev/sda1 rw
28 22 0:40 / /mnt/share rw - nfs4 server:/share rw
29 22 0:41 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw
30 22 7:1 / /snap/core/1 ro - squashfs /dev/loop1 ro
31 22 0:42 / /mnt/s3 rw - fuse.s3fs s3fs rw
32 22 8:9 / /etc/resolv.conf rw - ext4 /dev/sdc1 rw
33 22 8:10 / /hidden rw - ext4 /dev/sdd1 rw
34 22 8:11 / /empty rw - ext4 /dev/sde1 rw
half a line
"""
UNIT = """Id={id}
LoadState=loaded
ActiveState={active}
SubState=running
Result=success
NRestarts=2
StateChangeTimestampMonotonic={changed}
ExecMainExitTimestampMonotonic={ended}
"""


class FakeHost:
    """A host in memory."""

    def __init__(self) -> None:
        self.files = {"/proc/meminfo": MEMINFO, "/proc/self/mountinfo": MOUNTINFO}
        self.answer = "\n".join(
            [
                UNIT.format(id="nginx.service", active="active", changed=40_000_000, ended=0),
                UNIT.format(id="mongod.service", active="failed", changed=0, ended=1_250_000),
            ]
        )
        self.asked: list[t.Sequence[str]] = []

    def read(self, path: str) -> str:
        if path not in self.files:
            raise FileNotFoundError(2, "No such file or directory", path)
        return self.files[path]

    def is_directory(self, path: str) -> bool:
        return path != "/etc/resolv.conf"

    def statvfs(self, path: str) -> os.statvfs_result:
        if path == "/hidden":
            raise PermissionError(13, "Permission denied")
        blocks = 0 if path == "/empty" else 1000
        free, available = (500, 450) if path == "/" else (100, 100)
        files = 0 if path == "/run" else 200
        # bsize, frsize, blocks, bfree, bavail, files, ffree, favail, flag, namemax
        return os.statvfs_result(
            (4096, 4096, blocks, free, available, files, files // 2, files // 2, 0, 255)
        )

    def show_units(self, units: t.Sequence[str], properties: t.Sequence[str]) -> str:
        assert "ActiveState" in properties
        self.asked.append(units)
        return self.answer

    def monotonic(self) -> float:
        return 100.0

    def now(self) -> float:
        return 1_764_000_000.0


def test_memory_counts_what_programs_can_still_get() -> None:
    found = memory(FakeHost())
    assert found["total_bytes"] == 8_000_000 * 1024
    assert found["available_percent"] == 75.0
    # What is in memory as a file counts as cached, and is not given back.
    kinds = {key: found[key] // 1024 for key in ("free_bytes", "page_cache_bytes", "shared_bytes")}
    assert kinds == {"free_bytes": 100_000, "page_cache_bytes": 5_890_000, "shared_bytes": 30_000}


def test_memory_of_a_foreign_kernel_is_an_error() -> None:
    host = FakeHost()
    host.files["/proc/meminfo"] = "MemTotal: 1 kB\n"
    with pytest.raises(HostError, match="MemAvailable"):
        memory(host)


def test_each_local_file_system_once() -> None:
    assert [point for point, _ in mounts(MOUNTINFO)] == [
        "/",
        "/empty",
        "/etc/resolv.conf",
        "/hidden",
        "/run",
        "/var data",
    ]


def test_file_systems_are_counted_as_df_counts_them() -> None:
    found = {disk["mount"]: disk for disk in file_systems(FakeHost())}
    assert list(found)[-1] == "/"
    assert found["/"]["used_percent"] == 52.6  # 500 of 950: the reserve of root is nobody's
    assert found["/"]["inodes_used_percent"] == 50.0
    assert found["/run"]["inodes_used_percent"] == 0.0
    assert found["/var data"]["used_percent"] == 90.0
    assert found["/var data"]["available_bytes"] == 100 * 4096


def test_units_in_the_order_asked_for() -> None:
    host = FakeHost()
    found = units(host, ["nginx", "mongod"])
    assert [(unit["name"], unit["active"], unit["since_s"]) for unit in found] == [
        ("nginx", "active", 60),
        ("mongod", "failed", None),
    ]
    assert found[0]["restarts"] == 2
    # 98.75 seconds ago; of one that runs nothing has ended.
    assert [unit["ended_at"] for unit in found] == [None, 1_763_999_901.25]


@pytest.mark.parametrize(
    ("told", "ended_at"),
    [
        # The clock was set since, so that it is not 98.75 seconds ago.
        ("Mon 2025-11-24 12:00:01.123456 UTC", 1_763_985_601.123),
        # An older systemd, in the host's time zone; and one that is not exact.
        ("Mon 2025-11-24 12:00:01 CET", 1_763_999_901.25),
        ("Mon 2025-11-24 12:00:01 UTC", 1_763_999_901.25),
        ("n/a", 1_763_999_901.25),
    ],
)
def test_the_end_of_a_process_is_on_the_clock_that_people_and_files_have(
    told: str, ended_at: float
) -> None:
    host = FakeHost()
    unit = UNIT.format(id="mongod.service", active="failed", changed=0, ended=1_250_000)
    host.answer = f"{unit}ExecMainExitTimestamp={told}\n"
    assert units(host, ["mongod"])[0]["ended_at"] == ended_at


def test_no_units_ask_nothing() -> None:
    host = FakeHost()
    assert units(host, []) == []
    assert host.asked == []


def test_answer_for_another_number_of_units_is_an_error() -> None:
    with pytest.raises(HostError, match="2 of 3"):
        units(FakeHost(), ["a", "b", "c"])


def test_this_very_machine_can_be_read() -> None:
    host = LocalHost(5)
    assert memory(host)["available_percent"] > 0
    assert isinstance(file_systems(host), list)
    mine = f"/proc/{os.getpid()}"
    assert str(os.getpid()) in host.names("/proc")
    assert host.link(f"{mine}/exe") == os.path.realpath(sys.executable)
    assert (host.exists(mine), host.exists(f"{mine}/api.js")) == (True, False)
    assert host.user(mine) == pwd.getpwuid(os.geteuid()).pw_name
    assert 0 < host.monotonic() <= host.since_boot()
    assert host.timex().maximum_error_us >= 0


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(number: int) -> t.NoReturn:
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert LocalHost(5).user(f"/proc/{os.getpid()}") == str(os.geteuid())


def test_a_command_ends_before_the_time_is_up() -> None:
    host = LocalHost(0.4)
    assert host.run(["echo", "seen"]).output == "seen\n"
    with pytest.raises(HostError, match=r"sleep 5 gave no result within 0\.[12]"):
        host.run(["sleep", "5"])
    with pytest.raises(HostError, match="no-such-command was not found"):
        host.run(["no-such-command"])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("node /home/plug", "node /home/plug"),
        ("caf\u00e9", "caf\u00e9"),
        ("a\x1b[31m\nb\udcff", "a?[31m?b?"),
    ],
)
def test_a_name_cannot_confuse_a_terminal(given: str, expected: str) -> None:
    assert printable(given) == expected


def test_systemctl_that_is_missing_fails_or_hangs(
    tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HostError, match="no systemctl"):
        LocalHost(1).show_units(["a"], ["Id"])
    program = tmp_path / "systemctl"
    program.write_text("#!/bin/sh\necho 'Failed to connect to bus' >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(HostError, match="Failed to connect to bus"):
        LocalHost(1).show_units(["a"], ["Id"])
    program.write_text("#!/bin/sh\nexec /bin/sleep 5\n")
    with pytest.raises(HostError, match=r"within 0\.2 s"):
        LocalHost(0.2).show_units(["a"], ["Id"])
    program.write_text('#!/bin/sh\necho "$@"\n')
    assert LocalHost(1).show_units(["a"], ["Id"]) == "show --timestamp=us+utc --property=Id -- a\n"


def test_an_older_systemctl_is_asked_without_exact_times(
    tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    program = tmp_path / "systemctl"
    program.write_text(
        "#!/bin/sh\n"
        "case $2 in --timestamp=*) echo \"$0: unrecognized option '$2'\" >&2; exit 1;; esac\n"
        'echo "$@"\n'
    )
    program.chmod(0o755)
    assert LocalHost(1).show_units(["a"], ["Id"]) == "show --property=Id -- a\n"
