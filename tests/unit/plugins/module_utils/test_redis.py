# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is made of a Redis server's answers, which are those of a Redis 7.0."""

from __future__ import annotations

import socket
import threading
import time
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.plugspace.titan.plugins.module_utils._redis import (
    CONFIG,
    look,
    observe,
    parse_info,
)
from ansible_collections.plugspace.titan.plugins.module_utils._redis_client import (
    MAX_REPLY,
    RedisError,
    Reply,
)

# maxmemory 3mb and noeviction, filled with small values until they were refused.
FULL = """# Server\r
redis_version:7.0.15\r
server_time_usec:1795475568989608\r
uptime_in_seconds:1\r
\r
# Clients\r
connected_clients:1\r
maxclients:10000\r
blocked_clients:0\r
\r
# Memory\r
used_memory:3162080\r
used_memory_rss:14708736\r
used_memory_peak:3162080\r
maxmemory:3145728\r
maxmemory_policy:noeviction\r
mem_fragmentation_ratio:4.71\r
mem_not_counted_for_evict:0\r
\r
# Persistence\r
loading:0\r
async_loading:0\r
rdb_changes_since_last_save:1744\r
rdb_bgsave_in_progress:0\r
rdb_last_save_time:1795475567\r
rdb_last_bgsave_status:ok\r
aof_enabled:0\r
aof_rewrite_in_progress:0\r
aof_last_bgrewrite_status:ok\r
aof_last_write_status:ok\r
\r
# Stats\r
evicted_keys:0\r
\r
# Replication\r
role:master\r
connected_slaves:0\r
\r
# Errorstats\r
errorstat_OOM:count=1297\r
\r
# Keyspace\r
db0:keys=1744,expires=1,avg_ttl=99744\r
"""
WELL = FULL.replace("used_memory:3162080", "used_memory:1170664")
UNSAVED = WELL.replace("bgsave_status:ok", "bgsave_status:err")
LOADING = WELL.replace(
    "loading:0\r\nasync", "loading:1\r\nloading_loaded_perc:8.62\r\nloading_eta_seconds:31\r\nasync"
)
REPLICA = WELL.replace(
    "role:master",
    "role:slave\r\nmaster_host:127.0.0.1\r\nmaster_port:1\r\nmaster_link_status:down\r\n"
    "master_last_io_seconds_ago:-1",
)
SETTINGS = {
    "maxmemory": "3145728",
    "maxmemory-policy": "noeviction",
    "save": "3600 1",
    "appendonly": "no",
    "dir": "/var/lib/redis",
    "stop-writes-on-bgsave-error": "yes",
    "latency-monitor-threshold": "5",
}
SLOW: list[t.Any] = [
    [8, 1795475568, 9, ["AUTH", "(redacted)"], "127.0.0.1:49072", ""],
    [7, 1795475508, 48223, ["KEYS", "session:*"], "127.0.0.1:49058", "plugspace-api"],
    [6, 1795475508, 3106, ["MSET", *"abcdefghijklmnopqrstuvwxyz1234", "... (50 more arguments)"]],
]
NOPERM = "answered: NOPERM this user has no permissions to run the '{}' command"


class FakeClient:
    """Answers from a table, raises what is an error in it, and remembers what it was asked."""

    def __init__(self, info: Reply = WELL, **replies: t.Any) -> None:
        self.replies = {"INFO": info, "LATENCY": [], "SLOWLOG": SLOW, **replies}
        self.calls: list[tuple[str, ...]] = []

    def call(self, *words: str) -> Reply:
        self.calls.append(words)
        reply = self.replies.get(words[0], "OK")
        if words[:2] == ("CONFIG", "GET") and "CONFIG" not in self.replies:
            reply = [words[2], SETTINGS[words[2]]]
        if isinstance(reply, RedisError):
            raise reply
        return t.cast("Reply", reply)


def seen(client: FakeClient, **options: t.Any) -> dict[str, t.Any]:
    return observe(client, "", "", **options)


@pytest.fixture
def serve() -> t.Iterator[t.Callable[[list[bytes]], int]]:
    """Start servers that give one prepared answer for each thing that they receive."""
    listeners: list[socket.socket] = []

    def start(answers: list[bytes]) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def run() -> None:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                for one in answers:
                    if not connection.recv(65536):
                        return
                    try:
                        connection.sendall(one)
                    except OSError:
                        return

        threading.Thread(target=run, daemon=True).start()
        return int(listener.getsockname()[1])

    yield start
    for listener in listeners:
        listener.close()


def bulk(text: str) -> bytes:
    return b"$%d\r\n%s\r\n" % (len(text), text.encode())


def test_fields_of_info() -> None:
    assert parse_info("# A\r\nx:1\r\n\r\ny:a:b\r\n") == {"x": "1", "y": "a:b"}


def test_master() -> None:
    client = FakeClient()
    ticks = iter([0.0, 0.004, 1.0, 1.001, 2.0, 2.0025])
    assert seen(client, clock=lambda: next(ticks)) == {
        "state": "ok",
        "error": "",
        "version": "7.0.15",
        "role": "master",
        "uptime_s": 1,
        "clients": 1,
        "clients_blocked": 0,
        "clients_max": 10000,
        "loading": False,
        "memory": {
            "used_bytes": 1170664,
            "max_bytes": 3145728,
            "policy": "noeviction",
            "used_percent": 37.2,
            "rss_bytes": 14708736,
            "peak_bytes": 3162080,
            "fragmentation": 4.71,
            "evicted_keys": 0,
            "refusals": 1297,
        },
        "save_ok": True,
        "persistence": {
            "error": "",
            "stop_writes_on_bgsave_error": True,
            "rdb": {
                "enabled": True,
                "ok": True,
                "saving": False,
                "last_save": 1795475567,
                "age_s": 1,
                "changes": 1744,
            },
            "aof": {"enabled": False, "write_ok": True, "rewrite_ok": True, "rewriting": False},
        },
        "keyspace": {"db0": {"keys": 1744, "expires": 1}},
        "latency": {"ping_ms": {"p50": 2.5, "max": 4.0}, "events": []},
        "slowlog": [],
        "config": SETTINGS,
        "replicas": 0,
        "master": None,
        "errors": [],
    }
    assert client.calls == [
        *[("PING",)] * 3,
        ("INFO",),
        ("LATENCY", "LATEST"),
        *[("CONFIG", "GET", name) for name in CONFIG],
    ]


def test_nothing_is_written_and_no_pattern_is_asked_for() -> None:
    client = FakeClient()
    observe(client, "ops", "hush", pings=1, slowlog=9)
    reading = {"AUTH", "PING", "INFO", "LATENCY LATEST", "CONFIG GET", "SLOWLOG GET"}
    for words in client.calls:
        assert words[0] in reading or " ".join(words[:2]) in reading
        assert "*" not in "".join(words)


@pytest.mark.parametrize(
    ("username", "login"), [("", ("AUTH", "hush")), ("ops", ("AUTH", "ops", "hush"))]
)
def test_login_comes_first(username: str, login: tuple[str, ...]) -> None:
    client = FakeClient()
    observe(client, username, "hush")
    assert client.calls[0] == login


def test_full() -> None:
    found = seen(FakeClient(FULL))
    assert (found["state"], found["memory"]["used_percent"]) == ("oom", 100.5)
    assert found["error"] == (
        "refuses writes (OOM): 3162080 bytes are in use, maxmemory is 3145728 and the policy"
        " noeviction; remove keys, raise maxmemory or let it evict"
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("maxmemory_policy:noeviction", "maxmemory_policy:allkeys-lru"),
        # What waits for replicas and the append-only file does not count.
        ("mem_not_counted_for_evict:0", "mem_not_counted_for_evict:20000"),
        ("maxmemory:3145728", "maxmemory:0"),
        ("maxmemory:3145728", "maxmemory:3162080"),
    ],
)
def test_full_and_well(field: str, value: str) -> None:
    assert field in FULL
    assert seen(FakeClient(FULL.replace(field, value)))["state"] == "ok"


def test_no_limit_has_no_share() -> None:
    found = seen(FakeClient(FULL.replace("maxmemory:3145728", "maxmemory:0")))
    assert found["memory"]["used_percent"] is None


MISCONF = RedisError("misconf", "answered: MISCONF Errors writing to the AOF file: No space left")


@pytest.mark.parametrize(
    ("info", "refusal", "settings", "state", "words"),
    [
        (
            UNSAVED,
            MISCONF,
            None,
            "misconf",
            "refuses writes (MISCONF): its last snapshot to /var/lib/redis failed; look into",
        ),
        (
            UNSAVED,
            MISCONF,
            RedisError("auth", NOPERM.format("config|get")),
            "misconf",
            "refuses writes (MISCONF): its last snapshot failed; look into Redis' log",
        ),
        (WELL, MISCONF, None, "misconf", "answered: MISCONF Errors writing to the AOF file: No"),
        (
            LOADING,
            RedisError("loading", "answered: LOADING Redis is loading the dataset in memory"),
            None,
            "loading",
            "still reads its data from disk: 8.62 % done, about 31 s left",
        ),
        (
            REPLICA.replace("bgsave_status:ok", "bgsave_status:err"),
            RedisError("replica", "answered: MASTERDOWN Link with MASTER is down"),
            None,
            "replica",
            "answered: MASTERDOWN Link with MASTER is down",
        ),
    ],
)
def test_a_server_that_refuses_ping_but_talks(
    info: str, refusal: RedisError, settings: RedisError | None, state: str, words: str
) -> None:
    replies = {"PING": refusal, **({"CONFIG": settings} if settings else {})}
    found = seen(FakeClient(info, **replies))
    assert found["state"] == state
    assert found["error"].startswith(words)
    assert found["latency"]["ping_ms"] is None
    assert found["memory"]["used_bytes"] == 1170664
    assert found["loading"] is (state == "loading")


BUSY = RedisError("busy", "answered: BUSY Redis is busy running a script.")
# What FUNCTION STATS says while FCALL spin 0 secretarg runs.
RUNNING = [
    "running_script",
    ["name", "spin", "command", ["FCALL", "spin", "0", "secretarg"], "duration_ms", 1930],
    "engines",
    ["LUA", ["libraries_count", 1, "functions_count", 1]],
]


@pytest.mark.parametrize(
    ("stats", "sentence"),
    [
        (
            RUNNING,
            "is blocked by the function spin for 2 s; until it ends, nothing is served"
            " (FUNCTION KILL ends one that has not written yet)",
        ),
        *[
            (
                stats,
                "is blocked by a Lua script, for how long it does not tell; until it ends, nothing"
                " is served (SCRIPT KILL ends one that has not written yet)",
            )
            for stats in (BUSY, ["running_script", None], "odd")
        ],
    ],
)
def test_a_script_blocks_it(stats: t.Any, sentence: str) -> None:
    with pytest.raises(RedisError) as raised:
        seen(FakeClient(PING=BUSY, FUNCTION=stats))
    assert (raised.value.state, str(raised.value)) == ("busy", sentence)


@pytest.mark.parametrize("part", ["PING", "INFO"])
def test_what_has_to_be_allowed(part: str) -> None:
    with pytest.raises(RedisError, match="NOPERM"):
        seen(FakeClient(**{part: RedisError("auth", NOPERM.format(part.lower()))}))


def test_what_ping_told_outlives_an_info_that_fails() -> None:
    loading = RedisError("loading", "answered: LOADING Redis is loading the dataset in memory")
    with pytest.raises(RedisError, match="LOADING"):
        seen(FakeClient(PING=loading, INFO=RedisError("closed", "closed the connection")))


def test_info_is_a_text() -> None:
    with pytest.raises(RedisError, match="does not speak Redis") as raised:
        seen(FakeClient(None))
    assert raised.value.state == "foreign"


def test_what_is_not_allowed_is_a_sentence() -> None:
    refused = {
        name: RedisError("auth", NOPERM.format(command))
        for name, command in (
            ("CONFIG", "config|get"),
            ("LATENCY", "latency|latest"),
            ("SLOWLOG", "slowlog|get"),
        )
    }
    found = seen(FakeClient(**refused), slowlog=3)
    tell = "the server answered: NOPERM this user has no permissions to run the"
    assert found["errors"] == [
        f"SLOWLOG GET 3: {tell} 'slowlog|get' command",
        f"LATENCY LATEST: {tell} 'latency|latest' command",
        f"CONFIG GET maxmemory: {tell} 'config|get' command",
    ]
    assert (found["state"], found["config"], found["slowlog"]) == ("ok", {}, [])
    assert found["persistence"]["stop_writes_on_bgsave_error"] is None
    assert found["persistence"]["rdb"]["enabled"] is None


def test_what_info_told_outlives_a_time_that_runs_out() -> None:
    client = FakeClient(LATENCY=RedisError("hung", "did not answer within 3 s"))
    found = seen(client)
    assert (found["state"], found["version"]) == ("ok", "7.0.15")
    assert found["errors"] == ["LATENCY LATEST: the server did not answer within 3 s"]
    assert client.calls[-1] == ("LATENCY", "LATEST")


def test_replica_names_its_master() -> None:
    found = seen(FakeClient(REPLICA))
    assert found["master"] == {"address": "127.0.0.1:1", "link": "down", "silent_s": -1}


@pytest.mark.parametrize(
    ("field", "save_ok", "error"),
    [
        ("rdb_last_bgsave_status", False, "the last snapshot failed"),
        ("aof_last_write_status", False, "the last write to the append-only file failed"),
        ("aof_last_bgrewrite_status", True, "the last rewrite of the append-only file failed"),
    ],
)
def test_failed_saves(field: str, save_ok: bool, error: str) -> None:
    found = seen(FakeClient(WELL.replace(f"{field}:ok", f"{field}:err")))
    assert (found["save_ok"], found["persistence"]["error"]) == (save_ok, error)


def test_slow_commands_show_no_key_and_no_value() -> None:
    found = seen(FakeClient(), slowlog=3)["slowlog"]
    assert found == [
        {"age_s": 0, "ms": 0.0, "command": "AUTH", "arguments": 1, "client": ""},
        {"age_s": 60, "ms": 48.2, "command": "KEYS", "arguments": 1, "client": "plugspace-api"},
        {"age_s": 60, "ms": 3.1, "command": "MSET", "arguments": 80, "client": ""},
    ]


def test_latency_events() -> None:
    events = [["command", 1795475568, 20, 25], ["fork", 1795475508, 3, 3]]
    assert seen(FakeClient(LATENCY=events))["latency"]["events"] == [
        {"event": "command", "age_s": 0, "ms": 20, "max_ms": 25},
        {"event": "fork", "age_s": 60, "ms": 3, "max_ms": 3},
    ]


anything = st.recursive(
    st.none() | st.integers() | st.text(max_size=20), lambda some: st.lists(some, max_size=7)
)
fields = st.sampled_from([line.partition(":")[0] for line in FULL.splitlines()])


@given(anything, anything, anything, st.dictionaries(fields, st.text(max_size=12)))
def test_no_answer_breaks_the_look(
    config: t.Any, events: t.Any, entries: t.Any, info: dict[str, str]
) -> None:
    text = WELL + "".join(f"{key}:{value}\r\n" for key, value in info.items())
    client = FakeClient(text, CONFIG=config, LATENCY=events, SLOWLOG=entries)
    assert seen(client, slowlog=9)["state"] in ("ok", "oom")


def test_whole_conversation(serve: t.Callable[[list[bytes]], int]) -> None:
    refused = [b"-ERR unknown command\r\n"] * 2
    port = serve([b"+OK\r\n", *[b"+PONG\r\n"] * 3, bulk(WELL), *refused])
    found = look("127.0.0.1", port, "", "hush", 2)
    assert (found["state"], found["error"], found["role"]) == ("ok", "", "master")
    assert len(found["errors"]) == 2


@pytest.mark.parametrize(
    ("answers", "state", "words"),
    [
        ([b"-NOAUTH Authentication required.\r\n"], "auth", "NOAUTH"),
        ([b"-WRONGPASS invalid username-password pair\r\n"], "auth", "WRONGPASS"),
        ([b"-ERR invalid password\r\n"], "auth", "invalid password"),
        ([b"-LOADING Redis is loading\r\n"], "loading", "LOADING"),
        ([b"-ERR odd\r\n"], "error", "odd"),
        ([b"HTTP/1.1 400 Bad Request\r\n"], "foreign", "does not speak Redis"),
        ([b"+PONG\r\n", b"$99999999999\r\n"], "foreign", "does not speak Redis"),
        ([b"+PONG\r\n", b"$-1\r\n"], "foreign", "does not speak Redis"),
        ([b"+PONG\r\n", b"+" + b"x" * (MAX_REPLY + 99)], "foreign", "more than"),
        ([], "closed", "closed"),
        ([b"+PO"], "closed", "closed"),
    ],
)
def test_answers_that_are_none(
    serve: t.Callable[[list[bytes]], int], answers: list[bytes], state: str, words: str
) -> None:
    found = look("127.0.0.1", serve(answers), "", "", 2, pings=1)
    assert found["state"] == state
    assert words in found["error"]


def test_hanging_and_missing_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        started = time.monotonic()
        assert look("127.0.0.1", port, "", "", 0.3)["state"] == "hung"
        assert time.monotonic() - started < 1
    found = look("127.0.0.1", port, "", "", 1)
    assert found == {"state": "refused", "error": f"127.0.0.1:{port} refused the connection"}
    assert look("host.invalid", 1, "", "", 1)["state"] == "unreachable"
