"""Deployments as visitors of the site live through them, and what every host is like after one."""

from __future__ import annotations

import collections
import contextlib
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from support.application import ROOT_ON_HOST, commits, traffic
from support.hosts import NAMES, ssh
from support.playbooks import Run, play

# Quicker than one batch after the other, for deployments whose order is not what is tested.
AT_ONCE: dict[str, Any] = {"deploy_serial": "100%"}
# The tasks that tell why a deployment ended.
REFUSED = "Refuse with every problem at once"
NOT_PREPARED = "Stop with the reason, the running release untouched"
NOT_KEPT = "Stop here, with the reason"
LOOK = Path(__file__).with_name("look_on_host.py").read_text()


def look(*hosts: str) -> dict[str, dict[str, Any]]:
    """What each host runs and keeps; see look_on_host.py."""
    chosen = hosts or NAMES
    with ThreadPoolExecutor() as pool:
        answers = pool.map(lambda host: ssh(host, "python3 -", stdin=LOOK), chosen)
        return dict(zip(chosen, map(json.loads, answers), strict=True))


@contextlib.contextmanager
def visitors(*refs: str, hosts: tuple[str, ...] = NAMES) -> Iterator[None]:
    """Requests through the hosts' nginx the whole time.

    None fails, and nothing answers but these tags and what is live on the host now.
    """
    allowed = {host: {live_commit(state)} for host, state in look(*hosts).items()}
    with contextlib.ExitStack() as stack:
        # Few enough that the visitors do not slow down what they watch.
        visits = {host: stack.enter_context(traffic(host, threads=2)) for host in hosts}
        began = time.monotonic()
        yield
        seconds = time.monotonic() - began
    for host, visit in visits.items():
        print(f"{host}: {visit.total} requests, {len(visit.failures)} failed")
        assert visit.failures == [], f"through nginx of {host}, of {visit.total} requests"
        # What is refused at once is over before many have come.
        assert visit.total >= min(25, 2 * seconds), f"hardly anybody asked {host}"
        strange = set(visit.releases) - allowed[host] - {commits()[ref] for ref in refs}
        assert not strange, f"through nginx of {host} something else than {refs} answered"


def deploy(ref: str, answers: str = "", hosts: tuple[str, ...] = NAMES, **variables: Any) -> Run:
    """Deploy a ref while visitors come; `answers` is its tag where it is none itself."""
    with visitors(*filter(commits().get, [answers or ref]), hosts=hosts):
        return play("deploy", deploy_ref=ref, deploy_hosts=",".join(hosts), **variables)


def told(run: Run, task: str, host: str) -> tuple[str, str]:
    """The one sentence that a person reads first, and the lines below it."""
    assert run.code != 0, run.output
    first, _, rest = run.result(task, host)["msg"].partition("\n")
    return (rest, "") if task == REFUSED else (first, rest)


def assert_live(ref: str, *hosts: str, api: int = 2, echo: int = 0) -> dict[str, dict[str, Any]]:
    """The hosts run this tag as one release, and nothing of another deployment is left.

    Returns what was seen; a look takes two seconds.
    """
    states = look(*hosts)
    assert len({state["current"] for state in states.values()}) == 1
    for host, state in states.items():
        name = state["current"]
        release = state["releases"][name]
        assert (release["commit"], release["status"]) == (commits()[ref], "active"), host
        count = collections.Counter(one["name"] for one in state["instances"])
        wanted = {"plugspace-api": api, "plugspace-voice": 1, "plugspace-echo": echo}
        assert count == collections.Counter(wanted), host
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
    return states


def live_commit(state: dict[str, Any]) -> str:
    """The commit of the release that the path leads to."""
    return str(state["releases"][state["current"]]["commit"])


def live(host: str = NAMES[0]) -> str:
    """The tag that is live on a host."""
    commit = live_commit(look(host)[host])
    return next(ref for ref, its in commits().items() if its == commit)
