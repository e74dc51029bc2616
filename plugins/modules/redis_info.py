#!/usr/bin/python
# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module plugspace.titan.redis_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_info
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Tell whether a Redis server answers, and how it is
version_added: 0.1.0
description:
  - Logs in, pings, reads C(INFO) and asks for a few things more over one connection that has one
    time limit, so that a stopped or hanging server costs seconds, never a hang.
  - Needs no Redis library on the host. The password goes
    over the connection only, never into a program's arguments.
  - Writes nothing. Of what clients asked for, it shows the names of commands, never keys or values.
  - A server that does not answer is an answer, RV(state), not a failure of the module. What the
    user's access list forbids beyond C(PING) and C(INFO) becomes a sentence in RV(errors).
extends_documentation_fragment:
  - plugspace.titan.attributes
  - plugspace.titan.attributes.info
options:
  host:
    description: The server's address, seen from the managed host.
    type: str
    default: 127.0.0.1
  port:
    description: The server's port.
    type: int
    default: 6379
  username:
    description: The user of an access list; without it the password is the server's one password.
    type: str
    default: ''
  password:
    description: The password; empty for a server that asks for none. Where it is not given, that of
      the environment variable E(REDISCLI_AUTH) on the host, which C(redis-cli) takes as well.
    type: str
    default: ''
  timeout:
    description: Seconds for the whole conversation.
    type: float
    default: 3
  tls:
    description: Whether to speak TLS. The certificate has to be one for O(host).
    type: bool
    default: false
  ca_file:
    description: Certificate authorities to trust instead of the system's, with O(tls).
    type: path
  pings:
    description: How many round trips are measured, 1 to 100.
    type: int
    default: 3
  slowlog:
    description: How many of the newest entries of the slow log to return, at most 128.
    type: int
    default: 0
seealso:
  - module: community.general.redis_info
    description: All fields of C(INFO); needs the Redis library and has no time limit.
"""

EXAMPLES = r"""
- name: Look at Redis
  plugspace.titan.redis_info:
    password: "{{ titan_redis_password }}"
  register: redis

- name: Look for what makes Redis slow
  plugspace.titan.redis_info:
    password: "{{ titan_redis_password }}"
    pings: 20
    slowlog: 10
  register: redis
"""

RETURN = r"""
state:
  description:
    - V(ok), or why there is no answer - V(refused), V(unreachable), V(tls), V(hung), V(closed),
      V(auth) (the login or the command is not allowed), V(busy) (a script blocks it), V(foreign)
      (something else listens there) or V(error).
    - Or what is wrong with one that answers - V(loading) (still reads its data), V(misconf)
      (refuses writes because it could not save), V(oom) (refuses writes because C(maxmemory) is
      reached with the policy V(noeviction)) or V(replica) (has lost its master, and serves no old
      data). All the other values are returned with these, too.
  returned: always
  type: str
  sample: ok
error:
  description: The reason as a sentence; empty when the state is V(ok).
  returned: always
  type: str
  sample: 127.0.0.1:6379 refused the connection
version:
  description: The server's version.
  returned: when the server answers
  type: str
  sample: 7.0.15
role:
  description: V(master) or V(slave), Redis' own words.
  returned: when the server answers
  type: str
  sample: master
uptime_s:
  description: Seconds since the server's start.
  returned: when the server answers
  type: int
  sample: 86400
clients:
  description: Connected clients.
  returned: when the server answers
  type: int
  sample: 12
clients_blocked:
  description: Those of them that wait in a blocking command such as C(BLPOP).
  returned: when the server answers
  type: int
  sample: 2
clients_max:
  description: How many may connect; 0 when the server does not tell (before Redis 7).
  returned: when the server answers
  type: int
  sample: 10000
loading:
  description: Whether the server still reads its data from disk.
  returned: when the server answers
  type: bool
  sample: false
memory:
  description: Memory in use and its limit.
  returned: when the server answers
  type: dict
  contains:
    used_bytes:
      description: What the data and the server's own structures take.
      type: int
      sample: 1048576
    max_bytes:
      description: The limit; 0 is none.
      type: int
      sample: 268435456
    policy:
      description: What happens at the limit.
      type: str
      sample: allkeys-lru
    used_percent:
      description: The share of the limit in use, counted as Redis counts it. Null without a limit.
      type: float
      sample: 0.4
    rss_bytes:
      description: What the process takes from the system.
      type: int
      sample: 11939840
    peak_bytes:
      description: The most that was in use since the start.
      type: int
      sample: 2097152
    fragmentation:
      description: Taken from the system, divided by what is in use. Says little below 100 MB.
      type: float
      sample: 1.13
    evicted_keys:
      description: Keys removed at the limit since the start.
      type: int
      sample: 0
    refusals:
      description:
        - Commands refused for want of memory since the start. Compare two looks, because a write
          that brings much is refused while there is room for small ones.
      type: int
      sample: 0
save_ok:
  description: Whether the last write to disk succeeded.
  returned: when the server answers
  type: bool
  sample: true
persistence:
  description: How the data gets to disk.
  returned: when the server answers
  type: dict
  contains:
    error:
      description: What failed last; empty when nothing did. The reason stands in Redis' log.
      type: str
      sample: the last snapshot failed
    stop_writes_on_bgsave_error:
      description: Whether a failed snapshot makes it refuse writes. Null when it does not tell.
      type: bool
      sample: true
    rdb:
      description:
        - Snapshots. Whether they are taken by themselves (C(enabled), null when it does not tell),
          whether the last one succeeded, whether one is being taken, the time of the last good one
          (seconds since the epoch, the server's start when there was none) with its age, and the
          changes since.
      type: dict
      sample:
        enabled: true
        ok: true
        saving: false
        last_save: 1795474297
        age_s: 210
        changes: 41
    aof:
      description: The append-only file.
      type: dict
      sample:
        enabled: false
        write_ok: true
        rewrite_ok: true
        rewriting: false
keyspace:
  description: For each database that holds keys, how many, and how many of them expire.
  returned: when the server answers
  type: dict
  sample:
    db0:
      keys: 1042
      expires: 993
latency:
  description:
    - Milliseconds of the round trips of C(PING) (null when it was refused).
    - What the server's own latency monitor saw last, which is nothing unless
      C(latency-monitor-threshold) is set. Times are milliseconds, ages seconds.
  returned: when the server answers
  type: dict
  sample:
    ping_ms:
      p50: 0.06
      max: 0.11
    events:
      - event: command
        age_s: 12
        ms: 310
        max_ms: 480
slowlog:
  description:
    - Slow commands, the newest first. Of each its age, how long it ran, its name, the number of
      its arguments and the name that its client gave itself.
  returned: when the server answers
  type: list
  elements: dict
  sample:
    - age_s: 61
      ms: 48.2
      command: KEYS
      arguments: 1
      client: plugspace-api
config:
  description: Settings, as far as the server tells them.
  returned: when the server answers
  type: dict
  sample:
    maxmemory: "268435456"
    maxmemory-policy: allkeys-lru
    save: 3600 1 300 100 60 10000
    appendonly: "no"
    dir: /var/lib/redis
    stop-writes-on-bgsave-error: "yes"
    latency-monitor-threshold: "0"
replicas:
  description: Connected replicas.
  returned: when the server answers
  type: int
  sample: 0
master:
  description:
    - On a replica, the server that it copies, the state of the link and its silence.
    - None on a master.
  returned: when the server answers
  type: dict
  sample:
    address: titan1:6379
    link: up
    silent_s: 1
errors:
  description: What was asked for and not told, a sentence each.
  returned: when the server answers
  type: list
  elements: str
  sample:
    - "CONFIG GET maxmemory: the server answered: NOPERM this user has no permissions to run the
      'config|get' command"
"""

from ansible.module_utils.basic import AnsibleModule, env_fallback

from ansible_collections.plugspace.titan.plugins.module_utils._redis import (
    ARGUMENT_SPEC,
    look,
)

# As redis-cli takes it.
PASSWORD = {**ARGUMENT_SPEC["password"], "fallback": (env_fallback, ["REDISCLI_AUTH"])}


def main() -> None:
    """Look and return."""
    module = AnsibleModule(
        argument_spec={**ARGUMENT_SPEC, "password": PASSWORD}, supports_check_mode=True
    )
    try:
        report = look(**module.params)
    except ValueError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **report)


if __name__ == "__main__":
    main()
