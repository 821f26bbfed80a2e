"""The holds that operators put on nodes. Not ``node_holds``, which makes one task the writer of a node."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.types import Text

from drydock.db.predicates import NOW, has_name
from drydock.db.tables import operator_holds
from drydock.model.operator_hold import HoldsByNode, NewHold, OperatorHold

_ACTIVE: ColumnElement[bool] = or_(operator_holds.c.until.is_(None), operator_holds.c.until > NOW)
_ALL = select(operator_holds).where(_ACTIVE).order_by(operator_holds.c.node)
_NAME = func.unnest(bindparam("of_names", type_=ARRAY(Text))).column_valued("name")
_OF_NODES = select(_NAME.label("name"), operator_holds).where(_ACTIVE, has_name(operator_holds.c.node, _NAME))


class OperatorHoldRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, new: NewHold) -> OperatorHold | None:
        """Replaces a hold that has expired. None if the node is held."""
        values = {
            "node": new.node,
            "kind": new.kind,
            "reason": new.reason,
            "created_by": new.created_by,
            "until": new.until,
            "created": NOW,
        }
        statement = (
            insert(operator_holds)
            .values(values)
            .on_conflict_do_update(
                index_elements=[func.lower(operator_holds.c.node)],
                set_=values,
                where=and_(operator_holds.c.until.is_not(None), operator_holds.c.until <= NOW),
            )
            .returning(*operator_holds.c)
        )
        row = self._connection.execute(statement).one_or_none()
        return None if row is None else _hold(row)

    def all(self) -> Sequence[OperatorHold]:
        """Those that have not expired, by node."""
        return [_hold(row) for row in self._connection.execute(_ALL)]

    def of_nodes(self, nodes: Collection[str]) -> HoldsByNode:
        """Those of these nodes that have not expired, by the given names in lower case."""
        if not nodes:
            return {}
        rows = self._connection.execute(_OF_NODES, {"of_names": sorted(set(nodes))})
        return {row.name.lower(): _hold(row) for row in rows}

    def release(self, node: str) -> bool:
        """Returns whether the node was held."""
        statement = delete(operator_holds).where(has_name(operator_holds.c.node, node)).returning(_ACTIVE)
        return bool(self._connection.scalar(statement))


def _hold(row: Any) -> OperatorHold:
    return OperatorHold(row.node, row.kind, row.reason, row.created_by, row.created, row.until)
