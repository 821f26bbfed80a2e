"""Outcomes written together: one transaction for what lines up, and nobody suffers for another's."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from sqlalchemy import select

from drydock.db.tables import tasks
from drydock.metrics import EngineMetrics
from drydock.model.boot_context import BundleKind
from drydock.model.message import NewMessage
from drydock.model.task import ResultStatus, Task, TaskResult, TaskStatus
from drydock.model.task_change import Finish, Pause
from drydock.orchestrator.engine.recorder import Record, Recorder
from drydock.orchestrator.engine.step_runner import StepRunner
from drydock.orchestrator.workflows.outcome import Outcome
from drydock.orchestrator.workflows.workflow import AnyStep
from tests.eventually import eventually
from tests.factories.site import site
from tests.orchestrator.world import World


def claimed(world: World, count: int) -> Sequence[Task]:
    for _ in range(count):
        world.create("validate_design")
    return world.claim()


def test_what_lines_up_while_one_writes_goes_into_one_transaction(world: World) -> None:
    first, *others = claimed(world, 5)
    recorder = Recorder(world.database, EngineMetrics())
    with ThreadPoolExecutor(5) as slots:
        with world.sql.begin() as blocker:
            blocker.execute(select(tasks.c.id).where(tasks.c.id == first.id).with_for_update())
            slots.submit(recorder.write, [Record(Pause(first, 60, "first"))])
            eventually(lambda: (recorder._writing.locked(), len(recorder._lined_up)), (True, 0).__eq__)
            written = [slots.submit(recorder.write, [Record(Pause(task, 60, "other"))]) for task in others]
            eventually(lambda: len(recorder._lined_up), len(others).__eq__)
        for future in written:
            future.result()
    with world.sql.connect() as connection:
        numbers = {row.id: row.changed_in for row in connection.execute(select(tasks.c.id, tasks.c.changed_in))}
    assert len({numbers[task.id] for task in others}) == 1
    assert numbers[first.id] not in {numbers[task.id] for task in others}


def test_what_cannot_be_written_spoils_nobody_elses(world: World) -> None:
    blocking, bad, good = claimed(world, 3)
    recorder = Recorder(world.database, EngineMetrics())
    unwritable = NewMessage(bad.id, "of what JSON does not know", extra={"lock": threading.Lock()})
    with ThreadPoolExecutor(3) as slots:
        with world.sql.begin() as blocker:
            blocker.execute(select(tasks.c.id).where(tasks.c.id == blocking.id).with_for_update())
            slots.submit(recorder.write, [Record(Pause(blocking, 60, "first"))])
            eventually(lambda: (recorder._writing.locked(), len(recorder._lined_up)), (True, 0).__eq__)
            refused = slots.submit(recorder.write, [Record(Pause(bad, 60, "bad"), [unwritable])])
            written = slots.submit(recorder.write, [Record(Finish(good, TaskResult(ResultStatus.SUCCESS)))])
            eventually(lambda: len(recorder._lined_up), (2).__eq__)
        with pytest.raises(Exception, match="JSON"):
            refused.result()
        written.result()
    assert world.orchestrator.task(good.id).status is TaskStatus.COMPLETE
    assert world.orchestrator.task(bad.id).reason == ""


class TerminatedWhilePreparing(StepRunner):
    world: World

    def attempt(self, step: AnyStep, tasks: Sequence[Task]) -> Mapping[UUID, Outcome]:
        outcomes = super().attempt(step, tasks)
        if step.name == "prepare_boot":
            self.world.orchestrator.terminate(tasks[0].root_id, by="operator")
        return outcomes


def test_a_task_that_is_to_terminate_revokes_no_key(world: World) -> None:
    ref = world.store(site(["n01"])).ref
    world.create("deploy_nodes", design_ref=ref)
    world.run_until_idle(before=world.machines_report)
    key = world.key_of("n01")
    world.use_runner(TerminatedWhilePreparing)
    world.runner.world = world  # type: ignore[attr-defined]
    again = world.create("deploy_nodes", design_ref=ref, force=True)
    world.run_until_idle()
    assert world.orchestrator.task(again.id).status is TaskStatus.TERMINATED
    assert world.boot.bundle("n01", BundleKind.UNIT, key).content
