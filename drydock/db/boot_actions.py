"""Boot actions and their final results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from drydock.db.recordset import one_of
from drydock.db.tables import boot_actions
from drydock.errors import BootActionNotFound
from drydock.model.boot_action import BootAction, ReportStatus

_OF_TASKS = select(boot_actions).where(one_of(boot_actions.c.task_id, "of_tasks")).order_by(boot_actions.c.name)


class BootActionRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, action_id: str) -> BootAction:
        """Raises ``BootActionNotFound``."""
        row = self._connection.execute(select(boot_actions).where(boot_actions.c.id == action_id)).one_or_none()
        if row is None:
            raise BootActionNotFound(f"there is no boot action {action_id}")
        return action_from_row(row)

    def of_tasks(self, task_ids: Sequence[UUID]) -> Mapping[UUID, tuple[BootAction, ...]]:
        """The boot actions of each task that has any, in the order of their names. A task makes one boot context."""
        rows = self._connection.execute(_OF_TASKS, {"of_tasks": task_ids})
        found: dict[UUID, list[BootAction]] = {}
        for row in rows:
            found.setdefault(row.task_id, []).append(action_from_row(row))
        return {task_id: tuple(actions) for task_id, actions in found.items()}


def status_from_text(text: str | None) -> ReportStatus | None:
    return None if text is None else ReportStatus.stored(text)


def action_from_row(row: Any) -> BootAction:
    return BootAction(
        id=row.id,
        context_id=row.context_id,
        task_id=row.task_id,
        node=row.node,
        name=row.name,
        signaling=row.signaling,
        status=status_from_text(row.status),
        finalized=row.finalized,
    )
