# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection of one attempt, plain or TLS: it is cut off when the attempt's time is over."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import typing as t
from urllib.parse import SplitResult

from ansible_collections.plugspace.titan.plugins.module_utils._probe_options import (
    Probe,
    address_of,
)
from ansible_collections.plugspace.titan.plugins.module_utils._words import plain

MAX_BODY = 256 * 1024
SHOWN = 200


class UnhealthyError(Exception):
    """One attempt failed; the text is its reason. connected: somebody took the connection."""

    def __init__(self, reason: str, connected: bool = False, pid: int | None = None) -> None:
        super().__init__(reason)
        self.connected = connected
        self.pid = pid


class WrongAnswerError(UnhealthyError):
    """An answer came and was wrong, which tells more than that the time ran out after it."""


@contextlib.contextmanager
def connect(probe: Probe, address: tuple[str, int], server_name: str) -> t.Iterator[t.Any]:
    """A connection that is cut off when the attempt's time is over, whatever it waits for."""
    place = address_of(probe.connect_to) if probe.connect_to else address
    deadline = time.monotonic() + probe.timeout
    try:
        plain = socket.create_connection(place, timeout=probe.timeout)
    except socket.timeout:
        raise UnhealthyError(f"got no connection within {probe.timeout:g} s") from None
    except OSError as error:
        raise UnhealthyError(f"got no connection: {error.strerror or error}") from None
    expired = threading.Event()

    def cut() -> None:
        expired.set()
        with contextlib.suppress(OSError):
            plain.shutdown(socket.SHUT_RDWR)

    watchdog = threading.Timer(max(0.0, deadline - time.monotonic()), cut)
    watchdog.daemon = True
    watchdog.start()
    connection: t.Any = plain
    try:
        if server_name:
            connection = _tls(plain, probe, server_name)
        yield connection
        if expired.is_set():
            raise UnhealthyError("was cut off", connected=True)
    except WrongAnswerError:
        raise
    except UnhealthyError as error:
        if expired.is_set():
            raise UnhealthyError(
                f"gave no answer within {probe.timeout:g} s", True, error.pid
            ) from None
        raise
    except socket.timeout:
        raise UnhealthyError(f"gave no answer within {probe.timeout:g} s", connected=True) from None
    except OSError as error:
        reason = f"gave no answer within {probe.timeout:g} s" if expired.is_set() else None
        reason = reason or f"broke off: {error.strerror or type(error).__name__}"
        raise UnhealthyError(reason, connected=True) from None
    finally:
        watchdog.cancel()
        connection.close()
        plain.close()


def _tls(plain: socket.socket, probe: Probe, server_name: str) -> t.Any:
    import ssl

    try:
        context = ssl.create_default_context(cafile=probe.ca_file or None)
        return context.wrap_socket(plain, server_hostname=server_name)
    except ssl.SSLCertVerificationError as error:
        raise UnhealthyError(f"shows a bad certificate: {error.verify_message}", True) from None
    except ssl.SSLError as error:
        raise UnhealthyError(f"speaks no TLS: {error.reason or error}", connected=True) from None
    except FileNotFoundError:
        raise UnhealthyError(f"was not tried: there is no ca_file {probe.ca_file}") from None


def target(url: SplitResult) -> tuple[tuple[str, int], str, str]:
    """Where a URL leads: the address, the name for TLS (empty without it) and the path."""
    secure = url.scheme in ("https", "wss")
    host = url.hostname or ""
    port = url.port or (443 if secure else 80)
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    return (host, port), (host if secure else ""), path


def excerpt(body: bytes) -> str:
    """The beginning of an answer on one line, for a message."""
    text = body[: SHOWN * 2].decode("utf-8", "replace")
    return plain(text, SHOWN) or "an empty body"
