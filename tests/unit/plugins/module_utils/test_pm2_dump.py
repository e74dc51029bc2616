# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dump, normalised."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from ansible_collections.plugspace.titan.plugins.module_utils import _pm2_dump as dump


def record(**env: t.Any) -> dict[str, t.Any]:
    """A record."""
    values = {"name": "api", "status": "online", "pm_id": 3, "pm_uptime": 5, **env}
    return {"name": "api", "pm2_env": values}


def save(home: Path, *envs: dict[str, t.Any]) -> None:
    """Write a dump."""
    (home / "dump.pm2").write_text(json.dumps(envs))


def test_differs(tmp_path: Path) -> None:
    assert dump.differs(str(tmp_path), [])
    assert dump.saved_count(str(tmp_path)) == 0
    save(tmp_path, {"name": "api", "status": "launching", "pm_uptime": 9, "env": {"unique_id": 1}})
    assert not dump.differs(str(tmp_path), [record(env={"unique_id": 2}, axm_monitor={"x": 1})])
    assert dump.differs(str(tmp_path), [record(env={"A": "1"})])
    assert dump.differs(str(tmp_path), [record(env={}, status="stopped")])
    assert dump.differs(str(tmp_path), [])
    module = record(pmx_module=True, name="pm2-logrotate")
    assert not dump.differs(str(tmp_path), [record(env={}), module])
    assert dump.saved_count(str(tmp_path)) == 1


def test_a_damaged_dump_differs(tmp_path: Path) -> None:
    for content in ("{", "[1]", '{"a": 1}', "null"):
        (tmp_path / "dump.pm2").write_text(content)
        assert dump.differs(str(tmp_path), [record()])


def test_open_files(tmp_path: Path) -> None:
    save(tmp_path)
    (tmp_path / "dump.pm2").chmod(0o644)
    assert dump.open_files(str(tmp_path)) == [str(tmp_path / "dump.pm2")]
    (tmp_path / "dump.pm2").chmod(0o600)
    assert dump.open_files(str(tmp_path)) == []
