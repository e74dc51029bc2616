"""The page docs/procedures.md has a task for each line of the runbook, and each rung its line."""

from __future__ import annotations

import re
from typing import Any

import pytest
import runbook
import yaml
from procedures_page import (
    FILES,
    PAGE,
    ROOT,
    SECTIONS,
    Section,
    Task,
    ladder,
    links,
    procedures_of,
    variables,
)

from ansible_collections.plugspace.titan.plugins.module_utils._evidence import PARTS

LOOK = Task("look | Take the evidence on the host", "look")
each_section = pytest.mark.parametrize("about", SECTIONS, ids=lambda one: one.playbooks[0])


def tasks(path: str) -> dict[str, dict[str, Any]]:
    """The tasks of a file by their names, those in blocks too."""
    found: dict[str, dict[str, Any]] = {}
    left = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
    while left:
        task = left.pop()
        found[task["name"]] = task
        left += [one for part in ("block", "rescue", "always") for one in task.get(part, ())]
    return found


def test_the_page_has_each_playbook_of_the_runbook() -> None:
    named = {playbook for about in SECTIONS for playbook in about.playbooks}
    # The way back of high_cpu, of which the runbook says nothing.
    assert named == {*runbook.LINES, "scale_back"}


@each_section
def test_a_section_has_each_line_of_the_runbook(about: Section) -> None:
    said = {line for playbook in about.playbooks for line in runbook.LINES.get(playbook, ())}
    assert {line for row in about.rows for line in row.lines} == said


@each_section
def test_each_line_names_its_tasks(about: Section) -> None:
    for row in about.rows:
        assert re.fullmatch(r"\[[^]]+\]\[\w+\](, \[[^]]+\]\[\w+\])*", row.task), row


def test_each_task_that_the_page_names_is_in_its_file() -> None:
    named = links(PAGE.replace(r"\|", "|"))
    assert {task.label for task in named} == set(FILES)
    known = {label: tasks(path) for label, path in FILES.items()}
    assert [task for task in named if task.name not in known[task.label]] == []


@each_section
def test_a_section_has_the_rungs_of_its_ladders(about: Section) -> None:
    shared = variables("common")["__common_own_rungs"]
    rungs = {
        f"roles/{'common' if rung['name'] in shared else role}/tasks/rung_{rung['name']}.yml"
        for role in procedures_of(about)
        for rung in ladder(role)
    }
    named = {FILES[task.label] for row in about.rows for task in row.tasks}
    assert {path for path in named if "/rung_" in path} == rungs


@each_section
def test_what_a_section_says_of_the_evidence_is_looked_at(about: Section) -> None:
    looks = [
        str(value)
        for role in procedures_of(about)
        for name, value in variables(role).items()
        if name.startswith(f"__{role}_look")
    ]
    for row in about.rows:
        assert (LOOK in row.tasks) == bool(row.parts), row
        assert row.parts <= set(PARTS), row
        for part in row.parts if looks else ():
            assert re.search(rf"\b{part}\b", " ".join(looks)), row
