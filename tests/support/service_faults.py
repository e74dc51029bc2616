"""The faults of a service, three at a time: one on each host."""

from __future__ import annotations

import shlex

from support.application import HOME, PATH
from support.incidents import Fault

API, VOICE = "plugspace-api", "plugspace-voice"
PM2 = "$(cat ~/.pm2/pm2.pid)"
DROP_IN = "/run/systemd/system/pm2-plugspace.service.d"
WITHOUT_DROP_IN = f"sudo rm -rf {DROP_IN}; sudo systemctl daemon-reload"
DATA, GONE = f"{HOME}/data", f"{HOME}/titan-gone"


def script(service: str) -> str:
    """What an application runs."""
    return f"{PATH}/dist/{service.partition('-')[2]}.js"


def kept(service: str) -> str:
    """Where it is meanwhile, as it was built."""
    return f"{HOME}/titan-kept-{service}.js"


def pids(service: str, which: str = "") -> str:
    """The processes of a service, or the one at an index such as [0]."""
    query = f'[.[] | select(.name == "{service}") | .pid]{which or "[]"}'
    return f"$(pm2 jlist -s | tail -n 1 | jq '{query}')"


def until(command: str, seconds: int = 60) -> str:
    return f"timeout {seconds} sh -c {shlex.quote(f'until {command}; do sleep 0.3; done')}"


def serves(port: int) -> str:
    """Succeeds when a service calls itself well."""
    path = "/api/health" if port == 4000 else "/health"
    return f"curl -sf -o /dev/null --max-time 10 127.0.0.1:{port}{path}"


def all_are(status: str, service: str = API) -> str:
    """Succeeds when PM2 has the service, and calls every instance so."""
    test = f'[.[] | select(.name == "{service}") | .pm2_env.status] | unique == ["{status}"]'
    return f"pm2 jlist -s | tail -n 1 | jq -e '{test}' >/dev/null"


# PM2 starts at boot what it has saved.
BOTH_SAVED = f'jq -e \'[.[].name] | unique == ["{API}", "{VOICE}"]\' ~/.pm2/dump.pm2 >/dev/null'

# As a restart with other settings does it: PM2 gives up sooner, however slow the host is.
_UNTIL_GIVEN_UP = (
    "const pm2 = require(require('fs').realpathSync('/usr/local/bin/pm2') + '/../..');"
    " const env = {current_conf: {max_restarts: 2, min_uptime: 20000}};"
    " pm2.connect(() => pm2.list((error, all) => all.filter((one) => one.name === process.argv[1])"
    ".forEach((one) => pm2.Client.executeRemote("
    "'restartProcessId', {id: one.pm_id, env}, () => {}))));"
    " setTimeout(() => process.exit(0), 1500)"
)


def crash(line: str, service: str = API) -> str:
    """Have a line of JavaScript in front of the application, until PM2 gives up starting it."""
    # What is said right before the end of a worker is lost: PM2 has no time to write it.
    told = "console.error(error); setTimeout(() => process.exit(1), 200); return;"
    first = shlex.quote(f"1i try {{ {line} }} catch (error) {{ {told} }}")
    file = script(service)
    return f"cp -p {file} {kept(service)}; sed -i {first} {file}; {given_up(service)}"


def given_up(service: str = API) -> str:
    """Have PM2 restart a service, until it calls every instance errored."""
    errored = until(all_are("errored", service))
    return f"node -e {shlex.quote(_UNTIL_GIVEN_UP)} {service} >/dev/null; {errored}"


def inspector(service: str, program: str, which: str = "") -> str:
    """Run JavaScript in the first running instance of a service, or in that at an index."""
    return inspect(pids(service, which), program)


def inspect(process: str, program: str) -> str:
    """Run JavaScript in a running process, by the inspector that Node.js opens on SIGUSR1."""
    # A worker opens it on a port of its own, which is the only one that it listens on itself.
    port = 'ss -tlnp | sed -n "s/.* 127.0.0.1:\\([0-9]*\\) .*pid=$pid,.*/\\1/p" | head -n 1'
    return (
        f"set -- {process}; pid=$1; cd {PATH};"
        # Asked again now and then: the one before may still have the port that all begin with.
        f" for try in $(seq 200); do [ $((try % 10)) -ne 1 ] || kill -USR1 $pid;"
        f" INSPECTOR=$({port});"
        ' [ -n "$INSPECTOR" ] && break; sleep 0.1; done; [ -n "$INSPECTOR" ] || exit 1;'
        f" export INSPECTOR; node -e \"{_CLIENT}\" '{program}'"
    )


_CLIENT = (
    "const WebSocket = require('ws'), http = require('http');"
    "const send = (url) => { const s = new WebSocket(url);"
    " s.on('open', () => s.send(JSON.stringify({id: 1, method: 'Runtime.evaluate',"
    " params: {expression: process.argv[1]}})));"
    " s.on('message', (m) => { const answer = JSON.parse(m);"
    " if (answer.result.exceptionDetails) console.error(m.toString());"
    " process.exit(answer.result.exceptionDetails ? 1 : 0); }); };"
    "const place = 'http://127.0.0.1:' + process.env.INSPECTOR + '/json';"
    "const ask = () => http.get(place, (r) => { let body = '';"
    " r.on('data', (d) => { body += d; });"
    " r.on('end', () => send(JSON.parse(body)[0].webSocketDebuggerUrl)); })"
    ".on('error', () => setTimeout(ask, 100));"
    "ask(); setTimeout(() => { console.error('no answer'); process.exit(2); }, 20000);"
)
# In a worker of a cluster no handle leads to the server, but all servers have one prototype.
_INSTEAD = (
    "const server = process.mainModule.require(`http`).Server.prototype;"
    " const emit = server.emit;"
    " server.emit = function (event, q, k, ...rest) {"
    " if (event !== `upgrade`) return emit.call(this, event, q, k, ...rest);"
)
REFUSE = _INSTEAD + (
    " k.end(`HTTP/1.1 503 Service Unavailable\\r\\nContent-Length: 0\\r\\n\\r\\n`); return true; }"
)
# Says yes to the handshake, and nothing more.
DEAD = _INSTEAD + (
    " const hash = process.mainModule.require(`crypto`).createHash(`sha1`);"
    " hash.update(q.headers[`sec-websocket-key`] + `258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);"
    " k.write(`HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\n"
    "Connection: Upgrade\\r\\nSec-WebSocket-Accept: ` + hash.digest(`base64`) + `\\r\\n\\r\\n`);"
    " return true; }"
)


def stopped(service: str) -> Fault:
    return Fault("stopped in PM2", f"pm2 -s stop {service}", "stopped", ("start",))


def hung(service: str) -> Fault:
    return Fault(
        "stopped by a signal while PM2 says online",
        f"kill -STOP {pids(service)}",
        "paused",
        ("continue_processes",),
    )


def orphan(service: str, port: int, run: str) -> Fault:
    """run: the file as a person writes it who starts it in the application's folder."""
    return Fault(
        "a process that PM2 has lost holds the port",
        f"pm2 -s stop {service}; cd {PATH}; PORT={port} setsid nohup node {run}"
        f" >/dev/null 2>&1 </dev/null & {until(f'curl -so /dev/null 127.0.0.1:{port}')}",
        "port_held_by_orphan",
        ("end_orphan",),
    )


def stranger(service: str, port: int) -> Fault:
    return Fault(
        "a stranger holds the port",
        f"pm2 -s stop {service}; sudo systemd-run --quiet --unit titan-stranger"
        f" python3 -m http.server {port};"
        f" {until(f'curl -so /dev/null 127.0.0.1:{port}')}",
        "port_held_by_stranger",
        cure="sudo systemctl stop titan-stranger",
        after="systemctl is-active titan-stranger",
        evidence="titan-stranger.service",
    )


def exits_at_start(service: str) -> Fault:
    return Fault(
        "it exits at start, again and again",
        crash('throw new Error("the licence has run out");', service),
        "crashing",
        ("restart",),
        helps=False,
        cure=restored(service),
        evidence="Error: the licence has run out",
    )


def killed(service: str) -> Fault:
    program = crash(LEAK, service)
    return Fault(
        "the kernel killed it for want of memory, again and again",
        f"{BY_ITS_UNIT}; {LIMIT}350M; {program}; {restored(service)}; {LIMIT}infinity",
        "out_of_memory",
        ("restart",),
        evidence="of pm2-plugspace.service at its limit of memory",
    )


def no_more_files(service: str) -> Fault:
    return Fault(
        "it may open no file and no connection more",
        f"for pid in {pids(service)}; do"
        # Some of those that are open are about to be closed.
        " prlimit --pid $pid --nofile=$(($(ls /proc/$pid/fd | wc -l) - 4)); done",
        "too_many_open_files",
        ("restart_instances",),
        evidence="files open",
    )


def disk_full(service: str) -> Fault:
    return Fault(
        "its disk is full",
        f"sudo mount -t tmpfs -o size=1m,uid=$(id -u) tmpfs {DATA};"
        f" head -c 2m /dev/zero > {DATA}/fill; {crash(FULL, service)}",
        "disk_full",
        cure=f"while mountpoint -q {DATA}; do sudo umount {DATA}; done; {restored(service)}",
        evidence=f"no space is left on {DATA}",
    )


def restored(service: str) -> str:
    """The application as it was built."""
    return f"[ ! -e {kept(service)} ] || mv {kept(service)} {script(service)}"


# By the unit, as after a boot, so that the limit is that of all its processes.
BY_ITS_UNIT = "pm2 -s save --force; pm2 -s kill; sudo systemctl restart pm2-plugspace"
LIMIT = "sudo systemctl set-property --runtime pm2-plugspace.service MemoryMax="
# It ends by itself where the limit does not end it.
LEAK = "const leak = []; for (let n = 0; n < 40; n++) leak.push(Buffer.alloc(1 << 24, 1));"
FULL = f'require("fs").appendFileSync("{DATA}/app.log", "x".repeat(1 << 20));'

# Does nothing any more, and takes no processor for it. It gives its inspector back first, since the
# next process may want the same port.
SILENT = (
    "setTimeout(() => { process.mainModule.require(`inspector`).close();"
    " Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); }, 500); 1"
)
ONE_IS_SILENT = f"{inspector(API, SILENT, '[1]')}; sleep 1"
ALL_ARE_SILENT = f"{inspector(API, SILENT, '[0]')}; sleep 1; {ONE_IS_SILENT}"
# The daemon waits for ever to write this application's number into a pipe that nobody reads, as it
# does on a file system that is gone; only a kill ends it.
PM2_HANGS = (
    f"for id in $(seq 0 99); do mkfifo {HOME}/titan-hangs-$id.pid; done;"
    f" timeout 5 pm2 -s start 'sleep 60' --name titan-hangs -p {HOME}/titan-hangs.pid; true"
)
# One that waits already goes on waiting, though the pipes are gone. A restart might end a daemon
# that systemd is just bringing back, and PM2 would forget what it has not started yet.
NO_PIPES = (
    f"rm -f {HOME}/titan-hangs-*.pid; timeout 5 pm2 -s ping >/dev/null"
    f" || {{ kill -9 {PM2}; sleep 1; sudo systemctl start pm2-plugspace; }}"
)
# Where a service does not answer: end what holds a port without being PM2's, and restart the rest.
BOTH_SERVE = f"{serves(4000)} && {serves(4001)}"
BOTH_AGAIN = (
    f"{BOTH_SERVE} || {{ known=$(pm2 jlist -s | tail -n 1 | jq '.[].pid'; cat ~/.pm2/pm2.pid);"
    " for pid in $(sudo ss -Htlnp 'sport = :4000 or sport = :4001' | grep -o 'pid=[0-9]*'"
    ' | cut -d= -f2 | sort -u); do echo "$known" | grep -qwx $pid || sudo kill -9 $pid; done;'
    f" pm2 -s restart all || sudo systemctl start pm2-plugspace; {until(BOTH_SERVE, 40)}; }}"
)
UPSTREAMS, UPSTREAMS_KEPT = "/etc/nginx/conf.d/upstreams.conf", f"{HOME}/titan-upstreams.conf"
# nginx reads it a moment after it was told to.
WRONG_UPSTREAMS = (
    f"cp {UPSTREAMS} {UPSTREAMS_KEPT}; sudo sed -i s/:4000/:4999/ {UPSTREAMS};"
    " sudo systemctl reload nginx; sleep 2"
)
RIGHT_UPSTREAMS = f"[ ! -e {UPSTREAMS_KEPT} ] || sudo cp {UPSTREAMS_KEPT} {UPSTREAMS}"

PM2_DEAD = Fault(
    "PM2's daemon is dead",
    # Where its unit has started it, systemd would be quicker than any procedure.
    f"sudo mkdir -p {DROP_IN}; printf '[Service]\\nRestart=no\\n'"
    f" | sudo tee {DROP_IN}/fault.conf >/dev/null; sudo systemctl daemon-reload;"
    # What it ran ends with it, a moment later.
    f" kill -9 {PM2}; {until('! pgrep -u plugspace -f ^node')}",
    "pm2_dead",
    ("start_pm2",),
    # By its unit: whoever asks PM2 for its list starts one that belongs to his login.
    cure=f"{WITHOUT_DROP_IN}; kill -0 {PM2} || sudo systemctl start pm2-plugspace",
    after=WITHOUT_DROP_IN,
)
PM2_PAUSED = Fault("PM2's daemon hangs", f"kill -STOP {PM2}", "pm2_hung", ("continue_processes",))
NGINX_STOPPED = Fault(
    "nginx is stopped",
    "sudo systemctl stop nginx",
    "nginx_stopped",
    ("start_unit",),
    after="systemctl is-active nginx",
)
NGINX_BAD = Fault(
    "nginx has a bad configuration",
    "echo nonsense | sudo tee /etc/nginx/conf.d/fault.conf >/dev/null;"
    " sudo systemctl restart nginx; true",
    "nginx_configuration",
    cure="sudo rm /etc/nginx/conf.d/fault.conf; sudo systemctl start nginx",
    evidence="/etc/nginx/conf.d/fault.conf",
)

API_FAULTS: tuple[tuple[Fault, ...], ...] = (
    (
        stopped(API),
        orphan(API, 4000, script(API)),
        Fault(
            "one of two instances is bad",
            "pm2 -s stop $(pm2 jlist -s | tail -n 1"
            f" | jq '[.[] | select(.name == \"{API}\") | .pm_id][1]')",
            "degraded",
            ("restart_instances",),
        ),
    ),
    (
        PM2_DEAD,
        PM2_PAUSED,
        stranger(API, 4000),
    ),
    (
        Fault(
            "Redis is the real cause",
            "sudo systemctl stop redis-server",
            "redis_down",
            ("start_unit",),
            after="systemctl is-active redis-server",
        ),
        NGINX_STOPPED,
        NGINX_BAD,
    ),
    (
        Fault(
            "one of two instances is online and silent",
            ONE_IS_SILENT,
            "bad_instance",
            ("restart_instances",),
            evidence="the others answer",
        ),
        Fault(
            "nginx has not read its configuration",
            f"{WRONG_UPSTREAMS}; {RIGHT_UPSTREAMS}",
            "nginx_stale",
            ("reload_unit",),
        ),
        Fault(
            "nginx runs, and would not with what it would read",
            f"{WRONG_UPSTREAMS}; echo nonsense | sudo tee /etc/nginx/conf.d/fault.conf >/dev/null",
            "nginx_configuration",
            cure=f"sudo rm -f /etc/nginx/conf.d/fault.conf; {RIGHT_UPSTREAMS};"
            " sudo systemctl reload-or-restart nginx",
            after="systemctl is-active nginx",
            evidence="/etc/nginx/conf.d/fault.conf",
        ),
    ),
    (
        exits_at_start(API),
        killed(API),
        no_more_files(API),
    ),
    (
        Fault(
            "all instances are online and silent",
            ALL_ARE_SILENT,
            "hung",
            ("restart",),
            evidence="online for PM2, but",
        ),
        Fault(
            "PM2's daemon hangs, and nothing that it runs answers",
            # As after a boot, so that systemd brings it back by itself once it is ended.
            f"{BY_ITS_UNIT}; {PM2_HANGS}",
            "pm2_hung",
            ("replace_pm2",),
            cure=NO_PIPES,
            # What was not asked for is there again as well.
            after=f"{all_are('online')} && {all_are('online', VOICE)} && {BOTH_SAVED}",
        ),
        hung(API),
    ),
    (
        disk_full(API),
        Fault(
            "MongoDB is the real cause",
            # The last member serves until it has missed the other two for a while.
            f"sudo systemctl stop mongod; {until('! ' + serves(4000))}",
            "mongodb_down",
            ("start_unit",),
            after="systemctl is-active mongod",
        ),
        Fault(
            "its release is gone",
            # The set goes on without one member, but not without two.
            f"sudo systemctl stop mongod; mv $(readlink -f {PATH}) {GONE}; {given_up()}",
            "release_gone",
            cure=f"[ ! -e {GONE} ] || mv {GONE} $(readlink {PATH}); sudo systemctl start mongod",
            evidence="leads nowhere",
        ),
    ),
)
VOICE_FAULTS: tuple[tuple[Fault, ...], ...] = (
    (
        Fault(
            "the handshake is refused", inspector(VOICE, REFUSE), "handshake_refused", ("reload",)
        ),
        Fault(
            "the handshake is accepted and dead",
            inspector(VOICE, DEAD),
            "handshake_dead",
            ("restart",),
        ),
        hung(VOICE),
    ),
    (stopped(VOICE), orphan(VOICE, 4001, "dist/voice.js"), killed(VOICE)),
    (
        stranger(VOICE, 4001),
        exits_at_start(VOICE),
        Fault(
            "its release is gone",
            f"mv $(readlink -f {PATH}) {GONE}; {given_up(VOICE)}",
            "release_gone",
            cure=f"[ ! -e {GONE} ] || mv {GONE} $(readlink {PATH})",
            evidence="leads nowhere",
        ),
    ),
    (PM2_DEAD, PM2_PAUSED, NGINX_STOPPED),
    (NGINX_BAD, no_more_files(VOICE), disk_full(VOICE)),
)
