# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a health probe, for one probe and for a list of them."""

from __future__ import annotations

_SUBOPTIONS = r"""
    suboptions:
      name:
        description: What to call it in messages and results.
        type: str
      type:
        description:
          - V(http) sends a GET request. V(websocket) does the handshake, then a ping, and waits for
            the pong. V(tcp) only connects.
          - V(redis) pings, which a Redis refuses that is loading, blocked by a script, or cannot
            save its data. The reason ends with the word for it, as in
            RV(plugspace.titan.redis_info#module:state).
          - V(mongodb) asks for C(hello), which needs no login, but PyMongo on the host (Debian
            C(python3-pymongo)).
        type: str
        choices: [http, websocket, tcp, redis, mongodb]
        default: http
      url:
        description: The address for V(http) and V(websocket).
        type: str
      host:
        description: The host for V(tcp), V(redis) and V(mongodb).
        type: str
        default: 127.0.0.1
      port:
        description: The port for V(tcp), V(redis) (else 6379) and V(mongodb) (else 27017).
        type: int
      status:
        description: The status codes that count as success.
        type: list
        elements: int
        default: [200]
      expect:
        description:
          - Fields of the JSON answer and the values they must have. A dot leads into a nested
            object.
        type: dict
        default: {}
      contains:
        description: A text that the body of the answer has to contain. For V(http) alone.
        type: str
      pid_field:
        description:
          - The field of the JSON answer that holds the process id of the answering instance.
          - Without it, a process on the same host is recognized by the connection that it holds.
        type: str
      send:
        description:
          - A text message to send after the handshake, for V(websocket) alone. Needs a reply.
          - It is no secret to Ansible, and shown by C(-vvv).
        type: str
      reply:
        description:
          - A text that has to occur in a message that comes back, for V(websocket) alone.
          - Without a text to send, in a message that the server sends by itself.
        type: str
      username:
        description: The user of an access list, for V(redis) alone.
        type: str
      password:
        description: The password to log in with, for V(redis) alone.
        type: str
      role:
        description:
          - What the server has to be, for V(mongodb) alone. A V(member) is a primary, a secondary
            or an arbiter.
          - Without it, every server that answers is well.
        type: str
        choices: [primary, member]
      connect_to:
        description:
          - Connect to this V(host:port) instead. The name in the address is still what is asked for
            and what the certificate is checked against.
        type: str
      ca_file:
        description: Certificate authorities to trust instead of the system's.
        type: path
      headers:
        description: Further request headers.
        type: dict
        default: {}
      successes:
        description: How many successes in a row are needed.
        type: int
        default: 3
      interval:
        description: Seconds between two attempts.
        type: float
        default: 0.2
      timeout:
        description: Seconds that one attempt may take altogether.
        type: float
        default: 2.0
      within:
        description: Seconds that all attempts together may take.
        type: float
        default: 30.0
"""


class ModuleDocFragment:
    """A probe has the same options wherever it stands."""

    # Annotated, because ansible-test reads plain assignments as a single piece of text.
    DOCUMENTATION: str = (
        r"""
options:
  probe:
    description:
      - The health probe of the application. Every attempt is a new connection.
      - Only what the new process itself answers counts for it.
    type: dict"""
        + _SUBOPTIONS
    )

    LIST: str = (
        r"""
options:
  probes:
    description: The probes, each with a connection of its own for every attempt.
    type: list
    elements: dict
    required: true"""
        + _SUBOPTIONS
    )
