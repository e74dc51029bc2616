"""Records of real runs: how they end, how they are listed, and how they look in a browser."""

from __future__ import annotations

import json
import re
import signal
import stat
import struct
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from support.playbooks import Run, kill, play, start, wait_for

FIXTURE = "../molecule/records/fixture"
EVIL = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
SECRET = "hunter2-is-long"


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the records of one test go."""
    folder = tmp_path / "records"
    monkeypatch.setenv("TITAN_RECORD_DIRECTORY", str(folder))
    return folder


def heal(*arguments: str, **variables: Any) -> Run:
    return play(FIXTURE, *arguments, **variables)


def written(directory: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(directory.glob("*.json"))]


def shown(**variables: str) -> str:
    run = play("records", **variables)
    assert (run.code, run.changed) == (0, 0), run.output
    return str(run.result("Show the records", "localhost")["msg"])


def browse(page: Path, *arguments: str) -> str:
    """Open the page in Chromium, without a network."""
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu"]
    command += ["--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND"]
    command += [f"--user-data-dir={page.parent.parent / 'browser'}", "--hide-scrollbars"]
    done = subprocess.run(
        [*command, *arguments, page.as_uri()],
        capture_output=True,
        text=True,
        timeout=90,
        check=True,
    )
    return done.stdout


def test_a_run_that_heals(directory: Path) -> None:
    run = heal(fixture_password=SECRET)
    assert run.code == 0, run.output
    (record,) = written(directory)
    assert (record["status"], record["outcome"]) == ("finished", "healed")
    assert sorted(one["outcome"] for one in record["results"]) == ["healed", "well"]
    assert set(record["timeline"]) == {"titan1", "titan2"}
    (page,) = directory.glob("*.html")
    for line in (
        "plugspace-api on titan1: healed",
        "  cause:     port_taken: port 4000 is held by nginx ********",
        "  done:      reload did not help (1.4 s: it got no connection), restart 2 helped (2.2 s)",
        "  recovered: in 0.3 s",
        f"record: {page}",
    ):
        assert line in run.output
    for path in directory.iterdir():
        assert SECRET not in path.read_text()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_a_run_that_fails(directory: Path) -> None:
    run = heal(fixture_outcome="unhealed")
    assert run.code != 0
    (record,) = written(directory)
    assert (record["status"], record["outcome"]) == ("failed", "unhealed")
    assert record["failures"][0]["message"] == "A person is needed."
    assert "  next:      Stop nginx on port 4000, then run this again." in run.output
    assert re.search(
        r"^  call:      On-call \(phone: \+1 555 0100, mail: oncall@example\.net\),"
        r" to answer by 20..-..-.. ..:.. UTC$",
        run.output,
        re.M,
    )
    assert "  told:      by webhook; not by mail (no route to host)" in run.output


def test_a_plan(directory: Path) -> None:
    run = heal("--check", verbosity=3)
    assert run.code == 0, run.output
    (record,) = written(directory)
    assert (record["check"], record["outcome"]) == (True, "planned")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_a_run_that_is_cut_off(directory: Path, tmp_path: Path, name: str) -> None:
    log = tmp_path / "log"
    process = start(FIXTURE, log, fixture_seconds=60)
    wait_for(
        process,
        log,
        "Act | Restart",
        lambda: any(one["task"].startswith("Act") for one in written(directory)),
    )
    if name == "SIGKILL":
        kill(process)
    else:
        process.send_signal(signal.Signals[name])
        process.wait(timeout=60)
    (record,) = written(directory)
    expected = ("running", "") if name == "SIGKILL" else ("interrupted", name)
    assert (record["status"], record["signal"]) == expected
    assert "'Act | Restart the service'" in record["summary"]
    told = "killed" if name == "SIGKILL" else "interrupted"
    assert re.search(rf" service_down +{told} ", shown())
    if name != "SIGKILL":
        assert f"record: {next(directory.glob('*.html'))}" in log.read_text()


def test_two_runs_at_once(directory: Path, tmp_path: Path) -> None:
    processes = [start(FIXTURE, tmp_path / str(number)) for number in range(2)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    records = written(directory)
    assert [one["status"] for one in records] == ["finished"] * 2
    assert len({one["id"] for one in records}) == 2


def test_the_list(directory: Path) -> None:
    # Nobody has written to the directory yet.
    assert shown() == "no record"
    heal()
    # Two of one second have no order.
    time.sleep(1)
    heal(fixture_outcome="unhealed")
    (directory / "20200101T000000Z-x-aaaaaa.json").write_text("{")
    lines = shown().splitlines()
    assert [line.split()[2] for line in lines[1:3]] == ["unhealed", "healed"]
    assert lines[3].endswith("aaaaaa.json is damaged: it holds no JSON")
    assert len(shown(records_last="1").splitlines()) == 2
    assert "unhealed" not in shown(records_outcome="healed")
    none = f"no record of titan9 among 2 records in {directory}\n"
    assert shown(records_host="titan9").startswith(none)
    # The procedures of that service run under the general name as well.
    assert len(shown(records_procedure="api_down").splitlines()) == 4
    assert shown(records_procedure="voice_down").startswith("no record of voice_down among 2")
    # A site may have a procedure of its own.
    own = json.loads(next(directory.glob("*service_down*.json")).read_text())
    own.update(procedure="disk_full", results=[])
    written_by_the_site = directory / "20210101T000000Z-disk_full-aaaaaa.json"
    written_by_the_site.write_text(json.dumps(own))
    assert " disk_full " in shown(records_procedure="disk_full")
    written_by_the_site.unlink()
    told = json.loads(shown(records_format="json", records_procedure="service_down"))
    assert [one["state"] for one in told] == ["unhealed", "healed", ""]
    # To look leaves no record.
    assert len(list(directory.glob("*.json"))) == 3


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"records_outcome": "great"}, "records_outcome is 'great', which no run has; there are"),
        ({"records_procedure": "apidown"}, "'apidown', which is no procedure, and no record"),
        ({"records_directory": "/nope"}, "records_directory is '/nope', and there is no such"),
        ({"records_hosts": "titan1"}, "for the runs on a host say -e records_host=titan1"),
        ({"records_hots": "titan1"}, "records_hots is not known (did you mean records_hosts?)"),
        ({"records_last": "two"}, "records_last is 'two'; it has to be a number"),
        ({"records_format": "xml"}, "records_format must be one of: table, json, got: xml"),
    ],
)
def test_a_wrong_question_is_refused_in_a_sentence(wrong: dict[str, str], said: str) -> None:
    run = play("records", **wrong)
    assert run.code != 0
    assert said in run.failure
    assert len(run.failure.splitlines()) == 1
    assert "argument_spec_data" not in run.output


def test_the_page_in_a_browser(directory: Path, tmp_path: Path) -> None:
    heal(fixture_evidence=EVIL, fixture_outcome="unhealed")
    (page,) = directory.glob("*.html")
    content = browse(page, "--dump-dom")
    (record,) = written(directory)
    assert record["summary"].startswith("plugspace-api on titan1 is still ill after reload")
    assert "plugspace-api on titan1 is still ill after reload" in content
    assert "Stop nginx on port 4000" in content
    assert "Team Lead" in content
    assert "all as before" in content
    assert "What was found in the end" in content
    # What stood in the evidence is text there, and was never run.
    assert "&lt;script&gt;document.title='owned'" in content
    assert "<title>owned" not in content
    assert not re.search(r"<(script|img)\b", content)
    for name, size in (("desk", "1100,1800"), ("phone", "500,2400")):
        picture = tmp_path / f"{name}.png"
        browse(page, f"--screenshot={picture}", f"--window-size={size}")
        data = picture.read_bytes()
        assert data[:8] == b"\x89PNG\r\n\x1a\n"
        assert ",".join(map(str, struct.unpack(">II", data[16:24]))) == size
        # An empty page of this size is a few kilobytes.
        assert len(data) > 40_000
