"""Wake-ups across processes. They carry no data: whoever wakes reads the rows again.

``drydock_work``: a task became due. ``drydock_change``: a task changed. Both are sent when the transaction commits;
losing one costs a poll interval.
"""

from __future__ import annotations

import select
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from sqlalchemy import Connection, Engine, func
from sqlalchemy import select as sql_select
from sqlalchemy.exc import DBAPIError

from drydock.errors import DatabaseUnavailable

WORK = "drydock_work"
CHANGE = "drydock_change"

_NOTIFY_WORK = sql_select(func.pg_notify(WORK, ""))
_NOTIFY_CHANGE = sql_select(func.pg_notify(CHANGE, ""))


def notify_work(connection: Connection) -> None:
    connection.execute(_NOTIFY_WORK)


def notify_change(connection: Connection) -> None:
    connection.execute(_NOTIFY_CHANGE)


class Listener:
    """A connection of its own that hears one channel."""

    def __init__(self, raw: psycopg2.extensions.connection) -> None:
        self._raw = raw

    def wait(self, seconds: float, *, also: int | None = None) -> bool:
        """Whether anything was heard within ``seconds``. ``also``: a descriptor that ends the wait when readable.

        Raises ``DatabaseUnavailable`` when the connection is gone.
        """
        descriptors: list[psycopg2.extensions.connection | int] = [self._raw] if also is None else [self._raw, also]
        try:
            ready, _, _ = select.select(descriptors, [], [], seconds)
            self._raw.poll()
            heard = bool(self._raw.notifies)
            self._raw.notifies.clear()
        except psycopg2.Error as exc:
            raise DatabaseUnavailable("the connection that listens for changes was lost") from exc
        return heard or bool(ready)


@contextmanager
def listen(engine: Engine, channel: str) -> Iterator[Listener]:
    """Hear ``channel`` as long as the block runs. Raises ``DatabaseUnavailable``."""
    try:
        pooled = engine.raw_connection()
        raw = pooled.driver_connection
        pooled.detach()
    except (DBAPIError, psycopg2.Error) as exc:
        # NOTE: raw_connection() passes the driver's own error on, unlike connect().
        raise DatabaseUnavailable("the database did not answer") from exc
    if not isinstance(raw, psycopg2.extensions.connection):
        raise TypeError("LISTEN needs psycopg2")
    try:
        raw.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_AUTOCOMMIT)
        with raw.cursor() as cursor:
            cursor.execute(f"LISTEN {channel}")
        yield Listener(raw)
    except psycopg2.Error as exc:
        raise DatabaseUnavailable("the connection that listens for changes was lost") from exc
    finally:
        raw.close()
