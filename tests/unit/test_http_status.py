"""What an answer says about trying again: one rule for all clients."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from drydock.drivers.http_answers import answer_error
from drydock.errors import DriverBusy, DriverError, DriverRefused, DriverUnavailable
from drydock.http_status import LONGEST_WAIT, is_not_yet, may_pass, retry_after
from drydock.orchestrator.workflows.outcome import BUSY_SECONDS, Wait, of_error


@pytest.mark.parametrize("status", [408, 429, 500, 501, 502, 503, 504, 599])
def test_may_pass(status: int) -> None:
    assert may_pass(status)


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 409, 410, 499])
def test_is_final(status: int) -> None:
    assert not may_pass(status)
    assert not is_not_yet(status, 5.0)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        (" 7 ", 7),
        ("1000", LONGEST_WAIT),
        ("9" * 10000, LONGEST_WAIT),
        ("-1", None),
        ("1.5", None),
        ("1e400", None),
        ("nan", None),
        ("٣", None),
        ("soon", None),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WAIT),
        ("Fri, 31 Dec 9999 23:59:59 -2359", LONGEST_WAIT),
        ("Fri, 31 Feb 2030 00:00:00 GMT", None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert retry_after(value) == seconds


def test_retry_after_a_moment_that_is_to_come() -> None:
    assert retry_after(format_datetime(datetime.now(UTC) + timedelta(days=1))) == LONGEST_WAIT


@pytest.mark.parametrize(
    ("status", "after", "kind"),
    [
        (429, None, DriverBusy),
        (429, "7", DriverBusy),
        (503, "7", DriverBusy),
        (503, None, DriverUnavailable),
        (500, None, DriverUnavailable),
        (409, None, DriverRefused),
        (404, "7", DriverRefused),
    ],
)
def test_as_the_error_of_a_driver(status: int, after: str | None, kind: type[DriverError]) -> None:
    assert type(answer_error(status, "no", {} if after is None else {"Retry-After": after})) is kind
    assert type(answer_error(status, "no", {}, busy=frozenset({status}))) is DriverBusy


@pytest.mark.parametrize(("after", "seconds"), [(None, BUSY_SECONDS), ("1", BUSY_SECONDS), ("70", 70.0)])
def test_a_step_waits_as_long_as_it_is_asked_to(after: str | None, seconds: float) -> None:
    error = answer_error(429, "busy", {} if after is None else {"Retry-After": after})
    assert of_error(error.worded("n1: busy")) == Wait(seconds, "n1: busy")
