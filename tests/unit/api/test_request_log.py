"""What is told of requests: all of them, soon, and together where they come together."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import falcon
import pytest
from falcon.testing import create_environ

from drydock.api import middleware
from drydock.api.middleware import RequestLog
from drydock.metrics import ApiMetrics
from tests.eventually import eventually


class Lines(logging.Handler):
    """Who reads the log; knows how often it was woken."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.threads: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        self.threads.add(threading.current_thread().name)


@pytest.fixture
def log() -> Lines:
    lines = Lines()
    logger = logging.getLogger("drydock.api.request")
    logger.addHandler(lines)
    logger.setLevel(logging.INFO)
    yield lines
    logger.removeHandler(lines)
    logger.setLevel(logging.NOTSET)


def answer(requests: RequestLog, path: str = "/x", *, waited: bool = False) -> falcon.Response:
    req, resp = falcon.Request(create_environ(path)), falcon.Response()
    requests.process_request(req, resp)
    req.context.waited = waited
    requests.process_response(req, resp, None, True)
    return resp


def counted(metrics: ApiMetrics, name: str) -> float:
    return sum(
        sample.value for metric in metrics.registry.collect() for sample in metric.samples if sample.name == name
    )


def test_one_that_comes_alone_is_told_at_once(log: Lines) -> None:
    requests = RequestLog(ApiMetrics())
    resp = answer(requests)
    assert [f"request_id={resp.get_header('x-drydock-req')} " in line for line in log.lines] == [True]
    assert log.threads == {threading.current_thread().name}


def test_those_that_come_together_are_told_soon(log: Lines) -> None:
    metrics = ApiMetrics()
    requests = RequestLog(metrics)
    for number in range(100):
        answer(requests, f"/{number}", waited=number % 2 == 0)
    eventually(lambda: len(log.lines), lambda count: count == 100)
    assert [line.split(" path=/")[1].split()[0] for line in log.lines] == [str(number) for number in range(100)]
    assert counted(metrics, "drydock_http_requests_total") == 100
    assert counted(metrics, "drydock_http_request_seconds_count") == 50


def test_nobody_waits_for_a_thread_that_is_not_to_be_had(log: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    requests = RequestLog(ApiMetrics())
    for _ in range(3):
        answer(requests)
    assert len(log.lines) == 3


def test_so_many_are_left_for_later_at_most(log: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Callable[[], None]] = []
    monkeypatch.setattr(threading.Thread, "start", lambda thread: asked.append(thread.run))
    monkeypatch.setattr(middleware, "MOST", 5)
    monkeypatch.setattr(middleware, "PAUSE", 3600)
    requests = RequestLog(ApiMetrics())
    requests._written = float("inf")  # one was just written, and the next pause never ends
    for _ in range(6):
        answer(requests)
    assert (len(asked), len(log.lines)) == (1, 6)


def test_all_threads_requests_are_told(log: Lines) -> None:
    metrics = ApiMetrics()
    requests = RequestLog(metrics)
    threads = [threading.Thread(target=lambda: [answer(requests) for _ in range(200)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    eventually(lambda: len(log.lines), lambda count: count == 1600)
    assert counted(metrics, "drydock_http_requests_total") == 1600
