"""No line of the log shows a key or a token, whoever wrote it and wherever it stands."""

from __future__ import annotations

import io
import logging
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drydock.log import LineHandler
from drydock.redaction import redacted

KEY = "0123456789abcdef" * 4
FERNET = "gAAAAABm" + "aB3-_" * 30 + "=="


@given(
    before=st.text("xyz =/.", max_size=30),
    digits=st.text("0123456789abcdefABCDEF", min_size=40, max_size=200),
    after=st.text("xyz =/.", max_size=30),
)
def test_long_runs_of_digits_are_cut(before: str, digits: str, after: str) -> None:
    assert redacted(f"{before}{digits}{after}") == f"{before}{digits[:8]}…{after}"


@pytest.mark.parametrize(
    "text", ["", "a" * 39, "d15af6c4-d95e-4840-a25f-bb7bb7ab2021", "2026-11-28T07:26:02.667Z", "€" * 99]
)
def test_anything_else_stays(text: str) -> None:
    assert redacted(text) == text


def test_tokens_are_cut() -> None:
    assert redacted(f"GET /?token={FERNET} HTTP/1.1") == "GET /?token=gAAAAA… HTTP/1.1"
    assert redacted("X-Auth-Token: eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl") == "X-Auth-Token: eyJ…"
    assert redacted(f"cut {FERNET[:30]}") == "cut gAAAAA…"


@pytest.mark.parametrize(
    "name", ["gunicorn.error", "drydock.api", "urllib3", "keystonemiddleware.auth_token", "py.warnings"]
)
def test_whoever_logs(name: str) -> None:
    stream = io.StringIO()
    logger = logging.Logger(name)
    logger.addHandler(LineHandler(stream))
    logger.warning("Invalid header: %s", KEY)
    logger.info("x", extra={"header": f"X-Bootaction-Key {KEY.upper()}", "token": FERNET})
    try:
        raise ValueError(f"{KEY} and {FERNET}")
    except ValueError:
        logger.exception("failed")
    written = stream.getvalue()
    assert written.count("01234567") == 3
    assert not re.search(r"[0-9A-Fa-f]{40}|gAAAAA\w", written)
