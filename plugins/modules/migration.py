#!/usr/bin/python
# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module plugspace.titan.migration."""

from __future__ import annotations

DOCUMENTATION = r"""
module: migration
author:
  - The plugspace.titan maintainers (@plugspace)
short_description: Bring a database up to an application's release
version_added: 0.1.0
description:
  - Asks the application's own tool whether a migration is pending.
  - When one is, backs up, migrates, and asks again.
  - Nothing pending means that nothing is run, the backup included.
  - The commands run in O(directory), without a shell, with a clean environment, as the user that
    the module runs as.
extends_documentation_fragment:
  - plugspace.titan.attributes
attributes:
  check_mode:
    support: full
    details: Only O(status_command) is run.
  diff_mode:
    support: full
options:
  directory:
    description: The release whose migrations are meant.
    type: path
    required: true
  command:
    description: Applies the pending migrations. One string is split as a shell would.
    type: list
    elements: str
    required: true
  status_command:
    description:
      - Exits with 0 when no migration is pending, with anything else when one is.
      - When empty, O(command) is run each time, and the module always reports a change.
    type: list
    elements: str
    default: []
  backup_command:
    description: Makes a backup, and is run before O(command). When empty, there is none.
    type: list
    elements: str
    default: []
  environment:
    description:
      - Further environment variables for the commands.
      - The value of one whose name says that it is secret, as C(NPM_TOKEN), is shown nowhere.
    type: dict
    default: {}
  timeout:
    description: Seconds after which O(command) and O(status_command) are ended.
    type: float
    default: 900
  backup_timeout:
    description: Seconds after which O(backup_command) is ended.
    type: float
    default: 3600
  mask_env_files:
    description: Environment files whose values are masked in everything that the module returns.
    type: list
    elements: path
    default: []
"""

EXAMPLES = r"""
- name: Bring the database up to the release
  plugspace.titan.migration:
    directory: /srv/app/current
    backup_command: [/usr/local/bin/backup.sh]
    command: [npx, prisma, migrate, deploy]
    status_command: [npx, prisma, migrate, status]
    mask_env_files: [/srv/app/shared/.env]
"""

RETURN = r"""
pending:
  description: Whether a migration was pending before.
  type: bool
  returned: always
  sample: true
status:
  description: The last lines of the status command, secrets masked.
  type: list
  elements: str
  returned: always
  sample: ["Database schema is up to date!"]
timings:
  description: Seconds for each step that ran, by its name, V(status), V(backup) or V(migrate).
  type: dict
  returned: always
  sample: {status: 1.9, backup: 0.4, migrate: 2.1}
cause:
  description: The step that failed, V(status), V(backup) or V(migrate).
  type: str
  returned: on failure
  sample: migrate
logs:
  description: The last lines of the step that failed, secrets masked.
  type: list
  elements: str
  returned: on failure
  sample: ["Error: P3018"]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.plugspace.titan.plugins.module_utils import _dotenv, _process
from ansible_collections.plugspace.titan.plugins.module_utils._migration import (
    Migration,
    MigrationError,
)
from ansible_collections.plugspace.titan.plugins.module_utils._redact import (
    Redactor,
    named_secrets,
)


def _redactor(files: t.Iterable[str]) -> Redactor:
    """Mask what the environment files hold; one that is not there holds nothing."""
    secrets: set[str] = set()
    for path in files:
        try:
            with open(path, encoding="utf-8") as env_file:
                secrets |= _dotenv.secrets(env_file.read())
        except FileNotFoundError:
            continue
    return Redactor(secrets)


def main() -> None:
    """Look, and migrate unless in check mode."""
    commands = {"type": "list", "elements": "str", "default": []}
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "command": {"type": "list", "elements": "str", "required": True},
            "status_command": commands,
            "backup_command": commands,
            "environment": {"type": "dict", "default": {}},
            "timeout": {"type": "float", "default": 900.0},
            "backup_timeout": {"type": "float", "default": 3600.0},
            "mask_env_files": {"type": "list", "elements": "path", "default": [], "no_log": False},
        },
        supports_check_mode=True,
    )
    params = module.params
    module.no_log_values.update(named_secrets(params["environment"]))
    environment = _process.clean_environment({k: str(v) for k, v in params["environment"].items()})

    def runner(argv: t.Sequence[str], timeout: float) -> _process.Finished:
        return _process.run(argv, environment, timeout, params["directory"])

    redactor = Redactor()
    try:
        redactor = _redactor(params["mask_env_files"])
        migration = Migration(
            runner,
            _process.words(params["command"]),
            _process.words(params["status_command"]),
            _process.words(params["backup_command"]),
            params["timeout"],
            params["backup_timeout"],
        )
        result = migration.look()
        pending = result.pending
        if pending and not module.check_mode:
            migration.migrate(result)
    except MigrationError as error:
        module.fail_json(
            msg=redactor.text(str(error)), cause=error.step, logs=redactor.lines(error.lines)
        )
    except (OSError, _process.ProcessError) as error:
        module.fail_json(msg=redactor.text(str(error)), cause="start", logs=[])
    module.exit_json(
        changed=pending,
        pending=pending,
        status=redactor.lines(result.status),
        timings=result.timings,
        diff={
            "before": {"pending": pending},
            "after": {"pending": False},
        },
    )


if __name__ == "__main__":
    main()
