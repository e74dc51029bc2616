# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an application should run, and where a process that PM2 holds differs from that."""

from __future__ import annotations

import json
import os
import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.plugspace.titan.plugins.module_utils._pm2_client import Pm2Error
from ansible_collections.plugspace.titan.plugins.module_utils._pm2_process import environment_of

Conf = t.Mapping[str, t.Any]

# PM2 lays an application's variables over its own record: these would change the process itself.
_RESERVED = re.compile(
    r"name|namespace|pm_id|pm_cwd|pm_exec_path|exec_mode|exec_interpreter|instances|args|node_args"
    r"|status|env|watch|autorestart|cron_restart|uid|gid|username|unique_id"
)
# What a login or systemd leaves in the environment: not worth a restart, gone with the next one.
_SESSION = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|PWD|OLDPWD|SHLVL|TERM|MAIL|TZ|HOSTNAME|COLUMNS"
    r"|LINES|LS_COLORS|EDITOR|PAGER|LESSOPEN|LESSCLOSE|DBUS_SESSION_BUS_ADDRESS|TMPDIR|PIDFILE|_"
    r"|INVOCATION_ID|JOURNAL_STREAM|MANAGERPID|SYSTEMD_EXEC_PID|MEMORY_PRESSURE_\w+|LISTEN_\w+"
    r"|PYTHONUNBUFFERED|SILENT|unique_id|(?:SSH|XDG|LC|SUDO|PM2|NVM|npm|ANSIBLE)_\w+"
)

_NOT_NODE = (".sh", ".py", ".rb", ".php", ".pl", ".coffee", ".ls", ".ts", ".tsx")
_ARGUMENT = re.compile(
    r"""[^\s"'=]+="[^"]*"|[^\s"'=]+='[^']*'|"([^"]*)"|'([^']*)'|\S+""",
)
_UNITS = {"G": 1024**3, "M": 1024**2, "K": 1024, "h": 3600000, "m": 60000, "s": 1000}

# Options that PM2 keeps under the same name, and that a reload would not take over.
_COMPARED_OPTIONS = (
    "max_memory_restart",
    "kill_timeout",
    "listen_timeout",
    "wait_ready",
    "shutdown_with_message",
    "min_uptime",
    "max_restarts",
    "restart_delay",
    "exp_backoff_restart_delay",
    "autorestart",
    "merge_logs",
    "log_date_format",
    "instance_var",
)


@dataclass(frozen=True)
class Definition:
    """One application as it is wanted. conf is what PM2 gets, without environment and count."""

    name: str
    cwd: str
    script: str
    exec_mode: str
    instances: int
    env: t.Mapping[str, str]
    base_env: t.Mapping[str, str] = field(default_factory=dict)
    args: tuple[str, ...] = ()
    node_args: tuple[str, ...] = ()
    interpreter: str = ""
    conf: Conf = field(default_factory=dict)

    @property
    def cluster(self) -> bool:
        """Whether PM2 can run new and old instances side by side."""
        return self.exec_mode == "cluster_mode"

    @property
    def instance_var(self) -> str:
        """The variable that numbers the instances."""
        return str(self.conf.get("instance_var") or "NODE_APP_INSTANCE")


def text_of(value: t.Any) -> str:
    """A value as a process finds it in its environment."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _words(value: t.Any) -> tuple[str, ...]:
    if isinstance(value, str):
        found = (match.group(0) for match in _ARGUMENT.finditer(value))
        return tuple(
            word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "\"'" else word
            for word in found
        )
    return tuple(text_of(word) for word in value or ())


def count_instances(wanted: t.Any, cpus: int, what: str) -> int:
    """PM2's reading of a number of instances: max and 0 mean one for each processor."""
    if wanted is None:
        return 1
    text = str(wanted)
    if text == "max":
        return cpus
    if not re.fullmatch(r"-?\d{1,4}", text):
        raise Pm2Error(f"{what}: instances is a number or max, not {text!r}")
    number = int(text)
    return number if number > 0 else max(1, cpus + number)


def through_link(path: str, link: str) -> str:
    """The same place, named by way of the link: what PM2 shall remember is the link."""
    real = os.path.realpath(link)
    if real != link and (path == real or path.startswith(real + "/")):
        return link + path[len(real) :]
    return path


def define(
    conf: Conf,
    folder: str,
    base_env: t.Mapping[str, str],
    cpus: int,
    env_name: str | None = None,
    extra_env: t.Mapping[str, t.Any] | None = None,
    instances: str | None = None,
) -> Definition:
    """An application from its section of an ecosystem file that stands in folder."""
    script = conf.get("script") or conf.get("exec") or conf.get("cmd") or conf.get("command")
    if not isinstance(script, str) or not script:
        raise Pm2Error(f"the application {conf.get('name', '')!r} has no script")
    name = str(conf.get("name") or os.path.splitext(os.path.basename(script))[0])
    if " " in script:
        raise Pm2Error(
            f"{name}: script is a command line ({script!r}): write script and args apart"
        )
    cwd = through_link(os.path.normpath(os.path.join(folder, str(conf.get("cwd") or "."))), folder)
    interpreter = str(conf.get("interpreter") or conf.get("exec_interpreter") or "")
    wanted = instances if instances is not None else conf.get("instances")
    mode = str(conf.get("exec_mode") or "")
    if mode:
        mode = mode.replace("_mode", "") + "_mode"
    else:
        node = "node" in os.path.basename(interpreter) or not (
            interpreter or script.endswith(_NOT_NODE)
        )
        mode = "cluster_mode" if conf.get("instances") is not None and node else "fork_mode"
    kept = {
        key: value
        for key, value in conf.items()
        if value is not None and key != "env" and not key.startswith("env_")
    }
    absolute = through_link(os.path.normpath(os.path.join(cwd, script)), folder)
    kept.update(name=name, cwd=cwd, script=absolute, exec_mode=mode)
    for alias in ("exec", "cmd", "command"):
        kept.pop(alias, None)
    return Definition(
        name=name,
        cwd=cwd,
        script=absolute,
        exec_mode=mode,
        instances=count_instances(wanted, cpus, name),
        env=_environment(conf, name, base_env, env_name, extra_env or {}),
        base_env=base_env,
        args=_words(conf.get("args")),
        node_args=_words(conf.get("node_args") or conf.get("interpreter_args")),
        interpreter=interpreter,
        conf=kept,
    )


def _environment(
    conf: Conf,
    name: str,
    base: t.Mapping[str, str],
    env_name: str | None,
    extra: t.Mapping[str, t.Any],
) -> dict[str, str]:
    layers = [conf.get("env") or {}, {"PORT": conf["port"]} if conf.get("port") else {}]
    if env_name:
        if f"env_{env_name}" not in conf:
            raise Pm2Error(f"{name}: the ecosystem file has no env_{env_name}")
        layers.append(conf[f"env_{env_name}"])
    env: dict[str, str] = {}
    for layer in (*layers, extra):
        if not isinstance(layer, t.Mapping):
            raise Pm2Error(f"{name}: env is a mapping of names to values")
        env.update((str(key), text_of(value)) for key, value in layer.items())
    bad = sorted(filter(_RESERVED.fullmatch, env))
    if bad:
        raise Pm2Error(
            f"{name}: a variable called {' or '.join(bad)} would change PM2's own record of the"
            " process: rename it"
        )
    return {**base, **env}


def drift(record: t.Mapping[str, t.Any], wanted: Definition) -> list[str]:
    """Where a process differs from its definition, in words that name no value of a variable."""
    held = environment_of(record)
    found = []
    for label, key, value in (
        ("cwd", "pm_cwd", wanted.cwd),
        ("script", "pm_exec_path", wanted.script),
        ("exec_mode", "exec_mode", wanted.exec_mode),
    ):
        if held.get(key) != value:
            found.append(f"{label} is {held.get(key)} (wanted {value})")
    if _words(held.get("args")) != wanted.args:
        found.append("args differ")
    if _words(held.get("node_args")) != wanted.node_args:
        found.append("node_args differ")
    running = str(held.get("exec_interpreter") or "")
    if wanted.interpreter and wanted.interpreter not in (running, os.path.basename(running)):
        found.append(f"interpreter is {running} (wanted {wanted.interpreter})")
    for option in _COMPARED_OPTIONS:
        if option in wanted.conf and _plain(held.get(option)) != _plain(wanted.conf[option]):
            found.append(f"{option} differs")
    return found + _env_drift(held, wanted)


def _plain(value: t.Any) -> t.Any:
    """The options of sizes and times are numbers in PM2's record and may be text in the file."""
    if isinstance(value, str):
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([GMKhms]?)", value)
        if match:
            return float(match[1]) * _UNITS.get(match[2], 1)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    return value


def _env_drift(held: t.Mapping[str, t.Any], wanted: Definition) -> list[str]:
    current = held.get("env")
    current = current if isinstance(current, dict) else {}
    ignored = {wanted.instance_var, str(held.get("increment_var") or "")}
    names: dict[str, list[str]] = {"new": [], "changed": [], "removed": []}
    for name, value in wanted.env.items():
        if name in ignored or wanted.base_env.get(name) == value:
            continue
        if name not in current:
            names["new"].append(name)
        elif text_of(current[name]) != value:
            names["changed"].append(name)
    for name in current:
        if name not in wanted.env and name not in ignored and not _SESSION.fullmatch(name):
            names["removed"].append(name)
    return [
        f"{what} variable{'s' if len(found) > 1 else ''} {', '.join(sorted(found))}"
        for what, found in names.items()
        if found
    ]
