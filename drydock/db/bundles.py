"""The bundle that a booting node asks for: one prepared, indexed read on the thread's own connection.

A thousand machines ask at once, so this path has no pool to wait for, no transaction to begin and end (a single
statement is its own), no statement to build and none for PostgreSQL to plan: the round trip is what it costs.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg2
import psycopg2.extensions
from sqlalchemy import Engine, Select, bindparam, func, literal_column, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import SQLAlchemyError

from drydock.db.tables import boot_bundles, boot_contexts
from drydock.errors import BootContextNotFound, DatabaseUnavailable
from drydock.model.boot_context import BundleKind

#: By kind, so that the node is all there is to send.
_NAMES = {kind: f"drydock_bundle_{kind.value}" for kind in BundleKind}
_EXECUTE = {kind: f"EXECUTE {name} (%s)" for kind, name in _NAMES.items()}


@dataclass(frozen=True, slots=True)
class StoredBundle:
    """A sealed bundle with what is needed to check a key and to open it."""

    context_id: UUID
    key_digest: bytes = field(repr=False)
    sealed: memoryview = field(repr=False)
    etag: str


class BundleReader:
    """``read`` keeps one connection, and one cursor on it, for each thread that calls it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._own = threading.local()

    def read(self, node: str, kind: BundleKind) -> StoredBundle:
        """Raises ``BootContextNotFound``, ``DatabaseUnavailable``."""
        cursor = getattr(self._own, "cursor", None)
        if cursor is not None:
            try:
                return _read(cursor, node, kind)
            except psycopg2.Error:
                # The server was restarted, or the schema upgraded, since this thread last asked.
                self._forget(cursor)
        cursor = self._connect()
        try:
            return _read(cursor, node, kind)
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as exc:
            self._forget(cursor)
            raise DatabaseUnavailable("the database did not answer") from exc

    def _connect(self) -> psycopg2.extensions.cursor:
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
            cursor = raw.cursor()
            _prepare(cursor)
        except psycopg2.Error as exc:
            raw.close()
            raise DatabaseUnavailable("the database did not answer") from exc
        self._own.cursor = cursor
        return cursor

    def _forget(self, cursor: psycopg2.extensions.cursor) -> None:
        self._own.cursor = None
        cursor.connection.close()


def _prepare(cursor: psycopg2.extensions.cursor) -> None:
    # The plans are made once, perhaps while the tables are still empty: they must use the indexes all the same.
    cursor.execute("SET enable_seqscan = off")
    dialect = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
    for kind, name in _NAMES.items():
        cursor.execute(f"PREPARE {name} AS {_bundle(kind).compile(dialect=dialect)}")


def _bundle(kind: BundleKind) -> Select[Any]:
    return (
        select(boot_contexts.c.id, boot_contexts.c.key_digest, boot_bundles.c.sealed, boot_bundles.c.etag)
        .join(boot_bundles, boot_bundles.c.context_id == boot_contexts.c.id)
        .where(
            boot_contexts.c.node == bindparam("node"),
            boot_bundles.c.kind == literal_column(f"'{kind.value}'"),
            boot_contexts.c.ended.is_(None),
            boot_contexts.c.expires > func.now(),
        )
    )


def _read(cursor: psycopg2.extensions.cursor, node: str, kind: BundleKind) -> StoredBundle:
    cursor.execute(_EXECUTE[kind], (node,))
    row = cursor.fetchone()
    if row is None:
        raise BootContextNotFound(f"node {node} has no boot context")
    context_id, digest, sealed, etag = row
    return StoredBundle(context_id, bytes(digest), sealed, etag)
