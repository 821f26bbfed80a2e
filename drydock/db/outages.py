"""Which errors say that the database is in trouble, rather than that a statement is wrong; and the log of it.

One table for the errors of both drivers, by SQLSTATE. An error that another server, or the same one later, would not
raise is an outage: operators are answered 503, machines are held, workers wait. What is not in the table (constraints,
values, syntax) is about the statement.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

import psycopg2

LOG = logging.getLogger(__name__)


class Kind(Enum):
    """What has become of the connection and of the statement.

    LOST: the connection is gone; whether the statement was executed is not known. All connections are replaced.
    ELSEWHERE: this server does not execute it, another may. All connections are replaced.
    STALE: the statements that the connection has prepared are unusable. It is replaced.
    SCHEMA: tables or rights are not those that this version needs.
    LATER: the statement was not executed; the connection is as good as before.
    """

    LOST = auto()
    ELSEWHERE = auto()
    STALE = auto()
    SCHEMA = auto()
    LATER = auto()

    @property
    def concerns_all_connections(self) -> bool:
        return self in (Kind.LOST, Kind.ELSEWHERE)


@dataclass(frozen=True, slots=True)
class Trouble:
    """``cause``: for the log, with what to do. ``key``: what troubles that are one and the same share."""

    kind: Kind
    cause: str
    key: str


TAKES_NO_WRITES = "the server takes no writes: a standby, or default_transaction_read_only is on"
_SCHEMA = "the database does not have the schema that this version needs: run drydock-manage db check"
_LOST = "the connection was lost"
_FAULTY = "the server is at fault; its own log has more"

#: By SQLSTATE or its class, the first two characters.
TROUBLES: Mapping[str, tuple[Kind, str]] = {
    "08": (Kind.LOST, _LOST),
    "0A000": (Kind.STALE, "the schema was changed, or the server is older than PostgreSQL 14"),
    "25006": (Kind.ELSEWHERE, TAKES_NO_WRITES),
    "25P03": (Kind.LOST, "the server ended a transaction that was idle for too long"),
    "25P04": (Kind.LOST, "the server ended a transaction that took too long"),
    "26000": (Kind.STALE, "a prepared statement is gone: a pooler must pool by session"),
    "28": (Kind.ELSEWHERE, "the server refuses the login"),
    "3D000": (Kind.ELSEWHERE, "the database does not exist"),
    "3F000": (Kind.SCHEMA, _SCHEMA),
    "40": (Kind.LATER, "a transaction was ended in favour of another"),
    "42501": (Kind.SCHEMA, "the database user lacks a right: it must own Drydock's tables"),
    "42703": (Kind.SCHEMA, _SCHEMA),
    "42704": (Kind.SCHEMA, _SCHEMA),
    "42804": (Kind.SCHEMA, _SCHEMA),
    "42846": (Kind.SCHEMA, _SCHEMA),
    "42883": (Kind.SCHEMA, _SCHEMA),
    "42P01": (Kind.SCHEMA, _SCHEMA),
    "42P05": (Kind.STALE, "a prepared statement is there already: a pooler must pool by session"),
    "42P10": (Kind.SCHEMA, _SCHEMA),
    "53": (Kind.LATER, "the server is short of connections, memory or disk"),
    "55": (Kind.ELSEWHERE, "the server is not ready for this"),
    "55P03": (Kind.LATER, "a lock was not granted in time"),
    "57": (Kind.LOST, "the server stops or starts, or an administrator ended the connection"),
    "57014": (Kind.LATER, "a statement took longer than statement_timeout, or was cancelled"),
    "58": (Kind.ELSEWHERE, _FAULTY),
    "72": (Kind.LATER, _FAULTY),
    "F0": (Kind.ELSEWHERE, _FAULTY),
    "XX": (Kind.ELSEWHERE, _FAULTY),
}

#: Errors of these classes come without a SQLSTATE when there is no connection to get one from.
_OF_THE_CONNECTION = (psycopg2.OperationalError, psycopg2.InterfaceError, psycopg2.InternalError)


class ServerError(Exception):
    """An error of the driver that is not SQLAlchemy's. ``lost``: the connection is, so that there is no SQLSTATE."""

    def __init__(self, message: str, *, sqlstate: str | None, lost: bool) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.lost = lost


def trouble_of(error: BaseException | None) -> Trouble | None:
    """The trouble that an error of either driver means; None if it is about the statement."""
    state = sqlstate(error)
    if state is None:
        # NOTE: psycopg2 raises the plain DatabaseError where libpq has no message.
        plain = type(error) is psycopg2.DatabaseError
        if plain or isinstance(error, _OF_THE_CONNECTION) or (isinstance(error, ServerError) and error.lost):
            cause = f"{_LOST}: {_message(error)}"
            return Trouble(Kind.LOST, cause, key=cause)
        return None
    found = TROUBLES.get(state) or TROUBLES.get(state[:2])
    # The server's message names a table or a process, which differ from time to time.
    return (
        None if found is None else Trouble(found[0], f"{found[1]}: {_message(error)} (SQLSTATE {state})", key=found[1])
    )


def sqlstate(error: BaseException | None) -> str | None:
    """None: not an error of a driver, or one without."""
    if isinstance(error, ServerError):
        return error.sqlstate
    found = error.pgcode if isinstance(error, psycopg2.Error) else None
    return found if isinstance(found, str) else None


def _message(error: BaseException | None) -> str:
    """The server's message, in one line, without the detail, which may quote values."""
    message = getattr(getattr(error, "diag", None), "message_primary", None)
    return message or one_line(str(error))


#: What psycopg puts before libpq's message on each of several hosts, and libpq's guesses at a cause.
_PREFIX = re.compile(r"(- host: .*, hostaddr: (None|'[^']*'): )?(connection failed: )?")
_GUESS = re.compile(r"Is the server running|This probably means|before or while processing")


def one_line(text: str) -> str:
    """A driver's message that it cannot connect: of both drivers the same, for each host and address that was tried."""
    _, _, of_each = text.rpartition("All failures were:\n")
    lines = [_PREFIX.sub("", line.strip(), count=1) for line in of_each.splitlines()]
    return "; ".join(dict.fromkeys(line for line in lines if line and not _GUESS.match(line)))


class OutageLog:
    """Logs a cause once, and again after some minutes: an outage fails every request."""

    AGAIN_SECONDS = 300.0
    #: After a connection was opened in between: a server that has too few grants one now and then.
    NEXT_OUTAGE_SECONDS = 5.0
    #: Causes that are remembered; they come one at a time.
    MOST = 20

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._log_again: dict[str, float] = {}
        self._away_since: float | None = None
        self._lock = threading.Lock()

    def away(self, cause: str) -> None:
        """No connection can be opened."""
        if self.trouble(cause) and self._away_since is None:
            self._away_since = self._clock()

    def trouble(self, cause: str, *, key: str = "") -> bool:
        """Log a cause unless it was logged a moment ago; returns whether it was logged.

        ``key``: what causes of the same trouble share.
        """
        key = key or cause
        with self._lock:
            now = self._clock()
            if now < self._log_again.get(key, now):
                return False
            if len(self._log_again) >= self.MOST:
                self._log_again = {}
            self._log_again[key] = now + self.AGAIN_SECONDS
        LOG.error("database unavailable", extra={"cause": cause})
        return True

    def connected(self) -> None:
        """A connection was made; the next trouble is another outage."""
        if self._away_since is None:
            return
        with self._lock:
            since, self._away_since = self._away_since, None
            if since is None:
                return
            now = self._clock()
            soon = now + self.NEXT_OUTAGE_SECONDS
            self._log_again = {cause: min(again, soon) for cause, again in self._log_again.items()}
        LOG.info("database available again", extra={"seconds": round(now - since)})


class NoOutageLog(OutageLog):
    """For callers that show the cause themselves."""

    def trouble(self, cause: str, *, key: str = "") -> bool:
        return False
