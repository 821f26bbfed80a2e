"""What changes of a site that belongs to no node: networks, links, tags, repositories."""

from __future__ import annotations

from collections.abc import Sequence

from drydock.design.compiler import CompiledDesign
from drydock.errors import DesignNotFound
from drydock.model.plan import SiteChange
from drydock.orchestrator.services.designs import DesignService
from drydock.orchestrator.services.node_sections import NodeSections
from drydock.plan.difference import ABSENT, Change, Comparison, shown


class SiteChanges:
    def __init__(self, designs: DesignService, sections: NodeSections) -> None:
        self._designs = designs
        self._sections = sections

    def to(self, design: CompiledDesign, digest: str | None) -> Sequence[SiteChange]:
        """From the design of this digest, if it is still kept; None: there is none."""
        if digest is None or digest == design.digest:
            return ()
        try:
            before = self._designs.compiled(digest)
        except DesignNotFound:
            return ()
        if not before.valid:
            return ()
        changes = Comparison().changes(self._sections.of_site(before), self._sections.of_site(design))
        return tuple(_shown(change) for change in changes)


def _shown(change: Change) -> SiteChange:
    seen = shown(change)
    old, new = (None if value is ABSENT else value for value in (seen.old, seen.new))
    return SiteChange(".".join(seen.path), old, new)
