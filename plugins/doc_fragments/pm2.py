# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that say which PM2 is meant."""

from __future__ import annotations


class ModuleDocFragment:
    """Options shared by the PM2 modules."""

    DOCUMENTATION = r"""
options:
  user:
    description:
      - The user whose PM2 is meant. The task has to run as this user, because a command of another
        user leaves files behind that lock the owner out. Only to look, it may run as root as well.
      - Defaults to the user that the task runs as.
    type: str
  pm2_home:
    description: The home of PM2. Defaults to V(.pm2) in the home directory of O(user).
    type: path
  pm2_bin:
    description:
      - The C(pm2) program. Defaults to the first one on the path.
      - It is only started for what the daemon cannot do itself, such as starting an application
        from a file.
    type: path
  timeout:
    description: How many seconds the daemon may take for an answer before it is called hung.
    type: float
    default: 5.0
requirements:
  - PM2 5, 6 or 7
notes:
  - The module speaks to the daemon over its socket. It never starts a daemon in check mode, and it
    shows no environment of any application.
  - A PM2_HOME that is open to others than its owner is reported, since whoever reaches the socket
    in it can run code as its owner. Use mode V(0700).
"""
