"""Plans as clients see them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drydock.api.views.times import timestamp
from drydock.model.plan import PlanHead, PlannedNode

Json = dict[str, Any]


def plan_view(plan: PlanHead) -> Json:
    return {
        "plan_id": plan.id,
        "design_digest": plan.design_digest,
        "node_filter": plan.node_filter,
        "destroy_unlisted": plan.destroy_unlisted,
        "counts": dict(plan.counts),
        "site": [asdict(change) for change in plan.site],
        "waves": list(plan.waves),
        "estimate": None if plan.estimate is None else asdict(plan.estimate),
        "created": timestamp(plan.created),
        "created_by": plan.created_by,
        "applied_by": None if plan.applied_by is None else str(plan.applied_by),
    }


def planned_node_view(position: int, node: PlannedNode) -> Json:
    return {
        "position": position,
        "node": node.name,
        "rack": node.rack,
        "decision": node.decision.value,
        "reasons": [{**asdict(reason), "kind": reason.kind.value} for reason in node.reasons],
    }
