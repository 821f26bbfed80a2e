"""Logging: the standard library's, one line per record on standard error, as text or as JSON.

Fields come with the standard ``extra``: ``log.info("step done", extra={"task": task.id, "node": task.node})``. Any
other handler of the root logger gets the same records.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TextIO

from pythonjsonlogger.json import JsonFormatter

from drydock.batching import Batcher
from drydock.redaction import redacted

TEXT, JSON = "text", "json"

#: A true attribute of this name says that the same thread logs another record at once: both lines are written together.
#: Handlers take names that begin with an underscore for private.
MORE = "_more"

_PLAIN = re.compile(r"[\w.:/@+,*\[\]{}-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

#: What every record has; anything else was given as ``extra``.
_RECORD_ATTRIBUTES = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", MORE}


def configure(*, debug: bool, form: str, stream: TextIO | None = None) -> None:
    """Send everything to ``stream`` (standard error) at INFO; Drydock's own messages at DEBUG if asked.

    ``form``: ``TEXT`` or ``JSON``. Replaces what was configured before; to be called by programs, once.
    """
    handler = LineHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if form == JSON else FieldFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("drydock").setLevel(logging.DEBUG if debug else logging.INFO)
    # It warns about each BMC that knows no sessions, which is usual and changes nothing.
    logging.getLogger("sushy").setLevel(logging.ERROR)
    logging.captureWarnings(True)


class LineHandler(logging.Handler):
    """Writes a line before ``emit`` returns or, when another thread is writing, leaves it to that thread.

    So threads that answer machines do not wait for each other. They wait when more than ``at_most`` lines are
    unwritten, as whatever reads the stream has stopped reading.
    """

    def __init__(self, stream: TextIO, *, at_most: int = 1000) -> None:
        super().__init__()
        self.setFormatter(FieldFormatter())
        self._stream = stream
        self._lines: Batcher[str] = Batcher(self._write, delay=0, at_most=at_most, prompt=True)

    def handle(self, record: logging.LogRecord) -> bool:
        """As the base class does, without its lock, for which threads would wait while one of them writes."""
        passed = bool(self.filter(record))
        if passed:
            self.emit(record)
        return passed

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.add(self.format(record), more=getattr(record, MORE, False))
        # What cannot be formatted or written must not end a request.
        except (OSError, RecursionError, TypeError, ValueError):
            self.handleError(record)

    def flush(self) -> None:
        self._lines.flush()

    def _write(self, lines: Sequence[str]) -> None:
        self._stream.write(redacted("\n".join([*lines, ""])))
        self._stream.flush()


class JsonLines(JsonFormatter):
    """One JSON object per line: ``time``, ``level``, ``logger``, ``message``, then the fields; ``exc_info`` if any."""

    def __init__(self) -> None:
        super().__init__(
            ["created", "levelname", "name", "message"],
            rename_fields={"created": "time", "levelname": "level", "name": "logger"},
        )

    def process_log_record(self, log_data: dict[str, object]) -> dict[str, object]:
        created = log_data["time"]
        if isinstance(created, float):
            log_data["time"] = datetime.fromtimestamp(created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
        return log_data


class Seconds(float):
    """A duration: three decimals in text, a number in JSON."""

    def __str__(self) -> str:
        return f"{self:.3f}"


class FieldFormatter(logging.Formatter):
    """``2026-01-01T00:00:00.000Z INFO drydock.api request method=GET status=200``.

    What others sent cannot make a second line, or a field of its own: values are quoted where needed.
    """

    def __init__(self) -> None:
        super().__init__()
        self._second = (-1, "")

    def format(self, record: logging.LogRecord) -> str:
        line = f"{self._time(record.created)} {record.levelname} {record.name} {_message(record)}"
        for name, value in record.__dict__.items():
            if name not in _RECORD_ATTRIBUTES:
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
