"""Waves of nodes: which subtasks are released, parked and ended, and what no two transactions do at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine, func, select, update

from drydock.db.database import Database
from drydock.db.tables import tasks
from drydock.db.unit_of_work import UnitOfWork
from drydock.errors import TaskEnded, TaskNotFound, TaskNotPausable
from drydock.model.actions import Action
from drydock.model.rollout import AWAIT_WAVE, BUDGET, CHECK_PLAN, PLAIN, TASK_ENDED, Gate, Move
from drydock.model.task import Lane, ResultStatus, Task, TaskStatus
from tests.db.blocking import blocked
from tests.factories.rows import add_task, begin, claim, finish
from tests.factories.tasks import new_task

SPENT = "failure budget of 1 spent: n1"


def rolled_out(
    uow: UnitOfWork, waves: Mapping[str, int], *, budget: int | None = None, plan: str | None = None
) -> Task:
    """A task at work with a subtask for each node of ``waves``, none of them released."""
    queued = uow.task_queue.add(replace(new_task(), rollout=PLAIN.json, plan=plan), request_digest=None)
    uow.rollouts.begin(queued.id, budget=budget)
    uow.task_queue.add_subtasks(
        queued, Action.DEPLOY_NODE, list(waves), lane=Lane.NODE, start_rate=1e9, waves=dict(waves)
    )
    return queued


def release(uow: UnitOfWork, task: Task, wave: int = 0, *, start_rate: float = 1e9) -> None:
    uow.rollouts.release(task.id, wave, start_rate=start_rate)


def claim_due(uow: UnitOfWork, *, at_most: int = 5, owner: str = "me") -> Mapping[str, Task]:
    """By node. Released tasks are due by the clock, which is ahead of the time at which this transaction began: they
    are made due by that time, in the same order.
    """
    connection = uow.tasks._connection
    late = select((func.clock_timestamp() - func.now()).label("seconds")).cte("late")
    due = tasks.c.wake_at <= func.now() + late.c.seconds
    connection.execute(update(tasks).where(due).values(wake_at=tasks.c.wake_at - late.c.seconds))
    return {task.node or "": task for task in claim(uow, Lane.NODE, at_most=at_most, owner=owner)}


def of_node(uow: UnitOfWork, task: Task) -> dict[str, Task]:
    return {child.node or "": child for child in uow.tasks.children(task.id)}


def waiting(uow: UnitOfWork, task: Task) -> set[str]:
    return {node for node, child in of_node(uow, task).items() if child.status.open and child.step == AWAIT_WAVE}


def counts(uow: UnitOfWork, task: Task) -> tuple[int, int, int, int, int, int | None]:
    state = uow.rollouts.state(task.id)
    return (state.total, state.at_work, state.unbegun, state.waiting, state.waiting_now, state.next_wave)


def lines(uow: UnitOfWork, task_id: UUID) -> list[str]:
    return [message.message for message in uow.tasks.get(task_id).result.messages]


def test_a_task_begins_with_its_first_wave(uow: UnitOfWork) -> None:
    task = rolled_out(uow, {"n1": 0, "n2": 1, "n3": 2, "n4": 2}, budget=2)
    state = uow.rollouts.state(task.id)
    assert (state.rollout, state.wave, state.budget, state.paused_by, state.failed) == (PLAIN, 0, 2, None, ())
    assert counts(uow, task) == (4, 0, 0, 4, 1, 1)
    assert state.move is Move.RELEASE
    assert claim_due(uow) == {}, "none is released"


def test_a_release_makes_due_what_waits_for_this_wave_or_one_before(uow: UnitOfWork) -> None:
    task = rolled_out(uow, {"n1": 0, "n2": 1, "n3": 2})
    other = rolled_out(uow, {"o1": 0})
    uow.rollouts.enter_wave(task.id, 1, paused_by=None)
    release(uow, task, 1)
    assert waiting(uow, task) == {"n3"}
    assert counts(uow, task) == (3, 2, 2, 1, 0, 2)
    assert waiting(uow, other) == {"o1"}
    assert {node: child.step for node, child in claim_due(uow).items()} == {"n1": None, "n2": None}


def test_a_release_is_spread_over_time_in_the_order_of_waves(connection: Connection, uow: UnitOfWork) -> None:
    task = rolled_out(uow, {"n3": 1, "n1": 0, "n2": 0})
    release(uow, task, 1, start_rate=0.5)
    due = dict(connection.execute(select(tasks.c.node, tasks.c.wake_at).where(tasks.c.parent_id == task.id)).all())
    seconds = {node: round((at - due["n1"]).total_seconds()) for node, at in due.items()}
    assert seconds == {"n1": 0, "n2": 2, "n3": 4}


def test_nodes_of_a_plan_are_looked_at_again_first(uow: UnitOfWork) -> None:
    task = rolled_out(uow, {"n1": 0}, plan="p")
    release(uow, task)
    assert of_node(uow, task)["n1"].step == CHECK_PLAN


@pytest.mark.parametrize("paused_by", [None, "its rollout"])
def test_the_next_wave_becomes_the_present_one(uow: UnitOfWork, paused_by: str | None) -> None:
    task = rolled_out(uow, {"n1": 0, "n2": 1})
    version = uow.tasks.version(task.id)
    uow.rollouts.enter_wave(task.id, 1, paused_by=paused_by)
    state = uow.rollouts.state(task.id)
    assert (state.wave, state.waiting_now, state.paused_by) == (1, 2, paused_by)
    assert (uow.tasks.get(task.id).paused is None) == (paused_by is None)
    assert uow.tasks.version(task.id).mark != version.mark


def test_what_runs_and_what_has_ended_is_counted(uow: UnitOfWork) -> None:
    task = rolled_out(uow, {"n1": 0, "n2": 0, "n3": 0, "n4": 1})
    release(uow, task)
    claimed = claim_due(uow, at_most=2)
    begin(uow, claimed["n1"])
    assert counts(uow, task) == (4, 3, 1, 1, 0, 1), "n2 is in hand of a worker"
    finish(uow, claimed["n1"])
    assert counts(uow, task) == (4, 2, 1, 1, 0, 1)


def test_who_has_failed(uow: UnitOfWork, connection: Connection) -> None:
    nodes = ["failed", "held", "running", "success", "terminated"]
    task = rolled_out(uow, dict.fromkeys(nodes, 0), budget=1)
    release(uow, task)
    claimed = claim_due(uow)
    for node in sorted(claimed.keys() - {"held"}):
        begin(uow, claimed[node])
    uow.task_signals.terminate(claimed["terminated"].id, by="bob")
    for node in ("held", "terminated"):
        finish(uow, claimed[node], ResultStatus.FAILURE)
    finish(uow, claimed["success"])
    assert uow.rollouts.state(task.id).failed == ()
    assert uow.rollouts.gates([task.id]) == {}
    finish(uow, claimed["failed"], ResultStatus.FAILURE)
    assert uow.rollouts.state(task.id).failed == ("failed",)
    assert uow.rollouts.gates([task.id]) == {task.id: Gate("failure budget of 1 spent: failed", None)}
    # As if it had been given up: no step of a worker set an end.
    connection.execute(update(tasks).where(tasks.c.node == "running").values(result_status="failure"))
    assert uow.rollouts.state(task.id).failed == ("failed",), "it has not ended"


def test_whose_nodes_may_not_begin(uow: UnitOfWork) -> None:
    plain, unlimited, paused, ended = (rolled_out(uow, {"n1": 0}, budget=budget) for budget in (1, None, 1, 1))
    uow.rollouts.pause(paused.id, by="ann")
    uow.task_signals.terminate(ended.id, by="bob")
    asked = [task.id for task in (plain, unlimited, paused, ended)]
    assert uow.rollouts.gates(asked) == {paused.id: Gate(None, "ann"), ended.id: Gate(TASK_ENDED, None)}
    assert uow.rollouts.gates([]) == {}


def test_what_has_not_begun_ends(uow: UnitOfWork) -> None:
    task = rolled_out(uow, {"n1": 0, "n2": 0, "n3": 0, "n4": 1})
    other = rolled_out(uow, {"o1": 0})
    release(uow, task)
    claimed = claim_due(uow, at_most=2)
    begin(uow, claimed["n1"])
    version = uow.tasks.version(task.id)
    uow.rollouts.end_unbegun(task.id, SPENT, by=BUDGET)
    found = of_node(uow, task)
    assert {node: child.status for node, child in found.items()} == {
        "n1": TaskStatus.RUNNING,
        "n2": TaskStatus.QUEUED,
        "n3": TaskStatus.TERMINATED,
        "n4": TaskStatus.TERMINATED,
    }, "n2 is in hand of a worker"
    ended = uow.tasks.get(found["n4"].id)
    assert (ended.terminated_by, ended.terminate, ended.step) == (BUDGET, True, None)
    assert (ended.result.status, ended.result.reason) == (ResultStatus.FAILURE, SPENT)
    assert (ended.result.message, ended.result.failures) == ("deploy_node did not begin", ("n4",))
    assert [(message.message, message.error) for message in ended.result.messages] == [(SPENT, True)]
    assert lines(uow, found["n2"].id) == []
    assert uow.tasks.version(task.id).mark != version.mark
    assert waiting(uow, other) == {"o1"}
    assert uow.rollouts.state(task.id).failed == ()


def test_a_worker_ends_what_it_was_about_to_begin(uow: UnitOfWork) -> None:
    task = rolled_out(uow, {"n1": 0, "n2": 0, "n3": 0})
    release(uow, task)
    claimed = claim_due(uow, at_most=2)
    begin(uow, claimed["n2"])
    uow.rollouts.end([child.id for child in claimed.values()], SPENT)
    found = {node: child.status for node, child in of_node(uow, task).items()}
    assert found == {"n1": TaskStatus.TERMINATED, "n2": TaskStatus.RUNNING, "n3": TaskStatus.QUEUED}
    ended = uow.tasks.get(claimed["n1"].id)
    assert (ended.lease, ended.terminated_by, lines(uow, ended.id)) == (None, BUDGET, [SPENT])
    assert uow.outcomes.lock([claimed["n1"]]) == frozenset()


def test_a_worker_puts_back_what_it_was_about_to_begin(uow: UnitOfWork) -> None:
    task = rolled_out(uow, {"n1": 0, "n2": 0, "n3": 0})
    release(uow, task)
    claimed = claim_due(uow, at_most=2)
    begin(uow, claimed["n2"])
    uow.rollouts.park([child.id for child in claimed.values()])
    assert waiting(uow, task) == {"n1"}
    assert uow.tasks.get(claimed["n1"].id).lease is None
    assert set(claim_due(uow)) == {"n3"}
    release(uow, task)
    assert set(claim_due(uow)) == {"n1"}


def test_a_paused_task_begins_no_node_until_it_is_resumed(uow: UnitOfWork) -> None:
    task = rolled_out(uow, {"n1": 0, "n2": 0, "n3": 0, "n4": 1})
    release(uow, task)
    begin(uow, claim_due(uow, at_most=1)["n1"])
    (in_hand,) = claim_due(uow, at_most=1)
    uow.rollouts.pause(task.id, by="ann")
    assert (in_hand, waiting(uow, task)) == ("n2", {"n3", "n4"})
    shown = uow.tasks.get(task.id)
    assert shown.paused is not None
    assert shown.paused_by == "ann"
    assert counts(uow, task) == (4, 2, 0, 2, 1, 1)
    assert uow.rollouts.state(task.id).move is Move.WAIT
    uow.rollouts.resume(task.id, by="bob")
    shown = uow.tasks.get(task.id)
    assert (shown.paused, shown.paused_by) == (None, None)
    assert lines(uow, task.id) == ["paused by ann", "resumed by bob"]
    assert uow.rollouts.state(task.id).move is Move.RELEASE


def test_asking_again_changes_nothing(uow: UnitOfWork) -> None:
    task = rolled_out(uow, {"n1": 0})
    uow.rollouts.resume(task.id, by="bob")
    assert lines(uow, task.id) == []
    uow.rollouts.pause(task.id, by="ann")
    before = uow.tasks.get(task.id)
    uow.rollouts.pause(task.id, by="bob")
    assert uow.tasks.get(task.id) == before


@pytest.mark.parametrize("resumed", [False, True])
def test_pause_and_resume_wake_the_task(connection: Connection, uow: UnitOfWork, resumed: bool) -> None:
    task = rolled_out(uow, {"n1": 0})
    if resumed:
        uow.rollouts.pause(task.id, by="ann")
    later = func.now() + func.make_interval(0, 0, 0, 0, 1)
    connection.execute(update(tasks).where(tasks.c.id == task.id).values(wake_at=later, wake_requested=False))
    (uow.rollouts.resume if resumed else uow.rollouts.pause)(task.id, by="ann")
    due = select(tasks.c.wake_at <= func.clock_timestamp(), tasks.c.wake_requested).where(tasks.c.id == task.id)
    assert connection.execute(due).one() == (True, True)


def test_what_cannot_be_paused(uow: UnitOfWork) -> None:
    plain, ended = add_task(uow), rolled_out(uow, {"n1": 0})
    uow.task_signals.terminate(ended.id, by="bob")
    for change in (uow.rollouts.pause, uow.rollouts.resume):
        with pytest.raises(TaskNotFound):
            change(uuid4(), by="ann")
        with pytest.raises(TaskNotPausable):
            change(plain.id, by="ann")
        with pytest.raises(TaskEnded):
            change(ended.id, by="ann")
    with pytest.raises(TaskNotFound):
        uow.rollouts.state(uuid4())


def committed(database: Database, waves: Mapping[str, int], *, released: bool, **more: Any) -> Task:
    with database.unit_of_work() as uow:
        task = rolled_out(uow, waves, **more)
        if released:
            release(uow, task)
        uow.commit()
    return task


def test_of_two_workers_one_releases_a_wave(database: Database, engine: Engine) -> None:
    """A slow release by the second one would put off what the first one made due."""
    task = committed(database, {"n1": 0, "n2": 0}, released=False)

    def second() -> None:
        with database.unit_of_work() as uow:
            release(uow, task, start_rate=0.001)
            uow.commit()

    with database.unit_of_work() as first:
        release(first, task)
        with blocked(engine, first, second) as released:
            first.commit()
    released.result()
    with database.unit_of_work() as uow:
        assert set(claim_due(uow)) == {"n1", "n2"}


def test_of_two_workers_one_claims_a_released_node(database: Database) -> None:
    committed(database, {"n1": 0, "n2": 0, "n3": 0}, released=True)
    with database.unit_of_work() as first, database.unit_of_work() as second:
        ours = {task.node for task in claim(first, Lane.NODE, at_most=2, owner="one")}
        theirs = {task.node for task in claim(second, Lane.NODE, owner="other")}
        assert (len(ours), ours | theirs, ours & theirs) == (2, {"n1", "n2", "n3"}, set())


def test_a_node_begins_before_or_after_the_budget_is_spent(database: Database, engine: Engine) -> None:
    """What a worker decides under the lock rests on all failures that were written before."""
    task = committed(database, {"n1": 0, "n2": 0}, released=True, budget=1)
    with database.unit_of_work() as uow:
        (failing,) = claim(uow, Lane.NODE, at_most=1, owner="one")
        begin(uow, failing)
        uow.commit()

    def second() -> tuple[Sequence[UUID], Mapping[UUID, Gate]]:
        with database.unit_of_work() as uow:
            (beginning,) = claim(uow, Lane.NODE, owner="other")
            uow.rollouts.lock([task.id, beginning.id])
            return [beginning.id], uow.rollouts.gates([task.id])

    with database.unit_of_work() as first:
        first.rollouts.lock([task.id, failing.id])
        finish(first, failing, ResultStatus.FAILURE)
        with blocked(engine, first, second) as looked:
            first.commit()
    _, gates = looked.result()
    assert gates == {task.id: Gate(f"failure budget of 1 spent: {failing.node}", None)}


def test_a_pause_comes_after_the_release_that_has_begun(database: Database, engine: Engine) -> None:
    task = committed(database, {"n1": 0, "n2": 0}, released=False)

    def second() -> None:
        with database.unit_of_work() as uow:
            uow.rollouts.pause(task.id, by="ann")
            uow.commit()

    with database.unit_of_work() as first:
        first.rollouts.lock([task.id])
        release(first, task)
        with blocked(engine, first, second) as paused:
            first.commit()
    paused.result()
    with database.unit_of_work() as uow:
        assert waiting(uow, task) == {"n1", "n2"}
        assert claim_due(uow) == {}


def test_of_two_who_pause_at_once_the_first_counts(database: Database, engine: Engine) -> None:
    task = committed(database, {"n1": 0}, released=False)

    def second() -> None:
        with database.unit_of_work() as uow:
            uow.rollouts.pause(task.id, by="bob")
            uow.commit()

    with database.unit_of_work() as first:
        first.rollouts.pause(task.id, by="ann")
        with blocked(engine, first, second) as paused:
            first.commit()
    paused.result()
    with database.unit_of_work() as uow:
        assert uow.tasks.get(task.id).paused_by == "ann"
        assert lines(uow, task.id) == ["paused by ann"]


@pytest.mark.parametrize("end", [True, False], ids=["end", "park"])
def test_a_node_that_is_claimed_meanwhile_is_left_to_its_worker(database: Database, engine: Engine, end: bool) -> None:
    task = committed(database, {"n1": 0, "n2": 0}, released=True)

    def second() -> None:
        with database.unit_of_work() as uow:
            if end:
                uow.rollouts.end_unbegun(task.id, SPENT, by=BUDGET)
            else:
                uow.rollouts.pause(task.id, by="ann")
            uow.commit()

    with database.unit_of_work() as first:
        (claimed,) = claim(first, Lane.NODE, at_most=1)
        with blocked(engine, first, second) as done:
            first.commit()
    done.result()
    with database.unit_of_work() as uow:
        found = of_node(uow, task)
        kept = found.pop(claimed.node or "")
        assert (kept.status, kept.step) == (TaskStatus.QUEUED, None)
        assert uow.outcomes.lock([claimed]) == {claimed.id}
        assert [child.status.open for child in found.values()] == [not end]
        assert waiting(uow, task) == (set() if end else set(found))


def test_tasks_are_locked_before_their_subtasks(database: Database, engine: Engine) -> None:
    """The second has locked nothing that the first needs while it waits for it."""
    task = committed(database, {"n1": 0}, released=True)
    with database.unit_of_work() as uow:
        (child,) = uow.tasks.children(task.id)

    def second() -> None:
        with database.unit_of_work() as uow:
            uow.rollouts.lock([child.id, task.id])

    with database.unit_of_work() as first:
        first.rollouts.lock([task.id])
        with blocked(engine, first, second) as locked:
            first.rollouts.lock([child.id])
            first.commit()
    locked.result()
