"""Plans as rows."""

from __future__ import annotations

from sqlalchemy import update

from drydock.db.tables import plan_nodes, plans
from drydock.db.unit_of_work import UnitOfWork
from drydock.model.plan import Decision, Duration, NewPlan, PlannedNode, Reason, ReasonKind, SiteChange


def add(uow: UnitOfWork, text: str = "why") -> None:
    reason = Reason(ReasonKind.TASK, text)
    node = PlannedNode("n1", None, Decision.BLOCKED, (reason,), {})
    site = [SiteChange("networks.pxe", 1, 2)]
    uow.plans.add(NewPlan("p", "d", None, False, site, (1,), Duration(1.0, 2.0, 3), "alice", [node]))


def test_a_reason_in_another_programs_words(uow: UnitOfWork) -> None:
    add(uow, "in maintenance: \0 \ud800")
    ((_, node),) = uow.plans.nodes("p", limit=10)
    assert node.reasons[0].text == "in maintenance: \N{REPLACEMENT CHARACTER} ?"


def test_what_only_a_newer_version_knows_is_left_out(uow: UnitOfWork) -> None:
    add(uow)
    before, ((_, node),) = uow.plans.get("p"), uow.plans.nodes("p", limit=10)
    site = [{"path": "networks.pxe", "old": 1, "new": 2, "more": 3}]
    estimate = {"p50": 1.0, "p90": 2.0, "samples": 3, "p99": 4.0}
    uow.plans._connection.execute(update(plans).values(site=site, estimate=estimate))
    reasons = [{"kind": "task", "text": "why", "path": None, "old": None, "new": None, "since": "x"}]
    uow.plans._connection.execute(update(plan_nodes).values(reasons=reasons))
    assert uow.plans.newest(10) == [before]
    assert uow.plans.nodes("p", limit=10) == [(0, node)]
