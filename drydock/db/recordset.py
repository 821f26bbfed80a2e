"""Lists as one parameter: a statement that takes a list of any length stays the same, and is put together once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ColumnElement, TableValuedAlias, any_, bindparam, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeEngine


def recordset(name: str, /, **columns: TypeEngine[Any] | type[TypeEngine[Any]]) -> TableValuedAlias:
    """Rows made of the JSON list that the statement is given as ``name``; a key that is missing is NULL."""
    rows = func.jsonb_to_recordset(bindparam(name, type_=JSONB))
    valued = rows.table_valued(*(Column(column, kind) for column, kind in columns.items()), name=name)
    return valued.render_derived(with_types=True)


def one_of(column: Column[Any], name: str) -> ColumnElement[bool]:
    """Whether the column's value is in the list that the statement is given as ``name``."""
    return column == any_(bindparam(name, type_=ARRAY(column.type)))
