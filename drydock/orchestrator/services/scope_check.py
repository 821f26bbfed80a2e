"""How many nodes a request is for, found out before its task is created."""

from __future__ import annotations

from dataclasses import replace

from drydock.design.filters import select_nodes
from drydock.errors import DesignError, NotFound
from drydock.model.design import snapshot_of
from drydock.model.node_filter import parse_node_filter
from drydock.model.task import NewTask
from drydock.orchestrator.services.designs import DesignService
from drydock.orchestrator.services.scope_guard import asks_for_confirmation, refusal, says_its_size


class ScopeCheck:
    def __init__(self, designs: DesignService) -> None:
        self._designs = designs

    def checked(self, new: NewTask) -> NewTask:
        """The request, on the design that was looked at. A task whose design cannot be used says so itself.

        Raises ``UnexpectedNodeCount``, ``ScopeUnconfirmed``.
        """
        if not says_its_size(new):
            return new
        try:
            digest = snapshot_of(new.design_ref)
            if digest is None:
                digest = self._designs.fetch(new.design_ref, created_by=new.created_by).digest
            design = self._designs.compiled(digest)
        except (DesignError, NotFound):
            return new
        if not design.valid:
            return new
        nodes = select_nodes(design.site, parse_node_filter(new.node_filter))
        refused = refusal(new, nodes, len(design.site.nodes))
        if refused is not None:
            raise refused
        return replace(new, design_digest=digest)

    def nodes_of_design(self, new: NewTask) -> int:
        """How many nodes there are in the design that a retry is pinned to, where that decides on it; 0 where it does
        not, or where the design cannot be used, which the task says itself.
        """
        if new.design_digest is None or not asks_for_confirmation(new):
            return 0
        try:
            design = self._designs.compiled(new.design_digest)
        except (DesignError, NotFound):
            return 0
        return len(design.site.nodes) if design.valid else 0
