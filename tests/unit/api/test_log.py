"""The log: one line per event, fields that cannot be forged."""

from __future__ import annotations

import io
import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

import pytest

from drydock.log import FieldFormatter, LineHandler, LineLog


def line(message: str, **extra: object) -> str:
    record = logging.LogRecord("drydock.api", logging.INFO, "f", 1, message, (), None)
    record.__dict__.update(extra)
    record.created = 0
    return FieldFormatter().format(record)


def test_a_line_has_its_fields() -> None:
    assert line("request", status=200, path="/api/v1.0/tasks") == (
        "1970-01-01T00:00:00.000Z INFO drydock.api request status=200 path=/api/v1.0/tasks"
    )


def test_nobody_adds_a_line_or_a_field() -> None:
    text = line("one\ntwo\x1b[31m", user='x status=200\n"', path="/a b\u2028")
    assert "\n" not in text
    assert "\x1b" not in text
    assert text.endswith(r'one two [31m user="x status=200\n\"" path="/a b\u2028"')


def test_a_traceback_follows() -> None:
    try:
        raise ValueError("why")
    except ValueError as exc:
        record = logging.LogRecord("a", logging.ERROR, "f", 1, "m", (), (type(exc), exc, exc.__traceback__))
    assert "ValueError: why" in FieldFormatter().format(record)


class Slow(io.StringIO):
    """Somebody who reads the log, and takes a line when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.take = threading.Event()

    def write(self, text: str) -> int:
        self.asked.set()
        assert self.take.wait(30)
        return super().write(text)


def logger_to(handler: logging.Handler, level: int = logging.INFO) -> logging.Logger:
    logger = logging.Logger("drydock.api.request", level)
    logger.addHandler(handler)
    return logger


def log_to(stream: io.StringIO) -> Callable[[str], None]:
    log = LineLog(logger_to(LineHandler(stream)))
    return lambda text: log.info([(0.0, text)])


def said(stream: io.StringIO) -> list[str]:
    """The messages of what was written."""
    begins = "1970-01-01T00:00:00.000Z INFO drydock.api.request "
    lines = stream.getvalue().splitlines()
    assert all(line.startswith(begins) for line in lines)
    return [line.removeprefix(begins) for line in lines]


def test_lines_without_records_are_as_those_with_them() -> None:
    stream = io.StringIO()
    logger = logger_to(LineHandler(stream))
    LineLog(logger).info([(time.time(), "text status=200")])
    logger.info("text", extra={"status": 200})
    logger.addHandler(logging.NullHandler())
    LineLog(logger).info([(time.time(), "text status=200")])
    LineLog(logger_to(LineHandler(stream), logging.WARNING)).info([(time.time(), "not wanted")])
    lines = [line.split(" ", 1) for line in stream.getvalue().splitlines()]
    assert [text for _, text in lines] == ["INFO drydock.api.request text status=200"] * 3
    assert all(abs(datetime.fromisoformat(when).timestamp() - time.time()) < 60 for when, _ in lines)


def test_whoever_else_listens_gets_records() -> None:
    records: list[logging.LogRecord] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    stream = io.StringIO()
    below = logger_to(LineHandler(stream))
    below.parent = logging.Logger("drydock")
    below.parent.addHandler(Listener())
    LineLog(below).info([(0, "text"), (0, "text")])
    below.propagate = False
    LineLog(below).info([(0, "more")])
    assert [record.getMessage() for record in records] == ["text", "text"]
    assert [line.rsplit(" ", 1)[1] for line in stream.getvalue().splitlines()] == ["text", "text", "more"]


def test_a_thread_leaves_its_line_to_the_one_that_writes() -> None:
    stream = Slow()
    log = log_to(stream)
    writer = threading.Thread(target=log, args=("first",))
    writer.start()
    assert stream.asked.wait(30)
    for text in ("second", "third"):
        log(text)
    stream.take.set()
    writer.join()
    assert said(stream) == ["first", "second", "third"]


def test_threads_wait_when_nobody_reads_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LineHandler, "MOST_UNWRITTEN", 2)
    stream = Slow()
    log = log_to(stream)
    writers = [threading.Thread(target=log, args=(f"line {number}",)) for number in range(4)]
    writers[0].start()
    assert stream.asked.wait(30)
    log("line 1")
    log("line 2")
    writers[3].start()
    writers[3].join(0.1)
    assert writers[3].is_alive()
    stream.take.set()
    for writer in (writers[0], writers[3]):
        writer.join()
    assert sorted(said(stream)) == [f"line {number}" for number in range(4)]


def test_many_threads_write_whole_lines_and_all_of_them() -> None:
    stream = io.StringIO()
    log = log_to(stream)
    threads = [
        threading.Thread(target=lambda name: [log(f"{name}-{n}") for n in range(200)], args=(name,))
        for name in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    written = said(stream)
    assert sorted(written) == sorted(f"{name}-{n}" for name in range(8) for n in range(200))
    for name in range(8):
        own = [line for line in written if line.startswith(f"{name}-")]
        assert own == [f"{name}-{n}" for n in range(200)], "each thread's in its order"


def test_what_cannot_be_written_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    log = log_to(stream)
    stream.close()
    log("lost")
    assert "I/O operation on closed file" in capsys.readouterr().err
