"""Boot actions and their final results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from drydock.db.tables import boot_actions, boot_contexts, boot_reports
from drydock.errors import BootActionNotFound
from drydock.model.boot_action import BootAction, ReportStatus

_FOR_REPORT = (
    select(
        boot_actions,
        boot_contexts.c.key_digest,
        (boot_contexts.c.ended.is_(None) & (boot_contexts.c.expires > func.now())).label("live"),
    )
    .join(boot_contexts, boot_contexts.c.id == boot_actions.c.context_id)
    .where(boot_actions.c.id == bindparam("action"))
    .with_for_update(of=boot_actions)
)
_FINALIZE = (
    update(boot_actions)
    .where(boot_actions.c.id == bindparam("action"), boot_actions.c.status.is_(None))
    .values(status=bindparam("final"), finalized=func.clock_timestamp())
    .returning(boot_actions)
)


@dataclass(frozen=True, slots=True)
class EarlierReport:
    """``digest``: SHA-256 of what was reported. ``status``: that of the action after it."""

    digest: bytes
    status: ReportStatus | None


class BootActionRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, actions: Sequence[BootAction]) -> None:
        if actions:
            self._connection.execute(
                insert(boot_actions),
                [
                    {
                        "id": action.id,
                        "context_id": action.context_id,
                        "task_id": action.task_id,
                        "node": action.node,
                        "name": action.name,
                        "signaling": action.signaling,
                    }
                    for action in actions
                ],
            )

    def get(self, action_id: str) -> BootAction:
        """Raises ``BootActionNotFound``."""
        row = self._connection.execute(select(boot_actions).where(boot_actions.c.id == action_id)).one_or_none()
        if row is None:
            raise BootActionNotFound(f"there is no boot action {action_id}")
        return _from_row(row)

    def lock_for_report(self, action_id: str) -> tuple[BootAction, bytes | None]:
        """The action and, while its deployment lasts, the SHA-256 of the key that may report on it.

        Nobody else reports on it until this transaction ends. Raises ``BootActionNotFound``.
        """
        row = self._connection.execute(_FOR_REPORT, {"action": action_id}).one_or_none()
        if row is None:
            raise BootActionNotFound(f"there is no boot action {action_id}")
        return _from_row(row), bytes(row.key_digest) if row.live else None

    def finalize(self, action_id: str, status: ReportStatus) -> BootAction:
        """Store the final status. The caller holds the row's lock and has seen that there was none."""
        row = self._connection.execute(_FINALIZE, {"action": action_id, "final": status.value}).one()
        return _from_row(row)

    def earlier_report(self, action_id: str, idempotency_key: str) -> EarlierReport | None:
        """The report that came with this key, if one did. The caller holds the action's lock."""
        row = self._connection.execute(
            select(boot_reports).where(
                boot_reports.c.action_id == action_id, boot_reports.c.idempotency_key == idempotency_key
            )
        ).one_or_none()
        return None if row is None else EarlierReport(bytes(row.digest), _status(row.status))

    def remember_report(self, action_id: str, idempotency_key: str, report: EarlierReport) -> None:
        self._connection.execute(
            insert(boot_reports).values(
                action_id=action_id,
                idempotency_key=idempotency_key,
                digest=report.digest,
                status=None if report.status is None else report.status.value,
            )
        )

    def of_tasks(self, task_ids: Sequence[UUID]) -> Mapping[UUID, tuple[BootAction, ...]]:
        """The boot actions of each task that has any, in the order of their names. A task makes one boot context."""
        rows = self._connection.execute(
            select(boot_actions).where(boot_actions.c.task_id.in_(task_ids)).order_by(boot_actions.c.name)
        )
        found: dict[UUID, list[BootAction]] = {}
        for row in rows:
            found.setdefault(row.task_id, []).append(_from_row(row))
        return {task_id: tuple(actions) for task_id, actions in found.items()}


def _status(text: str | None) -> ReportStatus | None:
    return None if text is None else ReportStatus(text)


def _from_row(row: Row[tuple[object, ...]]) -> BootAction:
    return BootAction(
        id=row.id,
        context_id=row.context_id,
        task_id=row.task_id,
        node=row.node,
        name=row.name,
        signaling=row.signaling,
        status=_status(row.status),
        finalized=row.finalized,
    )
