"""Plans: what would be done to each node of a site, and why. Nothing is done to any machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import accumulate
from typing import Any

from drydock.bootaction.content_record import CONTENTS
from drydock.counting import counted
from drydock.db.database import Database
from drydock.db.unit_of_work import UnitOfWork
from drydock.design.compiler import CompiledDesign
from drydock.design.filters import unknown_criteria
from drydock.errors import DesignInvalid, InvalidInput
from drydock.model.actions import Action
from drydock.model.deployed_node import DeployedNode
from drydock.model.hardware_check import HardwareCheck
from drydock.model.node_filter import NodeFilterSet
from drydock.model.plan import Decision, Duration, NewPlan, PlanHead, PlannedNode
from drydock.model.rollout import Rollout, spread, waves_of
from drydock.orchestrator.services.content_comparison import ContentComparison
from drydock.orchestrator.services.designs import DesignService
from drydock.orchestrator.services.node_sections import NodeSections
from drydock.orchestrator.services.plan_contents import PlanContents
from drydock.orchestrator.services.plan_facts import FactsReader, SiteFacts, parts
from drydock.orchestrator.services.plan_site import SiteChanges
from drydock.plan.decision import NOT_COMPARED, Decider
from drydock.plan.estimate import estimate
from drydock.plan.fingerprint import fingerprint, fingerprints

#: The order in which nodes are shown: what stops the operator, then what is lost, then what is new.
SHOWN = (Decision.BLOCKED, Decision.DESTROY, Decision.REDEPLOY, Decision.DEPLOY, Decision.KEEP)
#: The order in which those that are touched begin.
_RISK = (Decision.DEPLOY, Decision.REDEPLOY, Decision.DESTROY)
_UNREADABLE = "its secrets were recorded with what [bootaction] secrets has no more, and are not compared"
#: The action of the subtasks of nodes that are touched.
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
        facts: FactsReader,
        contents: PlanContents,
        *,
        slots: int,
        rollout: Rollout,
    ) -> None:
        """``slots``: nodes that are installed at a time, at most. ``rollout``: of tasks whose requests have none."""
        self._slots = slots
        self._rollout = rollout
        self._database = database
        self._designs = designs
        self._sections = sections
        self._facts = facts
        self._contents = contents
        self._site_changes = SiteChanges(designs, sections)

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

        Raises ``DesignInvalid`` and the other ``DesignError``s; ``InvalidInput`` for a filter with names that the
        design does not have.
        """
        snapshot = self._designs.fetch(design_ref, created_by=created_by)
        design = self._designs.checked(snapshot.digest)
        if not design.valid:
            raise DesignInvalid(f"the design has {counted(design.error_count, 'error')}; validate it to see them")
        unknown = unknown_criteria(design.site, chosen)
        if unknown:
            # Its plan would be the one of a site without changes.
            raise InvalidInput(
                "; ".join(each.removeprefix("the node filter: ") for each in unknown), field="node_filter"
            )
        facts = self._facts.read(design, chosen)
        nodes = self._planned(design, facts, destroy_unlisted=destroy_unlisted)
        site = self._site_changes.to(design, facts.site_design)
        content = [snapshot.digest, node_filter, destroy_unlisted, *map(asdict, site), *map(_content, nodes)]
        waves = _waves(nodes, self._rollout)
        with self._database.unit_of_work() as uow:
            kept = uow.plans.add(
                NewPlan(
                    id=_unapplied(uow, content),
                    design_digest=snapshot.digest,
                    node_filter=node_filter,
                    destroy_unlisted=destroy_unlisted,
                    site=site,
                    waves=tuple(accumulate(map(Counter.total, waves))),
                    estimate=self._estimate(waves),
                    created_by=created_by,
                    nodes=nodes,
                )
            )
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

    def _planned(self, design: CompiledDesign, facts: SiteFacts, *, destroy_unlisted: bool) -> Sequence[PlannedNode]:
        blocks = self._facts.hardware_check is HardwareCheck.FAIL
        decider = Decider(destroy_unlisted=destroy_unlisted, hardware_blocks=blocks)
        planned: list[PlannedNode] = []
        with self._contents.of_site(design.site) as contents:
            for part in parts(facts.names):
                planned += self._part(design, facts, decider, contents, part)
        order = {decision: place for place, decision in enumerate(SHOWN)}
        return sorted(planned, key=lambda each: order[each.decision])

    def _part(
        self,
        design: CompiledDesign,
        facts: SiteFacts,
        decider: Decider,
        contents: ContentComparison | None,
        names: Sequence[str],
    ) -> Iterator[PlannedNode]:
        wanted: dict[str, Mapping[str, Any]] = {
            name: self._sections.of_node(design, name) for name in names if name in design.site.nodes
        }
        recorded = facts.recorded
        changed = [name for name in wanted if name in recorded and not _same(recorded[name], wanted[name])]
        with self._database.statements() as statements:
            before = dict(statements.deployed_nodes.sections(changed)) if changed else {}
        running = {name: recorded[name] for name in wanted if facts.runs_as_recorded(name)}
        compared = {} if contents is None else contents.compare(running)
        unreadable: set[str] = set()
        for name in before:
            wanted[name], before[name], readable = self._sections.compared(design, name, before[name])
            unreadable |= set() if readable else {name}
        for name in names:
            node = design.site.nodes.get(name)
            found = compared.get(name, NOT_COMPARED)
            if name in unreadable:
                found = replace(found, notes=(*found.notes, _UNREADABLE))
            known = replace(facts.of(name, before.get(name)), contents=found)
            yield decider.decide(name, None if node is None else node.rack, wanted.get(name), known)

    def _estimate(self, waves: Sequence[Counter[Decision]]) -> Duration | None:
        """From how long nodes of this site took before. New and repeated installations share the slots for them."""
        work = [_work(wave) for wave in waves]
        planned = {action for wave in work for action in wave}
        with self._database.statements() as statements:
            history = {action: statements.plans.durations(action) for action in planned}
        return estimate(work, history, self._slots)


def _work(wave: Counter[Decision]) -> Counter[Action]:
    """How many nodes of each action begin in it."""
    found: Counter[Action] = Counter()
    for decision, number in wave.items():
        found[_WORK[decision]] += number
    return found


def _same(recorded: DeployedNode, wanted: Mapping[str, Any]) -> bool:
    return {**recorded.fingerprints, CONTENTS: ""} == {**fingerprints(wanted), CONTENTS: ""}


def _content(node: PlannedNode) -> Sequence[Any]:
    reasons = [(reason.kind, reason.text, reason.path, reason.old, reason.new) for reason in node.reasons]
    return (node.name, node.rack, node.decision, reasons, node.rests_on)


def planned_waves(nodes: Iterable[PlannedNode], rollout: Rollout) -> Mapping[str, int]:
    """The wave of each node that a plan touches, from 0: first what has nothing to lose.

    Those of each decision are spread over the racks by themselves, so that no rack is ahead of the order of risk.
    """
    nodes = list(nodes)
    racks = ([(node.name, node.rack) for node in nodes if node.decision is decision] for decision in _RISK)
    return waves_of([name for of_decision in racks for name in spread(of_decision)], rollout)


def _waves(nodes: Sequence[PlannedNode], rollout: Rollout) -> Sequence[Counter[Decision]]:
    """How many nodes of each decision begin in each wave."""
    decisions = {node.name: node.decision for node in nodes}
    found: dict[int, Counter[Decision]] = {}
    for name, wave in planned_waves(nodes, rollout).items():
        found.setdefault(wave, Counter())[decisions[name]] += 1
    return [found[wave] for wave in sorted(found)]


def _unapplied(uow: UnitOfWork, content: Sequence[Any]) -> str:
    """The id of a plan that says this. Equal work after one that was applied is another plan."""
    content = list(content)
    while (applied_by := uow.plans.applied_by(plan_id := fingerprint(content))) is not None:
        content.append(str(applied_by))
    return plan_id
