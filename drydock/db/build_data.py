"""Build data: facts about nodes, as tools collected them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Text, Uuid, cast, func, insert, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from drydock.db.predicates import has_name, has_one_of_names
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
        """Everything known of a node, or only the newest of each generator. Names are compared as DNS does."""
        named = has_name(build_data.c.node, node)
        if not latest:
            return self._select(named)
        newest = select(func.max(build_data.c.id)).where(named).group_by(build_data.c.generator)
        return self._select(build_data.c.id.in_(newest))

    def newest_of_nodes(
        self, nodes: Sequence[str], generators: Collection[str], *, of_each: int, most_bytes: int
    ) -> tuple[BuildData, ...]:
        """Of these nodes and generators, at most ``of_each`` of each, the newest first. What is larger is left out:
        it may be a machine's.
        """
        rank = func.row_number().over(
            partition_by=(func.lower(build_data.c.node), build_data.c.generator), order_by=build_data.c.id.desc()
        )
        ranked = (
            select(build_data.c.id, rank.label("rank"))
            .where(
                has_one_of_names(build_data.c.node, cast(list(nodes), ARRAY(Text))),
                build_data.c.generator.in_(list(generators)),
                func.octet_length(build_data.c.data_element) <= most_bytes,
            )
            .subquery()
        )
        newest = select(ranked.c.id).where(ranked.c.rank <= of_each)
        return tuple(reversed(self._select(build_data.c.id.in_(newest))))

    def tasks_with(self, generator: str, task_ids: Sequence[UUID]) -> Collection[UUID]:
        """Those of these tasks that have build data of this generator."""
        mine = build_data.c.task_id.in_(task_ids) & (build_data.c.generator == generator)
        return frozenset(self._connection.scalars(select(build_data.c.task_id).where(mine)))

    def tasks_with_any(self, task_ids: Sequence[UUID]) -> Collection[UUID]:
        """Those of these tasks that have build data."""
        if not task_ids:
            return ()
        wanted = func.unnest(cast(list(task_ids), ARRAY(Uuid))).column_valued("wanted")
        # NOTE: looked up task by task: DISTINCT would read all rows of each.
        has_data = select(literal(1)).where(build_data.c.task_id == wanted).exists()
        return frozenset(self._connection.scalars(select(wanted).where(has_data)))

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
