"""Rows of the tasks table become records, and text becomes what a row can hold."""

from __future__ import annotations

from typing import Any

from drydock.model.task import Action, Lease, ResultStatus, Task, TaskResult, TaskStatus


def storable(text: str) -> str:
    """PostgreSQL keeps any text but NUL and lone surrogates; what others told us may hold both."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def task_from_row(row: Any) -> Task:
    """A task without messages, subtask ids and progress: those are queries of their own."""
    lease = None
    if row.lease_owner is not None:
        lease = Lease(owner=row.lease_owner, epoch=row.lease_epoch, until=row.lease_until)
    return Task(
        id=row.id,
        root_id=row.root_id,
        action=Action(row.action),
        design_ref=row.design_ref,
        status=TaskStatus(row.status),
        created=row.created,
        updated=row.updated,
        created_by=row.created_by,
        parent_id=row.parent_id,
        node=row.node,
        node_filter=row.node_filter,
        design_digest=row.design_digest,
        result=TaskResult(
            status=ResultStatus(row.result_status),
            message=row.result_message,
            reason=row.result_reason,
            successes=tuple(row.successes),
            failures=tuple(row.failures),
        ),
        terminate=row.terminate,
        terminated=row.terminated,
        terminated_by=row.terminated_by,
        request_id=row.request_id,
        step=row.step,
        step_since=row.step_since,
        deadline_at=row.deadline_at,
        attempt=row.attempt,
        reason=row.reason,
        lease=lease,
        overdue=bool(getattr(row, "overdue", False)),
        force=row.force,
        retry_of=row.retry_of,
        last_error=row.last_error,
        error_attempts=row.error_attempts,
    )
