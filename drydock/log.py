"""Logging set-up: one line per event on standard error, its fields as ``name=value`` behind the message.

Fields come with the standard ``extra``: ``log.info("step done", extra={"task": task.id, "node": task.node})``.
"""

from __future__ import annotations

import json
import logging
import re
import sys
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
    handler = logging.StreamHandler(stream or sys.stderr)
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
            line += f" {name}={_shown(value)}"
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
    return _CONTROL.sub(" ", record.getMessage())


def _shown(value: object) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
