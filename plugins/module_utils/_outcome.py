# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a procedure says when it could not do its work: causes and verified consequences."""

from __future__ import annotations

import typing as t

LOG_LINES = 20


class Cause(t.TypedDict):
    """Why a task failed: the task, one sentence, a word for programs, the last log lines."""

    task: str
    sentence: str
    cause: str
    app: str
    logs: list[str]


def failure_cause(result: t.Mapping[str, t.Any], task: str = "") -> Cause:
    """Read the cause out of the result of a failed task (C(ansible_failed_result))."""
    message = str(result.get("msg") or result.get("stderr") or "it failed and gave no reason")
    return Cause(
        task=task,
        sentence=" ".join(message.split()).rstrip("."),
        cause=str(result.get("cause") or ""),
        app=str(result.get("failed_app") or ""),
        logs=[str(line) for line in result.get("logs") or []][-LOG_LINES:],
    )


class Return(t.TypedDict, total=False):
    """The way back, as far as it was verified.

    kept: nothing was switched, so there was nothing to go back from.
    release: the release that is live again, empty when there was none before.
    cause: why the way back failed, absent when it worked.
    """

    kept: bool
    release: dict[str, t.Any]
    cause: Cause


def activation_failure(
    cause: Cause,
    back: Return,
    host: str,
    name: str,
    done: t.Sequence[str] = (),
    untouched: t.Sequence[str] = (),
    locked: t.Sequence[str] = (),
) -> str:
    """Tell one host's failed activation: what happened, and where each host stands now.

    done, untouched: the other hosts of the run that have the release, and those it never reached.
    locked: the hosts whose lock could not be given back.
    """
    sentences = [f"{host}: release {name} was not kept: {cause['sentence']}."]
    if "cause" in back:
        sentences.append(
            f"The way back failed too: {back['cause']['sentence']}. "
            f"A person must look at {host} now; nothing more was tried there."
        )
    elif back.get("kept"):
        sentences.append(
            f"What is live on {host} was live before and still is: nothing was switched."
        )
    elif back.get("release"):
        release = back["release"]
        ref = f" ({release['ref']})" if release.get("ref") else ""
        sentences.append(
            f"{host} is back on release {release['name']}{ref}: every instance and the site answer."
        )
    else:
        sentences.append(f"There was no release before it, so nothing is live on {host}.")
    if done:
        sentences.append(f"The release is live on {', '.join(done)}.")
    if untouched:
        sentences.append(f"Not touched: {', '.join(untouched)}.")
    if locked:
        sentences.append(
            f"The lock on {', '.join(locked)} could not be given back; the next run takes it over."
        )
    return "\n".join([" ".join(sentences), *_logs(cause)])


def preparation_failure(
    causes: t.Mapping[str, Cause],
    name: str,
    hosts: t.Sequence[str],
    lost: t.Sequence[str] = (),
    left: t.Sequence[str] = (),
) -> str:
    """Tell why a release was not put live anywhere; nothing that runs was touched then.

    lost: the hosts that stopped answering. left: what could not be tidied up, in sentences.
    """
    told = [f"{host}: {cause['sentence']}" for host, cause in causes.items()]
    told += [f"{host} stopped answering" for host in lost]
    lines = [
        f"Release {name} was not put live: {'; '.join(told)}. "
        f"What runs on {', '.join(hosts)} was not touched."
    ]
    for cause in causes.values():
        lines += _logs(cause)
    return "\n".join([*lines, *(f"Left undone: {sentence}" for sentence in left)])


def _logs(cause: Cause) -> list[str]:
    if not cause["logs"]:
        return []
    return [f"Last lines of {cause['app'] or cause['task']}:", *(f"  {x}" for x in cause["logs"])]
