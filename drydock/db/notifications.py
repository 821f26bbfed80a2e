"""Notifications between processes. They carry no data: a process that is notified reads the rows again.

``drydock_work``: a task became due. ``drydock_change``: a task changed. Both are sent when the transaction commits;
a lost one costs a poll interval.
"""

from __future__ import annotations

import math
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from sqlalchemy import Connection, func
from sqlalchemy import select as sql_select

from drydock.db.connections import Connections, WatchedConnection
from drydock.db.session import ALIVE_SECONDS
from drydock.errors import DatabaseUnavailable

WORK = "drydock_work"
CHANGE = "drydock_change"

#: Seconds without a notification after which a connection is pinged.
RESTED_SECONDS = 2.0
#: Seconds between two checks whether other connections have found the server lost or replaced.
LOOK_SECONDS = 1.0

_NOTIFY_WORK = sql_select(func.pg_notify(WORK, ""))
_NOTIFY_CHANGE = sql_select(func.pg_notify(CHANGE, ""))


def notify_work(connection: Connection) -> None:
    connection.execute(_NOTIFY_WORK)


def notify_change(connection: Connection) -> None:
    connection.execute(_NOTIFY_CHANGE)


class Listener:
    """A connection of its own that listens to one channel."""

    def __init__(self, connections: Connections, connection: WatchedConnection) -> None:
        self._connections = connections
        self._connection = connection
        self._answered = time.monotonic()

    def wait(self, seconds: float, *, also: int | None = None) -> bool:
        """Returns whether a notification came in ``seconds``. ``also``: a descriptor that ends the wait when readable.

        Raises ``DatabaseUnavailable`` when the connection is lost, or leads to another server than new ones.
        """
        poll = select.poll()
        for descriptor in [self._connection.fileno()] if also is None else [self._connection.fileno(), also]:
            poll.register(descriptor, select.POLLIN)
        until = time.monotonic() + seconds
        while True:
            self._check_rested()
            left = max(0.0, until - time.monotonic())
            ready = poll.poll(math.ceil(1000 * min(left, LOOK_SECONDS)))
            notified = self._notified()
            if notified or ready or left <= LOOK_SECONDS:
                return notified or bool(ready)

    def _notified(self) -> bool:
        connection = self._connection
        try:
            connection.poll()
        except psycopg2.Error as exc:
            self._connections.fail(exc, connection.generation)
        notified = bool(connection.notifies)
        if notified:
            self._answered = time.monotonic()
            connection.notifies.clear()
        return notified

    def _check_rested(self) -> None:
        """Ping an idle connection: the server may be gone without closing it."""
        connection = self._connection
        if connection.generation != self._connections.generation:
            raise DatabaseUnavailable("the connection that listens for changes is replaced")
        if time.monotonic() - self._answered < RESTED_SECONDS:
            return
        try:
            with connection.watch.within(ALIVE_SECONDS), connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except psycopg2.Error as exc:
            self._connections.fail(exc, connection.generation)
        self._answered = time.monotonic()


@contextmanager
def listen(connections: Connections, channel: str) -> Iterator[Listener]:
    """Listen to ``channel`` for the duration of the block. Raises ``DatabaseUnavailable``."""
    connection = connections.connect()
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {channel}")
        yield Listener(connections, connection)
    except psycopg2.Error as exc:
        connections.fail(exc, connection.generation)
    finally:
        connection.close()
