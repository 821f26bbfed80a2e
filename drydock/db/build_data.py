"""Build data: what tools found out about nodes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, func, insert, select

from drydock.db.tables import build_data
from drydock.model.build_data import BuildData


class BuildDataRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, *, node: str, task_id: UUID, generator: str, data_format: str, data_element: str) -> None:
        self._connection.execute(
            insert(build_data).values(
                node=node, task_id=task_id, generator=generator, data_format=data_format, data_element=data_element
            )
        )

    def of_task(self, task_id: UUID) -> tuple[BuildData, ...]:
        return self._select(build_data.c.task_id == task_id)

    def of_node(self, node: str, *, latest: bool) -> tuple[BuildData, ...]:
        """Everything known of a node, or only the newest of each generator."""
        if not latest:
            return self._select(build_data.c.node == node)
        newest = select(func.max(build_data.c.id)).where(build_data.c.node == node).group_by(build_data.c.generator)
        return self._select(build_data.c.id.in_(newest))

    def _select(self, which: ColumnElement[Any]) -> tuple[BuildData, ...]:
        rows = self._connection.execute(select(build_data).where(which).order_by(build_data.c.id))
        return tuple(
            BuildData(
                node=row.node,
                task_id=row.task_id,
                collected=row.collected,
                generator=row.generator,
                data_format=row.data_format,
                data_element=row.data_element,
            )
            for row in rows
        )
