# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's own view of its clock: `adjtimex(2)`, which anyone may read."""

from __future__ import annotations

import ctypes
import os
import typing as t


class Timex(t.NamedTuple):
    """What whoever disciplines the clock told the kernel, in microseconds."""

    maximum_error_us: int
    estimated_error_us: int


class _Timex(ctypes.Structure):
    """The head of `struct timex`; the rest is only room for the kernel to write into."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("rest", ctypes.c_byte * 512),
    )


def read_timex() -> Timex:
    """Return the kernel's numbers; modes = 0 changes nothing.

    Raises OSError where the C library or a filter of system calls refuses it.
    """
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except AttributeError as error:
        raise OSError("the C library has no adjtimex") from error
    answer = _Timex()
    # The state that it returns is ignored: an unsynchronised clock is an answer, no error.
    if adjtimex(ctypes.byref(answer)) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), "adjtimex")
    return Timex(int(answer.maxerror), int(answer.esterror))
