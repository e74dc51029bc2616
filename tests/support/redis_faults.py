"""The faults of Redis, three at a time: one on each host."""

from __future__ import annotations

from support.incidents import Fault

CONFIG, DATA = "/etc/redis/redis.conf", "/var/lib/redis"
DROP_IN = "/run/systemd/system/redis-server.service.d"
APPENDING = f"/usr/bin/redis-server {CONFIG} --supervised systemd --daemonize no --appendonly yes"
# Asks as a person does, with the password from where Redis has it.
LOGIN = "export REDISCLI_AUTH=$(sudo sh -c \"sed -n 's/^requirepass //p' /etc/redis/*.conf\")"
CLI = f"{LOGIN}; timeout 10 redis-cli"


def until(command: str, seconds: int = 30) -> str:
    return f"timeout {seconds} sh -c 'until {command}; do sleep 0.2; done'"


# Its unit tries some times before it gives up.
FAILED = until("systemctl is-failed -q redis-server")
START = "sudo systemctl reset-failed redis-server; sudo systemctl start redis-server"


def on_small_disk(size: str, *fill: str) -> str:
    """Give Redis a disk of its own, fill it and Redis, and have a snapshot fail there."""
    return (
        f"{LOGIN}; sudo systemctl stop redis-server;"
        f" sudo mount -t tmpfs -o size={size} tmpfs {DATA}; sudo chown redis: {DATA};"
        f" sudo systemctl start redis-server; {'; '.join(fill)};"
        f" redis-cli bgsave; {until('redis-cli info persistence | grep -q status:err')}"
    )


# It would not end without a last snapshot, which has no room.
LARGER_DISK = (
    f"if mountpoint -q {DATA}; then {LOGIN}; timeout 10 redis-cli config set save '';"
    f" sudo systemctl stop redis-server; sudo umount {DATA}; sudo systemctl start redis-server; fi"
)

STOPPED = Fault(
    "stopped",
    "sudo systemctl stop redis-server",
    "stopped",
    ("start_unit",),
    after="systemctl is-active redis-server",
)
FAULTS: tuple[tuple[Fault, ...], ...] = (
    (
        STOPPED,
        Fault(
            "its password is another one",
            f"{CLI} config set requirepass changed-by-somebody >/dev/null",
            "wrong_password",
            cure=f"{LOGIN}; old=$REDISCLI_AUTH; REDISCLI_AUTH=changed-by-somebody"
            " redis-cli config set requirepass $old",
            evidence="WRONGPASS",
        ),
        Fault(
            "maxmemory is reached, and nothing is evicted",
            f"{LOGIN}; redis-cli config set maxmemory-policy noeviction;"
            " redis-cli config set maxmemory 4mb;"
            " redis-cli config resetstat; for n in $(seq 40); do"
            " head -c 200000 /dev/zero | tr '\\0' x | redis-cli -x set titan-fill-$n; done; true",
            "memory_full",
            cure=f"{LOGIN}; redis-cli config set maxmemory 0;"
            " timeout 10 redis-cli del $(timeout 10 redis-cli keys 'titan-fill-*');"
            " redis-cli config resetstat",
            evidence="noeviction",
        ),
    ),
    (
        Fault(
            "a script blocks it",
            f"{LOGIN}; redis-cli config set busy-reply-threshold 200;"
            " (setsid nohup redis-cli eval 'while true do end' 0 >/dev/null 2>&1 </dev/null &);"
            " sleep 0.5",
            "busy_script",
            ("kill_script",),
            cure=f"{LOGIN}; redis-cli script kill; redis-cli config set busy-reply-threshold 5000",
            after=f"{CLI} config set busy-reply-threshold 5000",
        ),
        Fault(
            "a snapshot failed, and nothing hinders the next one",
            f"{LOGIN}; sudo chmod 500 {DATA}; sudo chown root {DATA}; redis-cli set titan-fill 1;"
            f" redis-cli bgsave; {until('redis-cli info persistence | grep -q status:err')};"
            f" sudo chown redis {DATA}; sudo chmod 750 {DATA};"
            # What the log says of it is over as well.
            " sudo truncate -s 0 /var/log/redis/redis-server.log",
            "save_failing",
            ("retry_save",),
            after=f"{CLI} info persistence | grep rdb_last_bgsave_status:ok",
        ),
        Fault(
            "its configuration is wrong",
            # systemd does not forget by itself, meanwhile, how often it has failed.
            f"sudo mkdir -p {DROP_IN}; printf '[Unit]\\nStartLimitIntervalSec=1h\\n'"
            f" | sudo tee {DROP_IN}/limit.conf >/dev/null; sudo systemctl daemon-reload;"
            f" echo 'titan-nonsense yes' | sudo tee -a {CONFIG} >/dev/null;"
            f" sudo systemctl restart redis-server; {FAILED}",
            "configuration",
            cure=f"sudo sed -i /titan-nonsense/d {CONFIG}",
            evidence="titan-nonsense",
            helps=False,
        ),
    ),
    (
        Fault(
            "the disk is full, so that nothing can be saved",
            on_small_disk(
                "1m",
                f"head -c 2m /dev/zero | sudo tee {DATA}/fill >/dev/null 2>&1",
                "redis-cli set titan-fill 1",
            ),
            "disk_full",
            cure=LARGER_DISK,
            evidence=f"no space is left on {DATA}",
        ),
        Fault(
            "a snapshot has no room, and is removed again",
            on_small_disk(
                "8m",
                "for n in $(seq 12); do head -c 1000000 /dev/urandom"
                " | redis-cli -x set titan-fill-$n; done",
            ),
            "disk_full",
            cure=LARGER_DISK,
            evidence=f"are left on {DATA}, and what it has to write takes up to",
        ),
        Fault(
            "a signal stops it again and again",
            # As long as it is this process, and nobody ends it.
            "pid=$(systemctl show -p MainPID --value redis-server); sudo systemd-run --quiet --unit"
            ' titan-stopper sh -c "while systemctl is-active -q redis-server; do'
            ' kill -STOP $pid || exit 0; sleep 0.1; done; kill -CONT $pid"; sleep 1',
            "paused",
            # The second one acts on all of it.
            ("continue_processes", "restart_unit"),
            cure="sudo systemctl stop titan-stopper; sudo systemctl kill -s CONT redis-server",
            after="! systemctl is-active titan-stopper",
        ),
    ),
    (
        Fault(
            "a signal has stopped it",
            "sudo systemctl kill -s STOP redis-server",
            "paused",
            ("continue_processes",),
        ),
        Fault(
            "the disk is full, so that it cannot start",
            # Without an append-only file it would start, and fail to save later.
            f"sudo mkdir -p {DROP_IN}; printf '[Service]\\nExecStart=\\nExecStart={APPENDING}\\n'"
            f" | sudo tee {DROP_IN}/fault.conf >/dev/null; sudo systemctl daemon-reload;"
            f" sudo systemctl stop redis-server; sudo mount -t tmpfs -o size=1m tmpfs {DATA};"
            f" sudo chown redis: {DATA};"
            f" head -c 2m /dev/zero | sudo tee {DATA}/fill >/dev/null 2>&1;"
            f" sudo systemctl start redis-server; {FAILED}",
            "disk_full",
            # With an append-only file that is new, it would start without its data.
            cure=f"sudo rm -rf {DROP_IN}; sudo systemctl daemon-reload;"
            f" while mountpoint -q {DATA}; do sudo umount {DATA}; done",
            evidence=f"no space is left on {DATA}",
            helps=False,
        ),
        Fault(
            "its data belongs to somebody else",
            # A Redis that cannot save does not end.
            f"sudo systemctl stop redis-server; sudo chown root: {DATA};"
            f" sudo systemctl start redis-server; {FAILED}",
            "not_permitted",
            cure=f"sudo chown redis: {DATA}",
            evidence="Permission denied",
            helps=False,
        ),
    ),
)
