# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the inputs of a run."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.plugspace.titan.plugins.filter.input_problems import FilterModule
from ansible_collections.plugspace.titan.plugins.module_utils._inputs import problems


def test_what_is_there_and_right_is_no_problem() -> None:
    told = FilterModule().filters()["input_problems"]
    assert told({"user": "app", "wait": "5"}, ["user"], {"wait": 0, "other": 1}) == []


@pytest.mark.parametrize("given", [{}, {"titan_user": ""}, {"titan_user": None}])
def test_what_is_not_defined_is_named(given: dict[str, t.Any]) -> None:
    both = ["titan_user", "titan_home"]
    (told,) = problems(given, both)
    assert told.startswith("titan_user, titan_home are not defined for this host")
    assert problems({"titan_home": "/"}, both)[0].startswith("titan_user is not defined")


def test_what_was_not_said_is_asked_for() -> None:
    site, said = problems({}, ["titan_user", "service_down_service"])
    assert "titan_user is not defined" in site
    assert said == "service_down_service is not given: say -e service_down_service=..."


@pytest.mark.parametrize("value", ["abc", "", True, [1], {}, None, "nan", -1, "-0.5", 0.99])
def test_what_is_no_such_number_is_named_with_its_value(value: object) -> None:
    (told,) = problems({"wait": value}, least={"wait": 1})
    assert told.startswith("wait is ")
    assert "1 or more" in told
    assert "\n" not in told


@pytest.mark.parametrize("value", [1, 1.5, "1", "2.5", 10**9])
def test_numbers_are_numbers_as_text_too(value: object) -> None:
    assert problems({"wait": value}, least={"wait": 1}) == []


def test_an_input_that_nobody_knows_is_named_with_the_one_that_was_meant() -> None:
    known = ["redis_down_hosts", "redis_down_port"]
    said = ["redis_down_host", "redis_down_port", "redis_down_completely_different"]
    assert problems({}, said=said, known=known) == [
        "redis_down_host is not known (did you mean redis_down_hosts?)",
        "redis_down_completely_different is not known",
    ]


def test_what_ansible_says_of_a_type_is_told_once() -> None:
    errors = ["argument 'override' is of type str", "argument 'wait' is of type str"]
    told = problems({"wait": "x"}, least={"wait": 0}, type_errors=errors)
    assert told == ["wait is 'x'; it has to be a number that is 0 or more", errors[0]]
    assert problems({"wait": "x", "user": "app"}, ["user"], {"wait": 0}, type_errors=errors) == told
    # A number may be of the wrong kind.
    (told,) = problems({"wait": "1.5"}, least={"wait": 0}, type_errors=["wait is no int"])
    assert told == "wait is no int"


@pytest.mark.parametrize("told", ["{0}", "Task failed: argument_spec: {0}", "x: {0}. {0}"])
def test_what_another_variable_is_made_of_is_named_as_missing(told: str) -> None:
    error = told.format("'titan_probe' is undefined")
    (alone,) = problems({"titan_services": []}, ["titan_services"], type_errors=[error])
    assert alone.startswith("titan_probe is not defined for this host: describe the site")
    (both,) = problems({}, ["titan_user"], type_errors=[error])
    assert both.startswith("titan_user, titan_probe are not defined for this host")
    # What is asked for by name is missing once.
    (once,) = problems({}, ["titan_probe"], type_errors=[error])
    assert once.startswith("titan_probe is not defined")
