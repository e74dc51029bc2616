# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and links that are replaced at once, beside others of the same directory."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ansible_collections.plugspace.titan.plugins.module_utils import _files


def killed_while_writing(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Leave what a process leaves that is killed before its file is whole; where it is."""

    def killed(_source: str, _target: str) -> None:
        raise KeyboardInterrupt

    before = set(path.parent.iterdir())
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            _files.write_json(str(path), {"of": path.name})
    (leftover,) = set(path.parent.iterdir()) - before
    return leftover


def test_two_files_of_a_directory_are_written_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = killed_while_writing(tmp_path / "attempts.json", monkeypatch)
    # While the other process is not through, each way to write beside it.
    _files.write_json(str(tmp_path / "incidents.json"), {"of": "incidents.json"})
    _files.replace_link(str(tmp_path / "current"), "r1")
    assert json.loads(half.read_text()) == {"of": "attempts.json"}
    assert _files.read_json(str(tmp_path / "incidents.json")) == {"of": "incidents.json"}
    assert os.readlink(tmp_path / "current") == "r1"


def test_leftovers_are_overwritten_or_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "incidents.json"
    half = killed_while_writing(path, monkeypatch)
    _files.write_json(str(path), {})
    assert list(tmp_path.iterdir()) == [path]
    half.symlink_to("nowhere")
    _files.replace_link(str(path), "r1")
    assert list(tmp_path.iterdir()) == [path]
    killed_while_writing(tmp_path / "one.json", monkeypatch)
    killed_while_writing(tmp_path / "two.json", monkeypatch)
    _files.remove_leftover(str(tmp_path))
    assert list(tmp_path.iterdir()) == [path]
    _files.remove_leftover(str(tmp_path / "nowhere"))
    _files.remove_leftover(str(path))
