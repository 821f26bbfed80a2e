"""The bundle that a booting node asks for: one prepared, indexed read on the thread's own connection.

A thousand machines ask at once, so this path has no pool to wait for, no transaction to begin and end (a single
statement is its own), no statement to build and none for PostgreSQL to plan: the round trip is what it costs.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from uuid import UUID

import psycopg2
import psycopg2.extensions
from sqlalchemy import Engine, bindparam, func, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import SQLAlchemyError

from drydock.db.tables import boot_bundles, boot_contexts
from drydock.errors import BootContextNotFound, DatabaseUnavailable
from drydock.model.boot_context import BundleKind

_PREPARED = "drydock_bundle"

_BUNDLE = (
    select(boot_contexts.c.id, boot_contexts.c.key_digest, boot_bundles.c.sealed, boot_bundles.c.etag)
    .join(boot_bundles, boot_bundles.c.context_id == boot_contexts.c.id)
    .where(
        boot_contexts.c.node == bindparam("node"),
        boot_bundles.c.kind == bindparam("kind"),
        boot_contexts.c.ended.is_(None),
        boot_contexts.c.expires > func.now(),
    )
)


@dataclass(frozen=True, slots=True)
class StoredBundle:
    """A sealed bundle with what is needed to check a key and to open it."""

    context_id: UUID
    key_digest: bytes = field(repr=False)
    sealed: memoryview = field(repr=False)
    etag: str


class BundleReader:
    """``read`` keeps one connection for each thread that calls it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._own = threading.local()

    def read(self, node: str, kind: BundleKind) -> StoredBundle:
        """Raises ``BootContextNotFound``, ``DatabaseUnavailable``."""
        connection = getattr(self._own, "connection", None)
        if connection is not None:
            try:
                return _read(connection, node, kind)
            except psycopg2.Error:
                # The server was restarted, or the schema upgraded, since this thread last asked.
                self._forget(connection)
        connection = self._connect()
        try:
            return _read(connection, node, kind)
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as exc:
            self._forget(connection)
            raise DatabaseUnavailable("the database did not answer") from exc

    def _connect(self) -> psycopg2.extensions.connection:
        try:
            pooled = self._engine.raw_connection()
        except (SQLAlchemyError, psycopg2.Error) as exc:
            # NOTE: raw_connection() passes the driver's own error on, unlike connect().
            raise DatabaseUnavailable("the database did not answer") from exc
        raw = pooled.driver_connection
        pooled.detach()
        if not isinstance(raw, psycopg2.extensions.connection):
            raise TypeError("prepared bundles need psycopg2")
        raw.autocommit = True
        try:
            _prepare(raw)
        except psycopg2.Error as exc:
            raw.close()
            raise DatabaseUnavailable("the database did not answer") from exc
        self._own.connection = raw
        return raw

    def _forget(self, connection: psycopg2.extensions.connection) -> None:
        self._own.connection = None
        connection.close()


def _prepare(connection: psycopg2.extensions.connection) -> None:
    dialect = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
    text = str(_BUNDLE.compile(dialect=dialect))
    with connection.cursor() as cursor:
        # The plan is made once, perhaps while the tables are still empty: it must use the indexes all the same.
        cursor.execute("SET enable_seqscan = off")
        cursor.execute(f"PREPARE {_PREPARED} AS {text}")


def _read(connection: psycopg2.extensions.connection, node: str, kind: BundleKind) -> StoredBundle:
    with connection.cursor() as cursor:
        cursor.execute(f"EXECUTE {_PREPARED} (%s, %s)", (node, kind.value))
        row = cursor.fetchone()
    if row is None:
        raise BootContextNotFound(f"node {node} has no boot context")
    context_id, digest, sealed, etag = row
    return StoredBundle(context_id, bytes(digest), sealed, etag)
