# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talks to a running PM2 daemon over its socket; starts nothing and never waits without a limit."""

from __future__ import annotations

import itertools
import os
import pwd
import socket
import stat
import struct
import time
from typing import Any

from ansible_collections.plugspace.titan.plugins.module_utils import _pm2_wire as wire

SOCKET_PATH_LIMIT = 107
_CHUNK = 256 * 1024


class Pm2Error(Exception):
    """Something about PM2 that a person has to know; cause is a word for programs."""

    cause = "error"


class AbsentError(Pm2Error):
    """No socket: nothing runs."""

    cause = "absent"


class StaleError(Pm2Error):
    """A socket that nobody listens on: the daemon was killed."""

    cause = "stale"


class HungError(Pm2Error):
    """The daemon took the connection and did not answer in time."""

    cause = "hung"


class ForeignError(Pm2Error):
    """The home, the socket or the daemon belongs to another user."""

    cause = "foreign"


class ProtocolError(Pm2Error):
    """The answer is none that PM2 would give."""

    cause = "protocol"


class RefusedError(Pm2Error):
    """The daemon understood the call and refused it."""

    cause = "refused"


def user_name(uid: int) -> str:
    """A user's name, or the number when it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


class Pm2Client:
    """One connection to the daemon of one PM2_HOME, opened at the first call."""

    def __init__(self, home: str, uid: int, timeout: float = 5.0) -> None:
        self.home = home
        self.timeout = timeout
        self.peer_pid: int | None = None
        self._uid = uid
        self._path = os.path.join(home, "rpc.sock")
        self._socket: socket.socket | None = None
        self._reader = wire.FrameReader()
        self._ids = itertools.count(1)

    def __enter__(self) -> Pm2Client:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget the connection; the next call opens a new one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._reader = wire.FrameReader()

    def call(self, method: str, argument: Any, timeout: float | None = None) -> Any:
        """Send one call of the list and return its result."""
        request_id = f"t{os.getpid()}n{next(self._ids)}"
        frame = wire.encode_call(method, argument, request_id)
        limit = self.timeout if timeout is None else timeout
        deadline = time.monotonic() + limit
        try:
            connection = self._connected(deadline)
            self._within(connection, deadline)
            connection.sendall(frame)
            return self._reply(connection, request_id, deadline)
        except wire.RefusalError as refusal:
            raise RefusedError(f"PM2 refused {method}: {refusal}") from None
        except wire.WireError as error:
            self.close()
            raise ProtocolError(
                f"what listens on {self._path} does not answer like PM2: {error}"
            ) from None
        except socket.timeout:
            self.close()
            raise HungError(
                f"the PM2 daemon of {self.home} (pid {self.peer_pid}) did not answer {method}"
                f" within {limit:g} s: it is busy or was stopped (state T in `ps -o stat= -p"
                f" {self.peer_pid}`, then `kill -CONT {self.peer_pid}`)"
            ) from None
        except OSError as error:
            self.close()
            raise ProtocolError(
                f"the connection to {self._path} broke during {method}: {error.strerror}"
            ) from None

    def processes(self) -> list[dict[str, Any]]:
        """PM2's list of processes as it is; holds secrets, so it must not leave the module."""
        records = self.call("getMonitorData", {})
        if not isinstance(records, list):
            raise ProtocolError("PM2's list of processes is not a list")
        return [record for record in records if isinstance(record, dict)]

    def version(self) -> str:
        """The version that runs in memory."""
        return str(self.call("getVersion", {}))[:40]

    def act(self, action: str, number: int, timeout: float) -> None:
        """Restart, reload, start, stop, delete or duplicate the process with this id."""
        with_env = action in ("restart", "reload")
        argument = {"id": number, "env": {}} if with_env else number
        self.call(f"{action}ProcessId", argument, timeout)

    def _reply(self, connection: socket.socket, request_id: str, deadline: float) -> Any:
        data = b""
        while True:
            frame = self._reader.feed(data)
            if frame is not None:
                # A late answer of an earlier call may come first; it is not ours.
                try:
                    answered, result = wire.decode_reply(frame)
                except wire.RefusalError as refusal:
                    if refusal.request_id == request_id:
                        raise
                    answered, result = refusal.request_id, None
                if answered == request_id:
                    return result
                data = b""
                continue
            self._within(connection, deadline)
            data = connection.recv(_CHUNK)
            if not data:
                raise wire.WireError("it closed the connection in the middle of an answer")

    @staticmethod
    def _within(connection: socket.socket, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout
        connection.settimeout(left)

    def _connected(self, deadline: float) -> socket.socket:
        if self._socket is not None:
            return self._socket
        self._check_owner()
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._within(connection, deadline)
            connection.connect(self._path)
            pid, uid, _gid = struct.unpack(
                "3i",
                connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")),
            )
        except (FileNotFoundError, NotADirectoryError):
            connection.close()
            raise self._absent() from None
        except (ConnectionRefusedError, ConnectionResetError):
            connection.close()
            raise StaleError(
                f"{self._path} is there, but no daemon listens on it: PM2 was killed"
            ) from None
        except PermissionError:
            connection.close()
            raise self._foreign(self._path, os.lstat(self._path).st_uid) from None
        except BaseException:
            connection.close()
            raise
        self.peer_pid = pid
        if uid != self._uid:
            connection.close()
            raise self._foreign(f"the daemon (pid {pid}) on {self._path}", uid)
        self._socket = connection
        return connection

    def _check_owner(self) -> None:
        if len(os.fsencode(self._path)) > SOCKET_PATH_LIMIT:
            raise Pm2Error(
                f"{self._path} is longer than the {SOCKET_PATH_LIMIT} bytes of a socket's path:"
                " use a shorter pm2_home"
            )
        for path in (self.home, self._path):
            try:
                status = os.lstat(path) if path == self._path else os.stat(path)
            except (FileNotFoundError, NotADirectoryError):
                raise self._absent() from None
            except PermissionError:
                raise ForeignError(
                    f"{path} cannot be reached as {user_name(self._uid)}: run as its owner"
                ) from None
            if status.st_uid != self._uid:
                raise self._foreign(path, status.st_uid)
        if not stat.S_ISSOCK(status.st_mode):
            raise ProtocolError(f"{self._path} is not a socket: remove it, then start PM2 again")

    def _absent(self) -> AbsentError:
        return AbsentError(f"no PM2 daemon runs for {self.home}")

    def _foreign(self, what: str, owner: int) -> ForeignError:
        return ForeignError(
            f"{what} belongs to {user_name(owner)}, not to {user_name(self._uid)}:"
            f" run the task as that user (become: true, become_user: {user_name(owner)})"
        )
