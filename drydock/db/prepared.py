"""Prepared statements and the connection that executes them.

NOTE: the one module that imports psycopg 3; SQLAlchemy's driver is psycopg2. The reason is measured (decision 12): with
prepared statements and binary results, a bundle costs 18 instead of 50 µs of CPU here, and 33 instead of 57 µs in
PostgreSQL. psycopg2 has neither. An import contract keeps psycopg 3 here.

There is no statement to build and none to plan: each connection plans a statement once.
"""

from __future__ import annotations

import select
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import psycopg
from psycopg.adapt import AdaptersMap, PyFormat, Transformer
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, Format
from psycopg.pq.abc import PGconn, PGresult
from psycopg.types.json import set_json_loads
from sqlalchemy import LargeBinary, Select
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.dml import ReturningInsert

from drydock.db.deadlines import Watch
from drydock.db.outages import ServerError
from drydock.db.values import read_json


class Prepared:
    """A statement under a name. It is executed with those of its parameters that have no value yet, by name.

    ``columns``: of an INSERT, those whose values are parameters of the same names. ``make``: makes a row of its values;
    by default a named tuple.
    """

    def __init__(
        self,
        name: str,
        statement: Select[Any] | ReturningInsert[Any],
        columns: Sequence[str] = (),
        *,
        make: Callable[[Sequence[Any]], Any] | None = None,
    ) -> None:
        dialect = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
        compiled = statement.compile(dialect=dialect, column_keys=columns or None)
        self.statement = statement
        self.columns = columns
        self.name = name.encode()
        self.prepare = f"PREPARE {name} AS {compiled}".encode()
        # In the order of the statement, those that have a value included.
        self._binds = [compiled.binds[each] for each in dict.fromkeys(compiled.positiontup or ())]
        # PostgreSQL reads text as the type of the parameter; bytes would have to be escaped.
        self.formats = [Format.BINARY if isinstance(bind.type, LargeBinary) else Format.TEXT for bind in self._binds]
        self.dumps = [PyFormat.from_pq(each) for each in self.formats]
        names = [column or "" for column in statement.exported_columns.keys()]  # noqa: SIM118 - not a dict
        self.make = make or namedtuple(name, names, rename=True)._make  # type: ignore[attr-defined]

    def values(self, given: Mapping[str, object]) -> list[object]:
        """Values in the order of the statement."""
        return [given[bind.key] if bind.required else bind.value for bind in self._binds]


class RowUnreadable(Exception):
    """A row holds what this driver cannot read, such as a year beyond Python's."""


class ForeignKeyMissing(ServerError):
    """The statement names a row of another table that is not there."""


class _Types:
    """How values are read: as psycopg does, except JSON, which both drivers read alike.

    NOTE: without the connection all text is taken for UTF-8 and all times for UTC, which ``Connections`` sees to.
    """

    connection = None

    def __init__(self) -> None:
        self.adapters = AdaptersMap(psycopg.adapters)
        set_json_loads(read_json, self)


class PreparedConnection(psycopg.Connection[Any]):
    """Calls libpq through psycopg without its cursors, which would double the cost of a round trip.

    Raises ``ServerError``.
    """

    def __init__(self, libpq: PGconn) -> None:
        super().__init__(libpq)
        self._types = Transformer(_Types())
        self.watch: Watch
        self.generation = 0

    @classmethod
    def opened(cls, conninfo: str) -> Self:
        try:
            return cls.connect(conninfo, autocommit=True)
        except psycopg.Error as exc:
            raise _server_error(exc) from exc

    def __del__(self, _: object = None) -> None:
        """Its thread has ended."""
        self.close()

    def command(self, text: bytes) -> tuple[str, ...]:
        """The first row of the last result, as text; empty without one."""
        try:
            with self.watch:
                result = self.pgconn.exec_(text)
        except psycopg.Error as exc:
            raise _server_error(exc) from exc
        self._check(result)
        if not result.ntuples:
            return ()
        return tuple((result.get_value(0, column) or b"").decode() for column in range(result.nfields))

    def row(self, statement: Prepared, parameters: Mapping[str, object], *, begin: bool) -> Any:
        if begin:
            self.command(b"BEGIN")
        types = self._types
        try:
            values = types.dump_sequence(statement.values(parameters), statement.dumps)
            with self.watch:
                # NOTE: NULL is None, which its annotation leaves out.
                result = self.pgconn.exec_prepared(statement.name, values, statement.formats, Format.BINARY)  # type: ignore[arg-type]
        except psycopg.Error as exc:
            raise _server_error(exc) from exc
        self._check(result)
        if not result.ntuples:
            return None
        types.set_pgresult(result)
        try:
            return types.load_row(0, statement.make)
        except (psycopg.DataError, RecursionError, ValueError) as exc:
            raise RowUnreadable(f"{statement.name.decode()}: {type(exc).__name__}") from exc

    def has_ended(self) -> bool:
        """The server has closed the connection: between statements, nothing else can be readable."""
        poll = select.poll()
        poll.register(self.pgconn.socket, select.POLLIN)
        return bool(poll.poll(0))

    def _check(self, result: PGresult) -> None:
        if result.status in _ANSWERED:
            return
        if self.pgconn.status != ConnStatus.OK:
            raise ServerError("no answer came", sqlstate=None, lost=True)
        state = (result.error_field(DiagnosticField.SQLSTATE) or b"").decode() or None
        # Without the detail: it quotes values.
        text = (result.error_field(DiagnosticField.MESSAGE_PRIMARY) or b"").decode(errors="replace")
        kind = ForeignKeyMissing if state == _FOREIGN_KEY_VIOLATION else ServerError
        raise kind(text, sqlstate=state, lost=state is None)


def _server_error(error: psycopg.Error) -> ServerError:
    """Of an error that psycopg raises by itself. NOTE: a plain DatabaseError where libpq has no message."""
    of_connection = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError | psycopg.InternalError)
    lost = error.sqlstate is None and (of_connection or type(error) is psycopg.DatabaseError)
    return ServerError(str(error), sqlstate=error.sqlstate, lost=lost)


_FOREIGN_KEY_VIOLATION = "23503"
_ANSWERED = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)


def parameter_names() -> frozenset[str]:
    """The names of connection parameters that psycopg 3's libpq knows."""
    return frozenset(option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults())


def is_conninfo(parameters: Mapping[str, str]) -> bool:
    """psycopg 3's libpq can read these connection parameters."""
    try:
        psycopg.conninfo.make_conninfo(**parameters)
    except psycopg.Error:
        return False
    return True
