"""The node-facing door: bundles out, reports in. No design, no template, no Keystone in the path."""

from __future__ import annotations

from drydock.bootaction.keys import matches
from drydock.bootaction.sealing import unseal
from drydock.db.unit_of_work import Database
from drydock.errors import BootActionFinal, BootActionSilent, BootContextNotFound, Forbidden
from drydock.model.boot_action import BootAction, Report
from drydock.model.boot_context import Bundle, BundleKind


class BootService:
    def __init__(self, database: Database) -> None:
        self._database = database

    def bundle(self, node: str, kind: BundleKind, key: bytes) -> Bundle:
        """The node's tarball. Raises ``BootContextNotFound``, ``Forbidden``."""
        stored = self._database.bundle(node, kind)
        _check(stored.key_digest, key)
        content = unseal(key, context_id=stored.context_id, node=node, kind=kind.value, content=stored.sealed)
        return Bundle(content, stored.etag)

    def report(self, action_id: str, key: bytes, report: Report) -> BootAction:
        """Keep a report; a final status wins once. It is stored, and its task woken, before this returns.

        Raises ``BootActionNotFound``, ``Forbidden``, ``BootActionSilent``, ``BootActionFinal``.
        """
        with self._database.unit_of_work() as uow:
            action = uow.boot_actions.get(action_id)
            try:
                _check(uow.boot_contexts.get(action.context_id).key_digest, key)
            except BootContextNotFound as exc:
                raise Forbidden("the key belongs to a deployment that has ended") from exc
            if not action.signaling:
                raise BootActionSilent(f"boot action {action.name} takes no reports (signaling: false)")
            action = uow.boot_actions.get(action_id, lock=True)
            if action.status is not None:
                raise BootActionFinal(f"boot action {action.name} already has its final status, {action.status}")
            uow.messages.add_many(
                action.task_id,
                [(detail.message, detail.error, detail.extra) for detail in report.details],
                context_type="bootaction",
                context=action.id,
            )
            if report.status is not None:
                action = uow.boot_actions.finalize(action_id, report.status)
                uow.tasks.wake(action.task_id)
            uow.tasks.touch(action.task_id)
            uow.commit()
        return action


def _check(digest: bytes, key: bytes) -> None:
    if not matches(key, digest):
        raise Forbidden("the key is not this node's")
