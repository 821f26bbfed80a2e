"""The log of requests: all of them, soon, and together where they come together."""

from __future__ import annotations

import io
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator

import falcon
import pytest
from falcon.testing import create_environ

from drydock.api.middleware import Answered, RequestLog
from drydock.log import FieldFormatter, JsonLines, LineHandler
from drydock.metrics import ApiMetrics
from tests.eventually import eventually

KEY = "0123456789abcdef" * 4


class Lines(logging.Handler):
    """A handler of somebody else on the root logger."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self.threads: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        self.threads.add(threading.current_thread().name)

    def fields(self, name: str) -> list[object]:
        return [record.__dict__[name] for record in self.records]


@pytest.fixture
def log() -> Iterator[Lines]:
    lines, own, root = Lines(), logging.getLogger("drydock.api.request"), logging.getLogger()
    root.addHandler(lines)
    own.setLevel(logging.INFO)
    yield lines
    root.removeHandler(lines)
    own.setLevel(logging.NOTSET)


def answer(requests: RequestLog, path: str = "/x", *, waited: bool = False, **environ: str) -> falcon.Response:
    req = falcon.Request(create_environ(path, headers={"X-Bootaction-Key": KEY}) | environ)
    resp = falcon.Response()
    requests.process_request(req, resp)
    req.context.waited = waited
    requests.process_response(req, resp, None, True)
    return resp


def counted(metrics: ApiMetrics, name: str) -> float:
    return sum(
        sample.value for metric in metrics.registry.collect() for sample in metric.samples if sample.name == name
    )


def test_one_that_comes_alone_is_logged_at_once(log: Lines) -> None:
    requests = RequestLog(ApiMetrics())
    resp = answer(requests)
    assert log.fields("request_id") == [resp.get_header("x-drydock-req")]
    assert log.threads == {threading.current_thread().name}


def test_those_that_come_together_are_logged_soon(log: Lines) -> None:
    metrics = ApiMetrics()
    requests = RequestLog(metrics)
    for number in range(100):
        answer(requests, f"/{number}", waited=number % 2 == 0)
    eventually(lambda: len(log.records), lambda count: count == 100)
    assert log.fields("path") == [f"/{number}" for number in range(100)]
    assert counted(metrics, "drydock_http_requests_total") == 100
    assert counted(metrics, "drydock_http_request_seconds_count") == 50


def test_the_number_of_those_that_wait_is_bounded(log: Lines) -> None:
    scheduled: list[Callable[[], None]] = []
    requests = RequestLog(ApiMetrics(), pause=3600, at_most=5, later=lambda _, write: scheduled.append(write))
    answer(requests)
    for _ in range(5):
        answer(requests)
    assert (len(scheduled), len(log.records)) == (1, 1)
    answer(requests)
    assert (len(scheduled), len(log.records)) == (1, 7)


def test_requests_of_all_threads_are_logged(log: Lines) -> None:
    metrics = ApiMetrics()
    requests = RequestLog(metrics)
    threads = [threading.Thread(target=lambda: [answer(requests) for _ in range(200)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    eventually(lambda: len(log.records), lambda count: count == 1600)
    assert counted(metrics, "drydock_http_requests_total") == 1600


CONFIRMED = {
    "HTTP_X_IDENTITY_STATUS": "Confirmed",
    "HTTP_X_USER_NAME": "ann b",
    "HTTP_X_END_USER": "carl",
    "HTTP_X_CONTEXT_MARKER": "11111111-1111-4111-8111-111111111111",
    "REMOTE_ADDR": "192.0.2.1",
    "QUERY_STRING": f"key={KEY}",
}


def written(formatter: logging.Formatter) -> str:
    """What our handler makes of two requests that come together, the second with a path of odd characters."""
    stream = io.StringIO()
    handler, logger = LineHandler(stream), logging.getLogger("drydock.api.request")
    handler.setFormatter(formatter)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    scheduled: list[Callable[[], None]] = []
    requests = RequestLog(ApiMetrics(), pause=3600, later=lambda _, write: scheduled.append(write))
    try:
        answer(requests)
        answer(requests, "/api/v1.0/tasks", waited=False, **CONFIRMED)
        answer(requests, "/x", PATH_INFO=f"/a\nb\x85/events/{KEY}")
        scheduled[0]()
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
    return stream.getvalue()


def test_a_line_of_text_is_as_it_always_was() -> None:
    _, line, odd = written(FieldFormatter()).splitlines()
    before, _, after = line.partition(" INFO drydock.api.request request request_id=")
    assert len(before) == len("2026-01-01T00:00:00.000Z")
    assert after[36:] == (
        " method=GET path=/api/v1.0/tasks status=200 seconds=0.000 remote=192.0.2.1"
        ' user="ann b" end_user=carl marker=11111111-1111-4111-8111-111111111111'
    )
    assert r'path="/a\nb\u0085/events/***"' in odd


def test_a_line_of_json_has_the_same_fields() -> None:
    text = written(JsonLines())
    assert KEY not in text
    _, line, odd = (json.loads(line) for line in text.split("\n")[:-1])
    assert list(line) == [
        *("time", "level", "logger", "message", "request_id", "method", "path", "status", "seconds", "remote"),
        *("user", "end_user", "marker"),
    ]
    assert (line["message"], line["method"], line["path"], line["status"]) == ("request", "GET", "/api/v1.0/tasks", 200)
    assert isinstance(line["seconds"], float)
    assert odd["path"] == "/a\nb\x85/events/***"
    assert "user" not in odd


class Numbered(logging.LogRecord):
    """As a program of ours may have its records."""


def test_records_are_of_the_programs_class_and_of_the_moment_of_the_answer(log: Lines) -> None:
    requests = RequestLog(ApiMetrics(), later=lambda seconds, write: write())
    usual = logging.getLogRecordFactory()
    logging.setLogRecordFactory(Numbered)
    try:
        for at in (1000.25, 1001.5):
            requests.add(Answered(at, 0.0, 200, f"id-{at}", "/x", create_environ("/x")))
    finally:
        logging.setLogRecordFactory(usual)
    shown = logging.Formatter("%(asctime)s", style="%")
    shown.converter = time.gmtime
    assert [shown.format(record) for record in log.records] == ["1970-01-01 00:16:40,250", "1970-01-01 00:16:41,500"]
    assert [(type(record), record.__dict__["request_id"]) for record in log.records] == [
        (Numbered, "id-1000.25"),
        (Numbered, "id-1001.5"),
    ]
    assert log.records[1].relativeCreated - log.records[0].relativeCreated == pytest.approx(1250)
