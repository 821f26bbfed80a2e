"""The bundle that a booting node asks for: one prepared, indexed read."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, Text, bindparam, func, literal_column, select

from drydock.db.boot_contexts import is_named
from drydock.db.prepared import OwnConnections, Prepared
from drydock.db.tables import boot_bundles, boot_contexts
from drydock.errors import BootContextNotFound
from drydock.model.boot_context import BundleKind


class StoredBundle(NamedTuple):
    """A sealed bundle with what is needed to check a key and to open it. ``node``: its name as the design has it."""

    context_id: UUID
    node: str
    key_digest: bytes
    sealed: bytes

    def __repr__(self) -> str:
        return f"StoredBundle({self.context_id})"


def read_bundle(connections: OwnConnections, node: str, kind: BundleKind) -> StoredBundle:
    """Raises ``BootContextNotFound``, ``DatabaseUnavailable``."""
    stored: StoredBundle | None = connections.row(BUNDLES[kind], {"of_node": node})
    if stored is None:
        raise BootContextNotFound(f"node {node} has no boot context")
    return stored


def _bundle(kind: BundleKind) -> Select[Any]:
    of = boot_contexts.c
    return (
        select(of.id, of.node, of.key_digest, boot_bundles.c.sealed)
        .join(boot_bundles, boot_bundles.c.context_id == boot_contexts.c.id)
        .where(
            is_named(bindparam("of_node", type_=Text)),
            boot_bundles.c.kind == literal_column(f"'{kind.value}'"),
            of.ended.is_(None),
            of.expires > func.now(),
        )
        # Where two designs write a name differently, each machine gets its own.
        .order_by((of.node == bindparam("of_node", type_=Text)).desc())
    )


#: By kind, so that the node is all there is to send.
BUNDLES = {kind: Prepared(f"drydock_bundle_{kind.value}", _bundle(kind), row=StoredBundle) for kind in BundleKind}
