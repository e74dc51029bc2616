"""A release that is good on the first host and bad on the second: the run stops there and tells."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from support.application import ROOT_ON_HOST
from support.deployment import AT_ONCE, NOT_KEPT, assert_live, deploy, live, told
from support.hosts import NAMES, ssh


@pytest.fixture
def greeting() -> Iterator[None]:
    """A value for new-env's key on every host but titan2, where it is empty."""
    environment = f"{ROOT_ON_HOST}/shared/.env"
    for host, value in zip(NAMES, ("hello", "", "hello"), strict=True):
        ssh(host, f"echo GREETING={value} >> {environment}")
    yield
    for host in NAMES:
        ssh(host, f"sed -i /^GREETING=/d {environment}")


@pytest.mark.usefixtures("greeting")
def test_failure_on_the_second_host_tells_where_each_host_stands() -> None:
    before = live("titan2")
    run = deploy("new-env", deploy_serial=1)
    sentence, lines = told(run, NOT_KEPT, "titan2")
    assert re.search(r"plugspace-api: instance \d+ exited", sentence), sentence
    assert "lacks GREETING" in lines
    assert "titan2 is back on release" in sentence
    assert "The release is live on titan1." in sentence
    assert "Not touched: titan3." in sentence
    assert_live("new-env", "titan1")
    assert_live(before, "titan2", "titan3")

    run = deploy("v10", **AT_ONCE)
    assert run.code == 0, run.output
    assert_live("v10")
