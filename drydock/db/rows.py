"""Rows of the tasks table become records, and text becomes what a row can hold."""

from __future__ import annotations

from typing import Any

from drydock.model.actions import Action
from drydock.model.task import Lease, ResultStatus, Task, TaskResult, TaskStatus


def storable(text: str) -> str:
    """PostgreSQL keeps any text but NUL and lone surrogates; what others told us may hold both."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def task_from_row(row: Any) -> Task:
    """A task without messages, subtask ids and progress: those are queries of their own. ``row``: a named tuple.

    Never raises: a row may hold what only a newer version knows.
    """
    # NOTE: an attribute of SQLAlchemy's row takes a microsecond, and workers claim thousands of rows of forty.
    of = dict(zip(row._fields, row, strict=True))
    lease = None
    if of["lease_owner"] is not None:
        lease = Lease(owner=of["lease_owner"], epoch=of["lease_epoch"], until=of["lease_until"])
    return Task(
        id=of["id"],
        root_id=of["root_id"],
        action=Action.stored(of["action"]),
        design_ref=of["design_ref"],
        status=TaskStatus.stored(of["status"]),
        created=of["created"],
        updated=of["updated"],
        created_by=of["created_by"],
        parent_id=of["parent_id"],
        node=of["node"],
        node_filter=of["node_filter"],
        design_digest=of["design_digest"],
        result=TaskResult(
            status=ResultStatus.stored(of["result_status"]),
            message=of["result_message"],
            reason=of["result_reason"],
            successes=tuple(of["successes"]),
            failures=tuple(of["failures"]),
        ),
        terminate=of["terminate"],
        terminated=of["terminated"],
        terminated_by=of["terminated_by"],
        request_id=of["request_id"],
        step=of["step"],
        step_since=of["step_since"],
        deadline_at=of["deadline_at"],
        attempt=of["attempt"],
        reason=of["reason"],
        lease=lease,
        overdue=bool(of.get("overdue")),
        lapses=of["lapses"],
        lapsed=bool(of.get("lapsed")),
        force=of["force"],
        retry_of=of["retry_of"],
        expect_nodes=of["expect_nodes"],
        all_nodes=of["all_nodes"],
        last_error=of["last_error"],
        error_attempts=of["error_attempts"],
        has_build_data=bool(of.get("has_build_data")),
    )
