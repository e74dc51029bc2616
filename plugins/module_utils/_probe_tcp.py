# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A probe over TCP: somebody takes the connection."""

from __future__ import annotations

import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._probe_connection import connect
from ansible_collections.plugspace.titan.plugins.module_utils._probe_holder import holder
from ansible_collections.plugspace.titan.plugins.module_utils._probe_options import Probe


def attempt(probe: Probe, candidates: t.Collection[int]) -> int | None:
    """Connect once; the process that took the connection, or UnhealthyError."""
    with connect(probe, (probe.host, probe.port), "") as connection:
        return holder(connection, candidates)
