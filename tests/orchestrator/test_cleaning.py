"""The proof that a destroyed machine was cleaned is build data of the task that destroyed it."""

from __future__ import annotations

from datetime import UTC, datetime

from drydock.drivers.node.base import NodeState
from drydock.drivers.progress import pending
from drydock.errors import DriverUnavailable
from drydock.model.cleaning import Cleaning, CleaningEvent
from drydock.model.task import ResultStatus
from drydock.orchestrator.workflows.destroy_nodes import destroy
from drydock.orchestrator.workflows.workflow import NodeBatch, StepContext
from tests.orchestrator.test_actions import run
from tests.orchestrator.test_driver_capabilities import begin, build_data
from tests.orchestrator.world import World

BEGAN, ENDED = (datetime(2026, 11, 28, 12, minute, tzinfo=UTC) for minute in (0, 5))
CLEANING = Cleaning(
    automated=True,
    steps=("deploy.erase_devices",),
    began=BEGAN,
    ended=ENDED,
    state="available",
    events=(CleaningEvent(time=ENDED, kind="automated_cleaning_end", failed=False),),
)
KEPT = {
    "automated": True,
    "steps": ["deploy.erase_devices"],
    "began": "2026-11-28T12:00:00+00:00",
    "ended": "2026-11-28T12:05:00+00:00",
    "state": "available",
    "events": [{"time": "2026-11-28T12:05:00+00:00", "kind": "automated_cleaning_end", "failed": False}],
}


def test_it_is_kept_of_nodes_that_have_one(world: World) -> None:
    world.provisioner.states = dict.fromkeys(("n01", "n02"), NodeState.READY)
    world.provisioner.cleanings = {"n01": CLEANING}
    ended = run(world, "destroy_nodes", nodes=("n01", "n02"))
    assert ended.result.status is ResultStatus.SUCCESS
    subtasks = world.subtasks(ended.id)
    assert build_data(world, subtasks["n01"]) == {"fake-cleaning": KEPT}
    assert build_data(world, subtasks["n02"]) == {}


def test_it_is_not_kept_twice_when_the_step_is_repeated(world: World) -> None:
    """As after a worker that was killed before the step was recorded."""
    world.provisioner.states = {"n01": NodeState.READY}
    world.provisioner.cleanings = {"n01": CLEANING}
    answer = world.provisioner.destroy
    world.provisioner.destroy = lambda nodes: dict.fromkeys(nodes, pending("it is cleaned"))  # type: ignore[method-assign]
    waiting = begin(world, "destroy_nodes")
    assert (waiting.step, build_data(world, waiting)) == ("destroy", {})
    world.provisioner.destroy = answer  # type: ignore[method-assign]
    (claimed,) = [task for task in world.claim() if task.id == waiting.id]
    for _ in range(2):
        destroy(NodeBatch([StepContext(claimed, world.services)]))
        world.provisioner.states = {"n01": NodeState.READY}
    assert build_data(world, claimed) == {"fake-cleaning": KEPT}


def test_a_provisioner_that_does_not_answer_is_asked_again(world: World) -> None:
    world.provisioner.states = {"n01": NodeState.READY}
    silent = [DriverUnavailable("fake: no answer")]

    def cleaned(nodes: object) -> dict[str, Cleaning]:
        world.provisioner.states = {"n01": NodeState.READY}
        if silent:
            raise silent.pop()
        return {"n01": CLEANING}

    world.provisioner.cleaned = cleaned  # type: ignore[method-assign]
    ended = run(world, "destroy_nodes")
    assert ended.result.status is ResultStatus.SUCCESS
    assert build_data(world, world.subtasks(ended.id)["n01"]) == {"fake-cleaning": KEPT}
