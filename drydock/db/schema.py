"""Compares a database's schema with the one that this version needs."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, Table, Text, any_, column, false, func, literal, select, table
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.exc import ProgrammingError

import drydock
from drydock.db.tables import metadata

LOG = logging.getLogger(__name__)

_VERSION = Table("alembic_version", MetaData(), Column("version_num", Text))
_COLUMNS = table(
    "columns", column("table_schema"), column("table_name"), column("column_name"), schema="information_schema"
)
_REVISION = select(func.string_agg(_VERSION.c.version_num, aggregate_order_by(literal(", "), _VERSION.c.version_num)))
#: Columns that every version of Drydock's schema has, and other programs' tables of the same names do not.
_MARKS = frozenset({"tasks.lease_epoch", "tasks.root_id", "boot_contexts.key_digest", "node_holds.task_id"})
_OF_UPSTREAM = "tasks.task_id"
_UPGRADE = "run drydock-manage db upgrade"


class State(Enum):
    """EMPTY: none of Drydock's tables. FOREIGN: another program's tables of the same names, or its revisions."""

    EMPTY = auto()
    OLDER = auto()
    CURRENT = auto()
    NEWER = auto()
    INCOMPLETE = auto()
    FOREIGN = auto()

    @property
    def suitable(self) -> bool:
        """A later version's schema works with this version."""
        return self in (State.CURRENT, State.NEWER)


@dataclass(frozen=True, slots=True)
class Schema:
    """``text``: what it is and what to do, in a sentence. ``revision``: empty without one."""

    state: State
    revision: str
    text: str


def migrations_folder() -> Path:
    """Installed: inside the package. In a checkout: the top-level ``alembic/``."""
    package = Path(drydock.__file__).parent
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parent / "alembic"


def known_revisions() -> Sequence[str]:
    """This version's revisions, oldest first, by file name: loading alembic would take too long."""
    return sorted(file.name.partition("_")[0] for file in migrations_folder().glob("versions/[0-9]*_*.py"))


def read_schema(connection: Connection) -> Schema:
    """For any database: reads no table that may be missing."""
    return _described(_columns(connection), known_revisions(), _revision(connection))


def _revision(connection: Connection) -> str:
    if connection.scalar(select(func.to_regclass(_VERSION.name))) is None:
        return ""
    return connection.scalar(_REVISION) or ""


def _columns(connection: Connection) -> frozenset[str]:
    """``table.column`` of tables with Drydock's names in the search path."""
    found = connection.execute(
        select(_COLUMNS.c.table_name, _COLUMNS.c.column_name).where(
            # Without those of the system.
            _COLUMNS.c.table_schema == any_(func.current_schemas(false(), type_=ARRAY(Text))),
            _COLUMNS.c.table_name.in_(list(metadata.tables)),
        )
    )
    return frozenset(f"{row.table_name}.{row.column_name}" for row in found)


def _described(found: frozenset[str], known: Sequence[str], revision: str) -> Schema:
    head = known[-1]
    missing = sorted({str(each) for each in _needed()} - found)
    at = f"at revision {revision}" if revision else "without a revision"
    if not found and not revision:
        return Schema(State.EMPTY, revision, f"the database has no schema yet: {_UPGRADE}")
    if not found >= _MARKS or not revision:
        return Schema(State.FOREIGN, revision, _foreign(found, at))
    if revision in known and revision != head:
        return Schema(State.OLDER, revision, f"the schema is {at}, and this version needs {head}: {_UPGRADE}")
    if missing:
        lacks = f"the schema, {at}, lacks {', '.join(missing[:3])}"
        advice = "restore it from a backup" if revision == head else "this version cannot work on one that much newer"
        return Schema(State.INCOMPLETE, revision, f"{lacks}: {advice}")
    if revision == head:
        return Schema(State.CURRENT, revision, f"the schema is {at}, which is this version's")
    newer = f"the schema is {at}, which is newer than this version's ({head}) and works with it"
    return Schema(State.NEWER, revision, newer)


def _needed() -> Sequence[Column[object]]:
    return [each for every in metadata.sorted_tables for each in every.columns]


def _foreign(found: frozenset[str], at: str) -> str:
    names = sorted({name.partition(".")[0] for name in found})
    tables = f"has tables that are not this Drydock's: {', '.join(names)}" if names else "has none of Drydock's tables"
    whose = "airshipit/drydock's" if _OF_UPSTREAM in found else "another program's"
    return f"the database is {whose}: it {tables}, and is {at}. Name an empty one in [database] url"


class SchemaCheck:
    """Reads the whole schema once per revision, afterwards the revision only."""

    def __init__(self) -> None:
        self._accepted = ""

    def doubt(self) -> None:
        """A statement failed because of the schema: read it again."""
        self._accepted = ""

    def unfit(self, connection: Connection) -> Schema | None:
        """The schema if it is not suitable, else None. ``connection`` must be in autocommit mode."""
        try:
            revision = connection.scalar(_REVISION)
        except ProgrammingError:
            # There is no such table.
            revision = None
        if revision and revision == self._accepted:
            return None
        schema = read_schema(connection)
        if not schema.state.suitable:
            return schema
        if schema.state is State.NEWER:
            LOG.warning(schema.text)
        self._accepted = schema.revision
        return None
