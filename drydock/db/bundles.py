"""The bundle that a booting machine fetches: one prepared, indexed read."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, Text, bindparam, literal_column, select

from drydock.db.predicates import has_name, is_live
from drydock.db.prepared import Prepared
from drydock.db.tables import boot_bundles, boot_contexts
from drydock.db.thread_connections import ThreadConnections
from drydock.errors import BootContextNotFound
from drydock.model.boot_context import BundleKind, StoredBundle


def read_bundle(connections: ThreadConnections, node: str, kind: BundleKind) -> StoredBundle:
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
            has_name(of.node, bindparam("of_node", type_=Text)),
            boot_bundles.c.kind == literal_column(f"'{kind.value}'"),
            is_live(boot_contexts),
        )
        # Where two designs write a name differently, each machine gets its own.
        .order_by((of.node == bindparam("of_node", type_=Text)).desc())
    )


#: By kind; the one parameter is the node's name.
BUNDLES = {
    kind: Prepared(f"drydock_bundle_{kind.value}", _bundle(kind), make=lambda values: StoredBundle(*values))
    for kind in BundleKind
}
