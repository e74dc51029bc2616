"""Looking at PM2 leaves no trace."""

from __future__ import annotations

from testinfra.host import Host


def test_nothing_was_created(host: Host) -> None:
    assert not host.file("/home/plugspace/no-such-pm2").exists


def test_no_file_of_another_user_in_the_home_of_pm2(host: Host) -> None:
    found = host.check_output("find /home/plugspace/.pm2 ! -user plugspace 2>/dev/null || true")
    assert found == ""
