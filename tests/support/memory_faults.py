"""The faults of a host's memory, and a client that writes to the database all the time.

All hosts of the local platform share the memory of one machine, so none of these makes one short.
"""

from __future__ import annotations

from support.incidents import Fault
from support.mongodb_faults import CONFIG, as_admin
from support.service_faults import API, VOICE, inspector

# Memory that is not written to would not be taken.
LEAK = "globalThis.leak = Buffer.alloc(700 * 2 ** 20).fill(1); 1"
LIMIT_MB = 400
SIZE = r"cacheSizeGB: [0-9.]*"
# What a host gives back when a test has failed.
CURES = (
    "pm2 jlist -s | tail -n 1 | jq -e 'any(.monit.memory > 500000000)' && pm2 -s reload all",
    as_admin("d.command('setParameter', 1, wiredTigerEngineRuntimeConfig='cache_size=256M')"),
    f"sudo sed -i 's/{SIZE}.*/cacheSizeGB: 0.25/' {CONFIG}",
    "sudo rm -f /etc/mongod.conf.2*; sudo systemctl stop titan-hog",
)
LEAKING = Fault("the only instance leaks", inspector(VOICE, LEAK), "leak", ("reload",))
FAULTS = (
    Fault(
        "one instance of two leaks",
        inspector(API, LEAK),
        "leak",
        ("reload",),
        evidence=f"memory_limit_mb is {LIMIT_MB}",
    ),
    LEAKING,
    Fault(
        "its cache is larger than its configuration says",
        as_admin("d.command('setParameter', 1, wiredTigerEngineRuntimeConfig='cache_size=30G')"),
        "mongodb_cache_too_large",
        ("shrink_cache",),
        after=f"grep -q 'cacheSizeGB: 0.25$' {CONFIG}",
        evidence=f"this host has no room for that; {CONFIG} says 0.25 GB",
    ),
)
# A configuration that a person wrote, with his words.
TOO_LARGE = (
    f"sudo sed -i 's/{SIZE}.*/cacheSizeGB: 30  # much helps much/' {CONFIG};"
    " sudo systemctl restart mongod"
)
# Holds a gigabyte and a half that it has written to.
HOG = (
    "sudo systemd-run --quiet --unit titan-hog python3 -c"
    " 'held = bytearray(b\"x\") * (1500 * 2 ** 20); import time; time.sleep(600)';"
    " timeout 60 sh -c 'until [ $(systemctl show -p MainPID --value titan-hog) -gt 0 ] &&"
    ' [ $(awk "/VmRSS/ {print \\$2}" /proc/$(systemctl show -p MainPID --value titan-hog)/status)'
    " -gt 1500000 ]; do sleep 0.3; done'"
)

# What was confirmed to it has to be there.
WRITER = """
import pymongo
place = pymongo.MongoClient(sys.argv[2], w='majority', retryWrites=True)['plugspace'].titan_writes
place.drop()
told, failed, number = [], [], 0
while goes_on():
    number += 1
    try:
        try:
            place.insert_one({'_id': number})
        except pymongo.errors.WriteConcernError:
            # The primary went while others were getting it: in doubt, it is sent again.
            place.replace_one({'_id': number}, {}, upsert=True)
        told.append(number)
    except pymongo.errors.PyMongoError as error:
        failed.append(repr(error)[:200])
    time.sleep(0.05)
kept = {one['_id'] for one in place.find()}
place.drop()
print(json.dumps({'told': len(told), 'lost': sorted(set(told) - kept), 'failed': failed}))
"""
