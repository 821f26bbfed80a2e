"""Lists as one parameter: a statement is the same for a list of any length, and is built once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ColumnElement, TableValuedAlias, any_, bindparam, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeEngine


def recordset(name: str, /, **columns: TypeEngine[Any] | type[TypeEngine[Any]]) -> TableValuedAlias:
    """The rows of the JSON list in the parameter ``name``; a missing key is NULL."""
    rows = func.jsonb_to_recordset(bindparam(name, type_=JSONB))
    valued = rows.table_valued(*(Column(column, kind) for column, kind in columns.items()), name=name)
    return valued.render_derived(with_types=True)


def one_of(column: Column[Any], name: str) -> ColumnElement[bool]:
    """The column's value is in the list in the parameter ``name``."""
    return column == any_(bindparam(name, type_=ARRAY(column.type)))
