# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host's clock is kept right by anyone."""

from __future__ import annotations

from ansible_collections.plugspace.titan.plugins.module_utils._host import Report
from ansible_collections.plugspace.titan.plugins.module_utils._timex import Timex

# The kernel lets the error grow by itself while nobody corrects the clock, and stops here. This
# is what systemd asks too: the flag STA_UNSYNC is also set by a chronyd that synchronises well
# and only keeps the kernel away from the hardware clock.
UNKNOWN_ERROR_US = 16_000_000


def clock(timex: Timex) -> Report:
    """Return whether the clock is synchronised and how wrong it may be, in seconds."""
    synchronised = timex.maximum_error_us < UNKNOWN_ERROR_US
    # systemd-timesyncd knows no estimate and leaves 0.
    estimate = timex.estimated_error_us if synchronised else 0
    return {
        "synchronised": synchronised,
        "estimated_error_s": estimate / 1e6 if estimate else None,
        "maximum_error_s": timex.maximum_error_us / 1e6 if synchronised else None,
    }
