"""Logging set-up: one line per event on standard error, its fields as ``name=value`` behind the message.

Fields come with the standard ``extra``: ``log.info("step done", extra={"task": task.id, "node": task.node})``.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TextIO

from drydock.redaction import redacted

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
    logging.basicConfig(level=logging.INFO, handlers=[LineHandler(stream or sys.stderr)], force=True)
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
        self._form = FieldFormatter()
        self.setFormatter(self._form)
        self._stream = stream
        self._unwritten: deque[str] = deque()
        self._writing = threading.Lock()

    def handle(self, record: logging.LogRecord) -> bool:
        """As logging's own, without its lock: ``emit`` has one that it need not wait for."""
        passed = bool(self.filter(record))
        if passed:
            self.emit(record)
        return passed

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._write(self.format(record) + "\n")
        except (OSError, TypeError, ValueError):  # what cannot be written, or put into its text, must not end a request
            self.handleError(record)

    def lines(self, begins: str, lines: Iterable[tuple[float, str]]) -> None:
        """Write what ``emit`` would make of as many records, for a fraction of the cost."""
        time_of = self._form.time
        try:
            self._write("".join([f"{time_of(created)} {begins} {text}\n" for created, text in lines]))
        except (OSError, ValueError):
            self.handleError(logging.makeLogRecord({"msg": "lines of the log are lost"}))

    def _write(self, text: str) -> None:
        self._unwritten.append(redacted(text))
        # Looked at again after each turn: a line may have come that another thread left to us.
        while self._unwritten and self._writing.acquire(blocking=len(self._unwritten) > self.MOST_UNWRITTEN):
            try:
                written = []
                while self._unwritten:
                    written.append(self._unwritten.popleft())
                self._stream.write("".join(written))
                self._stream.flush()
            finally:
                self._writing.release()


class LineLog:
    """For many lines of one kind, each saying everything in its message: nothing in it has to be quoted any more."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._begins = f"INFO {logger.name}"

    def info(self, lines: Iterable[tuple[float, str]]) -> None:
        """When each was (seconds since the epoch) and its text, with fields as ``shown`` shows them."""
        if not self._logger.isEnabledFor(logging.INFO):
            return
        handler = self._line_handler()
        if handler is not None:
            handler.lines(self._begins, lines)
            return
        for _, text in lines:
            self._logger.info(text, extra={FIELDS: {}})

    def _line_handler(self) -> LineHandler | None:
        """The only one that wants to see the lines, as ``configure`` leaves it."""
        found: LineHandler | None = None
        logger: logging.Logger | None = self._logger
        while logger is not None:
            for handler in logger.handlers:
                if found is not None or not isinstance(handler, LineHandler):
                    return None
                found = handler
            logger = logger.parent if logger.propagate else None
        return found


class FieldFormatter(logging.Formatter):
    """``2026-01-01T00:00:00.000Z INFO drydock.api request method=GET status=200``.

    What others sent cannot make a second line, or a field of its own: values are quoted where needed.
    """

    def __init__(self) -> None:
        super().__init__()
        self._second = (-1, "")

    def format(self, record: logging.LogRecord) -> str:
        line = f"{self.time(record.created)} {record.levelname} {record.name} {_message(record)}"
        attributes = record.__dict__
        fields = attributes.get(FIELDS)
        if fields is None:
            fields = {name: value for name, value in attributes.items() if name not in _RECORD_ATTRIBUTES}
        for name, value in fields.items():
            line += f" {name}={shown(value)}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line

    def time(self, created: float) -> str:
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
