"""Plans: what would be done to each node of a site, and why. Nothing is done to any machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from drydock.counting import counted
from drydock.db.database import Database
from drydock.design.compiler import CompiledDesign
from drydock.design.filters import select_nodes
from drydock.drivers.node.base import NodeProvisioner, NodeState, Observation
from drydock.errors import DesignInvalid, DesignNotFound, DriverError
from drydock.model.actions import Action
from drydock.model.deployed_node import DeployedNode
from drydock.model.node_filter import NodeFilterSet
from drydock.model.plan import Decision, Duration, NewPlan, PlanHead, PlannedNode, SiteChange
from drydock.orchestrator.services.designs import DesignService
from drydock.orchestrator.services.node_sections import NodeSections
from drydock.plan.decision import Decider, NodeFacts, Observed, Recorded, Sections
from drydock.plan.difference import ABSENT, Comparison, shown
from drydock.plan.estimate import estimate
from drydock.plan.fingerprint import fingerprint, fingerprints

#: The order in which nodes are shown: what stops the operator, then what is lost, then what is new.
SHOWN = (Decision.BLOCKED, Decision.DESTROY, Decision.REDEPLOY, Decision.DEPLOY, Decision.KEEP)
#: Nodes whose sections are in memory at a time.
NODES_AT_ONCE = 1000
#: What nodes of a decision take about as long as.
_WORK = {
    Decision.DEPLOY: Action.DEPLOY_NODE,
    Decision.REDEPLOY: Action.DEPLOY_NODE,
    Decision.DESTROY: Action.DESTROY_NODE,
}


class PlanService:
    def __init__(
        self,
        database: Database,
        designs: DesignService,
        sections: NodeSections,
        provisioner: NodeProvisioner,
        *,
        slots: int,
    ) -> None:
        """``slots``: nodes that are installed at a time, at most."""
        self._slots = slots
        self._database = database
        self._designs = designs
        self._sections = sections
        self._provisioner = provisioner

    def create(
        self,
        design_ref: str,
        *,
        node_filter: Mapping[str, Any] | None,
        chosen: NodeFilterSet | None,
        destroy_unlisted: bool,
        created_by: str,
    ) -> PlanHead:
        """``chosen``: ``node_filter``, parsed. With one, nodes that the design has not are none of the plan's.

        Raises ``DesignInvalid`` and the other ``DesignError``s.
        """
        snapshot = self._designs.fetch(design_ref, created_by=created_by)
        design = self._designs.checked(snapshot.digest)
        if not design.valid:
            raise DesignInvalid(f"the design has {counted(design.error_count, 'error')}; validate it to see them")
        with self._database.statements() as statements:
            recorded = statements.deployed_nodes.all()
            at_work = statements.plans.at_work()
        names = list(select_nodes(design.site, chosen))
        if chosen is None:
            names += sorted(set(recorded) - set(design.site.nodes))
        nodes = self._planned(design, names, recorded, at_work, destroy_unlisted=destroy_unlisted)
        site = self._site_changes(design, recorded)
        content = [snapshot.digest, node_filter, destroy_unlisted, *map(asdict, site), *map(_content, nodes)]
        plan = NewPlan(
            id=fingerprint(content),
            design_digest=snapshot.digest,
            node_filter=node_filter,
            destroy_unlisted=destroy_unlisted,
            site=site,
            estimate=self._estimate(nodes),
            created_by=created_by,
            nodes=nodes,
        )
        with self._database.unit_of_work() as uow:
            kept = uow.plans.add(plan)
            uow.commit()
        return kept

    def get(self, plan_id: str) -> PlanHead:
        """Raises ``PlanNotFound``."""
        with self._database.statements() as statements:
            return statements.plans.get(plan_id)

    def newest(self, limit: int) -> Sequence[PlanHead]:
        with self._database.statements() as statements:
            return statements.plans.newest(limit)

    def nodes(
        self, plan_id: str, *, limit: int, after: int, decision: Decision | None
    ) -> Sequence[tuple[int, PlannedNode]]:
        """A page of its nodes with their positions, those behind ``after``. Raises ``PlanNotFound``."""
        with self._database.statements() as statements:
            statements.plans.get(plan_id)
            return statements.plans.nodes(plan_id, limit=limit, after=after, decision=decision)

    def _planned(
        self,
        design: CompiledDesign,
        names: Sequence[str],
        recorded: Mapping[str, DeployedNode],
        at_work: Mapping[str, str],
        *,
        destroy_unlisted: bool,
    ) -> Sequence[PlannedNode]:
        decider = Decider(destroy_unlisted=destroy_unlisted)
        seen = self._observed(names)
        planned = []
        for part in _parts(names):
            wanted = {name: self._sections.of_node(design, name) for name in part if name in design.site.nodes}
            changed = [name for name in wanted if name in recorded and not _same(recorded[name], wanted[name])]
            with self._database.statements() as statements:
                before = statements.deployed_nodes.sections(changed) if changed else {}
            for name in part:
                node = design.site.nodes.get(name)
                facts = _facts(recorded.get(name), before.get(name), seen.get(name), at_work.get(name))
                planned.append(decider.decide(name, None if node is None else node.rack, wanted.get(name), facts))
        order = {decision: place for place, decision in enumerate(SHOWN)}
        return sorted(planned, key=lambda each: order[each.decision])

    def _estimate(self, nodes: Sequence[PlannedNode]) -> Duration | None:
        """From how long nodes of this site took before; all nodes begin in one wave."""
        with self._database.statements() as statements:
            history = {
                decision: statements.plans.durations(action)
                for decision, action in _WORK.items()
                if any(node.decision is decision for node in nodes)
            }
        return estimate([Counter(node.decision for node in nodes)], history, self._slots)

    def _observed(self, names: Sequence[str]) -> Mapping[str, Observation]:
        """Empty if the provisioner does not answer."""
        try:
            return self._provisioner.observe(names)
        except DriverError:
            return {}

    def _site_changes(self, design: CompiledDesign, recorded: Mapping[str, DeployedNode]) -> Sequence[SiteChange]:
        """Against the design of the newest deployment, if it is still kept."""
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
        return tuple(_site_change(shown(change)) for change in changes)


def _site_change(change: Any) -> SiteChange:
    old, new = (None if value is ABSENT else value for value in (change.old, change.new))
    return SiteChange(".".join(change.path), old, new)


def _parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), NODES_AT_ONCE):
        yield names[start : start + NODES_AT_ONCE]


def _same(recorded: DeployedNode, wanted: Mapping[str, Any]) -> bool:
    return recorded.fingerprints == fingerprints(wanted)


def _content(node: PlannedNode) -> Sequence[Any]:
    reasons = [(reason.kind, reason.text, reason.path, reason.old, reason.new) for reason in node.reasons]
    return (node.name, node.rack, node.decision, reasons, node.rests_on)


def _facts(
    recorded: DeployedNode | None, before: Sections | None, seen: Observation | None, at_work: str | None
) -> NodeFacts:
    """A record of a deployment that the provisioner does not know any more counts for nothing."""
    if seen is None:
        observed = Observed.UNREACHABLE
    elif seen.state is NodeState.DEPLOYED:
        observed = Observed.DEPLOYED
    else:
        observed = Observed.NOT_DEPLOYED
    if recorded is not None and seen is not None and seen.deployment_id not in (None, str(recorded.deployment_id)):
        recorded = None
    task = at_work and f"{at_work} is at work on it"
    if seen is not None and seen.state is NodeState.MAINTENANCE:
        task = f"the provisioner has it in maintenance{': ' + seen.detail if seen.detail else ''}"
    return NodeFacts(None if recorded is None else _recorded(recorded, before), observed, task=task)


def _recorded(found: DeployedNode, before: Sections | None) -> Recorded:
    since = f"{found.deployed:%Y-%m-%d %H:%M} UTC by {found.deployed_by}, task {found.task_id}"
    return Recorded(str(found.deployment_id), since, before)
