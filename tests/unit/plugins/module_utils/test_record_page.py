# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a record: complete, harmless, and the same without a network."""

from __future__ import annotations

import base64
import hashlib
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from typing import Any

import pytest
from record_samples import escalated, record, result

from ansible_collections.plugspace.titan.plugins.module_utils._record_markup import (
    escape,
    join,
    tag,
)
from ansible_collections.plugspace.titan.plugins.module_utils._record_page import page
from ansible_collections.plugspace.titan.plugins.module_utils._record_style import STYLE
from ansible_collections.plugspace.titan.plugins.module_utils._record_timeline import (
    MAX_LANES,
    STATES,
    timeline,
)
from ansible_collections.plugspace.titan.plugins.module_utils._seen import Seen

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\x00\u202e"


class Elements(HTMLParser):
    """What a browser would find."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.names.append(name)
        self.attributes += attributes

    def handle_data(self, data: str) -> None:
        self.text += data


def evil(value: Any) -> Any:
    """The same structure with every text replaced, but for what decides its shape."""
    if isinstance(value, dict):
        keep = ("outcome", "status", "state", "began")
        return {key: value[key] if key in keep else evil(value[key]) for key in value}
    if isinstance(value, list):
        return [evil(one) for one in value]
    return EVIL if isinstance(value, str) else value


def test_nothing_in_a_record_becomes_an_element() -> None:
    full = record(
        escalated(result(advice="x", outcome="unhealed"), "post"),
        failures=[{"host": "x", "task": "x", "message": "x", "at": 1}],
        notes=["x"],
    )
    poisoned = evil(full)
    poisoned["timeline"] = {EVIL: evil(full["timeline"]["titan1"])}
    poisoned["hosts"] = {EVIL: {"ok": 1}}
    poisoned["results"][0]["before"] = {EVIL: EVIL}
    poisoned["inputs"] = {EVIL: [EVIL]}
    shown = Elements(page(poisoned))
    assert set(shown.names) == set(Elements(page(full)).names)
    assert not {"script", "img", "iframe", "link", "a"} & set(shown.names)
    assert not [name for name, _value in shown.attributes if name.startswith("on")]
    assert "alert(1)" in shown.text
    assert "\x00" not in shown.text
    assert "\u202e" not in shown.text


def test_the_page_needs_nothing_else() -> None:
    text = page(record(result()))
    assert "http:" not in text
    assert "https:" not in text
    assert "url(" not in text
    assert not [n for n, _v in Elements(text).attributes if n in ("src", "href", "style")]
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy
    style = re.search(r"<style>(.*?)</style>", text, re.S)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy[1]
    assert policy[1].startswith("default-src 'none'; ")
    assert "script-src" not in policy[1]


def test_the_page_tells_everything() -> None:
    text = Elements(page(record(result(advice="Free port 4000."), by="ann"))).text
    for told in (
        "It was down. It is up.",
        "plugspace-api on titan1",
        "port 4000 is held by nginx",
        "did not help",
        "timed out",
        "no connection",
        "200 in 4 ms",
        "What a person must do",
        "Free port 4000.",
        "Time to recovery",
        "6.2 s",
        "ann on bastion",
        '"service_down_service": "plugspace-api"',
        "2026-11-24 03:15:00 UTC",
        "20261124T031500Z-service_down-4f1a2b",
    ):
        assert told in text, told


def test_the_page_tells_who_is_called_by_which_way_and_who_comes_next() -> None:
    text = Elements(page(record(escalated(result(outcome="unhealed"), "post")))).text
    assert text.index("Who was called") < text.index(
        "Call On-call (phone: +1 555 0100), to answer by 2026-11-24 03:30 UTC."
    )
    assert "Told by pd; not by post (no route)." in text
    for told in ("On-call is called", "2026-11-24 03:15 UTC", "CTO", "2026-11-24 03:45 UTC"):
        assert told in text, told
    # The message says all of it once more.
    assert "All that was told" in text
    # Who calls needs it most where no message goes out.
    alone = Elements(page(record(escalated(result(outcome="unhealed"), channels=[])))).text
    assert "On-call is called" in alone
    assert "Told nobody by this run: no message was sent." in alone


def rows_of(text: str, title: str) -> list[list[str]]:
    """The cells of the table under a title, row by row."""
    (table,) = re.findall(rf"<h3>{title}</h3>.*?<tbody>(.*?)</tbody>", text, re.S)
    return [
        [Elements(cell).text for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.S)]
        for row in re.findall(r"<tr>(.*?)</tr>", table, re.S)
    ]


def test_the_controller_is_no_host_of_a_run_that_is_for_others() -> None:
    lanes = dict.fromkeys(("localhost", "titan1", "titan2"), record()["timeline"]["titan1"])
    assert "Hoststitan1, titan2Started" in Elements(page(record(result(), timeline=lanes))).text


def test_each_rung_has_its_own_before_and_after() -> None:
    # The target, the error and what is still found stand in columns of their own.
    reload, restart = rows_of(page(record(result())), "What was done")
    assert reload[-2:] == ["PM2: - → 0 of 2", "port_taken"]
    assert restart[-2:] == ["answer: no connection → 200 in 4 msPM2: 0 of 2 → 2 of 2", ""]


def test_a_rung_that_changed_nothing_says_so_and_one_that_nobody_looked_after_says_nothing() -> (
    None
):
    first, second = result()["rungs"]
    same = {**first, "after": first["before"]}
    lost = {**second, "helped": False, "after": {}}
    text = page(record(result(rungs=[same, lost], outcome="unreachable")))
    told = [row[-2] for row in rows_of(text, "What was done")]
    assert told == ["all as before", ""]


def test_what_was_found_in_the_end_is_told_where_something_was_tried() -> None:
    disk = {"cause": "disk_full", "evidence": "no space is left on /", "advice": "free space"}
    ill = result(outcome="unhealed", left=[disk])
    (row,) = rows_of(page(record(ill)), "What was found in the end")
    assert row == ["disk_full", "no space is left on /", "free space"]
    for alike in (result(), {**ill, "rungs": []}, {**ill, "outcome": "planned"}):
        assert "What was found in the end" not in page(record(alike))


@pytest.mark.parametrize(("outcome", "shown"), [("well", False), ("refused", True)])
def test_that_nobody_was_called_is_told_where_somebody_would_be_missed(
    outcome: str, shown: bool
) -> None:
    asks_nobody = escalated(result(outcome=outcome, escalation={"page": False}))
    text = Elements(page(record(asks_nobody))).text
    assert ("Who was called" in text) is shown
    assert ("the procedure asks for nobody" in text) is shown


def test_a_plan_does_not_look_like_a_deed() -> None:
    text = Elements(page(record(result(outcome="planned"), check=True))).text
    assert "What would be done" in text
    assert "did not help" not in text
    assert "check mode: nothing was changed" in text


@pytest.mark.parametrize(
    "odd",
    [{}, {"results": [{"outcome": 5}, "x"], "timeline": {"a": "b"}, "inputs": "x"}],
)
def test_half_a_record_has_a_page(odd: dict[str, Any]) -> None:
    assert page(odd).startswith("<!DOCTYPE html>")


def picture(**changes: Any) -> ElementTree.Element:
    return ElementTree.fromstring(timeline(Seen(record(result(), **changes))))  # noqa: S314


def test_the_picture_has_a_title_and_a_bar_for_each_span() -> None:
    drawn = picture()
    assert drawn.get("role") == "img"
    told = {one.get("id"): one.text for one in drawn}
    assert told["timeline-title"] == "Timeline of service_down: 1 host, 9.0 s"
    assert told["timeline-desc"] == "titan1: observe ok, act changed"
    bars = drawn.findall(".//rect")
    assert [bar.get("class") for bar in bars] == ["bar ok", "bar changed"]
    first, second = (float(bar.get("x") or 0) for bar in bars)
    assert 150 < first < second < 960
    (back,) = drawn.findall(".//circle/title")
    assert back.text == "plugspace-api is well again after 7.2 s"


def test_states_that_meet_in_a_picture_differ_in_colour() -> None:
    # Nothing is at work any more where something was cut off.
    states = [word for word in STATES if word != "at_work"]
    for place, paint in ((r"svg \.bar", "fill"), (r"\.legend i", "background")):
        colours = {}
        for word in states:
            found = re.search(rf"{place}\.{word}\b[^{{}}]*{{ {paint}: (var\([a-z-]+\))", STYLE)
            # What was only looked at has the colour that a mark of the legend begins with.
            colours[word] = found[1] if found else "var(--calm)"
        assert len(set(colours.values())) == len(states), colours


def test_bars_stay_inside_of_the_picture() -> None:
    for seconds in (0.001, 9, 5000, 10**6):
        spans = [{"phase": "act", "began": 0, "seconds": seconds, "state": "ok", "tasks": 1}]
        drawn = picture(seconds=seconds, timeline={"titan1": spans})
        (bar,) = drawn.findall(".//rect")
        assert float(bar.get("x") or 0) + float(bar.get("width") or 0) <= 940
        assert len(drawn.findall("text")) <= 10


def test_without_a_task_there_is_no_picture() -> None:
    assert timeline(Seen(record(timeline={}))) == ""
    assert "Timeline" not in page(record(timeline={}))


def test_of_many_hosts_those_in_trouble_are_drawn() -> None:
    span = [{"phase": "act", "began": 0, "seconds": 1, "state": "ok", "tasks": 1}]
    hosts = {f"web{number}": span for number in range(100)}
    failures = [{"host": "web99", "task": "x", "message": "x", "at": 1}]
    text = page(record(timeline=hosts, failures=failures))
    drawn = ElementTree.fromstring(  # noqa: S314
        timeline(Seen(record(timeline=hosts, failures=failures)))
    )
    names = [group.findtext("title") for group in drawn.findall("g")]
    assert (len(names), names[0]) == (MAX_LANES, "web99")
    assert f"The first {MAX_LANES} of 100 hosts" in text


def test_a_host_is_in_trouble_by_its_result_too() -> None:
    span = [{"phase": "act", "began": 0, "seconds": 90, "state": "ok", "tasks": 1}]
    hosts = {f"web{number}": span for number in range(100)}
    results = [result(host="web0", outcome="well"), result(host="web99", outcome="unhealed")]
    drawn = ElementTree.fromstring(timeline(Seen(record(*results, timeline=hosts))))  # noqa: S314
    assert drawn.find("g/title").text == "web99"  # type: ignore[union-attr]
    told = [one.text for one in drawn.findall("text")]
    assert told == ["0 s", "15 s", "30 s", "45 s", "1:00 min", "1:15 min", "1:30 min"]
    assert {one.text for one in drawn.findall("g/g/text")} == {"act"}


@pytest.mark.parametrize("began", ["", "yesterday", "2026-11-24T03:15:01", "1999-01-01T00:00:00Z"])
def test_a_result_of_any_time_is_drawn(began: str) -> None:
    drawn = ElementTree.fromstring(timeline(Seen(record(result(began=began)))))  # noqa: S314
    assert len(drawn.findall(".//circle")) == (1 if began.endswith(":01") else 0)


def test_text_is_escaped_and_markup_is_not() -> None:
    assert escape("a<b>&'\"") == "a&lt;b&gt;&amp;&#x27;&quot;"
    assert tag("p", "<", tag("b", ">"), class_="x", id=None) == '<p class="x">&lt;<b>&gt;</b></p>'
    assert join("<", tag("rect", x=1)) == '&lt;<rect x="1"/>'
    assert escape("a\ud800\u200b") == "a\ufffd\ufffd"
