"""What the deployed nodes were made from: one row for each. Names are compared as in DNS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Text, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from drydock.db.predicates import has_name, has_one_of_names
from drydock.db.tables import deployed_nodes
from drydock.model.deployed_node import DeployedNode, NewDeployedNode

_HEAD = tuple(column for column in deployed_nodes.c if column.name != "sections")
_HEADS = select(*_HEAD)
#: Given names, and the rows of these nodes however they are spelled.
_NAME = func.unnest(bindparam("of_names", type_=ARRAY(Text))).column_valued("name")
_NAMED = has_name(deployed_nodes.c.node, _NAME)
_locked = (
    select(deployed_nodes.c.node)
    .where(has_one_of_names(deployed_nodes.c.node, bindparam("of_names", type_=ARRAY(Text))))
    .order_by(deployed_nodes.c.node)
    .with_for_update()
    .cte("locked")
)
_REMOVE = delete(deployed_nodes).where(deployed_nodes.c.node == _locked.c.node)
_NAMES = ("node", "task_id", "deployment_id", "design_digest", "image", "sections", "fingerprints", "deployed_by")


class DeployedNodeStatements:
    """Each method is right by itself: none needs a transaction with others."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def remove(self, nodes: Sequence[str]) -> None:
        """These run nothing that is known any more."""
        if nodes:
            self._connection.execute(_REMOVE, {"of_names": list(nodes)})

    def all(self) -> Mapping[str, DeployedNode]:
        """By node."""
        return {row.node: DeployedNode(**row._mapping) for row in self._connection.execute(_HEADS)}

    def named(self, node: str) -> DeployedNode | None:
        row = self._connection.execute(_HEADS.where(has_name(deployed_nodes.c.node, node)).limit(1)).one_or_none()
        return None if row is None else DeployedNode(**row._mapping)

    def of_nodes(self, nodes: Sequence[str]) -> Mapping[str, DeployedNode]:
        """Those of these nodes that are recorded, by the given names."""
        wanted = _HEADS.add_columns(_NAME.label("name")).where(_NAMED)
        rows = self._connection.execute(wanted, {"of_names": list(nodes)})
        return {row.name: DeployedNode(**{each.name: row._mapping[each.name] for each in _HEAD}) for row in rows}

    def contents(self, nodes: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """What is kept of the contents of these nodes' assets, by the given names; those without are left out."""
        kept = deployed_nodes.c.sections["contents"]
        wanted = select(_NAME.label("name"), kept.label("contents")).where(_NAMED, kept.is_not(None))
        return {row.name: row.contents for row in self._connection.execute(wanted, {"of_names": list(nodes)})}

    def sections(self, nodes: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """The sections of these nodes, by the given names; those that are not recorded are left out."""
        wanted = select(_NAME.label("name"), deployed_nodes.c.sections).where(_NAMED)
        return {row.name: row.sections for row in self._connection.execute(wanted, {"of_names": list(nodes)})}


class DeployedNodeRepository(DeployedNodeStatements):
    """Also what needs a transaction: several writes, or a lock for what follows."""

    def record(self, found: Sequence[NewDeployedNode]) -> None:
        """In place of what is known of these nodes. Rows are locked in the order of the nodes."""
        if not found:
            return
        self.remove([each.node for each in found])
        rows = [{name: getattr(each, name) for name in _NAMES} for each in sorted(found, key=lambda each: each.node)]
        new = insert(deployed_nodes).values(rows)
        columns = {name: new.excluded[name] for name in _NAMES if name != "node"}
        self._connection.execute(
            new.on_conflict_do_update(index_elements=["node"], set_={**columns, "deployed": func.now()})
        )
