"""Messages of tasks."""

from __future__ import annotations

from drydock.db.unit_of_work import UnitOfWork
from drydock.model.message import NewMessage
from tests.factories.rows import add_task


def test_messages_are_kept_in_their_order(uow: UnitOfWork) -> None:
    task, other = add_task(uow), add_task(uow)
    uow.messages.add(
        [NewMessage(task.id, "one"), NewMessage(other.id, "of the other"), NewMessage(task.id, "two", error=True)]
    )
    uow.messages.add([])
    found = uow.messages.of_tasks([task.id])
    assert [(message.message, message.error) for message in found[task.id]] == [("one", False), ("two", True)]
    assert set(found) == {task.id}


def test_a_message_is_about_its_task_unless_it_says_of_what(uow: UnitOfWork) -> None:
    task = add_task(uow)
    uow.messages.add(
        [NewMessage(task.id, "a"), NewMessage(task.id, "b", False, "node", "n1", {"deep": {"er": [1, None]}})]
    )
    first, second = uow.messages.of_tasks([task.id])[task.id]
    assert (first.context_type, first.context, first.extra) == ("task", str(task.id), {})
    assert (second.context_type, second.context, second.extra) == ("node", "n1", {"deep": {"er": [1, None]}})


def test_text_that_postgresql_cannot_store_is_replaced(uow: UnitOfWork) -> None:
    task = add_task(uow)
    uow.messages.add([NewMessage(task.id, "a\x00b \ud800")])
    assert uow.tasks.get(task.id).result.messages[0].message == "a\ufffdb ?"


def test_the_last_error_goes_before_what_came_after_it(uow: UnitOfWork) -> None:
    task = add_task(uow)
    for text, error, context in (
        ("first", False, "a"),
        ("wrong", True, "a"),
        ("worse " + "x" * 400, True, "a"),
        ("last", False, "a"),
        ("only", False, "b"),
    ):
        uow.messages.add([NewMessage(task.id, text, error, "bootaction", context)])
    words = uow.messages.last_words([task.id], ["a", "b", "c"])
    assert words == {"a": ("worse " + "x" * 400)[:300], "b": "only"}
