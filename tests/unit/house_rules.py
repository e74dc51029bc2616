"""The house rules: each looks at a source tree and returns what breaks it, a sentence each."""

from __future__ import annotations

import ast
import fnmatch
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

COLLECTION = Path("collections/ansible_collections/plugspace/titan")
PLUGIN_KINDS = ("modules", "filter", "lookup", "callback", "inventory", "test")
SHARED_ROLE = "common"

_PLAYBOOK_NAME = re.compile(r"[a-z][a-z0-9_]*\.yml")
_PIN = re.compile(r"[A-Za-z0-9_.-]+==[0-9][A-Za-z0-9.]*")
# Modules by their full names: ansible-lint refuses the short ones.
_FORBIDDEN_KEY = re.compile(
    r"^\s*(?:- )?(ignore_errors|vars_prompt|ansible\.builtin\.(?:pause|shell|raw)):", re.M
)
_COMMAND = re.compile(r"^\s*(?:- )?ansible\.builtin\.command:")
_SECRET_NAME = re.compile(r"(?:password|token|secret|private_key)$")
_LEAKS = (
    (re.compile(r"/wor[k]/(?:main|shared)\b"), "a path of one machine"),
    (re.compile(r"/(?:home|Users)/(?!plugspace\b|titan\b)[a-z][a-z0-9_-]*/"), "a user's own path"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}"), "a private key"),
    (
        re.compile(r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|npm_[A-Za-z0-9]{36})\b"),
        "a key",
    ),
)


class _Loader(yaml.SafeLoader):
    """Reads Ansible's YAML: a tagged value, such as a vaulted one, is just its text."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: getattr(node, "value", None))


def load(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506


def project_files(root: Path) -> list[Path]:
    """The files that belong to the project, relative to its root, links included."""
    if (root / ".git").exists():
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
        paths = {Path(name) for name in listed.stdout.split("\0") if name}
    else:
        paths = {
            (Path(folder) / name).relative_to(root)
            for folder, folders, names in os.walk(root)
            for name in [*names, *(f for f in folders if (Path(folder) / f).is_symlink())]
        }
    return sorted(path for path in paths if os.path.lexists(root / path))


def yaml_files(root: Path, *folders: str) -> Iterator[Path]:
    for folder in folders:
        for pattern in ("*.yml", "*.yaml"):
            yield from sorted((root / folder).rglob(pattern))


def roles(root: Path) -> list[Path]:
    return sorted(path for path in (root / "roles").glob("*") if path.is_dir())


def plugins(root: Path, kind: str) -> list[str]:
    paths = (root / "plugins" / kind).glob("*.py")
    return sorted(path.stem for path in paths if path.stem != "__init__")


def playbooks(root: Path) -> list[Path]:
    return sorted((root / "playbooks").glob("*.y*ml"))


def called_entry_points(root: Path) -> set[tuple[str, str]]:
    """Role and tasks_from of every call of a role by another file than the role's own."""

    def calls(node: Any) -> Iterator[tuple[str, str]]:
        if isinstance(node, list):
            for item in node:
                yield from calls(item)
        elif isinstance(node, dict):
            for key, value in node.items():
                if re.fullmatch(r"(ansible\.builtin\.)?(include|import)_role", str(key)):
                    name = str(value["name"]).rsplit(".", 1)[-1]
                    if "{{" in str(value["name"]):
                        continue  # which one is known only in a run
                    yield name, str(value.get("tasks_from", "main")).removesuffix(".yml")
                else:
                    yield from calls(value)

    return {
        call
        for path in yaml_files(root, "playbooks", "roles", "molecule")
        for call in calls(load(path))
    }


def defaults_are_specified(root: Path) -> list[str]:
    """A role's defaults and its argument_specs hold the same options with the same values."""
    problems = []
    for role in roles(root):
        name = role.name
        specs_file = role / "meta/argument_specs.yml"
        if not specs_file.is_file():
            problems.append(f"roles/{name} has no meta/argument_specs.yml")
            continue
        defaults_file = role / "defaults/main.yml"
        defaults = (load(defaults_file) if defaults_file.is_file() else None) or {}
        specified: set[str] = set()
        for entry, spec in load(specs_file)["argument_specs"].items():
            where = f"roles/{name}, entry point {entry}"
            if not (role / f"tasks/{entry}.yml").is_file():
                problems.append(f"{where}: tasks/{entry}.yml is missing")
            for option, properties in (spec.get("options") or {}).items():
                specified.add(option)
                if not option.startswith(f"{name}_"):
                    problems.append(f"{where}: {option} does not begin with {name}_")
                if properties.get("required"):
                    if option in defaults:
                        problems.append(f"{where}: {option} is required and has a default")
                elif option not in defaults:
                    problems.append(f"{where}: {option} is not in defaults/main.yml")
                elif "default" not in properties or not same(
                    properties["default"], defaults[option]
                ):
                    problems.append(
                        f"{where}: the default of {option} is {properties.get('default')!r}, "
                        f"in defaults/main.yml {defaults[option]!r}"
                    )
        problems += [
            f"roles/{name}: {option} has a default and is in no entry point's specification"
            for option in sorted(set(defaults) - specified)
        ]
    return problems


def same(one: object, other: object) -> bool:
    """Equal in value and type: 1 is not true, and 5 is not "5"."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def secrets_have_no_default(root: Path) -> list[str]:
    """A failing validation prints every templated default, those of no_log options too."""
    found = []
    for role in roles(root):
        specs = role / "meta" / "argument_specs.yml"
        entries = load(specs)["argument_specs"] if specs.is_file() else {}
        for entry, specification in entries.items():
            for name, option in (specification.get("options") or {}).items():
                if option.get("no_log") and "{{" in str(option.get("default", "")):
                    found.append(
                        f"{role.name}, {entry}: {name} is a secret and has a templated default; "
                        "leave it empty and look the secret up where it is used"
                    )
    return found


def entry_points_are_specified(root: Path) -> list[str]:
    """What a playbook or another role calls is an entry point with a specification."""
    problems = []
    for name, entry in sorted(called_entry_points(root)):
        specs_file = root / "roles" / name / "meta/argument_specs.yml"
        specs = load(specs_file)["argument_specs"] if specs_file.is_file() else {}
        if entry not in specs:
            problems.append(f"roles/{name} is called at {entry}, which its specification lacks")
    return problems


def roles_are_complete(root: Path) -> list[str]:
    """A role has a README, a playbook and a scenario; what roles share needs none of its own."""
    problems = []
    for role in roles(root):
        name = role.name
        if not (role / "README.md").is_file():
            problems.append(f"roles/{name} has no README.md")
        if name == SHARED_ROLE:
            continue
        if not (root / f"playbooks/{name}.yml").is_file():
            problems.append(f"roles/{name} has no playbooks/{name}.yml")
        scenarios = (path.parent.name for path in root.glob("molecule/*/molecule.yml"))
        if not any(each == name or each.startswith(f"{name}_") for each in scenarios):
            problems.append(f"roles/{name} has no Molecule scenario {name} or {name}_*")
    return problems


def scenarios_verify(root: Path) -> list[str]:
    """A scenario lies where Molecule looks for it, and verifies something."""
    problems = [
        f"{path.parent.relative_to(root)} is nested, and Molecule skips it silently"
        for path in sorted(root.glob("molecule/*/**/molecule.yml"))
        if path.parent.parent != root / "molecule"
    ]
    for path in sorted(root.glob("molecule/*/molecule.yml")):
        scenario = path.parent
        verifies = [*scenario.rglob("test_*.py"), *scenario.glob("verify.yml")]
        if not verifies:
            problems.append(f"molecule/{scenario.name} verifies nothing")
    return problems


def playbooks_are_callable(root: Path) -> list[str]:
    """A hyphen or a .yaml cannot be called as plugspace.titan.<name>."""
    return [
        f"playbooks/{path.name}: a playbook's name is lower case, digits and underscores, .yml"
        for path in playbooks(root)
        if not _PLAYBOOK_NAME.fullmatch(path.name)
    ]


def modules_are_in_the_action_group(root: Path) -> list[str]:
    group = set(load(root / "meta/runtime.yml").get("action_groups", {}).get("titan", []))
    modules = set(plugins(root, "modules"))
    return [
        *(f"module {name} is not in the action group" for name in sorted(modules - group)),
        *(f"the action group names {name}, no module" for name in sorted(group - modules)),
    ]


def plugins_are_tested(root: Path) -> list[str]:
    """A module has a test file of its own; a test names all else, or what uses it."""
    tests = root / "tests/unit/plugins"
    modules = plugins(root, "modules")
    tested = [name for name in modules if (tests / f"modules/test_{name}.py").is_file()]
    problems = [
        f"module {name} has no tests/unit/plugins/modules/test_{name}.py"
        for name in modules
        if name not in tested
    ]
    sources = [*tests.rglob("*.py"), *(root / f"plugins/modules/{name}.py" for name in tested)]
    reached = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    untested = [
        root / f"plugins/{kind}/{name}.py"
        for kind in ("module_utils", *PLUGIN_KINDS[1:])
        for name in plugins(root, kind)
    ]
    while True:
        found = [path for path in untested if _names(reached, path.stem)]
        if not found:
            break
        untested = [path for path in untested if path not in found]
        reached = "\n".join(path.read_text(encoding="utf-8") for path in found)
    return problems + [f"{path.relative_to(root)} is reached by no test" for path in untested]


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<![A-Za-z0-9_]){re.escape(name)}\b", text) is not None


def tests_mirror_plugins(root: Path) -> list[str]:
    folders = {path.parent for path in (root / "tests/unit/plugins").rglob("test_*.py")}
    relative = sorted(folder.relative_to(root / "tests/unit") for folder in folders)
    return [
        f"tests/unit/{folder} mirrors nothing: there is no {folder}"
        for folder in relative
        if not (root / folder).is_dir()
    ]


def plugins_carry_the_license(root: Path) -> list[str]:
    return [
        f"{path.relative_to(root)} lacks the line SPDX-License-Identifier: GPL-3.0-or-later"
        for path in sorted((root / "plugins").rglob("*.py"))
        if "\n# SPDX-License-Identifier: GPL-3.0-or-later\n" not in path.read_text(encoding="utf-8")
    ]


def logic_knows_no_module(root: Path) -> list[str]:
    """What knows AnsibleModule stands in plugins/modules; the rest is plain Python."""
    problems = []
    for path in sorted((root / "plugins/module_utils").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "ansible.module_utils.basic":
                problems.append(f"{path.relative_to(root)}:{node.lineno} imports AnsibleModule")
    return problems


def tasks_avoid_shortcuts(root: Path) -> list[str]:
    """No ignored errors, no prompts, no shell: nothing that hides, hangs or quotes wrongly."""
    problems = []
    for path in yaml_files(root, "roles", "playbooks", "molecule"):
        text = path.read_text(encoding="utf-8")
        for found in _FORBIDDEN_KEY.finditer(text):
            line = text.count("\n", 0, found.start(1)) + 1
            problems.append(f"{path.relative_to(root)}:{line} uses {found[1]}")
    return problems


def commands_say_why(root: Path) -> list[str]:
    """In a role or a playbook a command has a comment, above its task or in it."""
    problems = []
    for path in yaml_files(root, "roles", "playbooks"):
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            if _COMMAND.match(line) and not _comment_above(lines, number):
                problems.append(f"{path.relative_to(root)}:{number + 1} does not say why a command")
    return problems


def _comment_above(lines: list[str], number: int) -> bool:
    for above in range(number - 1, -1, -1):
        if lines[above].lstrip().startswith("#"):
            return True
        if lines[above].lstrip().startswith("- name:"):
            return above > 0 and lines[above - 1].lstrip().startswith("#")
    return False


def links_are_complete(root: Path) -> list[str]:
    """Each top-level entry of the artifact has one link in the collection's folder."""
    ignored = load(root / "galaxy.yml")["build_ignore"]
    entries = {
        path.parts[0]
        for path in project_files(root)
        if not any(fnmatch.fnmatch(path.parts[0], pattern) for pattern in ignored)
    }
    folder = root / COLLECTION
    found = {path.name: path for path in folder.iterdir()}
    problems = [
        f"{COLLECTION}/{name} is missing: ln -s ../../../../{name} {COLLECTION}/"
        for name in sorted(entries - set(found))
    ]
    for name, path in sorted(found.items()):
        if not path.is_symlink() or path.readlink() != Path("../../../..") / name:
            problems.append(f"{COLLECTION}/{name} is not a link to ../../../../{name}")
        elif name not in entries:
            problems.append(f"{COLLECTION}/{name} links to what is not in the artifact")
    return problems


def links_make_no_loop(root: Path) -> list[str]:
    """A link to a folder above itself sends every walker of the tree round and round."""
    problems = []
    for path in project_files(root):
        link = root / path
        if link.is_symlink():
            target = (link.parent / link.readlink()).resolve()
            if not target.exists():
                problems.append(f"{path} links to nothing")
            elif target in link.parent.resolve().parents or target == link.parent.resolve():
                problems.append(f"{path} links to a folder that holds it")
    return problems


def nothing_leaks(root: Path) -> list[str]:
    """No file holds a path of one machine or a secret."""
    problems = []
    for path in project_files(root):
        file = root / path
        if file.is_symlink() or not file.is_file():
            continue
        text = file.read_text(encoding="utf-8", errors="ignore")
        for pattern, what in _LEAKS:
            found = pattern.search(text)
            if found:
                line = text.count("\n", 0, found.start()) + 1
                problems.append(f"{path}:{line} holds {what}")
        if path.name in ("vault.yml", "vault.yaml") and not text.startswith("$ANSIBLE_VAULT;"):
            problems.append(f"{path} is not encrypted: ansible-vault encrypt {path}")
        if path.parts[0] == "inventories" and path.suffix == ".yml":
            problems += [f"{path}: {name} is in clear text" for name in _clear_secrets(text)]
    return problems


def _clear_secrets(text: str) -> list[str]:
    if text.startswith("$ANSIBLE_VAULT;"):
        return []
    variables = yaml.load(text, Loader=_Loader)  # noqa: S506
    return [
        name
        for name, value in (variables.items() if isinstance(variables, dict) else ())
        if _SECRET_NAME.search(str(name))
        and value
        and not str(value).startswith(("{{", "$ANSIBLE_VAULT;"))
    ]


def version_is_in_the_changelog(root: Path) -> list[str]:
    version = str(load(root / "galaxy.yml")["version"])
    changelog = root / "changelogs/changelog.yaml"
    releases = load(changelog)["releases"] if changelog.is_file() else {}
    newest = max(releases, key=lambda name: [int(part) for part in name.split(".")], default=None)
    if newest != version:
        return [f"galaxy.yml says {version}, the newest release of the changelog is {newest}"]
    # The generator escapes punctuation.
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8").replace("\\", "")
    if f"## v{version}\n" not in text:
        return [f"CHANGELOG.md has no v{version}: run antsibull-changelog generate"]
    return []


def requirements_are_pinned(root: Path) -> list[str]:
    lines = (root / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return [
        f"requirements.txt:{number}: {line} is not an exact version"
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.startswith("#") and not _PIN.fullmatch(line.strip())
    ]


def documents_are_complete(documents: dict[str, Any], kind: str) -> list[str]:
    """What `ansible-doc --json` says: nothing failed, and a module tells how it can be tried."""
    problems = []
    for name, document in sorted(documents.items()):
        if "error" in document:
            problems.append(f"{kind} {name}: {document['error']}")
            continue
        if kind == "role":
            continue
        for section in ("doc", "examples", "return"):
            if not document.get(section):
                problems.append(f"{kind} {name} has no {section}")
        if kind == "module":
            attributes = (document.get("doc") or {}).get("attributes") or {}
            problems += [
                f"module {name} does not say whether it supports {attribute}"
                for attribute in ("check_mode", "diff_mode")
                if "support" not in attributes.get(attribute, {})
            ]
    return problems


RULES = (
    commands_say_why,
    defaults_are_specified,
    secrets_have_no_default,
    entry_points_are_specified,
    links_are_complete,
    links_make_no_loop,
    logic_knows_no_module,
    modules_are_in_the_action_group,
    nothing_leaks,
    playbooks_are_callable,
    plugins_are_tested,
    plugins_carry_the_license,
    requirements_are_pinned,
    roles_are_complete,
    scenarios_verify,
    tasks_avoid_shortcuts,
    tests_mirror_plugins,
    version_is_in_the_changelog,
)
