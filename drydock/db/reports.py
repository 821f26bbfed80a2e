"""Stores a machine's boot-action report: one statement looks it up, locks, inserts and notifies.

A rack that boots sends thousands of reports, and most of what one costs is round trips. The parts of the statement
are ordered by what they read: the boot action is locked first, and only if the report is accepted do the messages, the
final status and the wake-up have a row to work on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    CTE,
    Boolean,
    ColumnElement,
    Connection,
    LargeBinary,
    Select,
    Text,
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
from drydock.db.predicates import NOW, is_live, is_open
from drydock.db.prepared import Prepared
from drydock.db.rows import storable
from drydock.db.tables import TRANSACTION, boot_actions, boot_contexts, report_keys, task_messages, tasks
from drydock.db.thread_connections import ThreadConnections, Transaction
from drydock.errors import BootActionNotFound
from drydock.model.boot_action import BootAction, EarlierReport, Report, StoredReport
from drydock.model.machine_limits import MAX_MESSAGE_BYTES, MAX_MESSAGES

# NOTE: no parameter may have the name of a column: SQLAlchemy would add it to SET.
#: A report's details travel as one array for each of these.
_DETAILS = {"errors": Boolean, "messages": Text, "extras": Text}
_FINAL = bindparam("final", type_=Text)


def _locked() -> Select[Any]:
    """The boot action, locked: reports on it are stored one after the other."""
    return (
        select(boot_actions, boot_contexts.c.key_digest, is_live(boot_contexts).label("live"))
        .join(boot_contexts, boot_contexts.c.id == boot_actions.c.context_id)
        .where(boot_actions.c.id == bindparam("of_action"))
        .with_for_update(of=boot_actions)
    )


def _key() -> Select[Any]:
    return (
        select(case((is_live(boot_contexts), boot_contexts.c.key_digest), else_=null()).label("key_digest"))
        .join(boot_actions, boot_actions.c.context_id == boot_contexts.c.id)
        .where(boot_actions.c.id == bindparam("of_action"))
    )


def _store() -> Select[Any]:
    locked = _locked().cte("locked")
    accepted = (
        select(locked.c.id, locked.c.task_id)
        .where(locked.c.live, locked.c.key_digest == bindparam("of_key", type_=LargeBinary))
        .where(locked.c.signaling, locked.c.status.is_(None))
        .cte("accepted")
    )
    changed = _changed(accepted)
    return (
        select(locked, changed.c.changed_in)
        .select_from(locked.outerjoin(changed, literal(True)))
        .add_cte(_kept(accepted), _finalized(accepted))
    )


def _kept(accepted: CTE) -> CTE:
    """The messages, unless the limits are reached."""
    arrays: Iterator[ColumnElement[Any]] = (
        cast(bindparam(name, type_=ARRAY(kind)), ARRAY(kind)) for name, kind in _DETAILS.items()
    )
    details = func.unnest(*arrays).table_valued(*_DETAILS, with_ordinality="place").render_derived(name="details")
    room = _room(accepted)
    rows = {
        "task_id": room.c.task_id,
        "root_id": select(tasks.c.root_id).where(tasks.c.id == room.c.task_id).scalar_subquery(),
        "error": details.c.errors,
        "message": details.c.messages,
        "context_type": literal("bootaction"),
        "context": room.c.id,
        "extra": cast(details.c.extras, JSONB),
    }
    every = select(*rows.values()).join_from(room, details, literal(True)).order_by(details.c.place)
    return insert(task_messages).from_select(list(rows), every).cte("kept")


def _room(accepted: CTE) -> CTE:
    """``accepted``, if its task may have more messages. By stored sizes: no message is decompressed."""
    size = func.octet_length(task_messages.c.message) + func.pg_column_size(task_messages.c.extra)
    few = (func.count() < MAX_MESSAGES) & (func.coalesce(func.sum(size), 0) < MAX_MESSAGE_BYTES)
    has_room = select(few).where(task_messages.c.task_id == accepted.c.task_id).scalar_subquery()
    # Materialized: otherwise it is evaluated once per detail.
    return select(accepted.c.id, accepted.c.task_id).where(has_room).cte("room").prefix_with("MATERIALIZED")


def _finalized(accepted: CTE) -> CTE:
    return (
        update(boot_actions)
        .where(boot_actions.c.id == accepted.c.id, _FINAL.is_not(None))
        .values(status=_FINAL, finalized=NOW)
        .cte("finalized")
    )


def _changed(accepted: CTE) -> CTE:
    """The task changed and, if the report is final, is due. Notifications are sent when the transaction commits."""
    due = _FINAL.is_not(None) & is_open(tasks)
    return (
        update(tasks)
        .where(tasks.c.id == accepted.c.task_id)
        .values(
            updated=NOW,
            changed_in=TRANSACTION,
            wake_at=case((due, NOW), else_=tasks.c.wake_at),
            wake_requested=due | tasks.c.wake_requested,
        )
        .returning(
            tasks.c.changed_in,
            func.pg_notify(CHANGE, "").label("watchers_notified"),
            case((due, func.pg_notify(WORK, "")), else_=null()).label("workers_notified"),
        )
        .cte("changed")
    )


LOCK_ACTION = _locked()
STORE_REPORT = _store()
_STORE_PREPARED = Prepared("drydock_report", STORE_REPORT)
REPORT_KEY = Prepared("drydock_report_key", _key())
#: What ``report_transaction`` and ``report_key`` need.
PREPARED = (_STORE_PREPARED, REPORT_KEY)


def report_key(connections: ThreadConnections, action_id: str) -> bytes | None:
    """Of the key that may report on the action; None: its deployment ended. Raises ``BootActionNotFound``."""
    row = connections.row(REPORT_KEY, {"of_action": action_id})
    if row is None:
        raise BootActionNotFound(f"there is no boot action {action_id}")
    digest: bytes | None = row.key_digest
    return digest


@contextmanager
def report_transaction(
    connections: ThreadConnections, action_id: str, key_digest: bytes, report: Report
) -> Iterator[Transaction[StoredReport]]:
    """As ``ReportRepository.store``, in a transaction of its own, to be committed by the caller. Two round trips."""
    with connections.transaction(_STORE_PREPARED, _parameters(action_id, key_digest, report)) as transaction:
        yield Transaction(_stored(action_id, transaction.row), transaction.commit)


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

    def lock(self, action_id: str) -> StoredReport:
        """Lock the action without a report. Raises ``BootActionNotFound``."""
        return _stored(action_id, self._connection.execute(LOCK_ACTION, {"of_action": action_id}).one_or_none())

    def store(self, action_id: str, key_digest: bytes, report: Report) -> StoredReport:
        """Store the report if the key may report, the action signals and has no final status yet; else change nothing.

        Raises ``BootActionNotFound``.
        """
        row = self._connection.execute(STORE_REPORT, _parameters(action_id, key_digest, report)).one_or_none()
        return _stored(action_id, row)

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
        """The report that came with this key, None without one. The caller has the action locked."""
        row = self._connection.execute(
            select(report_keys).where(
                report_keys.c.action_id == action_id, report_keys.c.idempotency_key == idempotency_key
            )
        ).one_or_none()
        return None if row is None else EarlierReport(bytes(row.digest), status_from_text(row.status))

    def remembers_fewer_than(self, limit: int, action_id: str) -> bool:
        """Fewer idempotency keys of this action's reports are stored. The caller has the action locked."""
        keys = select(report_keys.c.action_id).where(report_keys.c.action_id == action_id).limit(limit)
        counted = self._connection.scalar(select(func.count()).select_from(keys.subquery()))
        return (counted or 0) < limit

    def remember(self, action_id: str, idempotency_key: str, report: EarlierReport) -> None:
        self._connection.execute(
            insert(report_keys).values(
                action_id=action_id,
                idempotency_key=idempotency_key,
                digest=report.digest,
                status=None if report.status is None else report.status.value,
            )
        )


def _stored(action_id: str, row: Any) -> StoredReport:
    if row is None:
        raise BootActionNotFound(f"there is no boot action {action_id}")
    return StoredReport(
        action_from_row(row), bytes(row.key_digest) if row.live else None, getattr(row, "changed_in", None)
    )
