"""What nodes are deployed with, in the form in which it is kept and compared."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Any

from cachetools import LRUCache

from drydock.design.compiler import CompiledDesign
from drydock.errors import DesignInvalid
from drydock.plan.fingerprint import recordable
from drydock.plan.sealing import Seal, keyed_seal, secret_of, unsealed
from drydock.plan.sections import Json, SiteSections

#: Designs whose sections are in memory; what nodes share is made once for each.
DESIGNS_KEPT = 4


class NodeSections:
    """Sections with keyed digests in place of secrets, for records and plans."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        """``secrets`` of ``[bootaction]``: the first seals."""
        self._seals: tuple[Seal, ...] = tuple(map(keyed_seal, secrets))
        self._names = [secret_of(seal("")) for seal in self._seals]
        self._made: LRUCache[tuple[str, int], SiteSections] = LRUCache(DESIGNS_KEPT)
        self._lock = Lock()

    def of_node(self, design: CompiledDesign, node: str) -> dict[str, Any]:
        """Every section but the BMC's. Raises ``DesignInvalid`` if the design has errors or no such node."""
        if not design.valid or node not in design.site.nodes:
            raise DesignInvalid(f"the design is invalid or has no node {node:.100}")
        return recordable(self._of(design).of_node(node))

    def compared(self, design: CompiledDesign, node: str, recorded: Json) -> tuple[Json, Json, bool]:
        """As ``of_node``, and the recorded sections, both under the secret that those were recorded with.

        False if that secret is configured no more: then all secrets are alike in both.
        """
        wanted, name = self.of_node(design, node), secret_of(recorded)
        if name is None or name == self._names[0]:
            return wanted, recorded, True
        if name in self._names:
            return recordable(self._of(design, self._names.index(name)).of_node(node)), recorded, True
        return unsealed(wanted), unsealed(recorded), False

    def of_site(self, design: CompiledDesign) -> dict[str, Json]:
        return self._of(design).of_site()

    def _of(self, design: CompiledDesign, seal: int = 0) -> SiteSections:
        """``seal``: which of the secrets."""
        with self._lock:
            found = self._made.get((design.digest, seal))
            if found is None:
                found = self._made[design.digest, seal] = SiteSections(design.site, self._seals[seal])
            return found
