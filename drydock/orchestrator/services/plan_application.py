"""A request to apply a plan becomes a task: only if the plan still holds, and its size is what the request says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from drydock.counting import counted
from drydock.db.database import Database
from drydock.design.compiler import CompiledDesign
from drydock.errors import PlanStale, ScopeUnconfirmed, UnexpectedNodeCount
from drydock.model.design import DESIGN_REF_PREFIX
from drydock.model.node_filter import parse_node_filter
from drydock.model.plan import Decision, PlanHead, PlannedNode
from drydock.model.task import NewTask
from drydock.orchestrator.services.designs import DesignService
from drydock.orchestrator.services.plan_facts import FactsReader, SiteFacts
from drydock.orchestrator.services.plan_site import SiteChanges
from drydock.orchestrator.services.scope_guard import first_names
from drydock.plan.staleness import RestsOn, stale

#: What takes from a machine what is on it.
WIPING = (Decision.REDEPLOY, Decision.DESTROY)


class PlanApplication:
    def __init__(
        self, database: Database, designs: DesignService, facts: FactsReader, site_changes: SiteChanges
    ) -> None:
        self._database = database
        self._designs = designs
        self._facts = facts
        self._site_changes = site_changes

    def admitted(self, new: NewTask, *, guard: bool) -> NewTask:
        """The request as it is kept, on the design of its plan.

        Raises ``PlanNotFound``, ``PlanStale``, ``UnexpectedNodeCount``, ``ScopeUnconfirmed``, ``DriverError``.
        """
        plan_id = new.plan or ""
        with self._database.statements() as statements:
            plan = statements.plans.get(plan_id)
            touched = statements.plans.touched(plan_id)
            rests_on = statements.plans.rests_on(plan_id)
            # Those that the design has not come last.
            kept = [node.name for _, node in statements.plans.nodes(plan_id, limit=1, decision=Decision.KEEP)]
        design = self._designs.compiled(plan.design_digest)
        facts = self._facts.read(design, parse_node_filter(plan.node_filter), must_answer=True)
        why = self._stale(plan, rests_on, design, facts)
        if why is not None:
            raise PlanStale(f"the plan no longer holds; make a new one: {why}")
        elsewhere = (name for name in facts.recorded if name not in rests_on)
        spares = any(name in design.site.nodes for name in (*kept, *elsewhere))
        _check_size(new, touched, whole=len(rests_on) > 1 and not spares, guard=guard)
        return replace(
            new,
            design_ref=DESIGN_REF_PREFIX + plan.design_digest,
            design_digest=plan.design_digest,
            node_filter=plan.node_filter,
        )

    def _stale(
        self, plan: PlanHead, rests_on: Mapping[str, RestsOn], design: CompiledDesign, facts: SiteFacts
    ) -> str | None:
        # Nodes of other designs, which the plan neither changes nor keeps, may come and go.
        its_own = set(rests_on if plan.destroy_unlisted else design.site.nodes)
        planned = {name: found for name, found in rests_on.items() if name in its_own}
        names = facts.names if plan.destroy_unlisted else [name for name in facts.names if name in its_own]
        why = stale(planned, {name: facts.of(name, None).rests_on() for name in names})
        if why is None and tuple(self._site_changes.to(design, facts.site_design)) != tuple(plan.site):
            return "the site: it was deployed or prepared from another design since it was planned"
        return why


def _check_size(new: NewTask, touched: Sequence[PlannedNode], *, whole: bool, guard: bool) -> None:
    """``whole``: no other node of the design goes on running, but those that are blocked."""
    names = [node.name for node in touched]
    if new.expect_nodes is not None and new.expect_nodes != len(names):
        changed = f"{counted(len(names), 'node')}{first_names(names)}"
        raise UnexpectedNodeCount(f"expect_nodes is {new.expect_nodes}, but the plan changes {changed}")
    wiped = [node.name for node in touched if node.decision in WIPING]
    confirmed = new.expect_nodes is not None or new.all_nodes is True
    if guard and wiped and whole and not confirmed:
        raise ScopeUnconfirmed(
            f"the plan redeploys or destroys all nodes that run and are not blocked: {counted(len(wiped), 'node')}"
            f'{first_names(wiped)}; if that is meant, add "expect_nodes": {len(names)} or "all_nodes": true (drydock: '
            "--expect-nodes or --all-nodes)"
        )
