"""Confirmations: what steps wait for a person to do, who did it, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Connection, Text, Uuid, any_, bindparam, case, func, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from drydock.db.locking import LOCK_ORDER
from drydock.db.notifications import notify_change, notify_work
from drydock.db.predicates import NOW, is_open
from drydock.db.rows import storable
from drydock.db.tables import TRANSACTION, task_confirmations, tasks
from drydock.errors import NoConfirmationAwaited, TaskNotFound
from drydock.model.confirmation import Confirmation

COLUMNS = ("step", "asked", "confirmed", "confirmed_by", "note")
_TASK = bindparam("of_task", type_=Uuid)
_STEP = bindparam("of_step", type_=Text)
#: The task and its subtasks, those that have asked at this step (NULL: at the present one).
LOCK_ASKED = (
    select(tasks.c.id, tasks.c.step)
    .where(
        or_(tasks.c.id == _TASK, tasks.c.parent_id == _TASK),
        select(task_confirmations.c.task_id)
        .where(
            task_confirmations.c.task_id == tasks.c.id,
            task_confirmations.c.step == func.coalesce(_STEP, tasks.c.step),
            # What has ended waits no more; a request that is repeated still finds what it confirmed.
            or_(is_open(tasks), task_confirmations.c.confirmed.is_not(None)),
        )
        .exists(),
    )
    .order_by(*LOCK_ORDER)
    .with_for_update(key_share=True, of=tasks)
)
_IDS = any_(bindparam("of_tasks", type_=ARRAY(Uuid)))
CONFIRM = (
    update(task_confirmations)
    .where(
        task_confirmations.c.task_id == tasks.c.id,
        tasks.c.id == _IDS,
        task_confirmations.c.step == func.coalesce(_STEP, tasks.c.step),
        task_confirmations.c.confirmed.is_(None),
    )
    .values(confirmed=NOW, confirmed_by=bindparam("by_user", type_=Text), note=bindparam("with_note", type_=Text))
    .returning(task_confirmations.c.task_id)
)
WAKE_CONFIRMED = (
    update(tasks)
    .where(tasks.c.id == _IDS)
    .values(
        updated=NOW,
        changed_in=TRANSACTION,
        wake_at=case((is_open(tasks), NOW)),
        wake_requested=is_open(tasks),
    )
)


class ConfirmationStatements:
    """Each method is right by itself: none needs a transaction with others."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def at(self, task_id: UUID, step: str) -> Confirmation | None:
        """What the step asked for; None if it did not ask."""
        return next((each for each in self.of_tasks([task_id]).get(task_id, ()) if each.step == step), None)

    def of_tasks(self, task_ids: Sequence[UUID]) -> Mapping[UUID, tuple[Confirmation, ...]]:
        """By task, in the order in which they were asked for; tasks without any are left out."""
        if not task_ids:
            return {}
        found: dict[UUID, tuple[Confirmation, ...]] = {}
        rows = self._connection.execute(
            select(task_confirmations)
            .where(task_confirmations.c.task_id == _IDS)
            .order_by(task_confirmations.c.task_id, task_confirmations.c.asked),
            {"of_tasks": list(task_ids)},
        )
        for row in rows:
            found[row.task_id] = (*found.get(row.task_id, ()), Confirmation(*(getattr(row, name) for name in COLUMNS)))
        return found


class ConfirmationRepository(ConfirmationStatements):
    """Also what needs a transaction: several writes, or a lock for what follows."""

    def ask(self, task_id: UUID, step: str) -> None:
        """The step waits for a person, for as long as it takes: it has no deadline from now on.

        The caller has the task locked. Nothing changes if it was asked already.
        """
        asked = insert(task_confirmations).values(task_id=task_id, step=step).on_conflict_do_nothing()
        self._connection.execute(asked)
        self._connection.execute(update(tasks).where(tasks.c.id == task_id).values(deadline_at=None))

    def confirm(self, task_id: UUID, *, step: str | None, by: str, note: str) -> None:
        """What the task and its subtasks wait for at ``step`` (None: wherever each is) was done; they are due now.

        What was confirmed already stays as it is. Raises ``TaskNotFound``, ``NoConfirmationAwaited``.
        """
        asked = self._connection.execute(LOCK_ASKED, {"of_task": task_id, "of_step": step}).all()
        if not asked:
            if self._connection.scalar(select(tasks.c.id).where(tasks.c.id == task_id)) is None:
                raise TaskNotFound(f"there is no task {task_id}")
            at = "" if step is None else f" at step {step}"
            raise NoConfirmationAwaited(f"task {task_id} waits for no confirmation{at}")
        given = {"of_tasks": [row.id for row in asked], "of_step": step}
        by_whom = {"by_user": storable(by), "with_note": storable(note)}
        confirmed = list(self._connection.scalars(CONFIRM, {**given, **by_whom}))
        if confirmed:
            self._connection.execute(WAKE_CONFIRMED, {"of_tasks": confirmed})
            notify_work(self._connection)
            notify_change(self._connection)
