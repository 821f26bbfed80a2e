"""The fate of a transaction whose COMMIT got no answer: PostgreSQL knows it, also after a restart."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, String, bindparam, case, cast, func, literal, select
from sqlalchemy.types import UserDefinedType

from drydock.model.transaction import Fate


class _TransactionId(UserDefinedType[str]):
    cache_ok = True

    def get_col_spec(self, **options: Any) -> str:
        return "xid8"


_ID = cast(bindparam("transaction", type_=String), _TransactionId())
#: An id of the future was assigned by a server that was lost, and whose last transactions this one does not have.
_FATE = select(
    case(
        (func.pg_snapshot_xmax(func.pg_current_snapshot()) <= _ID, literal(Fate.LOST.value)),
        else_=func.pg_xact_status(_ID),
    )
)


def fate_of(connection: Connection, transaction: int) -> Fate:
    """``transaction``: its number, as rows have it in ``changed_in``."""
    found = connection.scalar(_FATE, {"transaction": str(transaction)})
    return Fate(found) if found in (Fate.KEPT.value, Fate.LOST.value) else Fate.UNKNOWN
