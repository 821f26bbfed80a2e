"""Nodes that go together: one request for many, and nobody suffers for another's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import select

from drydock.bootaction.preparation import BootPreparation
from drydock.db.tables import tasks
from drydock.drivers.node.base import ProvisionerCapabilities, Verb
from drydock.drivers.node.records import ProvisionedNode
from drydock.drivers.progress import Progress, ProgressState
from drydock.errors import DriverRefused, DriverUnavailable, ReferenceUnavailable
from drydock.metrics import EngineMetrics
from drydock.model.actions import Action
from drydock.model.boot_context import BundleKind
from drydock.model.task import ResultStatus, Task, TaskStatus
from drydock.orchestrator.engine.engine import Engine
from drydock.orchestrator.engine.step_runner import StepRunner
from drydock.orchestrator.workflows.outcome import Outcome
from drydock.orchestrator.workflows.table import WORKFLOWS
from drydock.orchestrator.workflows.workflow import AnyStep
from tests.eventually import eventually
from tests.factories.site import site
from tests.factories.tasks import named_nodes
from tests.orchestrator.engines import make_engine, running
from tests.orchestrator.world import Timeouts, World

NODES = ("n01", "n02", "n03", "n04", "n05")
JOIN = b"""---
schema: drydock/BootAction/v1
metadata: {name: join}
data:
  signaling: false
  assets:
    - path: /opt/join.sh
      type: file
      location: 'http://join.example/{{ node.hostname }}'
      location_pipeline: [template]
      data_pipeline: [utf8_decode]
"""


def deploy(world: World, design: bytes) -> Task:
    task = world.create("deploy_nodes", design_ref=world.store(design).ref)
    world.run_until_idle(before=world.machines_report)
    return world.orchestrator.task(task.id)


def test_no_more_nodes_share_a_request_than_the_provisioner_likes(world: World) -> None:
    world.provisioner.capabilities = ProvisionerCapabilities(owns_power=False, at_once={Verb.APPLY_NETWORKING: 2})
    assert deploy(world, site(NODES)).result.status is ResultStatus.SUCCESS
    assert sorted(len(names) for names in world.provisioner.asked) == [1, 2, 2]
    assert sorted(name for names in world.provisioner.asked for name in names) == list(NODES)


def test_a_node_that_fails_fails_alone(world: World) -> None:
    world.provisioner.refused["n02"] = Progress(ProgressState.FAILED, "no such switch")
    task = deploy(world, site(NODES))
    assert (task.result.status, task.result.failures) == (ResultStatus.PARTIAL_SUCCESS, ("n02",))
    assert world.subtasks(task.id)["n02"].result.reason == "no such switch"
    assert [len(names) for names in world.provisioner.asked] == [5]


def test_a_request_refused_for_one_is_repeated_for_each_alone(world: World) -> None:
    world.provisioner.stumbles["n02"] = DriverRefused("malformed")
    task = deploy(world, site(NODES))
    assert task.result.failures == ("n02",)
    assert len(task.result.successes) == 4
    assert sorted(map(len, world.provisioner.asked)) == [1, 1, 1, 1, 1, 5]


@pytest.mark.parametrize("error", [DriverUnavailable("busy"), ZeroDivisionError("a bug")])
def test_who_makes_the_provisioner_stumble_takes_others_along_once_only(world: World, error: Exception) -> None:
    world.provisioner.stumbles["n02"] = error
    task = world.create("deploy_nodes", design_ref=world.store(site(NODES)).ref)
    for _ in range(9):
        world.machines_report()
        world.work()
        world.pass_time(61)
    found = world.subtasks(task.id)
    assert {node for node, subtask in found.items() if subtask.status.open} == {"n02"}
    assert {found[node].error_attempts for node in NODES if node != "n02"} == {1}
    assert found["n02"].error_attempts > 2
    world.provisioner.stumbles.clear()
    world.run_until_idle(before=world.machines_report)
    assert world.orchestrator.task(task.id).result.status is ResultStatus.SUCCESS


def test_a_request_is_not_made_unless_all_its_tasks_are_certainly_ours(world: World) -> None:
    world.runner = StepRunner(
        world.services,
        WORKFLOWS,
        Timeouts(),
        EngineMetrics(),
        stopping=lambda: False,
        certainly_ours=lambda task: task.node != "n02",
    )
    world.create("deploy_nodes", design_ref=world.store(site(NODES)).ref)
    for _ in range(4):
        world.work()
    assert world.provisioner.asked == []
    assert world.provisioner.installs == {}


class TerminatedBefore(StepRunner):
    """Somebody terminates one task while its group is at a step."""

    world: World
    step: str
    root: UUID

    def attempt(self, step: AnyStep, tasks: Sequence[Task]) -> Mapping[UUID, Outcome]:
        if step.name == self.step:
            self.world.orchestrator.terminate(self.root, by="operator")
        return super().attempt(step, tasks)


def test_a_task_that_is_terminated_while_its_group_is_at_work_revokes_no_key(world: World) -> None:
    deploy(world, site(NODES))
    one, others = (world.store(site(NODES)).ref for _ in range(2))
    stopped = world.create("destroy_nodes", design_ref=one, node_filter=named_nodes("n01"))
    going = world.create("destroy_nodes", design_ref=others, node_filter=named_nodes(*NODES[1:]))
    world.use_runner(TerminatedBefore)
    runner = world.runner
    assert isinstance(runner, TerminatedBefore)
    runner.world, runner.step, runner.root = world, "revoke_key", stopped.id
    world.run_until_idle()
    assert world.orchestrator.task(stopped.id).status is TaskStatus.TERMINATED
    assert world.orchestrator.task(going.id).result.successes == NODES[1:]
    assert world.provisioner.destroyed == set(NODES[1:])
    assert world.boot.bundle("n01", BundleKind.UNIT, world.key_of("n01")).content


def use_fetch(world: World, fetch: Callable[[str], bytes]) -> None:
    world.services = replace(world.services, boot=BootPreparation(world.boot_settings, fetch))
    world.use_runner()


def test_nodes_that_something_is_fetched_for_do_not_wait_for_each_other(world: World) -> None:
    """Each fetch is answered only once all five are under way."""
    together = threading.Barrier(len(NODES), timeout=30)

    def fetch(url: str) -> bytes:
        together.wait()
        return url.encode()

    use_fetch(world, fetch)
    assert deploy(world, site(NODES) + JOIN).result.status is ResultStatus.SUCCESS


def test_a_fetch_that_fails_fails_its_node_only(world: World) -> None:
    def fetch(url: str) -> bytes:
        if url.endswith("n02"):
            raise ReferenceUnavailable("join.example does not answer")
        return b"#!/bin/sh\n"

    use_fetch(world, fetch)
    task = world.create("deploy_nodes", design_ref=world.store(site(NODES) + JOIN).ref)
    for _ in range(8):
        world.machines_report()
        world.work()
        world.pass_time(16)
    found = world.subtasks(task.id)
    assert {node for node, subtask in found.items() if subtask.status.open} == {"n02"}
    assert {found[node].error_attempts for node in NODES if node != "n02"} == {0}
    assert "join.example does not answer" in found["n02"].reason


@contextmanager
def working(world: World) -> Iterator[Engine]:
    engine = make_engine(world, slots=2, poll_interval=0.1)
    with running(engine):
        yield engine


def test_a_group_that_parts_is_worked_off_by_as_many_slots_as_there_are(world: World) -> None:
    """identify takes all nodes at once; what comes before and after it, each by itself."""
    task = world.create("prepare_nodes", design_ref=world.store(site(NODES)).ref)
    with working(world):
        eventually(lambda: world.orchestrator.task(task.id), lambda seen: not seen.status.open)
    assert world.orchestrator.task(task.id).result.successes == NODES
    assert set(world.bmcs.resets.values()) == {1}


def test_a_worker_that_is_told_to_stop_hands_its_group_back_at_once(world: World) -> None:
    asked, go_on = threading.Event(), threading.Event()
    in_hand: list[str] = []

    def slow(nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        in_hand.extend(node.name for node in nodes)
        asked.set()
        assert go_on.wait(timeout=60)
        return {node.name: Progress(ProgressState.SUCCEEDED) for node in nodes}

    world.provisioner.apply_networking = slow  # type: ignore[method-assign]
    world.create("deploy_nodes", design_ref=world.store(site(NODES)).ref)
    with working(world) as engine:
        assert asked.wait(timeout=60)
        engine.stop()
        go_on.set()
    with world.sql.connect() as connection:
        rows = connection.execute(select(tasks).where(tasks.c.action == Action.DEPLOY_NODE.value)).all()
    assert {row.lease_owner for row in rows} == {None}
    assert {row.node for row in rows if row.step == "apply_storage"} == set(in_hand)
    assert {task.node for task in world.claim(owner="another") if task.node} == set(NODES)
