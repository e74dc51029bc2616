"""The repository keeps its house rules, and each rule can fail."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import house_rules
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
COLLECTION = "plugspace.titan"
LICENSE = "# SPDX-License-Identifier: GPL-3.0-or-later"
SPECS = "argument_specs: {main: {options: {ping_count: {type: int, default: 5}}}}\n"
SILENT_COMMAND = "- name: Ping\n  ansible.builtin.command: ping\n"


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def documents(kind: str, names: list[str]) -> dict[str, dict[str, object]]:
    shown = run("ansible-doc", "--json", "--type", kind, *names)
    assert shown.returncode == 0, shown.stderr
    answer: dict[str, dict[str, object]] = json.loads(shown.stdout)
    assert sorted(answer) == sorted(names), f"ansible-doc left some out: {shown.stderr}"
    return answer


@pytest.mark.parametrize("rule", house_rules.RULES, ids=lambda rule: rule.__name__)
def test_rule_is_kept(rule: Callable[[Path], list[str]]) -> None:
    problems = rule(ROOT)
    assert not problems, "\n" + "\n".join(problems)


@pytest.mark.parametrize(
    "folder", [kind for kind in house_rules.PLUGIN_KINDS if house_rules.plugins(ROOT, kind)]
)
def test_plugins_are_documented(folder: str) -> None:
    names = [f"{COLLECTION}.{name}" for name in house_rules.plugins(ROOT, folder)]
    kind = {"modules": "module"}.get(folder, folder)
    problems = house_rules.documents_are_complete(documents(kind, names), kind)
    assert not problems, "\n" + "\n".join(problems)


def test_roles_are_documented() -> None:
    names = [f"{COLLECTION}.{role.name}" for role in house_rules.roles(ROOT)]
    problems = house_rules.documents_are_complete(documents("role", names), "role")
    assert not problems, "\n" + "\n".join(problems)


def test_playbooks_pass_the_syntax_check() -> None:
    paths = [str(path.relative_to(ROOT)) for path in house_rules.playbooks(ROOT)]
    assert paths
    checked = run("ansible-playbook", "-i", "inventories/production", "--syntax-check", *paths)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("site", ["production", "staging"])
def test_inventory_is_read_without_the_vault(site: str) -> None:
    listed = run("ansible-inventory", "-i", f"inventories/{site}", "--list")
    assert listed.returncode == 0, listed.stderr
    groups = json.loads(listed.stdout)
    for group in ("app", "mongodb", "redis", "edge", "monitoring"):
        assert groups[f"titan_{group}"]["hosts"]


@pytest.mark.parametrize("site", ["production", "staging", "local"])
def test_a_site_defines_what_procedures_require(site: str) -> None:
    """Or the one that a person copies refuses to run in the night."""
    files = (ROOT / "inventories" / site / "group_vars/all").glob("*.yml")
    defined = {name for file in files for name in yaml.safe_load(file.read_text(encoding="utf-8"))}
    texts = [path.read_text(encoding="utf-8") for path in house_rules.playbooks(ROOT)]
    lists = [one for text in texts for one in re.findall(r"common_required:\s*\[([^]]*)\]", text)]
    required = {name for one in lists for name in re.findall(r"titan_\w+", one)}
    assert "titan_mongodb_replica_set" in required
    assert sorted(required - defined) == []


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small tree that keeps every rule."""
    files = {
        "galaxy.yml": (
            "version: 1.10.0\nbuild_ignore: [collections, inventories, molecule, tests]\n"
        ),
        "CHANGELOG.md": "## v1\\.10\\.0\n",
        "changelogs/changelog.yaml": "releases: {1.9.0: {}, 1.10.0: {}}\n",
        "requirements.txt": "# tools\n\npytest==9.2.0\n",
        "meta/runtime.yml": "action_groups: {titan: [ping]}\n",
        "plugins/modules/ping.py": f"#\n{LICENSE}\nfrom ansible.module_utils.basic import env\n",
        "plugins/module_utils/_ping.py": f"#\n{LICENSE}\nfrom x import _wire\n",
        "plugins/module_utils/_wire.py": f"#\n{LICENSE}\nimport os\n",
        "plugins/filter/pong.py": f"#\n{LICENSE}\n",
        "tests/unit/plugins/modules/test_ping.py": "from x import _ping, pong\n",
        "roles/ping/README.md": "",
        "roles/ping/defaults/main.yml": "ping_count: 5\n",
        "roles/ping/meta/argument_specs.yml": SPECS,
        "roles/ping/tasks/main.yml": "# No module sends a ping.\n" + SILENT_COMMAND,
        "playbooks/ping.yml": "- hosts: all\n  tasks: [{include_role: {name: p.t.ping}}]\n",
        "molecule/ping/molecule.yml": "",
        "molecule/ping/verify.yml": "",
        "inventories/site.yml": 'redis_password: "{{ vault_redis_password }}"\n',
        "inventories/vault.yml": "$ANSIBLE_VAULT;1.1;AES256\n6162\n",
    }
    for name, text in files.items():
        write(tmp_path, name, text)
    folder = tmp_path / house_rules.COLLECTION
    folder.mkdir(parents=True)
    for name in (
        *("CHANGELOG.md", "changelogs", "galaxy.yml", "meta", "playbooks", "plugins"),
        *("requirements.txt", "roles"),
    ):
        (folder / name).symlink_to(f"../../../../{name}")
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("rule", house_rules.RULES, ids=lambda rule: rule.__name__)
def test_rule_passes_a_tree_that_keeps_it(rule: Callable[[Path], list[str]], tree: Path) -> None:
    assert rule(tree) == []


# Each rule, one file that breaks it (None removes the file), and a word of what it says then.
BROKEN = [
    ("defaults_are_specified", "roles/ping/defaults/main.yml", "ping_count: 6\n", "is 5"),
    ("defaults_are_specified", "roles/ping/defaults/main.yml", "ping_count: '5'\n", "is 5"),
    ("defaults_are_specified", "roles/ping/defaults/main.yml", None, "not in defaults"),
    (
        "defaults_are_specified",
        "roles/ping/defaults/main.yml",
        "ping_count: 5\nping_wait: 1\n",
        "ping_wait has a default",
    ),
    ("defaults_are_specified", "roles/ping/meta/argument_specs.yml", None, "argument_specs"),
    (
        "defaults_are_specified",
        "roles/ping/meta/argument_specs.yml",
        SPECS.replace("default: 5", "required: true"),
        "required and has a default",
    ),
    (
        "defaults_are_specified",
        "roles/ping/meta/argument_specs.yml",
        SPECS.replace(", default: 5", ""),
        "is None",
    ),
    (
        "defaults_are_specified",
        "roles/ping/meta/argument_specs.yml",
        SPECS.replace("ping_count", "count"),
        "begin with ping_",
    ),
    ("defaults_are_specified", "roles/ping/tasks/main.yml", None, "tasks/main.yml is missing"),
    (
        "entry_points_are_specified",
        "playbooks/ping.yml",
        "- hosts: all\n  tasks: [{block: [{ansible.builtin.import_role: "
        "{name: p.t.ping, tasks_from: stop.yml}}]}]\n",
        "called at stop",
    ),
    (
        "secrets_have_no_default",
        "roles/ping/meta/argument_specs.yml",
        SPECS.replace("default: 5", "no_log: true, default: '{{ secret }}'"),
        "ping_count is a secret",
    ),
    ("roles_are_complete", "roles/ping/README.md", None, "README"),
    ("roles_are_complete", "playbooks/ping.yml", None, "playbooks/ping.yml"),
    ("roles_are_complete", "molecule/ping/molecule.yml", None, "scenario"),
    ("scenarios_verify", "molecule/ping/verify.yml", None, "verifies nothing"),
    ("scenarios_verify", "molecule/ping/case/molecule.yml", "", "nested"),
    ("playbooks_are_callable", "playbooks/api-down.yml", "[]\n", "api-down"),
    ("playbooks_are_callable", "playbooks/api_down.yaml", "[]\n", "api_down"),
    ("modules_are_in_the_action_group", "plugins/modules/echo.py", "", "echo is not"),
    ("modules_are_in_the_action_group", "plugins/modules/ping.py", None, "names ping"),
    ("plugins_are_tested", "plugins/modules/echo.py", "", "module echo"),
    ("plugins_are_tested", "plugins/module_utils/_echo.py", "", "_echo.py"),
    ("plugins_are_tested", "plugins/filter/po.py", "", "filter/po.py"),
    ("tests_mirror_plugins", "tests/unit/plugins/cache/test_x.py", "", "mirrors nothing"),
    ("plugins_carry_the_license", "plugins/filter/pong.py", "# free\n", "lacks"),
    (
        "logic_knows_no_module",
        "plugins/module_utils/_ping.py",
        "from ansible.module_utils.basic import AnsibleModule\n",
        "_ping.py:1",
    ),
    ("tasks_avoid_shortcuts", "roles/ping/tasks/main.yml", "- ignore_errors: true\n", "main.yml:1"),
    ("tasks_avoid_shortcuts", "playbooks/ping.yml", "- hosts: x\n  vars_prompt: []\n", ".yml:2"),
    ("tasks_avoid_shortcuts", "roles/a/tasks/main.yml", "- ansible.builtin.pause:\n", "pause"),
    ("tasks_avoid_shortcuts", "roles/a/handlers/main.yml", "- ansible.builtin.shell: x\n", "shell"),
    ("commands_say_why", "roles/ping/tasks/main.yml", SILENT_COMMAND, "main.yml:2"),
    (
        "commands_say_why",
        "roles/ping/tasks/main.yml",
        "# Why.\n" + SILENT_COMMAND + SILENT_COMMAND,
        "main.yml:5",
    ),
    ("links_are_complete", "LICENSE", "", "LICENSE is missing"),
    ("links_are_complete", "meta/runtime.yml", None, "meta links to what is not"),
    ("links_are_complete", f"{house_rules.COLLECTION}/docs", "", "docs is not a link"),
    ("nothing_leaks", "notes.md", "see /home" + "/jane/x", "own path"),
    ("nothing_leaks", "notes.md", "/work" + "/main/x", "one machine"),
    ("nothing_leaks", "id", "-----BEGIN PRIVATE" + " KEY-----\n" + 40 * "a", "a private key"),
    ("nothing_leaks", "id", "ghp_" + 36 * "a", "a key"),
    ("nothing_leaks", "inventories/vault.yml", "x: 1\n", "not encrypted"),
    ("nothing_leaks", "inventories/site.yml", "redis_password: tiger\n", "clear text"),
    ("version_is_in_the_changelog", "galaxy.yml", "version: 1.9.0\n", "1.10.0"),
    ("version_is_in_the_changelog", "CHANGELOG.md", "", "generate"),
    ("version_is_in_the_changelog", "changelogs/changelog.yaml", None, "None"),
    ("requirements_are_pinned", "requirements.txt", "pytest>=9\n", "requirements.txt:1"),
]


@pytest.mark.parametrize(("rule", "name", "text", "said"), BROKEN)
def test_rule_fails_a_tree_that_breaks_it(
    rule: str, name: str, text: str | None, said: str, tree: Path
) -> None:
    if text is None:
        (tree / name).unlink()
    else:
        write(tree, name, text)
    problems = getattr(house_rules, rule)(tree)
    assert any(said in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("target", "said"), [("..", "holds it"), (".", "holds it"), ("nowhere", "to nothing")]
)
def test_a_looping_or_dangling_link_is_found(target: str, said: str, tree: Path) -> None:
    (tree / "roles" / "link").symlink_to(target)
    problems = house_rules.links_make_no_loop(tree)
    assert any(said in problem for problem in problems), problems


def test_every_rule_was_seen_failing() -> None:
    broken = {rule for rule, *_ in BROKEN} | {"links_make_no_loop"}
    assert {rule.__name__ for rule in house_rules.RULES} == broken


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"error": "no such fragment"}, "no such fragment"),
        ({"doc": {"attributes": {}}, "examples": "x"}, "has no return"),
        ({"doc": {"attributes": {"check_mode": {}}}, "examples": "x", "return": {}}, "check_mode"),
    ],
)
def test_incomplete_documentation_is_found(document: dict[str, object], said: str) -> None:
    problems = house_rules.documents_are_complete({"p.t.ping": document}, "module")
    assert any(said in problem for problem in problems), problems


def test_complete_documentation_passes() -> None:
    support = {"support": "full"}
    document = {
        "doc": {"attributes": {"check_mode": support, "diff_mode": support}},
        "examples": "x",
        "return": {"ping": {}},
    }
    assert house_rules.documents_are_complete({"p.t.ping": document}, "module") == []
