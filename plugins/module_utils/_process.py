# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands with a time limit, whose whole process group ends with them."""

from __future__ import annotations

import contextlib
import os
import selectors
import shlex
import signal
import subprocess
import time
import typing as t
from dataclasses import dataclass

_GRACE = 3.0
_OUTPUT_KEPT = 64 * 1024

# What a command may take over from the environment of its caller: how to reach the network, no
# more.
_PASSED_ON = (
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "TMPDIR",
)


class ProcessError(Exception):
    """A command could not be started, or did not end in time."""


@dataclass(frozen=True)
class Finished:
    """How a command ended. `output` is everything for `capture`, the end of it for `run`."""

    code: int
    output: str
    errors: str = ""
    timed_out: bool = False


def clean_environment(extra: t.Mapping[str, str] | None = None) -> dict[str, str]:
    """A minimal environment: nothing of the caller's that a command has no use for."""
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    environment["PATH"] = os.environ.get("PATH") or "/usr/local/bin:/usr/bin:/bin"
    environment["HOME"] = os.path.expanduser("~")
    environment["LANG"] = "C.UTF-8"
    environment.update(extra or {})
    return environment


def words(command: t.Sequence[str]) -> list[str]:
    """A command as its words: one that was given as a single string is split as a shell would.

    An empty string is no word, so an option that was set to nothing means no command.
    """
    given = [word for word in command if word]
    if len(given) != 1:
        return given
    try:
        return shlex.split(given[0])
    except ValueError as error:
        raise ProcessError(f"{given[0]} is no command: {error}") from None


def capture(
    argv: t.Sequence[str],
    environment: t.Mapping[str, str],
    timeout: float,
    cwd: str | None = None,
    stdin: str = "",
    pass_fds: t.Sequence[int] = (),
    undecodable: str = "replace",
    owner: tuple[int, int] | None = None,
) -> Finished:
    """Run a command whose output is wanted.

    undecodable: what becomes of bytes that are no UTF-8, as Python names it. owner: uid and gid to
    run it as, which only root can.
    """
    process = _start(argv, environment, cwd, subprocess.PIPE, pass_fds, owner)
    try:
        output, errors = process.communicate(stdin.encode(), timeout)
    except subprocess.TimeoutExpired:
        _end_group(process)
        raise ProcessError(f"{_shown(argv)} gave no result within {timeout:g} s") from None
    return Finished(
        process.returncode, output.decode(errors=undecodable), errors.decode(errors="replace")
    )


def run(
    argv: t.Sequence[str], environment: t.Mapping[str, str], timeout: float, cwd: str, nice: int = 0
) -> Finished:
    """Run a long command of which only the last output counts, at a lower priority when asked."""
    process = _start(argv, environment, cwd, subprocess.STDOUT, ())
    if nice:
        _lower_priority(process.pid, nice)
    deadline = time.monotonic() + timeout
    kept = bytearray()
    stream = t.cast("t.IO[bytes]", process.stdout)
    os.set_blocking(stream.fileno(), False)
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        # A child in the background may hold the pipe open: only the command's own end counts.
        while process.poll() is None and time.monotonic() < deadline:
            if selector.select(0.1):
                _read(stream, kept)
                if stream.closed:
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(max(0.0, deadline - time.monotonic()))
                    break
    timed_out = process.poll() is None
    if not stream.closed:
        _read(stream, kept)
    _end_group(process)
    return Finished(process.returncode, kept.decode(errors="replace"), timed_out=timed_out)


def _start(
    argv: t.Sequence[str],
    environment: t.Mapping[str, str],
    cwd: str | None,
    errors: int,
    pass_fds: t.Sequence[int],
    owner: tuple[int, int] | None = None,
) -> subprocess.Popen[bytes]:
    other: dict[str, t.Any] = {}
    if owner is not None:
        other = {"user": owner[0], "group": owner[1], "extra_groups": []}
    try:
        # A session of its own: no terminal to prompt on, and one group to end.
        return subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE if errors == subprocess.PIPE else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=cwd,
            env=dict(environment),
            start_new_session=True,
            pass_fds=tuple(pass_fds),
            **other,
        )
    except FileNotFoundError:
        if cwd is not None and not os.path.isdir(cwd):
            raise ProcessError(f"the directory {cwd} does not exist") from None
        raise ProcessError(f"the command {argv[0]} was not found on PATH") from None
    except OSError as error:
        raise ProcessError(f"{_shown(argv)} could not be started: {error.strerror}") from None


def _read(stream: t.IO[bytes], kept: bytearray) -> None:
    """Take what is there, keep the end of it, close the stream at its end."""
    while True:
        try:
            chunk = os.read(stream.fileno(), 65536)
        except BlockingIOError:
            return
        if not chunk:
            stream.close()
            return
        kept += chunk
        del kept[:-_OUTPUT_KEPT]


def _lower_priority(pid: int, nice: int) -> None:
    """Let everything else on the host go first."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PGRP, pid, nice)
    # With autogroups the nice value counts only inside of a session; this is the one between them.
    place = f"/proc/{pid}/autogroup"
    with contextlib.suppress(OSError), open(place, "w", encoding="ascii") as autogroup:
        autogroup.write(str(nice))


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End the command and whatever it started and left behind."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
    process.wait()


def _shown(argv: t.Sequence[str]) -> str:
    """The command as a person would name it, without the values of its options."""
    return " ".join([os.path.basename(argv[0]), *(x for x in argv[1:3] if not x.startswith("-"))])
