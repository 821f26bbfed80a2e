"""What each action leaves behind: the nodes it works on, those it leaves alone, and what it says of either."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from drydock.drivers.node.base import Image, NodeState, Observation
from drydock.drivers.oob.base import BmcAccess, PowerState
from drydock.drivers.progress import Progress
from drydock.errors import DriverRefused, DriverUnavailable
from drydock.model.actions import REQUESTABLE, Action
from drydock.model.boot_action import ReportStatus
from drydock.model.machine import MachineContact
from drydock.model.task import ResultStatus, Task, TaskStatus
from drydock.orchestrator.workflows.install_progress import pause, silence
from drydock.orchestrator.workflows.table import WORKFLOWS
from tests.factories.provisioning import deployment, node_plan
from tests.factories.site import site
from tests.factories.tasks import NOON, named_nodes, task_record
from tests.orchestrator.world import World

NOBODY = named_nodes("n99")
NODE_ACTIONS = ("verify_nodes", "prepare_nodes", "deploy_nodes", "destroy_nodes", "relabel_nodes")


def run(world: World, action: str, *, nodes: tuple[str, ...] = ("n01",), **fields: object) -> Task:
    ref = world.store(site(nodes)).ref
    task = world.create(action, design_ref=ref, **fields)
    world.run_until_idle(before=world.machines_report)
    return world.orchestrator.task(task.id)


def said(world: World, task: Task) -> list[str]:
    """What the task's first node told."""
    return [message.message for message in world.subtasks(task.id)["n01"].result.messages]


def test_every_action_that_can_be_asked_for_has_a_workflow() -> None:
    assert set(WORKFLOWS) == set(Action)
    assert set(REQUESTABLE.values()) <= set(Action)


@pytest.mark.parametrize("action", NODE_ACTIONS)
def test_no_nodes_in_scope_succeeds_and_says_so(world: World, action: str) -> None:
    ended = run(world, action, node_filter=NOBODY)
    assert (ended.result.status, ended.result.message) == (ResultStatus.SUCCESS, "no nodes in scope")


def test_verify_site_asks_the_provisioner_and_touches_no_machine(world: World) -> None:
    ended = run(world, "verify_site")
    assert ended.result.status is ResultStatus.SUCCESS
    assert ended.result.message == "the site can be worked on: 1 node"
    assert "fake answers and is able to work" in [message.message for message in ended.result.messages]
    assert world.bmcs.power == {}


def test_verify_site_fails_when_nobody_speaks_to_the_bmcs(world: World) -> None:
    world.services = replace(world.services, oob_drivers={})
    world.use_runner()
    ended = run(world, "verify_site", nodes=("n01", "n02"))
    assert ended.result.reason == "the drivers cannot do what the design needs"
    told = [message.message for message in ended.result.messages if message.error]
    assert "2 nodes have out-of-band type redfish; enabled drivers: none" in told


@pytest.mark.parametrize("action", ["validate_design", "verify_site", "prepare_site", "prepare_nodes", "deploy_nodes"])
def test_what_installs_asks_whether_the_image_is_offered(world: World, action: str) -> None:
    world.provisioner.images = [Image("jammy", ("hwe-22.04",))]
    ended = run(world, action)
    assert (ended.result.status, ended.result.reason) == (ResultStatus.FAILURE, "the design has 1 error")
    (error,) = [message.message for message in ended.result.messages if message.message.startswith("DD")]
    assert error.startswith("DD3001 Platform Selection: Platform Validation: invalid kernel ga-22.04")


@pytest.mark.parametrize("action", ["destroy_nodes", "relabel_nodes"])
def test_what_installs_nothing_does_not_mind_that_an_image_is_gone(world: World, action: str) -> None:
    world.provisioner.images = []
    assert run(world, action).result.status is ResultStatus.SUCCESS


def test_prepare_site_gives_the_provisioner_what_nodes_share(world: World) -> None:
    ended = run(world, "prepare_site")
    assert ended.result.message == "2 networks, 2 links and 0 tags are in place"
    assert world.provisioner.site is not None
    assert {network.name: network.cidr for network in world.provisioner.site.networks} == {
        "pxe": "10.1.0.0/16",
        "oob": "10.2.0.0/16",
    }
    assert {link.name: link.networks for link in world.provisioner.site.links} == {"pxe": ("pxe",), "oob": ("oob",)}


def test_verify_nodes_reads_the_power_and_looks_the_node_up(world: World) -> None:
    world.bmcs.power["n01"] = PowerState.ON
    assert said(world, run(world, "verify_nodes")) == [
        "the BMC answers: power is on",
        "verified; fake does not know n01 yet",
    ]
    world.provisioner.states["n01"] = NodeState.READY
    assert said(world, run(world, "verify_nodes"))[1] == "verified; fake knows n01: ready"


def test_relabel_nodes_gives_each_node_its_owner_data(world: World) -> None:
    labelled = site(["n01"]).replace(b"rack: r1", b"owner_data: {openstack: enabled, count: '3'}, rack: r1")
    task = world.create("relabel_nodes", design_ref=world.store(labelled).ref)
    world.run_until_idle()
    assert world.orchestrator.task(task.id).result.status is ResultStatus.SUCCESS
    assert world.labels.given == {"n01": {"openstack": "enabled", "count": "3"}}


def test_relabel_nodes_without_a_label_driver_says_what_is_missing(world: World) -> None:
    world.services = replace(world.services, labels=None)
    world.use_runner()
    ended = run(world, "relabel_nodes")
    assert ended.result.status is ResultStatus.FAILURE
    assert said(world, ended)[-1] == "no keeper of labels is configured: set [drivers] labels"


def test_verify_site_asks_whether_labels_may_be_given(world: World) -> None:
    world.labels.refuses = "our account may not patch nodes"
    ended = run(world, "verify_site")
    assert ended.result.status is ResultStatus.FAILURE
    assert ended.result.reason == "our account may not patch nodes"


@pytest.mark.parametrize("action", ["prepare_nodes", "deploy_nodes"])
def test_a_deployed_node_is_left_alone_unless_forced(world: World, action: str) -> None:
    first = run(world, "deploy_nodes")
    key, resets = world.key_of("n01"), world.bmcs.resets["n01"]
    again = run(world, action)
    subtask = world.subtasks(again.id)["n01"]
    assert (again.result.status, again.result.successes) == (ResultStatus.SUCCESS, ("n01",))
    deployed_by = world.subtasks(first.id)["n01"].id
    expected = f"n01 is deployed already, by task {deployed_by}; it is not touched without force"
    assert (subtask.step, subtask.result.message) == ("look_at_node", expected)
    assert (world.provisioner.installs["n01"], world.bmcs.resets["n01"], world.key_of("n01")) == (1, resets, key)
    forced = run(world, action, force=True)
    assert forced.result.status is ResultStatus.SUCCESS
    if action == "deploy_nodes":
        assert world.provisioner.installs["n01"] == 2
    else:
        assert world.bmcs.resets["n01"] == resets + 1


def test_a_forced_task_has_its_hardware_looked_into_again(world: World) -> None:
    """A machine's hardware may have been replaced; what is found becomes build data of the new task."""
    run(world, "prepare_nodes")
    assert world.provisioner.again == {}
    forced = world.subtasks(run(world, "prepare_nodes", force=True).id)["n01"]
    assert world.provisioner.again == {"n01": str(forced.id)}
    with world.database.unit_of_work() as uow:
        assert uow.build_data.tasks_with("fake", [forced.id]) == {forced.id}
    run(world, "deploy_nodes", force=True)
    assert world.provisioner.again == {"n01": str(forced.id)}


def test_a_node_deployed_from_another_design_is_left_alone_and_said_to_be(world: World) -> None:
    run(world, "deploy_nodes")
    again = run(world, "deploy_nodes", nodes=("n01", "n02"))
    assert "n01 is deployed already from another design, by task" in said(world, again)[0]
    assert world.provisioner.installs == {"n01": 1, "n02": 1}


def test_a_node_deployed_by_nobody_we_know_is_left_alone(world: World) -> None:
    world.provisioner.deployments["n01"] = deployment(node_plan("n01"), str(uuid4()))
    ended = run(world, "prepare_nodes")
    assert "by a deployment that is not on record here" in said(world, ended)[0]
    assert world.bmcs.power == {}


def test_a_node_whose_boot_actions_failed_is_deployed_again(world: World) -> None:
    ref = world.store(site(["n01"])).ref
    failed = world.create("deploy_nodes", design_ref=ref)
    world.run_until_idle(before=lambda: world.machines_report(ReportStatus.FAILURE))
    assert world.orchestrator.task(failed.id).result.status is ResultStatus.FAILURE
    assert run(world, "deploy_nodes").result.status is ResultStatus.SUCCESS
    assert world.provisioner.installs["n01"] == 2


def test_a_node_whose_destruction_began_is_deployed_again(world: World) -> None:
    run(world, "deploy_nodes")
    with world.database.unit_of_work() as uow:
        uow.boot_contexts.end(["n01"])
        uow.commit()
    run(world, "deploy_nodes")
    assert world.provisioner.installs["n01"] == 2


def test_a_node_that_is_ready_is_not_prepared_again(world: World) -> None:
    run(world, "prepare_nodes")
    again = run(world, "prepare_nodes")
    assert said(world, again) == ["n01 is ready to be deployed already; it is not touched without force"]
    assert world.bmcs.resets["n01"] == 1


def test_destroying_an_unknown_node_succeeds_and_says_so(world: World) -> None:
    ended = run(world, "destroy_nodes")
    assert ended.result.status is ResultStatus.SUCCESS
    assert said(world, ended)[-1] == "fake does not know n01: nothing to erase"


def test_attempts_and_the_last_error_of_a_node_are_kept(world: World) -> None:
    answers = [DriverUnavailable("BMC busy"), DriverUnavailable("BMC still busy")]
    asked = world.bmcs.set_boot_device

    def moody(*args: object, **kwargs: object) -> Progress:
        if answers:
            raise answers.pop(0)
        return asked(*args, **kwargs)  # type: ignore[arg-type]

    world.bmcs.set_boot_device = moody  # type: ignore[method-assign]
    subtask = world.subtasks(run(world, "prepare_nodes").id)["n01"]
    assert subtask.result.status is ResultStatus.SUCCESS
    assert (subtask.error_attempts, subtask.last_error) == (2, "set_boot_device: BMC still busy")


def test_a_permanent_failure_ends_at_once_with_the_drivers_words(world: World) -> None:
    def refuse(bmc: BmcAccess) -> PowerState:
        raise DriverRefused("redfish: n01: wrong credentials")

    world.bmcs.power_state = refuse  # type: ignore[method-assign]
    subtask = world.subtasks(run(world, "verify_nodes").id)["n01"]
    assert (subtask.status, subtask.result.reason) == (TaskStatus.COMPLETE, "redfish: n01: wrong credentials")
    assert subtask.error_attempts == 0


def installing(world_node: str = "n17") -> Task:
    return task_record(action=Action.DEPLOY_NODE, node=world_node, step_since=NOON)


def seconds(count: float) -> datetime:
    return NOON + timedelta(seconds=count)


@pytest.mark.parametrize(
    ("contact", "provisioner", "now", "expected"),
    [
        (None, None, 30, "no contact from n17 yet (installer started 12:00:00)"),
        (None, -5, 30, "no contact from n17 yet (installer started 12:00:00)"),
        (None, 20, 30, "installing, last contact 12:00:20 UTC (installer started 12:00:00)"),
        (MachineContact(seconds(9), seconds(61), "curtin: SUCCESS"), 20, 90, "curtin: SUCCESS, last contact 12:01:01"),
        (
            MachineContact(seconds(9), seconds(61)),
            20,
            600,
            "no contact from n17 since 12:01:01 (installer started 12:00:09)",
        ),
    ],
)
def test_a_silent_machine_is_described(
    contact: MachineContact | None, provisioner: int | None, now: int, expected: str
) -> None:
    last = None if provisioner is None else seconds(provisioner)
    seen = Observation("n17", NodeState.DEPLOYING, detail="installing", last_contact=last)
    assert silence(installing(), seconds(now), contact, seen).startswith(expected)


@pytest.mark.parametrize(("elapsed", "expected"), [(-30, 15), (0, 15), (300, 15), (400, 20), (900, 45), (7200, 60)])
def test_what_has_taken_long_is_looked_at_less_often(elapsed: float, expected: float) -> None:
    assert pause(installing(), seconds(elapsed), 15) == expected


def test_a_machine_that_never_spoke_fails_with_since_when(world: World) -> None:
    world.provisioner.outcome = NodeState.DEPLOYING
    task = world.create("deploy_nodes", design_ref=world.store(site(["n01"])).ref)
    world.run_until_idle(at_most=90)
    reason = world.subtasks(task.id)["n01"].result.reason
    assert reason.startswith("no contact from n01 yet (installer started ")
    assert reason.endswith("gave up after 10 min of await_deployment")
