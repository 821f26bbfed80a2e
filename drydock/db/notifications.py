"""Wake-ups across processes. They carry no data: whoever wakes reads the rows again.

``drydock_work``: a task became due. ``drydock_change``: a task changed. Both are sent when the transaction commits;
losing one costs a poll interval.
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

#: Seconds without a notification after which a connection is asked whether it still lives.
RESTED_SECONDS = 2.0
#: Seconds until a connection is given up that others have found to lead to no server, or the wrong one.
LOOK_SECONDS = 1.0

_NOTIFY_WORK = sql_select(func.pg_notify(WORK, ""))
_NOTIFY_CHANGE = sql_select(func.pg_notify(CHANGE, ""))


def notify_work(connection: Connection) -> None:
    connection.execute(_NOTIFY_WORK)


def notify_change(connection: Connection) -> None:
    connection.execute(_NOTIFY_CHANGE)


class Listener:
    """A connection of its own that hears one channel."""

    def __init__(self, connections: Connections, connection: WatchedConnection) -> None:
        self._connections = connections
        self._connection = connection
        self._answered = time.monotonic()

    def wait(self, seconds: float, *, also: int | None = None) -> bool:
        """Whether anything was heard within ``seconds``. ``also``: a descriptor that ends the wait when readable.

        Raises ``DatabaseUnavailable`` when the connection is gone, or is not the server's that others go to.
        """
        poll = select.poll()
        for descriptor in [self._connection.fileno()] if also is None else [self._connection.fileno(), also]:
            poll.register(descriptor, select.POLLIN)
        until = time.monotonic() + seconds
        while True:
            self._check_rested()
            left = max(0.0, until - time.monotonic())
            ready = poll.poll(math.ceil(1000 * min(left, LOOK_SECONDS)))
            heard = self._heard()
            if heard or ready or left <= LOOK_SECONDS:
                return heard or bool(ready)

    def _heard(self) -> bool:
        connection = self._connection
        try:
            connection.poll()
        except psycopg2.Error as exc:
            self._connections.fail(exc, connection.generation)
        heard = bool(connection.notifies)
        if heard:
            self._answered = time.monotonic()
            connection.notifies.clear()
        return heard

    def _check_rested(self) -> None:
        """A connection that nothing comes from may have nobody at its other end."""
        connection = self._connection
        if connection.generation != self._connections.generation:
            raise DatabaseUnavailable("the connection that listens for changes is made anew")
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
    """Hear ``channel`` as long as the block runs. Raises ``DatabaseUnavailable``."""
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
