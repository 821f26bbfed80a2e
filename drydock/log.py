"""Logging set-up: one line per event on standard error, its fields as ``name=value`` behind the message.

Fields come with the standard ``extra``: ``log.info("step done", extra={"task": task.id, "node": task.node})``.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import time
from collections import deque
from datetime import UTC, datetime
from typing import TextIO

_PLAIN = re.compile(r"[\w.:/@+,*\[\]{}-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

#: Attribute of a record that holds all its fields: for a line per request, ``extra`` costs more than the rest.
FIELDS = "fields"

#: What every record has; anything else was given as ``extra``.
_RECORD_ATTRIBUTES = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def configure(*, debug: bool = False, stream: TextIO | None = None) -> None:
    """Send everything to ``stream`` (standard error) at INFO; Drydock's own messages at DEBUG if asked.

    Replaces what was configured before; to be called by programs, once.
    """
    handler = LineHandler(stream or sys.stderr)
    handler.setFormatter(FieldFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("drydock").setLevel(logging.DEBUG if debug else logging.INFO)
    # It warns about each BMC that knows no sessions, which is usual and changes nothing.
    logging.getLogger("sushy").setLevel(logging.ERROR)
    logging.captureWarnings(True)
    # As Python's logging HOWTO advises: finding out where a line comes from, which none of ours shows, costs more than
    # the line. The number of the process stays: gunicorn's own lines show it.
    logging._srcfile = None
    logging.logThreads = logging.logMultiprocessing = False


class LineHandler(logging.Handler):
    """Writes each line before ``emit`` returns or, when another thread is writing, has that one write it next.

    Threads that answer machines do not queue up for the log. Only when so much is unwritten that nobody seems to read
    it do they wait.
    """

    MOST_UNWRITTEN = 1000

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._unwritten: deque[str] = deque()
        self._writing = threading.Lock()

    def createLock(self) -> None:  # noqa: N802 - as logging has it
        """None: ``emit`` has its own."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._unwritten.append(self.format(record) + "\n")
            # Looked at again after each turn: a line may have come that another thread left to us.
            while self._unwritten and self._writing.acquire(blocking=len(self._unwritten) > self.MOST_UNWRITTEN):
                try:
                    self._write()
                finally:
                    self._writing.release()
        except (OSError, TypeError, ValueError):  # what cannot be written, or put into its text, must not end a request
            self.handleError(record)

    def _write(self) -> None:
        lines = []
        while self._unwritten:
            lines.append(self._unwritten.popleft())
        self._stream.write("".join(lines))
        self._stream.flush()


class LineLog:
    """For a line per request: makes records whose message says everything, for less than half of ``Logger.info``."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._like = logging.makeLogRecord(
            {"name": logger.name, "levelno": logging.INFO, "levelname": "INFO", FIELDS: {}}
        ).__dict__

    def info(self, text: str) -> None:
        """``text`` with fields as ``shown`` shows them."""
        if self._logger.isEnabledFor(logging.INFO):
            record = logging.LogRecord.__new__(logging.LogRecord)
            record.__dict__.update(self._like, msg=text, created=time.time())
            self._logger.handle(record)


class FieldFormatter(logging.Formatter):
    """``2026-01-01T00:00:00.000Z INFO drydock.api request method=GET status=200``.

    What others sent cannot make a second line, or a field of its own: values are quoted where needed.
    """

    def __init__(self) -> None:
        super().__init__()
        self._second = (-1, "")

    def format(self, record: logging.LogRecord) -> str:
        line = f"{self._time(record.created)} {record.levelname} {record.name} {_message(record)}"
        attributes = record.__dict__
        fields = attributes.get(FIELDS)
        if fields is None:
            fields = {name: value for name, value in attributes.items() if name not in _RECORD_ATTRIBUTES}
        for name, value in fields.items():
            line += f" {name}={shown(value)}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line

    def _time(self, created: float) -> str:
        """Lines come many to a second, and its digits stay the same."""
        whole = int(created)
        second, text = self._second
        if second != whole:
            text = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
            self._second = (whole, text)
        return f"{text}.{int((created - whole) * 1000):03}Z"


def _message(record: logging.LogRecord) -> str:
    text = record.getMessage()
    return text if text.isprintable() else _CONTROL.sub(" ", text)


def shown(value: object) -> str:
    """A field's value: quoted, unless that changes nothing."""
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
