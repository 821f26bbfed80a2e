"""The log: one line per record, as text or JSON; fields that cannot be forged; other handlers beside it."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import pytest

from drydock import log as log_module
from drydock.log import MORE, FieldFormatter, JsonLines, LineHandler, Seconds

KEY = "0123456789abcdef" * 4
TOKEN = "gAAAAABm" + "aB3-_" * 30


def record(message: str, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("drydock.api", logging.INFO, "f", 1, message, (), None)
    made.__dict__.update(extra)
    made.created = 0.0
    return made


def line(message: str, **extra: object) -> str:
    return FieldFormatter().format(record(message, **extra))


def test_a_line_has_its_fields() -> None:
    assert line("request", status=200, path="/api/v1.0/tasks", seconds=Seconds(0.0004)) == (
        "1970-01-01T00:00:00.000Z INFO drydock.api request status=200 path=/api/v1.0/tasks seconds=0.000"
    )


def test_nothing_sent_adds_a_line_or_a_field() -> None:
    text = line("one\ntwo\x1b[31m", user='x status=200\n"', path="/a b\u2028")
    assert "\n" not in text
    assert "\x1b" not in text
    assert text.endswith(r'one two [31m user="x status=200\n\"" path="/a b\u2028"')


def test_a_traceback_follows() -> None:
    try:
        raise ValueError("why")
    except ValueError:
        failed = record("m", exc_info=sys.exc_info())
    assert "ValueError: why" in FieldFormatter().format(failed)


def test_a_json_line_has_its_fields() -> None:
    task = UUID(int=1)
    text = JsonLines().format(
        record("step done", task=task, node=None, step="power_on", attempt=1, seconds=Seconds(1.5))
    )
    assert json.loads(text) == {
        "time": "1970-01-01T00:00:00.000Z",
        "level": "INFO",
        "logger": "drydock.api",
        "message": "step done",
        "task": str(task),
        "node": None,
        "step": "power_on",
        "attempt": 1,
        "seconds": 1.5,
    }


def test_whatever_is_sent_json_stays_one_line() -> None:
    odd = 'a\nb\r\u2028\x85\x00\x1b"} {"level": "CRITICAL"\ud800 é'
    text = JsonLines().format(record(odd, path=odd))
    assert text.splitlines() == [text]
    assert (json.loads(text)["message"], json.loads(text)["path"]) == (odd, odd)


def test_a_traceback_is_within_the_json_line() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        failed = record("m", exc_info=sys.exc_info())
    text = JsonLines().format(failed)
    assert text.splitlines() == [text]
    assert "ValueError: two\nlines" in json.loads(text)["exc_info"]


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, put back as it was."""
    found = logging.getLogger()
    loggers = [found, logging.getLogger("drydock"), logging.getLogger("sushy")]
    levels, handlers = [logger.level for logger in loggers], list(found.handlers)
    found.handlers[:] = []
    yield found
    logging.captureWarnings(False)
    found.handlers[:] = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def test_json_by_option(root: logging.Logger) -> None:
    stream = io.StringIO()
    log_module.configure(debug=False, form=log_module.JSON, stream=stream)
    logging.getLogger("drydock.x").info("key %s", KEY, extra={"token": TOKEN, "header": f"X-Key {KEY.upper()}"})
    logging.getLogger("drydock.x").debug("not asked for")
    logging.getLogger("gunicorn.error").warning("a\nb")
    first, second = (json.loads(text) for text in stream.getvalue().splitlines())
    assert (first["message"], first["token"], first["header"]) == ("key 01234567…", "gAAAAA…", "X-Key 01234567…")
    assert (second["logger"], second["level"], second["message"]) == ("gunicorn.error", "WARNING", "a\nb")
    assert abs(datetime.fromisoformat(second["time"]).timestamp() - datetime.now().timestamp()) < 60  # noqa: DTZ005


def test_text_by_option(root: logging.Logger) -> None:
    stream = io.StringIO()
    log_module.configure(debug=True, form=log_module.TEXT, stream=stream)
    logging.getLogger("drydock.x").debug("asked for", extra={"node": "n01"})
    assert stream.getvalue().endswith("Z DEBUG drydock.x asked for node=n01\n")


def test_another_handler_gets_where_a_record_comes_from(root: logging.Logger) -> None:
    """As those of Sentry and OpenTelemetry show it."""
    records: list[logging.LogRecord] = []

    class Other(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    log_module.configure(debug=False, form=log_module.TEXT, stream=io.StringIO())
    root.addHandler(Other())
    logging.getLogger("drydock.x").warning("m", extra={"node": "n01"})
    (found,) = records
    assert (found.pathname, found.funcName) == (__file__, "test_another_handler_gets_where_a_record_comes_from")
    assert (found.threadName, found.__dict__["node"]) == (threading.current_thread().name, "n01")


class Slow(io.StringIO):
    """Takes a line when the test allows it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.take = threading.Event()

    def write(self, text: str) -> int:
        self.asked.set()
        assert self.take.wait(30)
        return super().write(text)


def log_to(stream: io.StringIO, *, at_most: int = 1000) -> logging.Logger:
    logger = logging.Logger("drydock.api.request", logging.INFO)
    logger.addHandler(LineHandler(stream, at_most=at_most))
    return logger


def messages(stream: io.StringIO) -> list[str]:
    """Of the lines that were written."""
    return [text.split(" INFO drydock.api.request ")[1] for text in stream.getvalue().splitlines()]


def test_a_thread_leaves_its_line_to_the_one_that_writes() -> None:
    stream = Slow()
    log = log_to(stream)
    writer = threading.Thread(target=log.info, args=("first",))
    writer.start()
    assert stream.asked.wait(30)
    for text in ("second", "third"):
        log.info(text)
    stream.take.set()
    writer.join()
    assert messages(stream) == ["first", "second", "third"]


def test_threads_wait_when_the_log_is_not_read() -> None:
    stream = Slow()
    log = log_to(stream, at_most=2)
    writers = [threading.Thread(target=log.info, args=(f"line {number}",)) for number in (0, 3)]
    writers[0].start()
    assert stream.asked.wait(30)
    log.info("line 1")
    log.info("line 2")
    writers[1].start()
    writers[1].join(0.1)
    assert writers[1].is_alive()
    stream.take.set()
    for writer in writers:
        writer.join()
    assert messages(stream) == [f"line {number}" for number in range(4)]


def test_records_of_one_thread_are_written_together() -> None:
    class Counting(io.StringIO):
        writes = 0

        def write(self, text: str) -> int:
            self.writes += 1
            return super().write(text)

    stream = Counting()
    log = log_to(stream)
    for number in range(3):
        log.info("line %d", number, extra={MORE: number < 2})
    assert (stream.writes, messages(stream)) == (1, ["line 0", "line 1", "line 2"])
    log.info("line 3", extra={MORE: True})
    log.handlers[0].flush()
    assert messages(stream)[3:] == ["line 3"]


def test_what_cannot_be_written_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    log = log_to(stream)
    stream.close()
    log.info("lost")
    assert "I/O operation on closed file" in capsys.readouterr().err


def test_what_cannot_be_formatted_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    log = log_to(stream)
    log.info("%d", "no number")
    log.info("next")
    assert messages(stream) == ["next"]
    assert "TypeError" in capsys.readouterr().err
