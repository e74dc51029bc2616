# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real PM2 of each installed version."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import typing as t

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from real_pm2 import PREFIXES, Platform


@pytest.fixture(params=PREFIXES, ids=os.path.basename)
def platform(request: pytest.FixtureRequest) -> t.Iterator[Platform]:
    """An empty PM2_HOME of one version."""
    # The path of a socket is limited to 107 characters, which pytest's own folders exceed.
    root = tempfile.mkdtemp(prefix="pm2-")
    made = Platform(request.param, root)
    try:
        yield made
    finally:
        made.kill()
        shutil.rmtree(root, ignore_errors=True)
