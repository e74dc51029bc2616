# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for PyMongo that answers from a table and remembers how it was used."""

from __future__ import annotations

import types
import typing as t


class FakeError(Exception):
    """What PyMongo raises; a refusal by the server has a code."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class FakePyMongo:
    """The library: `answers` by command; an exception in it is raised, a callable is called."""

    def __init__(self) -> None:
        self.errors = types.SimpleNamespace(PyMongoError=FakeError)
        self.answers: dict[str, t.Any] = {}
        # What only somebody without a login gets.
        self.anonymous: dict[str, t.Any] = {}
        self.made: list[dict[str, t.Any]] = []
        self.ran: list[tuple[str, dict[str, t.Any]]] = []
        self.open = 0

    def MongoClient(self, address: str, **options: t.Any) -> FakeClient:  # noqa: N802
        self.made.append({"address": address, **options})
        if "tlsCAFile" in options:
            raise FileNotFoundError(2, "No such file or directory", options["tlsCAFile"])
        self.open += 1
        return FakeClient(self, "username" in options)


class FakeClient:
    """One client, which is its databases as well."""

    def __init__(self, library: FakePyMongo, login: bool) -> None:
        self._library = library
        self._login = login

    def __getitem__(self, database: str) -> FakeClient:
        return self

    def command(self, name: str, value: t.Any = 1, **more: t.Any) -> t.Any:
        library = self._library
        library.ran.append((name, {"value": value, **more}))
        answer = library.answers[name]
        if not self._login:
            answer = library.anonymous.get(name, answer)
        if isinstance(answer, Exception):
            raise answer
        return answer(**more) if callable(answer) else answer

    def close(self) -> None:
        self._library.open -= 1
