#!/usr/bin/python
# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module plugspace.titan.host_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Read what a host is doing, and who makes it do so, in one call
version_added: 0.1.0
description:
  - Takes the evidence that a person on call collects with C(top), C(ps), C(free), C(df), C(lsof),
    C(ss), C(dmesg) and C(timedatectl).
  - Memory, file systems, load and clock are always read, which takes milliseconds. Units,
    processes, listeners and kills are looked at when they are asked for.
  - Reads C(/proc), asks C(systemctl show), and for the kills C(journalctl) or C(dmesg).
    Changes nothing.
  - A part that cannot be read, or that does not answer in time, is named in RV(errors);
    the other parts are returned all the same.
  - Needs no privileges; what it must not see of other users without them is null.
extends_documentation_fragment:
  - plugspace.titan.attributes
  - plugspace.titan.attributes.info
options:
  units:
    description:
      - The systemd units to look at. When processes are looked at, those of these units are told of
        in any case.
    type: list
    elements: str
    default: []
  processes:
    description:
      - How many processes are told of, of those that use the processors most and of those that use
        the memory most. Both add up to at most twice as many.
      - V(0) does not look at processes, unless O(pids) names some.
    type: int
    default: 0
  pids:
    description:
      - Processes that are told of in any case, with all their descendants, such as those that
        M(plugspace.titan.pm2_info) returns. One that is gone is left out.
    type: list
    elements: int
    default: []
  interval:
    description:
      - Seconds over which the use of the processors is measured.
      - Must be less than O(timeout). Counts only when processes are looked at.
    type: float
    default: 1
  listeners:
    description: Whether to tell who listens on TCP and UDP ports.
    type: bool
    default: false
  ports:
    description: Tell only of these ports; empty means all. Needs O(listeners=true).
    type: list
    elements: int
    default: []
  oom_since:
    description:
      - Tell of the processes that the kernel killed for want of memory in so many last seconds.
      - V(0) does not look.
    type: float
    default: 0
  timeout:
    description: Seconds that each part may take; all are read at once.
    type: float
    default: 5
requirements:
  - psutil 5 or newer on the host (Debian C(python3-psutil)), for O(listeners) only
notes:
  - Network file systems are left out, because a dead server blocks whoever asks for its numbers.
  - Of command lines and environments nothing is returned, since they may hold secrets. Of an
    interpreter's arguments only the script is, where it is a path without a doubt.
  - The memory of a process that waits for a device (state V(D)) is not looked into, because whoever
    does may have to wait with it.
seealso:
  - module: plugspace.titan.pm2_info
"""

EXAMPLES = r"""
- name: Look at the host
  plugspace.titan.host_info:
    units:
      - nginx
      - redis-server
  register: host

- name: Find out who is busy, who listens on the port of the API, and who was killed today
  plugspace.titan.host_info:
    processes: 10
    listeners: true
    ports: [4000]
    oom_since: 86400
  become: true
  register: host
"""

RETURN = r"""
memory:
  description:
    - The memory; none if it could not be read.
    - V(available_bytes) is what programs can still get, which is V(free_bytes) and most of
      V(page_cache_bytes); that are files which the kernel keeps as long as nobody needs the memory.
      V(shared_bytes) is what tmpfs and shared memory hold.
  returned: always
  type: dict
  sample:
    total_bytes: 8330006528
    available_bytes: 6442450944
    available_percent: 77.3
    free_bytes: 1287634944
    page_cache_bytes: 5360320512
    shared_bytes: 12582912
    swap_total_bytes: 0
    swap_free_bytes: 0
file_systems:
  description: The local file systems, fullest first; none if they could not be read.
  returned: always
  type: list
  elements: dict
  sample:
    - mount: /
      type: ext4
      size_bytes: 42140499968
      available_bytes: 25182875648
      used_percent: 38.6
      inodes_used_percent: 4.1
units:
  description:
    - The units in the order asked for; none if systemd did not answer.
    - V(ended_at) is when the unit's last main process ended, in seconds since 1970; null while one
      runs, or when there was none.
  returned: always
  type: list
  elements: dict
  sample:
    - name: nginx
      id: nginx.service
      load: loaded
      active: active
      sub: running
      result: success
      restarts: 0
      since_s: 86400
      ended_at: null
load:
  description: How much there is to do; none if it could not be read.
  returned: always
  type: dict
  contains:
    average_1m:
      description: Tasks that ran, wanted to run, or waited for a device, on average of 1 minute.
      type: float
      sample: 6.67
    average_5m:
      description: The same of 5 minutes.
      type: float
      sample: 4.38
    average_15m:
      description: The same of 15 minutes.
      type: float
      sample: 3.56
    cpus:
      description: Processors that are online.
      type: int
      sample: 2
    runnable:
      description: Tasks that run or want to run at this moment, the one that asks included.
      type: int
      sample: 2
    blocked:
      description: Tasks that wait for a device at this moment.
      type: int
      sample: 0
    cpu:
      description:
        - What all processors together did over O(interval), in percent; the sum is 100.
        - V(system_percent) has the interrupts in it, V(steal_percent) is what the hypervisor gave
          to others. Null unless processes are looked at.
      type: dict
      sample:
        user_percent: 61.5
        system_percent: 22.0
        iowait_percent: 0.5
        steal_percent: 2.5
        idle_percent: 13.5
    pressure:
      description:
        - For V(cpu), V(memory) and V(io), the percentage of the last 10, 60 and 300 seconds in
          which some, or all, of the work had to wait for it.
        - Null if the kernel does not measure it.
      type: dict
      sample:
        cpu:
          some: {avg10: 57.37, avg60: 41.82, avg300: 33.12}
          full: {avg10: 0.0, avg60: 0.0, avg300: 0.0}
        memory:
          some: {avg10: 0.0, avg60: 0.0, avg300: 0.0}
          full: {avg10: 0.0, avg60: 0.0, avg300: 0.0}
        io:
          some: {avg10: 1.72, avg60: 0.91, avg300: 2.16}
          full: {avg10: 0.05, avg60: 0.16, avg300: 0.96}
clock:
  description: Whether anyone keeps the clock right; none if the kernel did not say.
  returned: always
  type: dict
  contains:
    synchronised:
      description: Whether the clock is corrected from outside, as the kernel knows it.
      type: bool
      sample: true
    estimated_error_s:
      description: How wrong it probably is, in seconds; null where nobody estimates it.
      type: float
      sample: 0.000211
    maximum_error_s:
      description: How wrong it is at most, in seconds; null for a clock that is not synchronised.
      type: float
      sample: 0.0415
processes:
  description:
    - The processes; null if they were not asked for or could not be read.
    - One that ends while it is looked at is left out.
  returned: always
  type: dict
  contains:
    interval_s:
      description: Seconds over which the use of the processors was measured.
      type: float
      sample: 1.01
    count:
      description: Processes, threads of the kernel included.
      type: int
      sample: 172
    states:
      description: How many are in which state, by the letters of C(ps).
      type: dict
      sample: {R: 2, S: 121, I: 49}
    kept:
      description: The processes told of, those that use the processors most first.
      type: list
      elements: dict
      contains:
        pid:
          description: The process.
          type: int
          sample: 7035
        ppid:
          description: Its parent.
          type: int
          sample: 6840
        name:
          description: The kernel's name for it; it may choose this itself, 15 characters at most.
          type: str
          sample: node /home/plug
        program:
          description: The file that it executes; null if that is not permitted to be known.
          type: str
          sample: /usr/bin/node
        script:
          description:
            - The script or C(-m module) that an interpreter runs (Node.js, Python, Ruby, Perl,
              shells); null for other programs, and where it is not sure.
            - A script that was started by a relative path is told by its absolute one, where the
              folder that the process works in is known, is not V(/), and has it or was removed.
          type: str
          sample: /home/plugspace/plugspace/dist/api.js
        user:
          description: Whose it is; the number of a user that has no name.
          type: str
          sample: plugspace
        unit:
          description: Its systemd unit, a service or scope; null if it is in none.
          type: str
          sample: pm2-plugspace.service
        state:
          description: >-
            V(R) runs, V(S) and V(I) wait for work, V(D) waits for a device, V(T) is stopped, V(t)
            is traced, V(Z) has ended and its parent does not take notice.
          type: str
          sample: S
        age_s:
          description: Seconds since it was started.
          type: float
          sample: 7201.4
        cpu_percent:
          description: Its use over the interval; 100 is one whole processor.
          type: float
          sample: 97.2
        rss_bytes:
          description: Its memory, with all that it shares with others.
          type: int
          sample: 71303168
        pss_bytes:
          description: >-
            Its memory, with its share of what is shared; null if that is not permitted to be known.
            Such a process is ranked by RV(processes.kept[].rss_bytes).
          type: int
          sample: 48234496
        open_files:
          description: Open files and sockets; null if that is not permitted to be known.
          type: int
          sample: 24
        open_files_limit:
          description: How many it may have open (soft limit); null if there is no limit.
          type: int
          sample: 1024
    by_unit:
      description: >-
        The sums of all processes of each unit, the one with the most memory first. The null unit is
        what stands in none, such as the threads of the kernel.
      type: list
      elements: dict
      contains:
        unit:
          description: The unit.
          type: str
          sample: pm2-plugspace.service
        processes:
          description: How many it has.
          type: int
          sample: 4
        cpu_percent:
          description: Their use over the interval; 100 is one whole processor.
          type: float
          sample: 98.0
        rss_bytes:
          description: Their memory; what they share is counted as often as it is shared.
          type: int
          sample: 285212672
        pss_bytes:
          description: >-
            Their memory, with what is shared counted once. Of processes that are not among the
            hundred largest RSS is taken for it. Null if that of one cannot be read.
          type: int
          sample: 192937984
listeners:
  description:
    - Who listens, by port; null if it was not asked for or could not be read.
    - UDP sockets count if they have no fixed partner, as servers and some clients have it.
    - Of several processes that share one socket, one is told.
  returned: always
  type: list
  elements: dict
  contains:
    port:
      description: The port.
      type: int
      sample: 4000
    protocol:
      description: V(tcp) or V(udp).
      type: str
      sample: tcp
    address:
      description: The address; V(::) takes IPv4 too, as a rule.
      type: str
      sample: 127.0.0.1
    pid:
      description: The process; null if that is not permitted to be known.
      type: int
      sample: 7035
    name:
      description: The kernel's name for it; null without a process.
      type: str
      sample: node /home/plug
    script:
      description: What an interpreter runs, as in RV(processes.kept[].script).
      type: str
      sample: /home/plugspace/plugspace/dist/api.js
    user:
      description: Whose it is; null without a process.
      type: str
      sample: plugspace
    unit:
      description: Its systemd unit; null if it is in none.
      type: str
      sample: pm2-plugspace.service
oom_kills:
  description:
    - The kills for want of memory, newest first, at most 100; null if they were not asked for or
      the log of the kernel could not be read.
    - The journal is asked, which may reach back over several boots, or else the kernel's buffer.
    - In a container that log is the machine's; what it places in another container is left out.
  returned: always
  type: list
  elements: dict
  contains:
    time:
      description: When, in UTC.
      type: str
      sample: "2026-11-23T10:15:00Z"
    pid:
      description: The process that was killed.
      type: int
      sample: 7035
    name:
      description: The kernel's name for it.
      type: str
      sample: node
    unit:
      description: Its systemd unit; null if it was in none or the kernel does not tell.
      type: str
      sample: pm2-plugspace.service
    cgroup:
      description: Its control group; null if the kernel does not tell.
      type: str
      sample: /system.slice/pm2-plugspace.service
    scope:
      description: >-
        V(host) if the memory of the host ran out, V(cgroup) if a control group reached its limit;
        null if the kernel does not tell.
      type: str
      sample: cgroup
    limited_cgroup:
      description: The control group that reached its limit; null if none did.
      type: str
      sample: /system.slice/pm2-plugspace.service
    rss_bytes:
      description: Its memory when it was killed.
      type: int
      sample: 222380032
oom_kill_count:
  description: >-
    How many were killed since boot, as the kernel counts them; null if it was not asked for.
    More than the log tells of means that the log does not reach back far enough.
  returned: always
  type: int
  sample: 1
errors:
  description: For each part that could not be read, why.
  returned: always
  type: dict
  sample: {}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.plugspace.titan.plugins.module_utils._host import HostError, LocalHost
from ansible_collections.plugspace.titan.plugins.module_utils._host_report import (
    ARGUMENT_SPEC,
    Wanted,
    observe,
)
from ansible_collections.plugspace.titan.plugins.module_utils._host_sockets import PsutilSockets


def main() -> None:
    """Read and return."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    wanted = dict(module.params)
    timeout = wanted.pop("timeout")
    try:
        report = observe(LocalHost(timeout), PsutilSockets(), Wanted(**wanted), timeout)
    except HostError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **report)


if __name__ == "__main__":
    main()
