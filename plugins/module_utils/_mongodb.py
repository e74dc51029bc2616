# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MongoDB members by way of PyMongo: each asked directly, within a limit, with a reason if not."""

from __future__ import annotations

import atexit
import contextlib
import sys
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._mongodb_documents import Document

try:
    import pymongo
    import pymongo.errors

    HAS_PYMONGO = True
except ImportError:
    HAS_PYMONGO = False

# A process with PyMongo waits for its threads when it ends, and they sleep half a second at a time.
# Here every client is closed by then. Where PyMongo has no such function, it takes its time.
for _monitor in ("pymongo.monitor", "pymongo.synchronous.monitor"):
    _wait: t.Any = getattr(sys.modules.get(_monitor), "_shutdown_resources", None)
    if _wait:
        atexit.unregister(_wait)

CONNECTION: dict[str, dict[str, t.Any]] = {
    "host": {"type": "str", "default": "127.0.0.1"},
    "port": {"type": "int", "default": 27017},
    "timeout": {"type": "float", "default": 3},
    "login_user": {"type": "str"},
    "login_password": {"type": "str", "no_log": True},
    "login_database": {"type": "str", "default": "admin"},
    "tls": {"type": "bool", "default": False},
    "tls_ca_file": {"type": "path"},
    "tls_certificate_key_file": {"type": "path"},
    "tls_allow_invalid_hostnames": {"type": "bool", "default": False},
}
REQUIRED_TOGETHER = [("login_user", "login_password")]

# Codes of the server, by what they mean to us.
_STATES = {
    13: "denied",
    18: "auth",
    93: "invalid_config",  # also: this member is in its own configuration no more
    94: "not_initialized",
    95: "not_secondary",
    103: "incompatible",  # also: somebody else has written a newer configuration
    109: "busy",  # ConfigurationInProgress
    189: "busy",  # PrimarySteppedDown
    308: "busy",  # CurrentConfigNotCommittedYet
    10107: "busy",  # NotWritablePrimary: an election came in between
}


class MongoError(Exception):
    """A member gave no answer, or a refusal; `state` is the machine's word for why."""

    def __init__(self, state: str, message: str) -> None:
        super().__init__(message)
        self.state = state


class Connection:
    """An open connection to one member."""

    def __init__(self, owner: PyMongoClient, address: str, client: pymongo.MongoClient[t.Any]):
        self._owner = owner
        self._address = address
        self._client = client

    def command(self, name: str, value: t.Any = 1, database: str = "admin", **more: t.Any) -> t.Any:
        """Run a command and return its answer; raises MongoError."""
        try:
            return self._client[database].command(name, value, **more)
        except pymongo.errors.PyMongoError as error:
            if isinstance(value, str):
                name = f"{name} {value}"
            elif more.get("pipeline"):
                name = next(iter(more["pipeline"][0]))
            raise self._owner.explain(self._address, error, name) from error


class PyMongoClient:
    """Asks a member, and no other one of its set; a question takes `timeout` seconds at most."""

    # A change waits for the other members, which the server itself gives 10 s for a heartbeat.
    CHANGE_S = 30.0

    def __init__(self, params: t.Mapping[str, t.Any]) -> None:
        self.timeout = float(params["timeout"])
        self._user = params["login_user"]
        self._password = params["login_password"]
        self._database = params["login_database"]
        self._tls: dict[str, t.Any] = {}
        if params["tls"] or params["tls_ca_file"] or params["tls_certificate_key_file"]:
            self._tls = {
                "tls": True,
                "tlsCAFile": params["tls_ca_file"],
                "tlsCertificateKeyFile": params["tls_certificate_key_file"],
                "tlsAllowInvalidHostnames": params["tls_allow_invalid_hostnames"],
            }
            self._tls = {key: value for key, value in self._tls.items() if value}

    @property
    def has_login(self) -> bool:
        """Whether there is somebody to log in as."""
        return bool(self._user)

    @contextlib.contextmanager
    def connect(
        self, address: str, login: bool = True, patience: float = 0.0
    ) -> t.Iterator[Connection]:
        """Open a connection that waits `patience` seconds longer than usual for an answer."""
        limit = int(self.timeout * 1000)
        options: dict[str, t.Any] = {
            "connectTimeoutMS": limit,
            "serverSelectionTimeoutMS": limit,
            "socketTimeoutMS": limit + int(patience * 1000),
            **self._tls,
        }
        if login and self.has_login:
            options["username"] = self._user
            options["password"] = self._password
            options["authSource"] = self._database
        try:
            client: pymongo.MongoClient[t.Any] = pymongo.MongoClient(
                f"mongodb://{address}/?directConnection=true", **options
            )
        except (pymongo.errors.PyMongoError, OSError) as error:  # such as an unreadable CA file
            raise self.explain(address, error) from error
        try:
            yield Connection(self, address, client)
        finally:
            client.close()

    def hello(self, address: str) -> Document:
        """Return who that very member says it is, which needs no login."""
        with self.connect(address, login=False) as connection:
            return dict(connection.command("hello"))

    def status(self, address: str) -> Document:
        """Return replSetGetStatus."""
        return self._read(address, "replSetGetStatus")

    def config(self, address: str) -> Document:
        """Return the configuration of the set."""
        return dict(self._read(address, "replSetGetConfig")["config"])

    def initiate(self, address: str, config: Document) -> None:
        """Give a member that was never initiated its first configuration."""
        self._read(address, "replSetInitiate", config, self.CHANGE_S)

    def reconfigure(self, address: str, config: Document, force: bool) -> None:
        """Replace the configuration."""
        with self.connect(address, patience=self.CHANGE_S) as connection:
            connection.command("replSetReconfig", config, force=force)

    def step_down(self, address: str, seconds: int, catch_up: int) -> None:
        """Make the primary a secondary; it stays one for `seconds`."""
        with self.connect(address, patience=catch_up) as connection:
            try:
                connection.command("replSetStepDown", seconds, secondaryCatchUpPeriodSecs=catch_up)
            except MongoError as error:
                # Before 4.2 a primary that steps down closes every connection, this one too.
                if error.state != "closed":
                    raise

    def _read(self, address: str, name: str, value: t.Any = 1, patience: float = 0.0) -> Document:
        """Run a command that a member without any user allows to its own host without login."""
        try:
            with self.connect(address, patience=patience) as connection:
                return dict(connection.command(name, value))
        except MongoError as refused:
            if refused.state != "auth" or not self.has_login:
                raise
            try:
                with self.connect(address, login=False, patience=patience) as connection:
                    return dict(connection.command(name, value))
            except MongoError as error:
                raise (refused if error.state == "denied" else error) from refused

    def explain(self, address: str, error: Exception, command: str = "") -> MongoError:
        """Return the state and the sentence for what PyMongo raised."""
        code = getattr(error, "code", None)
        message = str(error)
        if code == 18:
            who = f"{self._user} (database {self._database})"
            return MongoError("auth", f"{address} refused the login of {who}: check the password")
        if code == 13:
            if not self.has_login:
                return MongoError("auth", f"{address} wants a login for {command}")
            return MongoError("denied", f"{self._user} may not run {command} on {address}")
        if code in _STATES:
            return MongoError(_STATES[code], f"{address}: {_first_words(message)}")
        if "refused" in message:
            return MongoError("refused", f"{address} refused the connection")
        if "timed out" in message:
            return MongoError("hung", f"{address} did not answer within {self.timeout:g} s")
        if "connection closed" in message or "reset by peer" in message:
            return MongoError("closed", f"{address} closed the connection")
        return MongoError("error", f"{address}: {_first_words(message)}")


def _first_words(message: str) -> str:
    """Leave out what PyMongo appends: its view of the whole topology, or the server's answer."""
    for tail in (", Timeout:", ", full error:"):
        message = message.split(tail)[0]
    return message[:300]
