"""Plans and their nodes. What a plan decides is written once and never changed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Connection, Row, case, func, select, true, tuple_, update
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects.postgresql import insert

from drydock.db.predicates import is_unrevoked
from drydock.db.recordset import one_of
from drydock.db.rows import storable
from drydock.db.tables import boot_contexts, node_holds, plan_nodes, plans, task_messages, tasks
from drydock.errors import PlanNotFound
from drydock.model.actions import NODE_STEPS, NOTHING_TO_ERASE, PLACE_TAKEN, Action
from drydock.model.plan import (
    SITE_IS_PREPARED,
    Decision,
    Duration,
    NewPlan,
    PlanHead,
    PlannedNode,
    PreparedSite,
    Reason,
    ReasonKind,
    SiteChange,
)
from drydock.model.task import ResultStatus, Task, TaskStatus

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

#: Subtasks that an estimate is made from.
_HISTORY = 1000
#: Rows of one INSERT.
_ROWS = 1000


class PlanStatements:
    """Each method is right by itself: none needs a transaction with others."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, plan_id: str) -> PlanHead:
        """Raises ``PlanNotFound``."""
        row = self._connection.execute(select(plans).where(plans.c.id == plan_id)).one_or_none()
        if row is None:
            raise PlanNotFound("there is no plan with this id")
        return _head(row)

    def applied_by(self, plan_id: str) -> UUID | None:
        """The task that applies it; None if none does, or there is no such plan."""
        found: UUID | None = self._connection.scalar(select(plans.c.applied_by).where(plans.c.id == plan_id))
        return found

    def of_tasks(self, subtasks: Sequence[Task]) -> Mapping[UUID, PlannedNode]:
        """As what the nodes of these subtasks are planned, by subtask."""
        wanted = {(task.plan, task.node): task.id for task in subtasks}
        rows = self._connection.execute(
            select(plan_nodes).where(tuple_(plan_nodes.c.plan_id, plan_nodes.c.node).in_(list(wanted)))
        )
        return {wanted[row.plan_id, row.node]: _node(row) for row in rows}

    def retried(self, subtask_ids: Sequence[UUID]) -> Collection[UUID]:
        """Those of these subtasks whose task is not the first one that applies their plan."""
        rows = self._connection.scalars(
            select(tasks.c.id)
            .join(plans, plans.c.id == tasks.c.plan)
            .where(tasks.c.id.in_(subtask_ids), plans.c.applied_by != tasks.c.root_id)
        )
        return frozenset(rows)

    def touched(self, plan_id: str) -> Sequence[PlannedNode]:
        """The nodes that applying it changes, in the order in which they are shown."""
        of_plan = select(plan_nodes).where(
            plan_nodes.c.plan_id == plan_id,
            plan_nodes.c.decision.in_([decision.value for decision in Decision if decision.touches]),
        )
        return [_node(row) for row in self._connection.execute(of_plan.order_by(plan_nodes.c.position))]

    def rests_on(self, plan_id: str) -> Mapping[str, Mapping[str, str]]:
        """By node, what its decision was made from."""
        of_plan = select(plan_nodes.c.node, plan_nodes.c.rests_on).where(plan_nodes.c.plan_id == plan_id)
        return {row.node: row.rests_on for row in self._connection.execute(of_plan.order_by(plan_nodes.c.position))}

    def prepared_site(self) -> PreparedSite | None:
        """What the newest of the tasks prepared that apply plans, of those that are kept; None if none did.

        A task without changes of the site prepares it only for nodes that it deploys, and a retry in any case.
        """
        of_node = tasks.alias("of_node")
        deploys = select(of_node.c.id).where(
            of_node.c.parent_id == tasks.c.id, of_node.c.action == Action.DEPLOY_NODE.value
        )
        changes_site = (plans.c.applied_by == tasks.c.id) & (func.jsonb_array_length(plans.c.site) > 0)
        row = self._connection.execute(
            select(tasks.c.design_digest, tasks.c.step_since)
            .join(plans, plans.c.id == tasks.c.plan)
            .where(
                tasks.c.action == Action.APPLY_PLAN.value,
                tasks.c.step.in_(SITE_IS_PREPARED),
                changes_site | deploys.exists(),
            )
            .order_by(tasks.c.step_since.desc())
            .limit(1)
        ).one_or_none()
        return None if row is None else PreparedSite(row.design_digest, row.step_since)

    def newest(self, limit: int) -> Sequence[PlanHead]:
        rows = self._connection.execute(select(plans).order_by(plans.c.created.desc(), plans.c.id).limit(limit))
        return [_head(row) for row in rows]

    def nodes(
        self, plan_id: str, *, limit: int, after: int = -1, decision: Decision | None = None
    ) -> Sequence[tuple[int, PlannedNode]]:
        """With their positions, those behind position ``after``."""
        wanted = select(plan_nodes).where(plan_nodes.c.plan_id == plan_id, plan_nodes.c.position > after)
        if decision is not None:
            wanted = wanted.where(plan_nodes.c.decision == decision.value)
        rows = self._connection.execute(wanted.order_by(plan_nodes.c.position).limit(limit))
        return [(row.position, _node(row)) for row in rows]

    def durations(self, action: Action) -> Sequence[float]:
        """Seconds from the first message to success of the newest subtasks of this action, at most ``_HISTORY``.

        A subtask waits for its wave, a pause or another task before its first message, which ends its first step. Its
        wait for a slot for its installation does not count either. Those that found nothing to do are left out: they
        ended before the last step, or at an unknown node.
        """
        ended = select(tasks.c.id, tasks.c.seq, tasks.c.created, tasks.c.updated).where(
            tasks.c.action == action.value,
            tasks.c.result_status == ResultStatus.SUCCESS.value,
            tasks.c.status == TaskStatus.COMPLETE.value,
            tasks.c.step == NODE_STEPS[action][-1],
            ~tasks.c.result_message.endswith(NOTHING_TO_ERASE),
        )
        newest = ended.order_by(tasks.c.seq.desc()).limit(_HISTORY).cte("newest")
        of_task = (
            select(task_messages)
            .where(task_messages.c.task_id == newest.c.id)
            .order_by(task_messages.c.id)
            .limit(1)
            .correlate(newest)
        )
        first = of_task.lateral("first")
        # The wait for a slot is from the messages that came with the boot context to the next one, if that says so.
        # Not all messages are looked through: the machine may have sent many.
        context = select(boot_contexts.c.created).where(boot_contexts.c.task_id == newest.c.id).limit(1)
        prepared = of_task.where(task_messages.c.ts >= context.correlate(newest).scalar_subquery()).lateral("prepared")
        placed = (
            of_task.where(task_messages.c.id > prepared.c.id, task_messages.c.written_in != prepared.c.written_in)
            .correlate(newest, prepared)
            .lateral("placed")
        )
        waited = case((placed.c.message == PLACE_TAKEN, placed.c.ts - prepared.c.ts), else_=timedelta(0))
        took = newest.c.updated - func.coalesce(first.c.ts, newest.c.created) - waited
        each = newest.outerjoin(first, true()).outerjoin(prepared, true()).outerjoin(placed, true())
        rows = select(func.extract("epoch", took)).select_from(each).order_by(newest.c.seq.desc())
        return [max(0.0, float(seconds)) for seconds in self._connection.scalars(rows)]

    def unsuccessful(self, deployment_ids: Sequence[UUID]) -> Mapping[UUID, UUID]:
        """Of these deployments, those that did not end well here, or whose key was revoked since: the task of each."""
        ended_well = (tasks.c.result_status == ResultStatus.SUCCESS.value) & is_unrevoked(boot_contexts)
        rows = self._connection.execute(
            select(boot_contexts.c.id, tasks.c.root_id)
            .join(tasks, tasks.c.id == boot_contexts.c.task_id)
            .where(one_of(boot_contexts.c.id, "of_deployments"), ~ended_well),
            {"of_deployments": list(deployment_ids)},
        )
        return {row.id: row.root_id for row in rows}

    def at_work(self) -> Mapping[str, str]:
        """By node, the task that has it: its action and id."""
        found = select(node_holds.c.node, tasks.c.action, tasks.c.root_id).join(
            tasks, tasks.c.id == node_holds.c.task_id
        )
        return {row.node: f"{row.action} of task {row.root_id}" for row in self._connection.execute(found)}


class PlanRepository(PlanStatements):
    """Also what needs a transaction: several writes, or a lock for what follows."""

    def add(self, plan: NewPlan) -> PlanHead:
        """Keep it. The same plan again is the one of the first time, but for what is no decision: ``created``, which
        retention goes by, ``waves`` and ``estimate``.
        """
        present: dict[str, Any] = {
            "waves": list(plan.waves),
            "estimate": None if plan.estimate is None else asdict(plan.estimate),
        }
        new = insert(plans).values(
            id=plan.id,
            design_digest=plan.design_digest,
            node_filter=plan.node_filter,
            destroy_unlisted=plan.destroy_unlisted,
            counts=plan.counts,
            site=[asdict(change) for change in plan.site],
            created_by=plan.created_by,
            **present,
        )
        # It may be deleted in between, as it is old.
        while not self._connection.execute(new.on_conflict_do_nothing()).rowcount:
            again = update(plans).where(plans.c.id == plan.id).values(created=func.now(), **present)
            if self._connection.execute(again).rowcount:
                return self.get(plan.id)
        for rows in _parts(list(_rows(plan))):
            self._connection.execute(plain_insert(plan_nodes), rows)
        return self.get(plan.id)

    def apply(self, plan_id: str, task_id: UUID) -> UUID | None:
        """Returns the task that applies it: this one, or the one that did before; None if there is no such plan."""
        new = update(plans).where(plans.c.id == plan_id, plans.c.applied_by.is_(None)).values(applied_by=task_id)
        return task_id if self._connection.execute(new).rowcount else self.applied_by(plan_id)


def _parts(rows: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    for start in range(0, len(rows), _ROWS):
        yield rows[start : start + _ROWS]


def _rows(plan: NewPlan) -> Iterator[dict[str, Any]]:
    for position, node in enumerate(plan.nodes):
        yield {
            "plan_id": plan.id,
            "node": node.name,
            "position": position,
            "rack": node.rack,
            "decision": node.decision.value,
            # The text may be a provisioner's.
            "reasons": [{**asdict(reason), "text": storable(reason.text)} for reason in node.reasons],
            "rests_on": dict(node.rests_on),
        }


def _head(row: Row[Any]) -> PlanHead:
    return PlanHead(
        id=row.id,
        design_digest=row.design_digest,
        node_filter=row.node_filter,
        destroy_unlisted=row.destroy_unlisted,
        counts=row.counts,
        site=tuple(SiteChange(**_members(SiteChange, change)) for change in row.site),
        waves=tuple(row.waves),
        estimate=None if row.estimate is None else Duration(**_members(Duration, row.estimate)),
        created=row.created,
        created_by=row.created_by,
        applied_by=row.applied_by,
    )


def _node(row: Row[Any]) -> PlannedNode:
    return PlannedNode(
        name=row.node,
        rack=row.rack,
        decision=Decision(row.decision),
        reasons=tuple(
            Reason(**{**_members(Reason, reason), "kind": ReasonKind(reason["kind"])}) for reason in row.reasons
        ),
        rests_on=row.rests_on,
    )


def _members(kind: type[DataclassInstance], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Without what only a newer version knows: one of its plans must not end a list of plans."""
    known = {field.name for field in fields(kind)}
    return {name: value for name, value in stored.items() if name in known}
