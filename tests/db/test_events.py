"""The events of a task tree, in an order that a reader may stop and go on at."""

from __future__ import annotations

from drydock.db.database import Database
from drydock.model.event import MessageWritten, Position, TaskChanged
from drydock.model.message import NewMessage
from drydock.model.task import TaskStatus
from tests.factories.rows import add_tree
from tests.factories.tasks import new_task


def test_events_are_shown_once_their_transaction_is_settled(database: Database) -> None:
    with database.unit_of_work() as uow:
        parent, (child,) = add_tree(uow, ["n1"])
        uow.messages.add([NewMessage(child.id, "a line")])
        page = uow.events.page(parent.id, Position(), at_most=10)
        assert (page.events, page.behind) == ((), True)
        uow.commit()
    with database.unit_of_work() as uow:
        page = uow.events.page(parent.id, Position(), at_most=10)
    assert [type(event) for event in page.events] == [TaskChanged, TaskChanged, MessageWritten]
    assert (page.more, page.behind, page.ended) == (False, False, False)


def test_a_reader_goes_on_where_it_stopped(database: Database) -> None:
    with database.unit_of_work() as uow:
        parent, _ = add_tree(uow, ["n1", "n2"])
        uow.messages.add([NewMessage(parent.id, str(number)) for number in range(5)])
        uow.commit()
    seen: list[Position] = []
    more = True
    with database.unit_of_work() as uow:
        everything = uow.events.page(parent.id, Position(), at_most=100)
        while more:
            page = uow.events.page(parent.id, seen[-1] if seen else Position(), at_most=2)
            seen += [event.position for event in page.events]
            more = page.more
    assert seen == [event.position for event in everything.events]
    assert len(seen) == len(set(seen)) == 8


def test_a_subtask_shows_its_own_events_only(database: Database) -> None:
    with database.unit_of_work() as uow:
        _, (first, second) = add_tree(uow, ["n1", "n2"])
        uow.messages.add([NewMessage(first.id, "of the first"), NewMessage(second.id, "of the second")])
        uow.commit()
    with database.unit_of_work() as uow:
        page = uow.events.page(first.id, Position(), at_most=10)
    assert [getattr(event, "task_id", None) or event.task.id for event in page.events] == [first.id, first.id]  # type: ignore[union-attr]


def test_the_stream_of_a_task_that_has_ended_ends(database: Database) -> None:
    task = database.add_task(new_task(), request_digest=None)
    with database.unit_of_work() as uow:
        uow.task_signals.terminate(task.id, by="bob")
        uow.commit()
    with database.unit_of_work() as uow:
        page = uow.events.page(task.id, Position(), at_most=10)
    assert (page.ended, page.status) == (True, TaskStatus.TERMINATED)
