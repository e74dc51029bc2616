"""What makes a service slow, three at a time: one on each host."""

from __future__ import annotations

import shlex

from support.application import DOMAIN
from support.hosts import inventory
from support.incidents import Fault
from support.mongodb_faults import AS_ADMIN, as_admin
from support.redis_faults import CLI, LOGIN
from support.service_faults import API, inspector

LOG = "/var/log/nginx/access.log"
QUIET = f"sudo truncate -s 0 {LOG}"
FORGET = "sudo truncate -s 0 /var/log/mongodb/mongod.log"
RESET = f"{CLI} slowlog reset"
# What a visitor of this host does; nothing waits for ever.
VISIT = f"curl -s -o /dev/null --max-time 20 --resolve {DOMAIN}:443:127.0.0.1 https://{DOMAIN}"
# The worker does nothing else for so long, which is what a long calculation is to its event loop.
_BEFORE_EACH_REQUEST = (
    "const server = process.mainModule.require(`http`).Server.prototype;"
    " const emit = server.emit;"
    " server.emit = function (event, ...rest) {"
    " if (event === `request`) { %s }"
    " return emit.call(this, event, ...rest); }"
)
SLEEPS = _BEFORE_EACH_REQUEST % (
    "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);"
)
CALCULATES = _BEFORE_EACH_REQUEST % (
    "const end = performance.now() + 200; while (performance.now() < end);"
)


def detached(command: str) -> str:
    """Let it run on when this is over."""
    return f"(setsid nohup sh -c {shlex.quote(command)} >/dev/null 2>&1 </dev/null &)"


def on_the_set(program: str) -> str:
    """Run Python with the set's database as d, wherever its primary is."""
    opening = (
        "import pymongo, subprocess;"
        f"d = pymongo.MongoClient('mongodb://titan1,titan2,titan3/?replicaSet=titan', {AS_ADMIN},"
        f" w=3).{inventory()['titan1']['titan_mongodb_app_database']}\n"
    )
    return f"sudo python3 -c {shlex.quote(opening + program)}"


# Many visitors wait for a document that somebody else is changing: what the log then says is true.
# It is held from the moment they wait, since a busy machine takes its time to let them begin.
WAIT_IN_LINE = on_the_set(
    "import os, time\n"
    "name = 'titan-held-' + os.uname().nodename\n"
    f"visit = {VISIT!r} + '/api/items/' + name\n"
    'put = visit + """ -X PUT -H \'Content-Type: application/json\' -d \'{"value": 1}\'"""\n'
    "waits = {'active': True, 'op': 'update', 'command.q._id': name}\n"
    "def waiting():\n"
    "    operations = [{'$currentOp': {'allUsers': True}}, {'$match': waits}]\n"
    "    return len(list(d.client.admin.aggregate(operations)))\n"
    # A collection that the transaction had to make would hold nobody back.
    "d.items.replace_one({'_id': name}, {'value': 0}, upsert=True)\n"
    "s = d.client.start_session()\n"
    "s.start_transaction()\n"
    "d.items.replace_one({'_id': name}, {'value': 1}, session=s)\n"
    "visits = [subprocess.Popen(put, shell=True) for _ in range(15)]\n"
    "end = time.monotonic() + 20\n"
    "while waiting() < 3 and time.monotonic() < end:\n"
    "    time.sleep(0.05)\n"
    "time.sleep(1.2)\n"
    "s.abort_transaction()\n"
    "[one.wait() for one in visits]\n"
    "d.items.delete_one({'_id': name})\n"
)
# A collection that all members have, for queries on one of them.
COLLECTION = "titan_people"
DROP = on_the_set(f"d.drop_collection('{COLLECTION}')")


def people(count: int) -> str:
    return on_the_set(
        f"d.drop_collection('{COLLECTION}')\n"
        f"for tens in range(0, {count}, 10000):\n"
        f"    d.{COLLECTION}.insert_many([{{'email': 'p%d@example.org' % n, 'age': n % 90}}"
        f" for n in range(tens, min(tens + 10000, {count}))], ordered=False)\n"
    )


# By the member on this host, as somebody who looks at it directly; each document costs some time.
SCAN = as_admin(
    "import re; many = [re.compile('z%d.*q' % n) for n in range(800)];"
    f" [list(d.client.plugspace.{COLLECTION}.find({{'email': {{'$in': many}}}})) for _ in range(2)]"
)
# A second for each of the collection's documents; the driver asks for no end.
LONG = as_admin(f"list(d.client.plugspace.{COLLECTION}.find({{'$where': 'sleep(1000) || false'}}))")
END = as_admin(
    "[d.command('killOp', op=o['opid']) for o in d.aggregate([{'$currentOp': {}},"
    f" {{'$match': {{'ns': 'plugspace.{COLLECTION}', 'active': True}}}}])]"
)
RUNS = as_admin(
    "import sys; sys.exit(not list(d.aggregate([{'$currentOp': {}},"
    f" {{'$match': {{'ns': 'plugspace.{COLLECTION}', 'active': True}}}}])))"
)
# More than one instance can do, and less than three can, though one of them calculates. Each comes
# by a connection of its own: what nginx keeps would stay with the first one for some time.
LOAD = (
    "for one in $(seq 11); do (until [ -e /tmp/titan-enough ] || [ $SECONDS -gt 150 ]; do"
    " curl -s -o /dev/null --max-time 20 127.0.0.1:4000/api/health; sleep 1.5; done) & done; wait"
)
UNLOAD = "touch /tmp/titan-enough"
# Two instances, and none that was made slow.
AS_BEFORE = (
    f'[ $(pm2 jlist -s | tail -n 1 | jq \'[.[] | select(.name == "{API}")'
    f' | select(.pm2_env.status == "online")] | length\') = 2 ]'
    f" || {{ pm2 -s scale {API} 2; pm2 -s restart {API}; }}"
)
SLOW_INSTANCE = Fault(
    "one instance of two is slow",
    f"{QUIET}; {inspector(API, SLEEPS, '[1]')};"
    f" for one in $(seq 8); do {VISIT}/api/health & done; wait",
    "slow_instance",
    ("restart_instances",),
    evidence="while the others answer within",
)
LONG_OPERATION = Fault(
    "an operation of MongoDB runs and runs",
    # It has run for longer than is slow when it is looked for.
    f"{QUIET}; {people(300)}; {detached(LONG)}; {WAIT_IN_LINE}; sleep 3",
    "slow_operation",
    cure=f"{END}; {DROP}; {QUIET}",
    after=RUNS,
    evidence=f"on plugspace.{COLLECTION}",
)
SATURATED = Fault(
    "each instance has all that it can do",
    # One instance is enough to have, on a small machine.
    f"pm2 -s scale {API} 1; rm -f /tmp/titan-enough; {inspector(API, CALCULATES, '[0]')};"
    f" {detached(f'exec bash -c {shlex.quote(LOAD)}')}; sleep 12",
    "saturated",
    ("scale",),
    after=f'{UNLOAD}; [ $(pm2 jlist -s | tail -n 1 | jq \'[.[] | select(.name == "{API}")]'
    f" | length') = 3 ]; sleep 3",
)
# Nobody is behind one route, and visitors come to it all the time.
SITE = "/etc/nginx/sites-available/plugspace"
ROUTE = "location = /api/titan-broken { proxy_pass http://127.0.0.1:4998; }"
VISIT_BROKEN = f"{VISIT}/api/titan-broken"
BROKEN_ROUTE = Fault(
    "nginx gets no good answer on one route",
    f"{QUIET}; rm -f /tmp/titan-mended; sudo sed -i.titan 's#^    location / {{#    {ROUTE}\\n&#'"
    f" {SITE}; sudo systemctl reload nginx; sleep 1; for one in $(seq 12); do {VISIT_BROKEN}; done;"
    + detached(
        f"for one in $(seq 100); do [ -e /tmp/titan-mended ] || {VISIT_BROKEN}; sleep 2; done"
    ),
    "upstream_errors",
    cure=f"touch /tmp/titan-mended; [ ! -e {SITE}.titan ] || sudo mv {SITE}.titan {SITE};"
    f" sudo systemctl reload nginx; sleep 1; {QUIET}",
    evidence="nginx got no good answer for",
)
FAULTS: tuple[tuple[Fault, ...], ...] = (
    (
        SLOW_INSTANCE,
        Fault(
            "an index is missing",
            f"{people(20000)}; {SCAN}; {WAIT_IN_LINE}",
            "missing_index",
            cure=f"{DROP}; {QUIET}; {FORGET}",
            evidence=f"plugspace.{COLLECTION} is read as a whole (COLLSCAN)",
        ),
        Fault(
            "Redis was slow at some commands",
            f"{LOGIN}; for one in 1 2; do timeout 10 redis-cli eval"
            ' "for n = 1, 30000000 do end" 0; done;'
            f" {WAIT_IN_LINE}",
            "redis_slow",
            cure=f"{RESET}; {QUIET}",
            evidence="EVAL 2 times",
        ),
    ),
    (
        LONG_OPERATION,
        BROKEN_ROUTE,
        SATURATED,
    ),
)
