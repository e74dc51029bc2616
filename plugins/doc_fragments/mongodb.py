# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that say which MongoDB member is meant, and who asks."""

from __future__ import annotations


class ModuleDocFragment:
    """Options shared by the MongoDB modules."""

    DOCUMENTATION = r"""
options:
  host:
    description: The address of this host's member.
    type: str
    default: 127.0.0.1
  port:
    description: The port of this host's member.
    type: int
    default: 27017
  timeout:
    description: Seconds that each member may take for an answer.
    type: float
    default: 3
  login_user:
    description: The user to log in as.
    type: str
  login_password:
    description: The password of O(login_user). It goes over the connection only.
    type: str
  login_database:
    description: The database that O(login_user) was created in.
    type: str
    default: admin
  tls:
    description: Whether to use TLS. Implied by O(tls_ca_file) and O(tls_certificate_key_file).
    type: bool
    default: false
  tls_ca_file:
    description: The authorities that the members' certificates are checked with; without it those
      of the system.
    type: path
  tls_certificate_key_file:
    description: The certificate and the key that members ask their clients for, in one PEM file.
    type: path
  tls_allow_invalid_hostnames:
    description: Whether a member's certificate may be for another name than the one asked, such as
      for V(127.0.0.1). The certificate itself is checked all the same.
    type: bool
    default: false
requirements:
  - PyMongo 3.11 or newer on the host (Debian C(python3-pymongo))
"""
