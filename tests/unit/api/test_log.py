"""The log: one line per event, fields that cannot be forged."""

from __future__ import annotations

import logging

from drydock.log import FieldFormatter


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
