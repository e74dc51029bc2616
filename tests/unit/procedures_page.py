"""The page docs/procedures.md, taken apart; and the ladders of the roles that it is about."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/procedures.md").read_text(encoding="utf-8")
# The files that the page links to, by the labels of the links.
FILES: dict[str, str] = dict(re.findall(r"^\[(\w+)\]: \.\./(\S+)$", PAGE, re.MULTILINE))


class Task(NamedTuple):
    """A task that the page names: its name, and the label of the file that it is in."""

    name: str
    label: str


class Row(NamedTuple):
    """A row of a table: the cells, with the pipes as the reader sees them."""

    runbook: str
    here: str
    task: str

    @property
    def lines(self) -> set[str]:
        """The lines of the runbook that it is about; none where it is in parentheses."""
        if self.runbook.startswith("("):
            return set()
        return set(re.findall(r"`([^`]+)`", self.runbook)) or {self.runbook}

    @property
    def tasks(self) -> list[Task]:
        return links(self.task)

    @property
    def parts(self) -> set[str]:
        """The parts of the evidence that it names."""
        named = re.findall(r"\bparts? `(\w+)`(?: \([^)]*\))?(?: and `(\w+)`)?", self.here)
        return {part for parts in named for part in parts if part}


class Section(NamedTuple):
    """A section: its playbooks without the ending, its text, its table."""

    playbooks: list[str]
    text: str
    rows: list[Row]

    def fact(self, name: str) -> str:
        """What the line of the list that begins with a name says."""
        (found,) = re.findall(rf"^- {name}\b(.*)$", self.text, re.MULTILINE)
        return str(found)


def links(text: str) -> list[Task]:
    """The tasks that a text links to."""
    return [Task(*found) for found in re.findall(r"\[([^]]+)\]\[(\w+)\]", text)]


def _section(text: str) -> Section:
    heading, _, rest = text.partition("\n")
    rows = [_row(line) for line in rest.splitlines() if line.startswith("| ")]
    # The first one names the columns.
    return Section(re.findall(r"`playbooks/(\w+)\.yml`", heading), text, rows[1:])


def _row(line: str) -> Row:
    # A pipe that belongs to a cell has a backslash in front; one that stood there stays.
    cells = [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    return Row(*cells)


SECTIONS = [_section(text) for text in PAGE.split("\n## ")[1:]]


def section(playbook: str) -> Section:
    """The section about a playbook, by its name without the ending."""
    (found,) = [one for one in SECTIONS if playbook in one.playbooks]
    return found


def procedures_of(about: Section) -> list[str]:
    """The roles of a section's playbooks that have a ladder, each once."""
    return sorted({role for playbook in about.playbooks for role in _roles(playbook)} & _LADDERS)


def _roles(playbook: str) -> list[str]:
    """The roles of a playbook, or of the one that it imports."""
    plays = yaml.safe_load((ROOT / f"playbooks/{playbook}.yml").read_text(encoding="utf-8"))
    imported = plays[0].get("ansible.builtin.import_playbook", "")
    if imported:
        return _roles(imported.removesuffix(".yml"))
    return [one["role"].rpartition(".")[2] for play in plays for one in play.get("roles", ())]


def variables(role: str) -> dict[str, Any]:
    """What a role's vars/main.yml states."""
    text = (ROOT / f"roles/{role}/vars/main.yml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def ladder(role: str) -> list[dict[str, Any]]:
    """The rungs of a role that has some."""
    return list(variables(role)[f"__{role}_rungs"])


_LADDERS = {
    path.parts[-3]
    for path in ROOT.glob("roles/*/vars/main.yml")
    if f"__{path.parts[-3]}_rungs" in variables(path.parts[-3])
}
