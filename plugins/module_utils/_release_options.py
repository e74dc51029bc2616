# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that the modules for releases have in common, and what is built from them."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._git import Git, Remote
from ansible_collections.plugspace.titan.plugins.module_utils._release import ReleaseError
from ansible_collections.plugspace.titan.plugins.module_utils._release_layout import (
    IN_PLACE,
    RELEASES,
    Layout,
)
from ansible_collections.plugspace.titan.plugins.module_utils._release_store import Store

Spec = dict[str, dict[str, t.Any]]

LAYOUT: Spec = {
    "root": {"type": "path", "required": True},
    "path": {"type": "path", "required": True},
    "strategy": {"type": "str", "choices": [RELEASES, IN_PLACE], "default": RELEASES},
    "shared_paths": {"type": "list", "elements": "str", "default": [".env", "uploads/"]},
    "volatile_paths": {
        "type": "list",
        "elements": "str",
        "default": ["*.log", "logs", "tmp", ".cache", ".next/cache"],
    },
    "environment": {"type": "dict", "default": {}},
    "migrations_path": {"type": "str", "default": "prisma/migrations"},
}
REPOSITORY: Spec = {
    "repository": {"type": "str", "default": ""},
    "key": {"type": "str", "no_log": True},
    "key_file": {"type": "path"},
    "token": {"type": "str", "no_log": True},
    "token_user": {"type": "str", "default": "x-access-token", "no_log": False},
    "known_hosts": {"type": "path"},
    "git_timeout": {"type": "float", "default": 300},
}


def environment_of(params: t.Mapping[str, t.Any]) -> dict[str, str]:
    """The additional environment, as text."""
    return {str(key): str(value) for key, value in (params["environment"] or {}).items()}


def remote_of(params: t.Mapping[str, t.Any]) -> Remote:
    """The repository, its URL free of credentials."""
    access = {
        key: params[key]
        for key in ("key", "key_file", "token", "token_user", "known_hosts")
        if params.get(key)
    }
    return Remote.of(params["repository"] or "", **access)


def layout_of(params: t.Mapping[str, t.Any]) -> Layout:
    """Where the releases are."""
    return Layout(params["root"].rstrip("/"), params["path"].rstrip("/"))


def store_of(params: t.Mapping[str, t.Any], git: Git) -> Store:
    """The releases that the options name."""
    layout = layout_of(params)
    root, path = layout.root, layout.path
    for key, value in (("root", root), ("path", path)):
        if not os.path.isabs(value):
            raise ReleaseError(f"{key} is {params[key]!r}; it must be an absolute path", "invalid")
    if path == root or path.startswith(f"{root}/") or root.startswith(f"{path}/"):
        raise ReleaseError(
            f"path {path} and root {root} must not lie inside of one another", "invalid"
        )
    return Store(
        layout,
        git,
        params["strategy"],
        params["shared_paths"],
        params["volatile_paths"],
    )
