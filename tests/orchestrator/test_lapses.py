"""A step that ends its worker: counted, kept apart, and given up after the third time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from drydock.db.tables import tasks
from drydock.metrics import EngineMetrics
from drydock.model.task import Lane, ResultStatus, Task, TaskStatus
from drydock.orchestrator.engine.engine import Engine
from drydock.orchestrator.engine.step_runner import StepRunner
from drydock.orchestrator.workflows.outcome import Outcome
from drydock.orchestrator.workflows.workflow import AnyStep
from tests.eventually import eventually
from tests.factories.site import site
from tests.orchestrator.engines import make_engine, running
from tests.orchestrator.test_laws import WorkerKilled, create, every_step, steps_below, use, workflow_of
from tests.orchestrator.world import World

WHY = "the worker died or hung at this step 3 times"
NODES = ("n01", "n02", "n03", "n04", "n05")


class Kills(StepRunner):
    """``step`` of ``node`` (None: of the task itself) ends the worker that runs it."""

    step: str
    node: str | None
    deaths: int = 0

    def attempt(self, step: AnyStep, tasks: Sequence[Task]) -> Mapping[UUID, Outcome]:
        if step.name == self.step and any(task.node == self.node for task in tasks):
            self.deaths += 1
            raise WorkerKilled
        return super().attempt(step, tasks)


def work_until_ended(world: World, task: Task) -> int:
    """Returns how many workers it took."""
    for killed in range(40):
        try:
            world.run_until_idle(before=world.machines_report)
        except WorkerKilled:
            world.pass_time(31)
            continue
        return killed
    raise AssertionError("no end to the dying")


def found(action: str, step: str) -> tuple[AnyStep, bool]:
    """The step, and whether it is a node's."""
    of_node = next((found for found in steps_below(action) if found.name == step), None)
    made = of_node or workflow_of(action).find(step)
    assert made is not None
    return made, of_node is not None


def steps_with_a_deadline() -> list[tuple[str, str]]:
    """Others wait for others as long as it takes, and do nothing that could end a worker."""
    return [(action, step) for action, step in every_step() if found(action, step)[0].timeout is not None]


@pytest.mark.parametrize(("action", "step"), steps_with_a_deadline())
def test_a_step_that_kills_its_worker_ends_after_three(world: World, action: str, step: str) -> None:
    _, of_node = found(action, step)
    use(world, Kills, step=step, node="n02" if of_node else None)
    task = create(world, action)
    assert work_until_ended(world, task) == 3
    ended = world.orchestrator.task(task.id)
    if not of_node:
        assert (ended.result.status, ended.result.reason) == (ResultStatus.FAILURE, WHY)
        return
    assert (ended.result.status, ended.result.failures) == (ResultStatus.PARTIAL_SUCCESS, ("n02",))
    assert ended.result.successes == ("n01", "n03")
    failed = world.subtasks(task.id)["n02"]
    assert (failed.step, failed.result.reason) == (step, WHY)


def test_of_a_batch_only_the_guilty_one_is_lost(world: World) -> None:
    use(world, Kills, step="apply_storage", node="n03")
    task = world.create("deploy_nodes", design_ref=world.store(site(NODES)).ref)
    assert work_until_ended(world, task) == 3
    assert world.orchestrator.task(task.id).result.failures == ("n03",)
    assert all(sub.lapses <= 1 for node, sub in world.subtasks(task.id).items() if node != "n03")


def test_what_lapsed_is_claimed_one_at_a_time_beside_what_did_not(world: World) -> None:
    for _ in range(3):
        world.create("validate_design")
    assert len(world.claim(owner="a")) == 3
    world.pass_time(31)
    fresh = [world.create("validate_design").id for _ in range(2)]
    claimed = world.claim(owner="b")
    assert {task.id for task in claimed if not task.lapses} == set(fresh)
    assert [(task.lapses, task.lapsed) for task in claimed if task.lapses] == [(1, True)]
    assert sorted(map(len, world.runner.together(claimed))) == [1, 1, 1]


def test_an_outcome_a_handover_and_a_renewal_count_nothing(world: World) -> None:
    task = world.create("verify_nodes", design_ref=world.store(site(["n01"])).ref)
    for _ in range(5):
        # Each worker is lost once at each step, as in one outage after the other.
        world.claim(owner="lost")
        world.pass_time(31)
        world.work()
    world.run_until_idle()
    assert world.orchestrator.task(task.id).result.status is ResultStatus.SUCCESS
    other = world.create("validate_design")
    for _ in range(5):
        (claimed,) = world.claim()
        with world.database.unit_of_work() as uow:
            assert uow.leases.renew(world.owner, [claimed.id], lease_seconds=30)
            uow.leases.hand_back(claimed)
            uow.commit()
    assert world.orchestrator.task(other.id).lapses == 0


def test_an_hour_old_deadline_is_looked_at_before_a_step_is_run_again(world: World) -> None:
    use(world, Kills, step="apply_networking", node="n01")
    task = world.create("deploy_nodes", design_ref=world.store(site(["n01"])).ref)
    with pytest.raises(WorkerKilled):
        world.run_until_idle()
    world.pass_time(3600)
    world.run_until_idle()
    (failed,) = world.subtasks(task.id).values()
    assert failed.result.reason == "the worker died or hung; gave up after 10 min of apply_networking"
    assert isinstance(world.runner, Kills)
    assert world.runner.deaths == 1


def test_no_verb_is_called_on_a_machine_after_its_deadline(world: World) -> None:
    task = world.create("deploy_nodes", design_ref=world.store(site(["n01"])).ref)
    for _ in range(100):
        world.pass_time(1)
        for each in world.claim():
            world.runner.run([each])
        stop_at(world, "check_hardware")
        if any(sub.step == "check_hardware" for sub in world.subtasks(task.id).values()):
            break
    else:
        pytest.fail("no task came to check_hardware")
    asked = len(world.provisioner.asked)
    world.pass_time(3600)
    world.run_until_idle()
    assert len(world.provisioner.asked) == asked
    (failed,) = world.subtasks(task.id).values()
    assert "of check_hardware" in failed.result.reason


def stop_at(world: World, step: str) -> None:
    """Tasks that have come to ``step`` are beyond its deadline from now on."""
    with world.sql.begin() as connection:
        past = func.now() - func.make_interval(0, 0, 0, 0, 1)
        connection.execute(update(tasks).where(tasks.c.step == step).values(deadline_at=past))


@contextmanager
def engine(world: World, runner: type[StepRunner], metrics: EngineMetrics) -> Iterator[Engine]:
    made = make_engine(world, runner=runner, metrics=metrics, owner="one")
    with running(made):
        yield made


def test_a_worker_takes_up_lapsed_tasks_one_by_one_and_counts_them(world: World) -> None:
    for _ in range(12):
        world.create("validate_design")
    assert len(world.claim(owner="dead")) == 12
    world.pass_time(31)
    metrics, most = EngineMetrics(), []
    in_hand = select(func.count()).where(tasks.c.lease_owner == "one")

    class Watched(StepRunner):
        def attempt(self, step: AnyStep, tasks: Sequence[Task]) -> Mapping[UUID, Outcome]:
            with world.sql.connect() as connection:
                most.append(connection.scalar(in_hand))
            return super().attempt(step, tasks)

    with engine(world, Watched, metrics):
        eventually(world.open_tasks, lambda left: not left, seconds=60)
    assert set(most) == {1}
    assert metrics.registry.get_sample_value("drydock_leases_lapsed_total") == 12
    assert {task.result.status for task in world.all_tasks()} == {ResultStatus.SUCCESS}


def test_a_task_that_is_to_terminate_ends_however_often_its_lease_lapsed(world: World) -> None:
    use(world, Kills, step="check_design", node=None)
    task = world.create("validate_design")
    for _ in range(2):
        with pytest.raises(WorkerKilled):
            world.run_until_idle()
        world.pass_time(31)
    world.orchestrator.terminate(task.id, by="operator")
    world.run_until_idle()
    assert world.orchestrator.task(task.id).status is TaskStatus.TERMINATED


def test_lanes_that_are_full_take_no_lapsed_task_either(world: World) -> None:
    world.create("validate_design")
    world.claim(owner="a")
    world.pass_time(31)
    with world.database.unit_of_work() as uow:
        assert not any(uow.leases.claim("b", {Lane.NODE: 5}, lease_seconds=30).values())
