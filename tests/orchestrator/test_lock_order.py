"""The recorder locks tasks and their subtasks in one order, whichever trees end in one transaction."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text

from drydock.db.tables import tasks
from drydock.metrics import EngineMetrics
from drydock.model.task import ResultStatus, Task, TaskResult
from drydock.model.task_change import Finish
from drydock.orchestrator.engine.recorder import Record, Recorder
from tests.eventually import eventually
from tests.factories.site import site
from tests.orchestrator.world import World

NODES = ["n01", "n02"]


def waiting_tree(world: World, ref: str) -> tuple[Task, list[Task]]:
    """A rollout whose nodes wait for the task that has them, and those subtasks."""
    task = world.create("prepare_nodes", design_ref=ref, rollout={})
    while len(world.subtasks(task.id)) < len(NODES):
        world.work()
    world.work()
    return task, [sub for sub in world.subtasks(task.id).values() if "waiting for task" in sub.reason]


def waits_for_a_lock(world: World) -> bool:
    asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with world.sql.connect() as connection:
        return bool(connection.scalar(text(asked)))


@pytest.mark.parametrize("backwards", [False, True])
def test_two_trees_that_end_together_wait_for_nothing_they_have_passed(world: World, backwards: bool) -> None:
    """What ends the task that had the nodes wakes those that waited for them, of both trees, in the order of ids."""
    ref = world.store(site(NODES)).ref
    world.create("deploy_nodes", design_ref=ref)
    for _ in range(3):
        world.work()
    trees = [waiting_tree(world, ref), waiting_tree(world, ref)]
    assert [len(subtasks) for _, subtasks in trees] == [2, 2]
    world.pass_time(31)
    ours = {task.id: task for task in world.claim() if task.node is None}
    with world.sql.begin() as connection:
        # As if the nodes' subtasks had waited for longer, so that no worker has them in hand.
        connection.execute(text("UPDATE tasks SET lease_owner = NULL, lease_until = NULL WHERE node IS NOT NULL"))
    subtasks = sorted((sub for _, subtasks in trees for sub in subtasks), key=lambda sub: sub.id)
    first, last = subtasks[0], next(sub for sub in subtasks[::-1] if sub.parent_id != subtasks[0].parent_id)
    failed = TaskResult(ResultStatus.FAILURE, "failed as a whole")
    ends = [Record(Finish(ours[sub.parent_id], failed)) for sub in (last, first) if sub.parent_id is not None]
    recorder = Recorder(world.database, EngineMetrics())
    with ThreadPoolExecutor(1) as slot:
        with world.sql.begin() as other:
            other.execute(select(tasks.c.id).where(tasks.c.id == first.id).with_for_update(key_share=True))
            written = slot.submit(recorder.write, ends[::-1] if backwards else ends)
            eventually(lambda: waits_for_a_lock(world), bool)
            other.execute(select(tasks.c.id).where(tasks.c.id == last.id).with_for_update(key_share=True))
        written.result()
    ended = {sub.result.reason for task, _ in trees for sub in world.subtasks(task.id).values()}
    assert ended == {"its task has ended"}
