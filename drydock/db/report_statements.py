"""The statements of reports. One looks the boot action up, locks, inserts and notifies, in one round trip.

A rack that boots sends thousands of reports, and most of what one costs is round trips. The parts of the statement
are ordered by what they read: the boot action is locked first, and only if the report is accepted do the messages, the
final status and the wake-up have a row to work on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    CTE,
    Boolean,
    ColumnElement,
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

from drydock.db.notifications import CHANGE, WORK
from drydock.db.predicates import NOW, is_live, is_open
from drydock.db.prepared import Prepared
from drydock.db.tables import TRANSACTION, boot_actions, boot_contexts, task_messages, tasks
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
STORE_PREPARED = Prepared("drydock_report", STORE_REPORT)
REPORT_KEY = Prepared("drydock_report_key", _key())
