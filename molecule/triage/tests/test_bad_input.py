"""Wrong inputs, or a Prometheus that is no help: one clear sentence, and nothing is touched."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from support.incidents import Cases, Seen, all_begun, refused


class Prometheus(http.server.ThreadingHTTPServer):
    """Answers /CODE/KIND with that code and a body, or keeps whoever asks waiting."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.over = threading.Event()


class Answers(http.server.BaseHTTPRequestHandler):
    server: Prometheus

    def do_GET(self) -> None:
        _empty, code, kind, *_path = self.path.split("/")
        if kind == "silent":
            self.server.over.wait()
            return
        self.send_response(int(code))
        self.send_header("Content-Type", "text/html" if kind == "html" else "application/json")
        self.end_headers()
        if kind == "drips":
            self._drip()
            return
        bodies = {"html": "<html>Bad gateway</html>", "list": "[1]", "shape": '{"data": {}}'}
        self.wfile.write(bodies[kind].encode())

    def _drip(self) -> None:
        with contextlib.suppress(OSError):
            while not self.server.over.wait(0.5):
                self.wfile.write(b" ")

    def log_request(self, *told: Any) -> None:
        """Says nothing."""


CASES: Cases = {
    "nobody listens": ({"prometheus_url": "http://127.0.0.1:1"}, "Connection refused"),
    "no address": ({"prometheus_url": ""}, "titan_prometheus_url is not set"),
    "who asks is not there": (
        {"prometheus_from": "nobody.invalid"},
        "nobody.invalid cannot be reached. Nothing was touched. Give the alert by hand",
    ),
    "it never answers": (
        {"answer": "200/silent", "timeout": 2},
        "gave no list of alerts: Status code was -1 and not [200]: Connection failure: timed out",
    ),
    "it answers a byte at a time": (
        {"answer": "200/drips", "timeout": 2},
        "gave no list of alerts: it had not answered in full after 14 s. Nothing was touched",
    ),
    "HTML": ({"answer": "200/html"}, "is no JSON"),
    "an error": ({"answer": "502/html"}, "Status code was 502"),
    "a list of numbers": ({"answer": "200/list"}, "an alert has no alertname"),
    "another shape": ({"answer": "200/shape"}, "an alert has no alertname"),
    "an alert that is no JSON": ({"alert": "RedisDown"}, "'RedisDown' is no JSON"),
    "an alert that is empty": (
        {"alert": ""},
        "What was given as triage_alert is no list of alerts: it is empty. Nothing was touched",
    ),
    "a misspelt option": (
        {"promethus_url": "http://127.0.0.1:1"},
        "triage_promethus_url is not known (did you mean triage_prometheus_url?)."
        " Nothing was touched",
    ),
    "an alert without a name": (
        {"alert": {"severity": "high"}},
        "What was given as triage_alert is no list of alerts: an alert has no alertname",
    ),
    "run is a word": ({"run": "later", "alert": json.dumps([])}, "triage_run"),
    "the time is text": ({"timeout": "long", "alert": json.dumps([])}, "triage_timeout"),
}


def answered(place: str, answer: str = "", **inputs: Any) -> dict[str, Any]:
    """The inputs, with the address where that answer is given."""
    return {**inputs, "prometheus_url": f"{place}/{answer}"} if answer else inputs


@pytest.fixture(scope="module")
def runs() -> Iterator[dict[str, Future[Seen]]]:
    with Prometheus() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = f"http://127.0.0.1:{server.server_address[1]}"
        cases = {
            case: (answered(place, **inputs), sentence)
            for case, (inputs, sentence) in CASES.items()
        }
        # So that whatever it wrongly took for an alert would be acted on.
        with all_begun("triage", cases, prometheus_from="localhost", run=True) as started:
            yield started
        server.over.set()
        server.shutdown()


@pytest.mark.parametrize("case", CASES)
def test_bad_input(case: str, runs: dict[str, Future[Seen]]) -> None:
    _inputs, sentence = CASES[case]
    refused(runs[case], sentence)
