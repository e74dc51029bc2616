"""A release that only the site shows to be bad: all workers are replaced, there and back."""

from __future__ import annotations

from support import application
from support.deployment import NOT_KEPT, assert_live, deploy, told
from support.hosts import inventory

# Shorter than the site's own, which is for slow starts.
WITHIN = 6


def test_release_that_fails_behind_the_proxy_is_taken_back() -> None:
    before = {one["pid"] for one in application.processes("titan1")}
    probe = {**inventory()["titan1"]["titan_public_probe"], "within": WITHIN}
    run = deploy("failing-site", titan_public_probe=probe)
    sentence, _lines = told(run, NOT_KEPT, "titan1")
    other = application.commits()["v10"]
    assert f"site: GET https://plugspace.test/api/health answered commit={other}" in sentence
    assert "titan1 is back on release" in sentence
    assert "Not touched: titan2, titan3." in sentence
    assert_live("v10")
    # It had been let in everywhere, so nothing that ran before runs now.
    assert not before & {one["pid"] for one in application.processes("titan1")}
