"""The holds that operators put on nodes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from drydock.db.database import Database
from drydock.errors import HoldNotFound, InvalidInput, NodeHeld
from drydock.model.operator_hold import NewHold, OperatorHold


class OperatorHoldService:
    def __init__(self, database: Database) -> None:
        self._database = database

    def hold(self, new: NewHold) -> OperatorHold:
        """Asking for the same hold again changes nothing: clients repeat a request whose answer was lost.

        Raises ``NodeHeld``, and ``InvalidInput`` for an end that has passed.
        """
        if new.until is not None and new.until <= datetime.now(UTC):
            raise InvalidInput("must be in the future", field="until")
        while True:
            with self._database.unit_of_work() as uow:
                made = uow.operator_holds.add(new)
                first = uow.operator_holds.of_nodes([new.node]).get(new.node.lower())
                uow.commit()
            if made is not None:
                return made
            # None only if it expired or was released between the two statements.
            if first is not None and _asked_again(first, new):
                return first
            if first is not None:
                raise NodeHeld(f"{first}; release that hold first")

    def holds(self) -> Sequence[OperatorHold]:
        with self._database.statements() as uow:
            return uow.operator_holds.all()

    def release(self, node: str) -> None:
        """Raises ``HoldNotFound``."""
        with self._database.unit_of_work() as uow:
            held = uow.operator_holds.release(node)
            uow.commit()
        if not held:
            raise HoldNotFound(f"node {node} is not held")


def _asked_again(first: OperatorHold, new: NewHold) -> bool:
    # The node is the same: names are compared by the database.
    return (first.kind, first.reason, first.created_by, first.until) == (
        new.kind,
        new.reason,
        new.created_by,
        new.until,
    )
