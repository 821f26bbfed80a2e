"""What machines call: bundles out, reports in. No design, no template, no Keystone in the path."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace

from drydock.bootaction.keys import key_digest, matches
from drydock.bootaction.sealing import unseal
from drydock.db.database import Database
from drydock.db.unit_of_work import UnitOfWork
from drydock.errors import (
    BootActionFinal,
    BootActionSilent,
    DatabaseUnavailable,
    DrydockError,
    Forbidden,
    IdempotencyConflict,
    SealBroken,
)
from drydock.model.boot_action import BootAction, EarlierReport, Report, StoredReport
from drydock.model.boot_context import Bundle, BundleKind
from drydock.model.machine_limits import MAX_REMEMBERED
from drydock.model.transaction import Fate
from drydock.orchestrator.services.contacts import Contacts
from drydock.orchestrator.services.outage_retry import outage_retry


class BootService:
    """``hold_seconds``: how long a machine is kept waiting for a database that does not answer."""

    def __init__(self, database: Database, *, hold_seconds: float) -> None:
        self._database = database
        self._retries = outage_retry(hold_seconds)
        self._contacts = Contacts(database)

    def bundle(self, node: str, kind: BundleKind, key: bytes) -> Bundle:
        """The node's tarball. Raises ``BootContextNotFound``, ``Forbidden``, ``SealBroken``."""
        stored = self._retries.run(self._database.bundle, node, kind)
        try:
            content = unseal(
                key, context_id=stored.context_id, node=stored.node, kind=kind.value, content=stored.sealed
            )
        except SealBroken:
            # A key that opens the bundle is the node's. If none does, its digest shows which of both is wrong.
            if matches(key, stored.key_digest):
                raise
            raise Forbidden("the key is not this node's") from None
        self._contacts.record(stored.context_id)
        return Bundle(content, hashlib.sha256(content).hexdigest())

    def admit(self, action_id: str, key: bytes) -> None:
        """Return if the key may report on this action. Raises ``BootActionNotFound``, ``Forbidden``."""
        _check_key(key, self._retries.run(self._database.report_key, action_id))

    def report(self, action_id: str, key: bytes, report: Report, *, idempotency_key: str | None = None) -> BootAction:
        """Keep a report; a final status wins once. It is stored, and its task woken, before this returns.

        With the ``idempotency_key`` of an earlier report on this action: the answer of that time, if the report is
        the same. Raises ``BootActionNotFound``, ``Forbidden``, ``BootActionSilent``, ``BootActionFinal``,
        ``IdempotencyConflict``.
        """
        attempt = _Attempt(action_id, key, report, idempotency_key)
        action = self._retries.run(self._try, attempt)
        self._contacts.record(action.context_id)
        return action

    def _try(self, attempt: _Attempt) -> BootAction:
        if attempt.idempotency_key is not None or attempt.transaction is not None:
            return self._try_again(attempt)
        # As nearly all reports are.
        key = key_digest(attempt.key)
        with self._database.report_transaction(attempt.action_id, key, attempt.report) as transaction:
            action = _taken(transaction.row, attempt)
            transaction.commit()
        return action

    def _try_again(self, attempt: _Attempt) -> BootAction:
        """A report that may have been kept already."""
        with self._database.unit_of_work() as uow:
            known = _kept_before(uow, attempt) or _repeated(uow, attempt)
            if known is not None:
                return known
            reported = uow.reports.store(attempt.action_id, key_digest(attempt.key), attempt.report)
            action = _taken(reported, attempt)
            if attempt.idempotency_key is not None and (
                attempt.report.status is not None or uow.reports.remembers_fewer_than(MAX_REMEMBERED, action.id)
            ):
                remembered = EarlierReport(_digest(attempt.report), action.status)
                uow.reports.remember(action.id, attempt.idempotency_key, remembered)
            uow.commit()
        return action


@dataclass(slots=True)
class _Attempt:
    """What is asked and, once it was tried, in which transaction: whether that was kept may have to be found out."""

    action_id: str
    key: bytes = field(repr=False)
    report: Report
    idempotency_key: str | None
    transaction: int | None = None
    answer: BootAction | None = None


def _taken(reported: StoredReport, attempt: _Attempt) -> BootAction:
    """The answer, once what took the report is committed. Raises why it was not taken."""
    if reported.transaction is None:
        raise _refusal(reported, attempt.key)
    attempt.transaction = reported.transaction
    attempt.answer = replace(reported.action, status=attempt.report.status)
    return attempt.answer


def _kept_before(uow: UnitOfWork, attempt: _Attempt) -> BootAction | None:
    """The answer, if the try before this one was kept although its commit got no answer."""
    if attempt.transaction is None or attempt.answer is None:
        return None
    fate = uow.fate_of(attempt.transaction)
    if fate is Fate.UNKNOWN:
        raise DatabaseUnavailable("the database does not know yet whether the report was kept")
    kept = fate is Fate.KEPT and uow.reports.shows(attempt.answer, attempt.report, attempt.transaction)
    return attempt.answer if kept else None


def _repeated(uow: UnitOfWork, attempt: _Attempt) -> BootAction | None:
    """The answer, if the report was taken before under its idempotency key."""
    if attempt.idempotency_key is None:
        return None
    reported = uow.reports.lock(attempt.action_id)
    if reported.key_digest is None or not matches(attempt.key, reported.key_digest):
        raise _refusal(reported, attempt.key)
    earlier = uow.reports.earlier(attempt.action_id, attempt.idempotency_key)
    return None if earlier is None else _same_again(reported.action, earlier, attempt.report)


def _check_key(key: bytes, digest: bytes | None) -> None:
    """Raises ``Forbidden``. ``digest``: of the key that may report; None: its deployment ended."""
    if digest is None:
        raise Forbidden("the key belongs to a deployment that has ended")
    if not matches(key, digest):
        raise Forbidden("the key is not this node's")


def _refusal(reported: StoredReport, key: bytes) -> DrydockError:
    """Why a report was not taken. Raises ``Forbidden`` for a key that may not report at all."""
    action = reported.action
    _check_key(key, reported.key_digest)
    if not action.signaling:
        return BootActionSilent(f"boot action {action.name} takes no reports (signaling: false)")
    return BootActionFinal(f"boot action {action.name} already has its final status, {action.status}")


def _same_again(action: BootAction, earlier: EarlierReport, report: Report) -> BootAction:
    if earlier.digest != _digest(report):
        raise IdempotencyConflict("this Idempotency-Key was used with another report; send a new one")
    return replace(action, status=earlier.status)


def _digest(report: Report) -> bytes:
    content = [report.status, [[detail.message, detail.error, dict(detail.extra)] for detail in report.details]]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest()
