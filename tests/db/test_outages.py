"""Errors by what they say of the database, and what of it is logged."""

from __future__ import annotations

import logging

import psycopg
import psycopg2
import psycopg2.errorcodes
import psycopg2.errors
import pytest

from drydock.db.outages import Kind, OutageLog, ServerError, one_line, trouble_of

OUTAGES = {
    Kind.LOST: ["08006", "25P03", "57P01", "57P02", "57P03", "57P04", "57P05"],
    Kind.ELSEWHERE: ["25006", "28P01", "3D000", "55000", "55006", "58030", "XX000", "XX001"],
    Kind.STALE: ["0A000", "26000", "42P05"],
    Kind.SCHEMA: ["42P01", "42703", "42883", "42501", "3F000"],
    Kind.LATER: ["40001", "40P01", "53100", "53200", "53300", "55P03", "57014"],
}
OURS = ["22001", "22003", "22021", "22P02", "22P05", "23502", "23503", "23505", "23514", "25P02", "42601", "54000"]


def errors(state: str) -> list[Exception]:
    """As each driver raises it."""
    return [ServerError("m", sqlstate=state, lost=False), psycopg2_error(state)]


def psycopg2_error(state: str) -> Exception:
    """psycopg2 sets the SQLSTATE itself, from the server's answer."""

    class Raised(psycopg2.errors.lookup(state)):  # type: ignore[misc]
        pgcode = state

    return Raised("m")


@pytest.mark.parametrize(("kind", "state"), [(kind, state) for kind, states in OUTAGES.items() for state in states])
def test_what_another_server_or_a_later_moment_would_not_say(kind: Kind, state: str) -> None:
    for error in errors(state):
        found = trouble_of(error)
        assert found is not None
        assert found.kind is kind
        assert state in found.cause


@pytest.mark.parametrize("state", OURS)
def test_what_is_about_the_statement(state: str) -> None:
    assert [trouble_of(error) for error in errors(state)] == [None, None]


@pytest.mark.parametrize(
    "error",
    [
        psycopg2.OperationalError("gone"),
        psycopg2.InterfaceError("connection already closed"),
        psycopg2.DatabaseError("no message from the libpq"),
        ServerError("no answer came", sqlstate=None, lost=True),
    ],
)
def test_without_an_answer_the_connection_is_lost(error: Exception) -> None:
    found = trouble_of(error)
    assert found is not None
    assert found.kind is Kind.LOST


@pytest.mark.parametrize(
    "error",
    [
        psycopg2.ProgrammingError("can't adapt type"),
        ServerError("no such text", sqlstate=None, lost=False),
        ValueError("NUL"),
        None,
    ],
)
def test_what_never_reached_the_server_is_no_outage(error: Exception | None) -> None:
    assert trouble_of(error) is None


def test_both_drivers_say_the_same_of_hosts_that_cannot_be_reached() -> None:
    messages = []
    for connect in (psycopg.connect, psycopg2.connect):
        with pytest.raises((psycopg.OperationalError, psycopg2.OperationalError)) as refused:
            connect("host=127.0.0.1,127.0.0.1 port=1,2 dbname=n")
        messages.append(one_line(str(refused.value)))
    server = 'connection to server at "127.0.0.1", port {} failed: Connection refused'
    assert messages == [f"{server.format(1)}; {server.format(2)}"] * 2


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_cause_is_logged_once_and_again_after_minutes(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    log = OutageLog(clock)
    with caplog.at_level(logging.INFO):
        for second in range(301):
            clock.now = float(second)
            log.away("wrong password")
        assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
        log.away("no route")
        assert [record.__dict__["cause"] for record in caplog.records][-1] == "no route"
        log.connected()
        log.connected()
        assert [record.getMessage() for record in caplog.records][3:] == ["database available again"]
        clock.now += 60
        log.away("no route")
        assert len(caplog.records) == 5, "another outage"


def test_a_server_that_has_too_few_connections_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    log = OutageLog(clock)
    for tenth in range(100):
        clock.now = tenth / 10
        log.away("too many connections")
        log.connected()
    assert len(caplog.records) == 2, "in ten seconds"


def test_tables_that_are_missing_are_one_trouble(caplog: pytest.LogCaptureFixture) -> None:
    log = OutageLog(Clock())
    for name in ("tasks", "boot_contexts"):
        found = trouble_of(ServerError(f'relation "{name}" does not exist', sqlstate="42P01", lost=False))
        assert found is not None
        log.trouble(found.cause, key=found.key)
    assert len(caplog.records) == 1
