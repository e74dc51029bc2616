"""A client of the site that asks through nginx the whole time and counts every answer."""

from __future__ import annotations

import collections
import http.client
import json
import socket
import ssl
import threading
import time
import uuid
from types import TracebackType
from typing import Any


class Traffic:
    """Requests to one host's nginx from several threads, until the block ends.

    Every request has a connection of its own or, for every second thread, one that is kept alive,
    since the two fail in different ways while a worker is replaced. A third of the requests write.
    """

    def __init__(
        self, address: str, domain: str, ca_file: str, threads: int = 4, pause: float = 0.2
    ) -> None:
        self.address = address
        self.domain = domain
        self.threads = threads
        self.pause = pause
        self.answers: collections.Counter[str] = collections.Counter()
        self.releases: collections.Counter[str] = collections.Counter()
        self.failures: list[str] = []
        self._tls = ssl.create_default_context(cafile=ca_file)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._workers: list[threading.Thread] = []

    @property
    def total(self) -> int:
        """How many requests were sent."""
        return sum(self.answers.values())

    def __enter__(self) -> Traffic:
        for number in range(self.threads):
            worker = threading.Thread(target=self._work, args=(number,), daemon=True)
            worker.start()
            self._workers.append(worker)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        for worker in self._workers:
            worker.join(timeout=30)

    def _work(self, number: int) -> None:
        keep_alive = number % 2 == 0
        connection: http.client.HTTPSConnection | None = None
        count = 0
        while not self._stop.is_set():
            count += 1
            if connection is None or not keep_alive:
                connection = self._connection()
            try:
                self._ask(connection, count)
            except (OSError, http.client.HTTPException) as error:
                self._count(type(error).__name__, f"{time.strftime('%T')} {error!r}")
                connection = None
            time.sleep(self.pause)

    def _connection(self) -> http.client.HTTPSConnection:
        """A connection to this host, whatever the name resolves to here."""
        connection = http.client.HTTPSConnection(self.domain, timeout=10, context=self._tls)
        connection._create_connection = self._connect  # type: ignore[attr-defined]
        return connection

    def _connect(self, _address: tuple[str, int], *rest: Any) -> socket.socket:
        return socket.create_connection((self.address, 443), *rest)

    def _ask(self, connection: http.client.HTTPSConnection, count: int) -> None:
        if count % 3 == 0:
            # A PUT can be sent twice without harm, so nginx may try it on another worker.
            body = json.dumps({"value": count})
            headers = {"Content-Type": "application/json"}
            connection.request("PUT", f"/api/items/{uuid.uuid4().hex}", body, headers)
        else:
            connection.request("GET", "/api/health")
        response = connection.getresponse()
        text = response.read()
        problem = "" if response.status < 400 else f"{response.status}: {text[:200]!r}"
        self._count(str(response.status), problem and f"{time.strftime('%T')} {problem}")
        if response.status == 200 and count % 3:
            with self._lock:
                self.releases[str(json.loads(text).get("commit"))] += 1

    def _count(self, answer: str, failure: str) -> None:
        with self._lock:
            self.answers[answer] += 1
            if failure:
                self.failures.append(failure)
