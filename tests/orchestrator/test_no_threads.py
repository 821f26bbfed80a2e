"""A worker that can start no more threads."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from drydock.model.task import Lane, Task, TaskStatus
from drydock.orchestrator.engine.step_runner import StepRunner
from tests.no_threads import no_more_threads
from tests.orchestrator.engines import make_engine
from tests.orchestrator.world import World


class Counting(StepRunner):
    runs = 0

    def run(self, together: Sequence[Task]) -> Sequence[Task]:
        type(self).runs += 1
        return super().run(together)


def test_work_that_the_pool_has_queued_without_a_thread_is_done_once(world: World) -> None:
    Counting.runs = 0
    task = world.create("validate_design")
    engine = make_engine(world, runner=Counting)
    with ThreadPoolExecutor(1) as pool:
        with no_more_threads():
            engine._submit({Lane.TASK: pool}, Lane.TASK, world.claim())
        assert world.orchestrator.task(task.id).status is TaskStatus.COMPLETE
        assert pool.submit(lambda: Counting.runs).result() == 1


class Failing(StepRunner):
    """``run`` fails for the first task, outside its step."""

    runs = 0

    def run(self, together: Sequence[Task]) -> Sequence[Task]:
        type(self).runs += 1
        if self.runs == 1:
            raise ArithmeticError("the outcome could not be computed")
        return super().run(together)


def test_work_without_a_thread_that_fails_keeps_no_other_from_being_done(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    Failing.runs = 0
    for _ in range(2):
        world.create("validate_design")
    engine = make_engine(world, runner=Failing)
    with ThreadPoolExecutor(1) as pool, no_more_threads():
        for task in world.claim():
            engine._submit({Lane.TASK: pool}, Lane.TASK, [task])
    assert sorted(task.status.open for task in world.all_tasks()) == [False, True]
    assert "the outcome could not be computed" in caplog.text
