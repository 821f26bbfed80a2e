"""Designs: kept by digest, fetched by reference, compiled once."""

from __future__ import annotations

import hashlib
from threading import Lock

from cachetools import LRUCache

from drydock.counting import counted
from drydock.db.database import Database
from drydock.design.compiler import CompiledDesign, at_site
from drydock.design.filters import select_nodes
from drydock.design.loader import DesignLoader
from drydock.design.provisioning import provisioned_node
from drydock.drivers.node.records import ProvisionedNode
from drydock.errors import DesignInvalid, InvalidReference
from drydock.model.design import DESIGN_REF_PREFIX, DesignSnapshot, ValidationReport
from drydock.model.node_filter import NodeFilterSet
from drydock.orchestrator.services.images import ImageCatalogue

#: Records of nodes for provisioners: a node needs its own for a few steps in a row.
NODES_KEPT = 2048


class DesignService:
    def __init__(self, database: Database, loader: DesignLoader, images: ImageCatalogue) -> None:
        self._database = database
        self._loader = loader
        self._images = images
        self._nodes: LRUCache[tuple[str, str], ProvisionedNode] = LRUCache(NODES_KEPT)
        self._nodes_lock = Lock()

    def store(self, content: bytes, *, created_by: str) -> DesignSnapshot:
        """Keep the bytes; the same bytes again answer with the snapshot of the first time."""
        digest = hashlib.sha256(content).hexdigest()
        with self._database.unit_of_work() as uow:
            snapshot = uow.designs.add(digest, content, created_by=created_by)
            uow.commit()
        return snapshot

    def fetch(self, ref: str, *, created_by: str) -> DesignSnapshot:
        """What ``ref`` names now, kept. Raises ``InvalidReference``, ``ReferenceUnavailable`` or ``DesignNotFound``."""
        content, _ = self._fetched(ref)
        return self.store(content, created_by=created_by)

    def read(self, digest: str) -> bytes:
        """Raises ``DesignNotFound``."""
        with self._database.unit_of_work() as uow:
            content = uow.designs.content(digest)
            uow.commit()
        return content

    def list(self) -> tuple[DesignSnapshot, ...]:
        with self._database.unit_of_work() as uow:
            return uow.designs.all()

    def compiled(self, digest: str) -> CompiledDesign:
        """A kept design, compiled; cheap the second time. Raises ``DesignNotFound``."""
        cached = self._loader.cached(digest)
        return cached if cached is not None else self._loader.compile(self.read(digest))

    def checked(self, digest: str) -> CompiledDesign:
        """As ``compiled``, and checked against what the provisioner offers now. Raises ``DesignNotFound``."""
        return at_site(self.compiled(digest), self._images.platform())

    def provisioned_node(self, design: CompiledDesign, name: str) -> ProvisionedNode:
        """A node as its provisioner takes it. Raises ``DesignInvalid``, also if the design has errors."""
        if not design.valid:
            raise DesignInvalid("the design is invalid")
        key = (design.digest, name)
        with self._nodes_lock:
            kept = self._nodes.get(key)
        if kept is not None:
            return kept
        made = provisioned_node(design.site, name)
        with self._nodes_lock:
            self._nodes[key] = made
        return made

    def validate(self, ref: str) -> ValidationReport:
        _, compiled = self._fetched(ref)
        return ValidationReport(at_site(compiled, self._images.platform()).messages)

    def validate_content(self, content: bytes) -> ValidationReport:
        return ValidationReport(at_site(self._loader.compile(content), self._images.platform()).messages)

    def select_nodes(self, ref: str, node_filter: NodeFilterSet | None) -> tuple[str, ...]:
        """Names of the nodes that a filter selects. Raises ``DesignInvalid`` for a design with errors."""
        _, compiled = self._fetched(ref)
        if not compiled.valid:
            raise DesignInvalid(f"the design has {counted(compiled.error_count, 'error')}; validate it to see them")
        return select_nodes(compiled.site, node_filter)

    def _fetched(self, ref: str) -> tuple[bytes, CompiledDesign]:
        """What a reference names now, compiled.

        An answer without a readable document of ours is neither kept nor quoted: the user who names a reference may not
        be allowed to read it, and the messages about a design quote its text.
        """
        content = self._loader.fetch(ref)
        compiled = self._loader.compile(content)
        if compiled.no_design and not ref.strip().lower().startswith(DESIGN_REF_PREFIX):
            raise InvalidReference(
                "what the reference names is no design: no document in it is one of Drydock's. To see what is wrong "
                "with it, upload it, or check the file with drydock design validate"
            )
        return content, compiled
