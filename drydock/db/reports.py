"""Stores reports of machines on their boot actions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, func, insert, select

from drydock.db.boot_actions import action_from_row, status_from_text
from drydock.db.report_statements import LOCK_ACTION, REPORT_KEY, STORE_PREPARED, STORE_REPORT
from drydock.db.rows import storable
from drydock.db.tables import boot_actions, report_keys, task_messages
from drydock.db.thread_connections import ThreadConnections, Transaction
from drydock.errors import BootActionNotFound
from drydock.model.boot_action import BootAction, EarlierReport, Report, StoredReport

#: What ``report_transaction`` and ``report_key`` execute.
PREPARED = (STORE_PREPARED, REPORT_KEY)


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
    with connections.transaction(STORE_PREPARED, _parameters(action_id, key_digest, report)) as transaction:
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
