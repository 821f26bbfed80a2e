"""Boot actions of a deployment."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

from drydock.db.unit_of_work import UnitOfWork
from tests.factories.rows import add_boot, add_task, boot


def test_boot_actions_by_task_in_the_order_of_their_names(uow: UnitOfWork) -> None:
    task = add_task(uow)
    prepared = boot(task, name="zeta")
    (action,) = prepared.actions
    more = replace(action, id=action.id[::-1] + "x", name="alpha", signaling=False)
    uow.boot_contexts.replace([replace(prepared, actions=[action, more])])
    assert uow.boot_actions.of_tasks([task.id, uuid4()]) == {task.id: (more, action)}
    assert uow.boot_actions.get(more.id) == more


def test_a_boot_action_has_no_status_before_it_is_final(uow: UnitOfWork) -> None:
    (action,) = add_boot(uow).actions
    found = uow.boot_actions.get(action.id)
    assert (found.status, found.finalized) == (None, None)
