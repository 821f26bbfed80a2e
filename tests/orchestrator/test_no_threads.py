"""A worker that can start no more threads."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

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
