"""Deployments as visitors of the site live through them, and what every host is like after one."""

from __future__ import annotations

import collections
import contextlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from support.application import ROOT_ON_HOST, commits, traffic
from support.hosts import NAMES, ssh
from support.playbooks import Run, play

# Quicker than one batch after the other, for deployments whose order is not what is tested.
AT_ONCE: dict[str, Any] = {"deploy_serial": "100%"}
LOOK = Path(__file__).with_name("look_on_host.py").read_text()


def look(*hosts: str) -> dict[str, dict[str, Any]]:
    """What each host runs and keeps; see look_on_host.py."""
    chosen = hosts or NAMES
    with ThreadPoolExecutor() as pool:
        answers = pool.map(lambda host: ssh(host, "python3 -", stdin=LOOK), chosen)
        return dict(zip(chosen, map(json.loads, answers), strict=True))


@contextlib.contextmanager
def visitors(*refs: str) -> Iterator[None]:
    """Requests through every host's nginx the whole time: none fails, only these tags answer."""
    with contextlib.ExitStack() as stack:
        # Few enough that the visitors do not slow down what they watch.
        visits = {host: stack.enter_context(traffic(host, threads=2)) for host in NAMES}
        yield
    for host, visit in visits.items():
        print(f"{host}: {visit.total} requests, {len(visit.failures)} failed")
        assert visit.failures == [], f"through nginx of {host}, of {visit.total} requests"
        assert visit.total >= 50, f"hardly anybody asked {host}"
        strange = set(visit.releases) - {commits()[ref] for ref in refs}
        assert not strange, f"through nginx of {host} something else than {refs} answered"


def deploy(ref: str, *arguments: str, was: str, answers: str = "", **variables: Any) -> Run:
    """Deploy a ref over the tag that is live, while visitors come; `answers` is the ref's tag."""
    with visitors(was, answers or ref):
        return play("deploy", *arguments, deploy_ref=ref, **variables)


def assert_live(ref: str, *hosts: str, api: int = 2) -> None:
    """The hosts run this tag as a whole, and nothing of another deployment is left."""
    for host, state in look(*hosts).items():
        name = state["current"]
        release = state["releases"][name]
        assert (release["commit"], release["status"]) == (commits()[ref], "active"), host
        count = collections.Counter(one["name"] for one in state["instances"])
        assert count == {"plugspace-api": api, "plugspace-voice": 1}, host
        directory = f"{ROOT_ON_HOST}/releases/{name}"
        for one in state["instances"]:
            assert (one["status"], one["cwd"]) == ("online", directory), (host, one)
        for service, report in state["health"].items():
            told = (report["status"], report["release"], report["commit"])
            assert told == ("ok", name, commits()[ref]), (host, service)
        assert not state["locked"], host
        assert state["strays"] == [], host
        # A directory without metadata, or the other way round, is half a release.
        assert state["directories"] == sorted(state["releases"]), host


def live() -> str:
    """The tag that is live, by the first host's word."""
    state = look(NAMES[0])[NAMES[0]]
    commit = state["releases"][state["current"]]["commit"]
    return next(ref for ref, its in commits().items() if its == commit)


def assert_same_release(*hosts: str) -> None:
    """All hosts have the release under one name."""
    assert len({state["current"] for state in look(*hosts).values()}) == 1
