"""Which errors say that the database is in trouble, rather than that a statement is wrong; and the log of it.

One table for the errors of both drivers, by SQLSTATE. Everything that another server, or the same one later, would not
say is an outage: operators are answered 503, machines are held, workers wait. What is not in the table (constraints,
values, syntax) keeps its meaning.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

import psycopg
import psycopg2

LOG = logging.getLogger(__name__)


class Kind(Enum):
    """What is left of the connection and of the statement.

    LOST: the connection is gone; whether the statement was executed is not known. All connections are made anew.
    ELSEWHERE: this server does not execute it, another may. All connections are made anew.
    STALE: what the connection had prepared is of no use any more. It is made anew.
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
    "28": (Kind.ELSEWHERE, "the server does not let us in"),
    "3D000": (Kind.ELSEWHERE, "the database does not exist"),
    "3F000": (Kind.SCHEMA, _SCHEMA),
    "40": (Kind.LATER, "a transaction gave way to another"),
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
    "55P03": (Kind.LATER, "a lock was not to be had in time"),
    "57": (Kind.LOST, "the server ends, starts, or was told to end the connection"),
    "57014": (Kind.LATER, "a statement took longer than statement_timeout, or was cancelled"),
    "58": (Kind.ELSEWHERE, _FAULTY),
    "72": (Kind.LATER, _FAULTY),
    "F0": (Kind.ELSEWHERE, _FAULTY),
    "XX": (Kind.ELSEWHERE, _FAULTY),
}

#: Errors of these classes come without a SQLSTATE when there is no connection to get one from.
_OF_THE_CONNECTION = (
    *(psycopg2.OperationalError, psycopg2.InterfaceError, psycopg2.InternalError),
    *(psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError),
)


def trouble_of(error: BaseException | None) -> Trouble | None:
    """What an error of either driver says of the database; None if it is about the statement."""
    state = sqlstate(error)
    if state is None:
        # NOTE: psycopg2 raises the plain DatabaseError where libpq has no words for what went wrong.
        plain = type(error) in (psycopg2.DatabaseError, psycopg.DatabaseError)
        if plain or isinstance(error, _OF_THE_CONNECTION):
            cause = f"{_LOST}: {_said(error)}"
            return Trouble(Kind.LOST, cause, key=cause)
        return None
    found = TROUBLES.get(state) or TROUBLES.get(state[:2])
    # The server's words name a table, a process or whatever it was this time.
    return None if found is None else Trouble(found[0], f"{found[1]}: {_said(error)} (SQLSTATE {state})", key=found[1])


def sqlstate(error: BaseException | None) -> str | None:
    """None: not an error of a driver, or one without."""
    found = getattr(error, "pgcode", None) if isinstance(error, psycopg2.Error) else getattr(error, "sqlstate", None)
    return found if isinstance(found, str) and isinstance(error, psycopg2.Error | psycopg.Error) else None


def _said(error: BaseException | None) -> str:
    """The server's own words, in one line, without the detail, which may quote values."""
    said = getattr(getattr(error, "diag", None), "message_primary", None)
    return said or one_line(str(error))


#: What psycopg puts before libpq's words on each of several hosts, and libpq's guesses, which say nothing of the cause.
_PREFIX = re.compile(r"(- host: .*, hostaddr: (None|'[^']*'): )?(connection failed: )?")
_GUESS = re.compile(r"Is the server running|This probably means|before or while processing")


def one_line(text: str) -> str:
    """What a driver says when it cannot connect: the same of both, for each host and address that was tried."""
    _, _, of_each = text.rpartition("All failures were:\n")
    lines = [_PREFIX.sub("", line.strip(), count=1) for line in of_each.splitlines()]
    return "; ".join(dict.fromkeys(line for line in lines if line and not _GUESS.match(line)))


class OutageLog:
    """Says a cause once, and again after some minutes: an outage fails every request."""

    AGAIN_SECONDS = 300.0
    #: After connections could be had in between. A server that has too few gives one now and then.
    NEXT_OUTAGE_SECONDS = 5.0
    #: Causes that are remembered; they come one at a time.
    MOST = 20

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._say_again: dict[str, float] = {}
        self._away_since: float | None = None
        self._lock = threading.Lock()

    def away(self, cause: str) -> None:
        """No connection can be had."""
        if self.trouble(cause) and self._away_since is None:
            self._away_since = self._clock()

    def trouble(self, cause: str, *, key: str = "") -> bool:
        """Whether it was written down: it was not a moment ago. ``key``: if not each cause is another trouble."""
        key = key or cause
        with self._lock:
            now = self._clock()
            if now < self._say_again.get(key, now):
                return False
            if len(self._say_again) >= self.MOST:
                self._say_again = {}
            self._say_again[key] = now + self.AGAIN_SECONDS
        LOG.error("database unavailable", extra={"cause": cause})
        return True

    def connected(self) -> None:
        """A connection was made; what goes wrong from now on is another outage."""
        if self._away_since is None:
            return
        with self._lock:
            since, self._away_since = self._away_since, None
            if since is None:
                return
            now = self._clock()
            soon = now + self.NEXT_OUTAGE_SECONDS
            self._say_again = {cause: min(again, soon) for cause, again in self._say_again.items()}
        LOG.info("database available again", extra={"seconds": round(now - since)})


class NoOutageLog(OutageLog):
    """For who says the cause itself, once, in the end."""

    def trouble(self, cause: str, *, key: str = "") -> bool:
        return False
