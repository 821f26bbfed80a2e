"""One site through many designs: planned, checked against the oracle, applied, checked against the machines."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from drydock.design.compiler import CompiledDesign
from drydock.errors import DrydockError, PlanApplied, PlanStale
from drydock.model.actions import Action
from drydock.model.node_filter import parse_node_filter
from drydock.model.operator_hold import NewHold
from drydock.model.plan import Decision, PlanHead, PlannedNode, ReasonKind
from drydock.model.site import SiteDesign
from drydock.model.task import NewTask, ResultStatus, Task
from drydock.orchestrator.services.operator_holds import OperatorHoldService
from drydock.plan.design_difference import design_difference
from tests.proof import oracle
from tests.proof.changes import CHANGES
from tests.proof.machines import ProvenWorld
from tests.proof.promises import Disproved, expect
from tests.proof.site import Site
from tests.proof.writing import oddly, plainly

#: Nodes of a site, and how often such a site comes.
SIZES: Mapping[tuple[int, int], int] = {(1, 4): 50, (5, 12): 42, (13, 60): 7, (61, 200): 1}
TEXT_ONLY = "text only"


@dataclass(slots=True)
class Counts:
    """``invalid``: changes after which the design had errors: nothing is planned then."""

    mutations: int = 0
    invalid: int = 0
    text_only: int = 0
    nodes: int = 0
    largest: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        decisions = ", ".join(f"{count} {name}" for name, count in sorted(self.decisions.items()))
        return (
            f"{self.mutations} mutations ({self.text_only} text only) of designs over 1 to {self.largest} nodes, "
            f"{self.invalid} more were no valid design; {self.nodes} nodes planned: {decisions}"
        )


class Design:
    """A compiled design with what the oracle says of its nodes."""

    def __init__(self, world: ProvenWorld, content: bytes, files: Mapping[str, str]) -> None:
        stored = world.store(content)
        self.ref = stored.ref
        self.compiled: CompiledDesign = world.designs.compiled(stored.digest)
        self.site: SiteDesign = self.compiled.site
        self.designed: Mapping[str, Any] = {}
        self.machines: Mapping[str, Any] = {}
        self.given: Mapping[str, Any] = {}
        if self.compiled.valid:
            self.designed = {name: oracle.machine(self.site, name) for name in self.site.nodes}
            self.machines = {
                name: [machine, oracle.contents(self.site, name, files)] for name, machine in self.designed.items()
            }
            self.given = {name: oracle.given(self.site, name) for name in self.site.nodes}


class Chain:
    """``running``: by machine, what it was deployed as, in the oracle's words."""

    def __init__(self, world: ProvenWorld, seed: int, counts: Counts) -> None:
        self._world = world
        self._counts = counts
        self._chance = random.Random(seed)  # noqa: S311
        self.running: dict[str, Any] = {}
        #: By node, what the last plan said that needs no deployment.
        self._shown: Mapping[str, Sequence[str]] = {}
        low, high = self._chance.choices(list(SIZES), list(SIZES.values()))[0]
        self._site = Site(self._chance.randint(low, high), self._chance, world.url)
        self.words = "the first design"
        world.empty()
        self._design = Design(world, plainly(self._site.documents), self._site.files)
        self._go(self._design, destroy_unlisted=False)

    def mutate(self) -> None:
        site, content, text_only = self._mutated()
        design = Design(self._world, content, site.files)
        if not design.compiled.valid:
            self._counts.invalid += 1
            return
        self._counts.mutations += 1
        self._counts.text_only += text_only
        self._world.files = site.files
        self._counts.largest = max(self._counts.largest, len(design.site.nodes))
        _check_difference(self._design, design, text_only=text_only)
        # Nodes that an earlier design had may still run: these are no matter of its text.
        destroy_unlisted = not text_only and self._chance.random() < 0.6
        shown = self._shown
        if not text_only and self._chance.random() < 0.1:
            names = sorted(design.machines)
            self._go(design, destroy_unlisted=False, only=self._chance.sample(names, len(names) // 2 + 1))
        planned = self._go(design, destroy_unlisted=destroy_unlisted)
        if text_only:
            touched = [name for name, node in planned.items() if node.decision is not Decision.KEEP]
            expect(not touched, "text alone was planned", touched)
            said = {name: _changes(node) for name, node in planned.items()}
            expect(said == shown, "text alone was a reason", said)
        self._site, self._design = site, design

    def _mutated(self) -> tuple[Site, bytes, bool]:
        """The new documents, their text, and whether only that changed."""
        words: str | None = TEXT_ONLY
        site = self._site.changed()
        change = None
        if self._chance.random() < 0.85:
            change = self._chance.choices(list(CHANGES), list(CHANGES.values()))[0]
            words = change(site)
        text_only = change is None or words is None
        self._counts.kinds[TEXT_ONLY if change is None else change.__name__] += 1
        self.words = words or TEXT_ONLY
        seed = self._chance.randrange(2**32)
        odd = text_only or self._chance.random() < 0.5
        return site, oddly(site.documents, seed) if odd else plainly(site.documents), text_only

    def _go(
        self, design: Design, *, destroy_unlisted: bool, only: Sequence[str] | None = None
    ) -> Mapping[str, PlannedNode]:
        """Plan, check, apply, check. ``only``: the nodes that the plan's filter names. Returns what was planned."""
        head, planned = self._planned(design.ref, destroy_unlisted=destroy_unlisted, only=only)
        wanted = self._wanted(design, destroy_unlisted=destroy_unlisted)
        if only is not None:
            wanted = {name: wanted[name] for name in only}
        expect({name: node.decision for name, node in planned.items()} == wanted, "plan", _unlike(planned, wanted))
        self._counts.nodes += len(planned)
        self._counts.decisions.update(str(node.decision) for node in planned.values())
        self._apply(head, planned)
        for name, decision in wanted.items():
            if decision is Decision.DESTROY:
                del self.running[name]
            elif decision.touches:
                self.running[name] = design.machines[name]
        _, nodes = self._planned(design.ref, destroy_unlisted=destroy_unlisted, only=only)
        left = {name: node.reasons for name, node in nodes.items() if node.decision is not Decision.KEEP}
        self._shown = {name: _changes(node) for name, node in nodes.items()}
        expect(not left, "the plan after its application is not without changes", left)
        return planned

    def _planned(
        self, ref: str, *, destroy_unlisted: bool, only: Sequence[str] | None
    ) -> tuple[PlanHead, Mapping[str, PlannedNode]]:
        found = None if only is None else named(only)
        head = self._world.plans.create(
            ref,
            node_filter=found,
            chosen=parse_node_filter(found),
            destroy_unlisted=destroy_unlisted,
            created_by="proof",
        )
        nodes = self._world.plans.nodes(head.id, limit=1000, after=-1, decision=None)
        return head, {node.name: node for _, node in nodes}

    def _wanted(self, design: Design, *, destroy_unlisted: bool) -> Mapping[str, Decision]:
        def of(name: str) -> Decision:
            if name not in design.machines:
                return Decision.DESTROY if destroy_unlisted else Decision.KEEP
            if name not in self.running:
                return Decision.DEPLOY
            return Decision.KEEP if self.running[name] == design.machines[name] else Decision.REDEPLOY

        return {name: of(name) for name in {**design.machines, **self.running}}

    def _apply(self, plan: PlanHead, planned: Mapping[str, PlannedNode]) -> None:
        world, chance = self._world, self._chance
        new = NewTask(Action.APPLY_PLAN, design_ref="", created_by="proof", plan=plan.id, all_nodes=True)
        if chance.random() < 0.3:
            new = replace(new, rollout={"waves": chance.choice(([1, "100%"], ["30%", "60%"]))})
        # What is not in the design is kept, held or not.
        own = sorted(
            name for name, node in planned.items() if all(each.kind is not ReasonKind.UNLISTED for each in node.reasons)
        )
        if own and chance.random() < 0.05:
            self._refused_while_held(new, chance.choice(own))
        world.forget_touched()
        task = world.orchestrator.create_task(new)
        world.run_to_the_end()
        ended = world.orchestrator.task(task.id)
        expect(ended.result.status is ResultStatus.SUCCESS, "the plan's task", (ended.result, _unended(world, task)))
        deploys = {name for name, node in planned.items() if node.decision in (Decision.DEPLOY, Decision.REDEPLOY)}
        destroys = {name for name, node in planned.items() if node.decision is Decision.DESTROY}
        new_ones = {name for name, node in planned.items() if node.decision is Decision.DEPLOY}
        expect(set(world.subtasks(task.id)) == deploys | destroys, "the nodes of the task", sorted(planned))
        touched = world.provisioner.touched
        expect(touched.get("deploy", set()) == deploys, "deployed", touched)
        expect(touched.get("destroy", set()) == destroys, "destroyed", touched)
        outside = world.touched() - deploys - destroys
        expect(not outside, "touched without a plan", outside)
        expect(world.bmcs.asked <= new_ones, "BMCs that were asked without need", world.bmcs.asked)
        self._refused(PlanApplied, new)

    def _refused_while_held(self, new: NewTask, name: str) -> None:
        """A hold that came after the plan; it is gone again afterwards."""
        holds = OperatorHoldService(self._world.database)
        holds.hold(NewHold(name, "maintenance", "a fan", "ann", None))
        self._refused(PlanStale, new)
        holds.release(name)

    def _refused(self, error: type[DrydockError], new: NewTask) -> None:
        try:
            self._world.orchestrator.create_task(new)
        except error:
            return
        raise Disproved(f"{error.__name__} was not raised")


def _unended(world: ProvenWorld, task: Task) -> Mapping[str, str]:
    return {
        name: sub.result.reason
        for name, sub in world.subtasks(task.id).items()
        if sub.result.status is not ResultStatus.SUCCESS
    }


def _check_difference(old: Design, new: Design, *, text_only: bool) -> None:
    """`drydock design diff` finds the nodes that must change, and those that came and went."""
    found = design_difference(old.site, new.site)
    both = [name for name in new.machines if name in old.machines]
    must = {name for name in both if old.designed[name] != new.designed[name]}
    said = {name for group in found.groups if group.needs_deployment for name in group.nodes}
    expect(said == must, "design diff", sorted(said ^ must))
    unseen = [name for name in both if name not in said and old.given[name] != new.given[name]]
    expect(not unseen, "design diff does not show what drivers are given", unseen)
    expect(set(found.added) == set(new.machines) - set(old.machines), "design diff: added", found.added)
    expect(set(found.removed) == set(old.machines) - set(new.machines), "design diff: removed", found.removed)
    expect(found.empty or not text_only, "design diff shows text", found)


def named(nodes: Sequence[str]) -> Mapping[str, Any]:
    """A node filter that selects these."""
    return {"filter_set_type": "union", "filter_set": [{"filter_type": "union", "node_names": list(nodes)}]}


def _changes(node: PlannedNode) -> list[str]:
    return [str(reason.path) for reason in node.reasons if reason.kind is ReasonKind.CHANGE]


def _unlike(planned: Mapping[str, PlannedNode], wanted: Mapping[str, Decision]) -> list[str]:
    names = [name for name in {**planned, **wanted} if name not in planned or planned[name].decision != wanted[name]]
    return [
        f"{name}: must be {wanted.get(name)}, is {planned[name].decision if name in planned else 'not planned'}: "
        f"{_changes(planned[name])[:3] if name in planned else ''}"
        for name in sorted(names)[:5]
    ]
