# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the inputs of a run, in sentences, before anything looks at a host."""

from __future__ import annotations

import difflib
import itertools
import re
import typing as t

from ansible_collections.plugspace.titan.plugins.module_utils._words import plain

# What describes the site has a name that begins so; all else is said when a playbook is started.
_SITE = "titan_"
# What Ansible says, at the end of a long story, of a variable that another one is made of.
_UNDEFINED = re.compile(r"'(\w+)' is undefined")


def problems(
    given: t.Mapping[str, t.Any],
    required: t.Sequence[str] = (),
    least: t.Mapping[str, float] | None = None,
    said: t.Sequence[str] = (),
    known: t.Sequence[str] = (),
    type_errors: t.Sequence[str] = (),
) -> list[str]:
    """All problems together.

    given: the variables that are defined. required: those that have to be. least: for each that is
    a number, the smallest that makes sense; only one that is given is looked at. said: the names
    that look like inputs of this procedure. known: those that are. type_errors: what Ansible says
    of them by their specification, or why it could not read them; what is told of a variable here
    is not told again.
    """
    found = []
    missing = [name for name in required if given.get(name) in (None, "")]
    # What an input is made of shows when it is read.
    undefined = [match[1] for error in type_errors if (match := _UNDEFINED.search(error))]
    site = list(dict.fromkeys([*(one for one in missing if one.startswith(_SITE)), *undefined]))
    if site:
        are = "is" if len(site) == 1 else "are"
        found.append(
            f"{', '.join(site)} {are} not defined for this host: describe the site in the"
            " inventory's group_vars (see inventories/README.md)"
        )
    found += [f"{name} is not given: say -e {name}=..." for name in missing if name not in site]
    for name, smallest in (least or {}).items():
        if name in given:
            found += _number(name, given[name], smallest)
    found += [_unknown(name, known) for name in said if name not in known]
    told = "; ".join(found)
    return found + [
        plain(error, 200)
        for error in type_errors
        if not any(
            name in error and name in told for name in (*required, *(least or ()), *undefined)
        )
    ]


def _unknown(name: str, known: t.Sequence[str]) -> str:
    # Without the role that all of them begin with, which would make any two alike.
    alike = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(name, *known))
    shared = len(list(alike))
    like = difflib.get_close_matches(name[shared:], [one[shared:] for one in known], 1)
    return f"{name} is not known" + (f" (did you mean {name[:shared]}{like[0]}?)" if like else "")


def _number(name: str, value: object, smallest: float) -> list[str]:
    wanted = f"it has to be a number that is {smallest:g} or more"
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return [f"{name} is {plain(repr(value), 60)}; {wanted}"]
    try:
        number = float(value)
    except ValueError:
        return [f"{name} is {plain(repr(str(value)), 60)}; {wanted}"]
    # A number that is none compares as false.
    return [] if number >= smallest else [f"{name} is {value}; {wanted}"]
