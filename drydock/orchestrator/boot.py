"""The node-facing door: bundles out, reports in. No design, no template, no Keystone in the path."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace

from drydock.bootaction.keys import matches
from drydock.bootaction.sealing import unseal
from drydock.db.boot_actions import EarlierReport
from drydock.db.transactions import Fate
from drydock.db.unit_of_work import Database, UnitOfWork
from drydock.errors import BootActionFinal, BootActionSilent, DatabaseUnavailable, Forbidden, IdempotencyConflict
from drydock.model.boot_action import BootAction, Report
from drydock.model.boot_context import Bundle, BundleKind
from drydock.orchestrator.patience import Patience


class BootService:
    """``hold_seconds``: how long a machine is kept waiting for a database that does not answer."""

    def __init__(self, database: Database, *, hold_seconds: float = 0.0) -> None:
        self._database = database
        self._patience = Patience(hold_seconds)

    def bundle(self, node: str, kind: BundleKind, key: bytes) -> Bundle:
        """The node's tarball. Raises ``BootContextNotFound``, ``Forbidden``."""
        stored = self._patience.until_answered(lambda: self._database.bundle(node, kind))
        _check(stored.key_digest, key)
        content = unseal(key, context_id=stored.context_id, node=node, kind=kind.value, content=stored.sealed)
        return Bundle(content, stored.etag)

    def report(self, action_id: str, key: bytes, report: Report, *, idempotency_key: str | None = None) -> BootAction:
        """Keep a report; a final status wins once. It is stored, and its task woken, before this returns.

        With the ``idempotency_key`` of an earlier report on this action: the answer of that time, if the report is
        the same. Raises ``BootActionNotFound``, ``Forbidden``, ``BootActionSilent``, ``BootActionFinal``,
        ``IdempotencyConflict``.
        """
        attempt = _Attempt(action_id, key, report, idempotency_key)
        return self._patience.until_answered(lambda: self._try(attempt))

    def _try(self, attempt: _Attempt) -> BootAction:
        with self._database.unit_of_work() as uow:
            kept = _kept_before(uow, attempt)
            if kept is not None:
                return kept
            action = _admit(uow, attempt)
            if attempt.idempotency_key is not None:
                earlier = uow.boot_actions.earlier_report(action.id, attempt.idempotency_key)
                if earlier is not None:
                    return _same_again(action, earlier, attempt.report)
            action, attempt.transaction = _store(uow, action, attempt)
            attempt.answer = action
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


def _kept_before(uow: UnitOfWork, attempt: _Attempt) -> BootAction | None:
    """The answer, if the try before this one was kept although its commit got no answer."""
    if attempt.transaction is None:
        return None
    fate = uow.fate_of(attempt.transaction)
    if fate is Fate.UNKNOWN:
        raise DatabaseUnavailable("the database does not know yet whether the report was kept")
    return attempt.answer if fate is Fate.KEPT else None


def _admit(uow: UnitOfWork, attempt: _Attempt) -> BootAction:
    action, digest = uow.boot_actions.lock_for_report(attempt.action_id)
    if digest is None:
        raise Forbidden("the key belongs to a deployment that has ended")
    _check(digest, attempt.key)
    if not action.signaling:
        raise BootActionSilent(f"boot action {action.name} takes no reports (signaling: false)")
    return action


def _store(uow: UnitOfWork, action: BootAction, attempt: _Attempt) -> tuple[BootAction, int]:
    """The action as it is now, and the number of this transaction."""
    report = attempt.report
    if action.status is not None:
        raise BootActionFinal(f"boot action {action.name} already has its final status, {action.status}")
    uow.messages.add_many(
        action.task_id,
        [(detail.message, detail.error, detail.extra) for detail in report.details],
        context_type="bootaction",
        context=action.id,
    )
    if report.status is not None:
        action = uow.boot_actions.finalize(action.id, report.status)
    if attempt.idempotency_key is not None:
        remembered = EarlierReport(_digest(report), action.status)
        uow.boot_actions.remember_report(action.id, attempt.idempotency_key, remembered)
    return action, uow.tasks.heard_from_node(action.task_id, final=report.status is not None)


def _same_again(action: BootAction, earlier: EarlierReport, report: Report) -> BootAction:
    if earlier.digest != _digest(report):
        raise IdempotencyConflict("this Idempotency-Key was used with another report; send a new one")
    return replace(action, status=earlier.status)


def _digest(report: Report) -> bytes:
    said = [report.status, [[detail.message, detail.error, dict(detail.extra)] for detail in report.details]]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).digest()


def _check(digest: bytes, key: bytes) -> None:
    if not matches(key, digest):
        raise Forbidden("the key is not this node's")
