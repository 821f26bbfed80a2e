"""What changes of a site that belongs to no node: networks, links, tags, repositories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from drydock.design.compiler import CompiledDesign
from drydock.errors import DesignNotFound
from drydock.model.deployed_node import DeployedNode
from drydock.model.plan import SiteChange
from drydock.orchestrator.services.designs import DesignService
from drydock.orchestrator.services.node_sections import NodeSections
from drydock.plan.difference import ABSENT, Change, Comparison, shown


class SiteChanges:
    def __init__(self, designs: DesignService, sections: NodeSections) -> None:
        self._designs = designs
        self._sections = sections

    def to(self, design: CompiledDesign, recorded: Mapping[str, DeployedNode]) -> Sequence[SiteChange]:
        """From the design of the newest deployment, if it is still kept."""
        newest = max(recorded.values(), key=lambda each: each.deployed, default=None)
        if newest is None or newest.design_digest == design.digest:
            return ()
        try:
            before = self._designs.compiled(newest.design_digest)
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
