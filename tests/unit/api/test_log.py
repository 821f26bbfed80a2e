"""The log: one line per event, fields that cannot be forged."""

from __future__ import annotations

import io
import logging
import threading

import pytest

from drydock.log import FieldFormatter, LineHandler, LineLog
from tests.drivers.simulator_process import eventually


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


def said(stream: io.StringIO) -> list[str]:
    """The messages of what was written."""
    lines = stream.getvalue().splitlines()
    parts = [line.split(" ", 3) for line in lines]
    return [text for _, level, name, text in parts if (level, name) == ("INFO", "drydock.api.request")]


def test_a_line_without_a_record_is_as_one_with_it() -> None:
    stream = io.StringIO()
    alone = logger_to(LineHandler(stream))
    LineLog(alone).info("text status=200")
    alone.info("text", extra={"status": 200})
    alone.addHandler(logging.NullHandler())
    LineLog(alone).info("text status=200")
    assert said(stream) == ["text status=200"] * 3
    LineLog(logger_to(LineHandler(stream), logging.WARNING)).info("text")
    assert len(said(stream)) == 3


def test_lines_that_come_together_are_written_together_soon() -> None:
    writes: list[str] = []

    class Stream(io.StringIO):
        def write(self, text: str) -> int:
            writes.append(text)
            return super().write(text)

    stream = Stream()
    logger = logger_to(LineHandler(stream))
    for number in range(20):
        LineLog(logger).info(f"line {number}")
    eventually(lambda: len(said(stream)), lambda count: count == 20)
    assert len(writes) < 10
    LineLog(logger).info("before")
    logger.warning("a record")
    assert said(stream)[20:] == ["before"]
    assert stream.getvalue().endswith("WARNING drydock.api.request a record\n"), "it takes along what waits"


def test_lines_are_written_when_no_thread_is_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    stream = io.StringIO()
    log = LineLog(logger_to(LineHandler(stream)))
    for text in ("first", "second", "third"):
        log.info(text)
    assert said(stream) == ["first", "second", "third"]


def test_what_waits_is_written_at_the_end() -> None:
    stream = io.StringIO()
    handler = LineHandler(stream)
    log = LineLog(logger_to(handler))
    log.info("first")
    log.info("second")
    handler.flush()
    assert said(stream) == ["first", "second"]


def test_whoever_else_listens_gets_a_record() -> None:
    records: list[logging.LogRecord] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    stream = io.StringIO()
    handler = LineHandler(stream)
    below = logger_to(handler)
    below.parent = logging.Logger("drydock")
    below.parent.addHandler(Listener())
    LineLog(below).info("text")
    below.propagate = False
    LineLog(below).info("more")
    handler.flush()
    assert [record.getMessage() for record in records] == ["text"]
    assert said(stream) == ["text", "more"]


def test_a_thread_leaves_its_line_to_the_one_that_writes() -> None:
    stream = Slow()
    log = LineLog(logger_to(LineHandler(stream)))
    writer = threading.Thread(target=log.info, args=("first",))
    writer.start()
    assert stream.asked.wait(30)
    for text in ("second", "third"):
        log.info(text)
    stream.take.set()
    writer.join()
    assert said(stream) == ["first", "second", "third"]


def test_threads_wait_when_nobody_reads_the_log() -> None:
    stream = Slow()
    handler = LineHandler(stream)
    handler.MOST_UNWRITTEN = 2  # type: ignore[misc]
    log = LineLog(logger_to(handler))
    writers = [threading.Thread(target=log.info, args=(f"line {number}",)) for number in range(4)]
    writers[0].start()
    assert stream.asked.wait(30)
    log.info("line 1")
    log.info("line 2")
    writers[3].start()
    writers[3].join(0.1)
    assert writers[3].is_alive()
    stream.take.set()
    for writer in (writers[0], writers[3]):
        writer.join()
    handler.flush()
    assert sorted(said(stream)) == [f"line {number}" for number in range(4)]


def test_many_threads_write_whole_lines_and_all_of_them() -> None:
    stream = io.StringIO()
    handler = LineHandler(stream)
    log = LineLog(logger_to(handler))
    threads = [
        threading.Thread(target=lambda name: [log.info(f"{name}-{n}") for n in range(200)], args=(name,))
        for name in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    handler.flush()
    written = said(stream)
    assert sorted(written) == sorted(f"{name}-{n}" for name in range(8) for n in range(200))
    for name in range(8):
        own = [line for line in written if line.startswith(f"{name}-")]
        assert own == [f"{name}-{n}" for n in range(200)], "each thread's in its order"


def test_what_cannot_be_written_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    log = LineLog(logger_to(LineHandler(stream)))
    stream.close()
    log.info("lost")
    assert "I/O operation on closed file" in capsys.readouterr().err
