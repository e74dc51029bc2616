# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that the modules for releases have in common."""

from __future__ import annotations


class ModuleDocFragment:
    """Options: where the releases are, the repository, the lock."""

    DOCUMENTATION = r"""
options:
  root:
    description:
      - The directory that holds C(releases), C(metadata), C(shared), the mirror and the lock.
      - It belongs to the application's user, and the module runs as that user.
    type: path
    required: true
  path:
    description:
      - Where the application is run from.
      - A link to the live release with O(strategy=releases), the live release itself with
        O(strategy=in_place). A plain Git checkout that is there already becomes a release at
        the first switch.
      - It lies on the same file system as O(root) and outside of it.
    type: path
    required: true
  strategy:
    description: Whether a switch moves a link, or lets two directories change places.
    type: str
    choices: [releases, in_place]
    default: releases
  shared_paths:
    description:
      - Paths inside of a release that all releases share. A slash at the end says that it is a
        directory, which is created when there is none.
      - The first content is that of a plain checkout at O(path), else what the release brings.
    type: list
    elements: str
    default: [.env, uploads/]
  volatile_paths:
    description:
      - Files and directories that the application writes inside of its release; they do not count
        when a release is looked at for damage. Shell patterns, relative.
    type: list
    elements: str
    default: ['*.log', logs, tmp, .cache, .next/cache]
  environment:
    description:
      - Additional environment of the commands, for example a C(PATH) for another Node.js.
      - Nothing else of the caller's environment is passed on, except for proxies and authorities.
      - The value of one whose name says that it is secret, as C(NPM_TOKEN), is shown nowhere.
    type: dict
    default: {}
  migrations_path:
    description: The directory inside of a release whose sub-directories are its database
      migrations.
    type: str
    default: prisma/migrations
"""

    REPOSITORY = r"""
options:
  repository:
    description:
      - The URL of the Git repository, or a path on the host.
      - Credentials inside of a URL are used and never stored or shown; O(token) is the better
        place.
    type: str
    default: ""
  key:
    description: The private deploy key itself. It is kept in memory only.
    type: str
  key_file:
    description: The file on the host with the private deploy key.
    type: path
  token:
    description: The token for a repository by HTTPS. It reaches Git through its environment only.
    type: str
  token_user:
    description: The user that goes with O(token); GitLab wants V(oauth2).
    type: str
    default: x-access-token
  known_hosts:
    description:
      - The file on the host with the repository server's host key, which then has to match.
      - Without it the user's own file counts, and a server that is not in there is accepted once.
    type: path
  git_timeout:
    description: Seconds that a single Git command may take.
    type: float
    default: 300
"""

    LOCK = r"""
options:
  run:
    description:
      - The run that the lock belongs to, as P(plugspace.titan.run_identity#lookup) gives it.
      - Without it the lock is held for this call alone.
    type: dict
  procedure:
    description: What the run does, for whoever meets its lock.
    type: str
    default: release
  lock_wait:
    description: Seconds to wait for another run's lock.
    type: float
    default: 0
  lock_max_age:
    description: Seconds without renewal after which another run's lock counts as left behind.
    type: float
    default: 3600
"""
