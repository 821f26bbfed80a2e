"""What machines report on their boot actions: looked up, locked, kept and told to who waits, in one statement.

A rack that boots sends thousands of reports, and most of what one costs is round trips. The parts of the statement
follow each other by what they read: the boot action is locked first, and only if the report may be taken do the
messages, the final status and the wake-up have a row to work on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    CTE,
    Boolean,
    ColumnElement,
    Connection,
    LargeBinary,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    insert,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from drydock.db.boot_actions import action_from_row, status_from_text
from drydock.db.notifications import CHANGE, WORK
from drydock.db.prepared import OwnConnections, Prepared
from drydock.db.rows import storable
from drydock.db.tables import TRANSACTION, boot_actions, boot_contexts, boot_reports, task_messages, tasks
from drydock.errors import BootActionNotFound
from drydock.model.boot_action import BootAction, Report, ReportStatus
from drydock.model.task import CLOSED


@dataclass(frozen=True, slots=True)
class Reported:
    """``action`` as it was before the report. ``key_digest``: of the key that may report; None: its deployment ended.

    ``transaction``: the number of the one that keeps the report; None: it was not taken.
    """

    action: BootAction
    key_digest: bytes | None = field(repr=False)
    transaction: int | None


@dataclass(frozen=True, slots=True)
class EarlierReport:
    """``digest``: SHA-256 of what was reported. ``status``: that of the action after it."""

    digest: bytes
    status: ReportStatus | None


#: Of one node's deployment, as it may be hostile: what comes when so much is there is not kept.
MAX_MESSAGES = 10_000
#: Keys of one boot action's reports, beside that of its final status.
MAX_REMEMBERED = 1000
MAX_MESSAGE_BYTES = 32 * 1024 * 1024

# NOTE: no parameter may have the name of a column, which would become part of SET.
#: A report's details travel as one array for each of these.
_DETAILS = {"errors": Boolean, "messages": Text, "extras": Text}
_FINAL = bindparam("final", type_=Text)


def _locked() -> Select[Any]:
    """The boot action; until the transaction ends nobody else reports on it."""
    live = boot_contexts.c.ended.is_(None) & (boot_contexts.c.expires > func.now())
    return (
        select(boot_actions, boot_contexts.c.key_digest, live.label("live"))
        .join(boot_contexts, boot_contexts.c.id == boot_actions.c.context_id)
        .where(boot_actions.c.id == bindparam("of_action"))
        .with_for_update(of=boot_actions)
    )


def _key() -> Select[Any]:
    live = boot_contexts.c.ended.is_(None) & (boot_contexts.c.expires > func.now())
    return (
        select(case((live, boot_contexts.c.key_digest), else_=null()).label("key_digest"))
        .join(boot_actions, boot_actions.c.context_id == boot_contexts.c.id)
        .where(boot_actions.c.id == bindparam("of_action"))
    )


def _take() -> Select[Any]:
    asked = _locked().cte("asked")
    taken = (
        select(asked.c.id, asked.c.task_id)
        .where(asked.c.live, asked.c.key_digest == bindparam("of_key", type_=LargeBinary))
        .where(asked.c.signaling, asked.c.status.is_(None))
        .cte("taken")
    )
    heard = _heard(taken)
    return (
        select(asked, heard.c.changed_in)
        .select_from(asked.outerjoin(heard, literal(True)))
        .add_cte(_kept(taken), _finalized(taken))
    )


def _kept(taken: CTE) -> CTE:
    """The messages, if there is room for more."""
    arrays: Iterator[ColumnElement[Any]] = (
        cast(bindparam(name, type_=ARRAY(kind)), ARRAY(kind)) for name, kind in _DETAILS.items()
    )
    said = func.unnest(*arrays).table_valued(*_DETAILS, with_ordinality="place").render_derived(name="said")
    room = _room(taken)
    rows = {
        "task_id": room.c.task_id,
        "root_id": select(tasks.c.root_id).where(tasks.c.id == room.c.task_id).scalar_subquery(),
        "error": said.c.errors,
        "message": said.c.messages,
        "context_type": literal("bootaction"),
        "context": room.c.id,
        "extra": cast(said.c.extras, JSONB),
    }
    every = select(*rows.values()).join_from(room, said, literal(True)).order_by(said.c.place)
    return insert(task_messages).from_select(list(rows), every).cte("kept")


def _room(taken: CTE) -> CTE:
    """``taken``, if its task has room for messages. By the sizes that rows tell: no message is unpacked for it."""
    size = func.octet_length(task_messages.c.message) + func.pg_column_size(task_messages.c.extra)
    few = (func.count() < MAX_MESSAGES) & (func.coalesce(func.sum(size), 0) < MAX_MESSAGE_BYTES)
    has_room = select(few).where(task_messages.c.task_id == taken.c.task_id).scalar_subquery()
    # Materialized: else it is looked for once for each detail.
    return select(taken.c.id, taken.c.task_id).where(has_room).cte("room").prefix_with("MATERIALIZED")


def _finalized(taken: CTE) -> CTE:
    return (
        update(boot_actions)
        .where(boot_actions.c.id == taken.c.id, _FINAL.is_not(None))
        .values(status=_FINAL, finalized=func.clock_timestamp())
        .cte("finalized")
    )


def _heard(taken: CTE) -> CTE:
    """The task has changed and, if the report is final, is due; the notifications go when the transaction commits."""
    due = _FINAL.is_not(None) & and_(*(tasks.c.status != status.value for status in CLOSED))
    return (
        update(tasks)
        .where(tasks.c.id == taken.c.task_id)
        .values(
            updated=func.clock_timestamp(),
            changed_in=TRANSACTION,
            wake_at=case((due, func.clock_timestamp()), else_=tasks.c.wake_at),
            wake_requested=due | tasks.c.wake_requested,
        )
        .returning(
            tasks.c.changed_in,
            func.pg_notify(CHANGE, "").label("told_watchers"),
            case((due, func.pg_notify(WORK, "")), else_=null()).label("told_workers"),
        )
        .cte("heard")
    )


_LOCK = _locked()
_TAKE = _take()
_PREPARED = Prepared("drydock_report", _TAKE)
_KEY = Prepared("drydock_report_key", _key())
#: What ``taking`` and ``report_key`` need.
PREPARED = (_PREPARED, _KEY)


def report_key(connections: OwnConnections, action_id: str) -> bytes | None:
    """Of the key that may report on the action; None: its deployment ended. Raises ``BootActionNotFound``."""
    row = connections.row(_KEY, {"of_action": action_id})
    if row is None:
        raise BootActionNotFound(f"there is no boot action {action_id}")
    digest: bytes | None = row.key_digest
    return digest


@contextmanager
def taking(
    connections: OwnConnections, action_id: str, key_digest: bytes, report: Report
) -> Iterator[tuple[Reported, Callable[[], None]]]:
    """As ``ReportRepository.take``, in a transaction of its own, with what commits it. Two round trips."""
    with connections.begun(_PREPARED, _parameters(action_id, key_digest, report)) as begun:
        yield _reported(action_id, begun.row), begun.commit


def _parameters(action_id: str, key_digest: bytes, report: Report) -> dict[str, object]:
    details = report.details
    return {
        "of_action": action_id,
        "of_key": key_digest,
        "final": None if report.status is None else report.status.value,
        "errors": [detail.error for detail in details],
        "messages": [storable(detail.message) for detail in details],
        "extras": [json.dumps(dict(detail.extra)) for detail in details],
    }


class ReportRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self, action_id: str) -> Reported:
        """Keep others from reporting on it; take nothing yet. Raises ``BootActionNotFound``."""
        return _reported(action_id, self._connection.execute(_LOCK, {"of_action": action_id}).one_or_none())

    def take(self, action_id: str, key_digest: bytes, report: Report) -> Reported:
        """Keep the report if the key may report, the action signals and has no final status yet; else nothing.

        Raises ``BootActionNotFound``.
        """
        row = self._connection.execute(_TAKE, _parameters(action_id, key_digest, report)).one_or_none()
        return _reported(action_id, row)

    def shows(self, action: BootAction, report: Report, transaction: int) -> bool:
        """Whether the rows show that ``transaction`` kept this report.

        A crash makes PostgreSQL forget the numbers of transactions that had written nothing yet, and give them out
        again: that a number was committed does not say that it was ours.
        """
        if not report.details:
            status = self._connection.scalar(select(boot_actions.c.status).where(boot_actions.c.id == action.id))
            return bool(status == report.status)
        written = select(task_messages.c.id).where(
            task_messages.c.task_id == action.task_id,
            task_messages.c.written_in == transaction,
            task_messages.c.context == action.id,
            task_messages.c.message == storable(report.details[0].message),
        )
        return self._connection.scalar(written.limit(1)) is not None

    def earlier(self, action_id: str, idempotency_key: str) -> EarlierReport | None:
        """The report that came with this key, if one did. The caller holds the action's lock."""
        row = self._connection.execute(
            select(boot_reports).where(
                boot_reports.c.action_id == action_id, boot_reports.c.idempotency_key == idempotency_key
            )
        ).one_or_none()
        return None if row is None else EarlierReport(bytes(row.digest), status_from_text(row.status))

    def has_room(self, action_id: str) -> bool:
        """Whether another report's key is remembered. The caller holds the action's lock."""
        few = select(boot_reports.c.action_id).where(boot_reports.c.action_id == action_id).limit(MAX_REMEMBERED)
        counted = self._connection.scalar(select(func.count()).select_from(few.subquery()))
        return (counted or 0) < MAX_REMEMBERED

    def remember(self, action_id: str, idempotency_key: str, report: EarlierReport) -> None:
        self._connection.execute(
            insert(boot_reports).values(
                action_id=action_id,
                idempotency_key=idempotency_key,
                digest=report.digest,
                status=None if report.status is None else report.status.value,
            )
        )


def _reported(action_id: str, row: Any) -> Reported:
    if row is None:
        raise BootActionNotFound(f"there is no boot action {action_id}")
    return Reported(action_from_row(row), bytes(row.key_digest) if row.live else None, getattr(row, "changed_in", None))
