"""Migrating: never without a backup, never twice, and told when it fails.

The tests follow each other: v1 is live on titan1 and its two migrations have been applied.
"""

from __future__ import annotations

import json

from support import application
from support.hosts import ssh
from support.playbooks import Run, play

BACKUPS = f"{application.HOME}/backups"
DATABASE = f"{application.HOME}/data/plugspace.db"
TASK = "Back up, migrate, and see that nothing is pending"
LAST = "20260112090000_create_feature_flags"
BROKEN = "20260302090000_add_feature_owner"


APPLIED = """
select migration_name from _prisma_migrations where finished_at is not null order by migration_name
"""
UNDO_THE_LAST = """
drop table "FeatureFlag";
delete from _prisma_migrations where migration_name like "20260112090000%";
"""


def sql(script: str, database: str = DATABASE) -> list[list[str]]:
    """Run statements on one of the host's databases; the rows of the last one."""
    program = (
        "import json, sqlite3, sys; c = sqlite3.connect(sys.argv[1]);"
        " print(json.dumps([c.execute(s).fetchall() for s in sys.argv[2].split(chr(59))][-1]));"
        " c.commit()"
    )
    rows: list[list[str]] = json.loads(
        ssh("titan1", f"python3 -c '{program}' {database} '{script}'")
    )
    return rows


def applied(database: str = DATABASE) -> list[str]:
    """The migrations that ended well, in their order."""
    return [row[0] for row in sql(APPLIED, database)]


def backups() -> list[str]:
    return ssh("titan1", f"ls -A {BACKUPS} 2>/dev/null || true").split()


def told(run: Run) -> str:
    """What the failed task says, with the last lines of the command."""
    result = run.result(TASK, "titan1")
    return "\n".join([result["msg"], *result["logs"]])


def test_converge_applied_every_migration_behind_a_backup() -> None:
    assert applied()[-1] == LAST
    assert len(applied()) == 2
    assert backups()


def test_check_mode_only_looks() -> None:
    sql(UNDO_THE_LAST)
    before, kept = applied(), backups()
    run = play("migrate", "--check", "--diff")
    assert run.code == 0, run.output
    assert run.result(TASK, "titan1")["pending"] is True
    assert run.changed == 1
    assert (applied(), backups()) == (before, kept)


def test_a_failing_backup_stops_everything() -> None:
    before, kept = applied(), backups()
    ssh("titan1", f"chmod 500 {BACKUPS}")
    try:
        run = play("migrate")
    finally:
        ssh("titan1", f"chmod 700 {BACKUPS}")
    assert run.code != 0
    assert "/usr/local/bin/backup.sh failed with exit code 1; nothing was migrated" in told(run)
    assert "PermissionError" in told(run)
    assert (applied(), backups()) == (before, kept)


def test_a_pending_migration_is_applied_behind_one_backup() -> None:
    before, kept = applied(), backups()
    run = play("migrate")
    assert run.code == 0, run.output
    assert run.changed == 1
    assert applied() == [*before, LAST]
    (backup,) = set(backups()) - set(kept)
    assert applied(f"{BACKUPS}/{backup}/database.sqlite") == before
    check = f"cd {BACKUPS}/{backup} && sha256sum -c -"
    manifest = json.loads(ssh("titan1", f"cat {BACKUPS}/{backup}/manifest.json"))
    lines = "\\n".join(f"{digest}  {name}" for name, digest in manifest["checksums"].items())
    assert "FAILED" not in ssh("titan1", f"printf '{lines}\\n' | ({check})")


def test_a_second_run_neither_migrates_nor_backs_up() -> None:
    kept = backups()
    run = play("migrate")
    assert (run.code, run.changed) == (0, 0), run.output
    assert backups() == kept


def test_a_directory_without_the_tool_migrates_nothing() -> None:
    """npx would fetch the newest one, which may be another major version."""
    before = applied()
    run = play("migrate", migrate_directory=application.HOME, migrate_backup_command=[])
    assert run.code != 0
    assert "canceled" in told(run)
    assert applied() == before


def test_a_failing_migration_is_told_and_can_be_settled() -> None:
    release = application.named("titan1", "failing-migration")
    directory = f"{application.ROOT_ON_HOST}/releases/{release}"
    kept = backups()
    run = play("migrate", migrate_directory=directory)
    assert run.code != 0
    assert (
        "npx prisma migrate deploy failed with exit code 1; a backup was made just before"
        in told(run)
    )
    assert BROKEN in told(run)
    assert len(backups()) == len(kept) + 1
    assert BROKEN not in applied()

    # Prisma refuses until a person has settled it, and each such run says which one it is.
    assert BROKEN in told(play("migrate", migrate_directory=directory))
    ssh("titan1", f"cd {directory} && npx prisma migrate resolve --rolled-back {BROKEN}")
    run = play("migrate")
    assert (run.code, run.changed) == (0, 0), run.output


def test_no_secret_stands_in_what_a_migration_says() -> None:
    secrets = [
        line.partition("=")[2]
        for line in ssh("titan1", f"cat {application.ROOT_ON_HOST}/shared/.env").splitlines()
    ]
    output = play("migrate", "--diff", verbosity=3).output
    assert len(secrets) > 3
    # The address of the database is a file of the host, which Prisma shows by its name.
    assert [s for s in secrets if s in output and not s.startswith("file:")] == []
