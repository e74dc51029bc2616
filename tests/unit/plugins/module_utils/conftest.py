# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several tests of the logic stand on."""

from __future__ import annotations

import shutil
import tempfile
import typing as t

import pytest


@pytest.fixture
def home() -> t.Iterator[str]:
    """A PM2 home with a short path: a socket's is limited."""
    path = tempfile.mkdtemp(prefix="h")
    yield path
    shutil.rmtree(path, ignore_errors=True)
