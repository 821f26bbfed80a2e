"""What workflows do with what drivers say of themselves, and with answers that are no success and no failure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from drydock.drivers.node.base import NodeState, ProvisionerCapabilities, Verb
from drydock.drivers.node.records import ProvisionedNode
from drydock.drivers.oob.base import BootDevice, BootMode, OobCapabilities, PowerState
from drydock.drivers.oob.manual import ASK_AGAIN_SECONDS, ManualDriver
from drydock.drivers.progress import Progress, succeeded
from drydock.errors import DriverBusy
from drydock.model.task import ResultStatus, Task
from tests.factories.site import site
from tests.orchestrator.test_actions import run, said
from tests.orchestrator.world import World

OWNS_POWER = ProvisionerCapabilities(owns_power=True, at_once=dict.fromkeys(Verb, 10))


def errors(task: Task) -> list[str]:
    return [message.message for message in task.result.messages if message.error]


def use_oob(world: World, driver: Any) -> None:
    world.services = replace(world.services, oob_drivers={} if driver is None else {"redfish": driver})
    world.use_runner()


def begin(world: World, action: str, rounds: int = 5) -> Task:
    """The only node's subtask, after a few rounds."""
    task = world.create(action, design_ref=world.store(site(["n01"])).ref)
    for _ in range(rounds):
        world.work()
        world.pass_time(16)
    return world.subtasks(task.id)["n01"]


def build_data(world: World, task: Task) -> Mapping[str, Any]:
    with world.database.unit_of_work() as uow:
        found = uow.build_data.of_task(task.id)
    assert len({data.generator for data in found}) == len(found)
    return {data.generator: json.loads(data.data_element) for data in found}


# -- who owns power


def test_no_machine_of_a_provisioner_that_owns_power_is_switched(world: World) -> None:
    world.provisioner.capabilities = OWNS_POWER
    use_oob(world, None)
    for action in ("verify_site", "verify_nodes", "prepare_nodes", "deploy_nodes"):
        assert run(world, action).result.status is ResultStatus.SUCCESS
    assert world.bmcs.power == {}
    assert world.bmcs.boot == {}


def test_what_is_not_done_is_said(world: World) -> None:
    world.provisioner.capabilities = OWNS_POWER
    assert said(world, run(world, "prepare_nodes")).count("fake switches its machines itself") == 3


def test_a_provisioner_that_owns_power_stops_what_is_terminated(world: World) -> None:
    world.provisioner.capabilities = OWNS_POWER
    world.provisioner.outcome = NodeState.DEPLOYING
    installing = begin(world, "deploy_nodes", rounds=12)
    assert installing.step == "await_deployment"
    world.orchestrator.terminate(installing.id, by="operator")
    world.run_until_idle()
    assert world.provisioner.stopped == ["n01"]
    assert world.bmcs.power == {}


# -- a person


def test_a_task_waits_for_a_person_and_says_what_is_to_be_done(world: World) -> None:
    use_oob(world, ManualDriver())
    waiting = begin(world, "prepare_nodes")
    assert (waiting.step, waiting.reason) == ("set_boot_device", "have n01 boot from the network, then confirm")
    assert waiting.error_attempts == 0
    world.pass_time(ASK_AGAIN_SECONDS)
    world.work()
    assert world.subtasks(waiting.root_id)["n01"].reason == waiting.reason


def test_nodes_that_a_person_switches_are_counted(world: World) -> None:
    use_oob(world, ManualDriver())
    ended = run(world, "verify_site", nodes=("n01", "n02"))
    assert ended.result.message == "the site can be worked on: 2 nodes, 2 of them switched by hand"
    assert said(world, run(world, "verify_nodes"))[0] == "n01 is switched by hand"


def test_a_power_state_that_cannot_be_told_is_no_failure(world: World) -> None:
    world.bmcs.power["n01"] = PowerState.UNKNOWN
    assert said(world, run(world, "verify_nodes"))[0] == "the BMC answers: power is unknown"


# -- what a design needs


def test_verify_site_names_drivers_that_cannot_boot_from_the_network(world: World) -> None:
    world.bmcs.capabilities = OobCapabilities(frozenset({BootDevice.DISK}), frozenset(), by_hand=False)
    ended = run(world, "verify_site", nodes=("n01", "n02"))
    assert errors(ended)[-1] == (
        "2 nodes have out-of-band type redfish, whose driver cannot have them boot from the network"
    )


def test_a_driver_without_pxe_boots_over_http(world: World) -> None:
    world.bmcs.capabilities = OobCapabilities(frozenset({BootDevice.UEFI_HTTP}), frozenset(), by_hand=False)
    assert run(world, "prepare_nodes").result.status is ResultStatus.SUCCESS
    assert world.bmcs.boot == {"n01": (BootDevice.UEFI_HTTP, None)}


@pytest.mark.parametrize(("known", "expected"), [(frozenset(BootMode), BootMode.UEFI), (frozenset(), None)])
def test_the_boot_mode_of_the_design_is_chosen_where_it_can_be(
    world: World, known: frozenset[BootMode], expected: BootMode | None
) -> None:
    world.bmcs.capabilities = OobCapabilities(frozenset(BootDevice), known, by_hand=False)
    design = site(["n01"]).replace(b"data: {vendor: test}", b"data: {vendor: test, boot_mode: uefi}")
    world.create("prepare_nodes", design_ref=world.store(design).ref)
    world.run_until_idle()
    assert world.bmcs.boot == {"n01": (BootDevice.NETWORK, expected)}


def test_verify_site_says_what_the_provisioner_cannot_do(world: World) -> None:
    world.provisioner.lacks = {f"n0{number}": ["volume groups are not made"] for number in range(1, 6)}
    world.provisioner.lacks["n02"] = ["no image jammy"]
    ended = run(world, "verify_site", nodes=("n01", "n02", "n03", "n04", "n05"))
    assert ended.result.reason == "the drivers cannot do what the design needs"
    assert errors(ended)[-2:] == [
        "fake: volume groups are not made (n01, n03, n04 and 1 more)",
        "fake: no image jammy (n02)",
    ]


def test_a_node_that_cannot_be_deployed_as_designed_is_not_touched(world: World) -> None:
    world.provisioner.lacks = {"n02": ["volume groups are not made"]}
    ended = run(world, "deploy_nodes", nodes=("n01", "n02"))
    assert (ended.result.successes, ended.result.failures) == (("n01",), ("n02",))
    refused = world.subtasks(ended.id)["n02"]
    assert (refused.step, errors(refused)[-1]) == ("look_at_node", "volume groups are not made")
    assert [names for names in world.provisioner.asked if "n02" in names] == []


# -- not yet


@pytest.mark.parametrize("state", [state for state in NodeState if state.passing])
def test_a_node_with_which_nothing_can_be_begun_is_waited_for(world: World, state: NodeState) -> None:
    world.provisioner.states["n01"] = state
    world.provisioner.details["n01"] = "disk 2 is being replaced"
    waiting = begin(world, "deploy_nodes")
    assert (waiting.step, waiting.reason) == ("look_at_node", f"fake says: {state}: disk 2 is being replaced")
    world.provisioner.states["n01"] = NodeState.READY
    world.run_until_idle(before=world.machines_report)
    assert world.subtasks(waiting.root_id)["n01"].result.status is ResultStatus.SUCCESS


def test_a_busy_driver_is_waited_for_and_no_attempt_failed(world: World) -> None:
    """The group stays together, too."""
    for _ in range(3):
        world.provisioner.stumbles["n01"] = DriverBusy("fake: all workers are busy")
    task = world.create("deploy_nodes", design_ref=world.store(site(["n01", "n02"])).ref)
    for _ in range(5):
        world.work()
        world.pass_time(16)
    waiting = world.subtasks(task.id)
    assert {found.reason for found in waiting.values()} == {"fake: all workers are busy"}
    assert {found.attempt for found in waiting.values()} == {0}
    world.provisioner.stumbles.clear()
    world.run_until_idle(before=world.machines_report)
    done = world.subtasks(task.id)
    assert {found.result.status for found in done.values()} == {ResultStatus.SUCCESS}
    assert {(found.error_attempts, found.last_error) for found in done.values()} == {(0, "")}
    assert {len(names) for names in world.provisioner.asked} == {2}


def test_a_driver_says_itself_how_it_succeeded(world: World) -> None:
    def nothing_to_do(nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        return {node.name: succeeded("goes into the config drive") for node in nodes}

    world.provisioner.apply_storage = nothing_to_do  # type: ignore[method-assign]
    assert "goes into the config drive" in said(world, run(world, "deploy_nodes"))


# -- sizes by verb


def test_each_verb_has_its_own_size(world: World) -> None:
    """Three nodes are configured together, and handed over one by one."""
    deployed: list[int] = []
    deploy = world.provisioner.deploy

    def counted(deployments: Sequence[Any]) -> Mapping[str, Progress]:
        deployed.append(len(deployments))
        return deploy(deployments)

    world.provisioner.deploy = counted  # type: ignore[method-assign]
    world.provisioner.capabilities = ProvisionerCapabilities(
        owns_power=False, at_once={Verb.APPLY_NETWORKING: 10, Verb.APPLY_STORAGE: 2}
    )
    ended = run(world, "deploy_nodes", nodes=("n01", "n02", "n03"))
    assert ended.result.status is ResultStatus.SUCCESS
    assert [len(names) for names in world.provisioner.asked] == [3]
    assert deployed == [1, 1, 1]


# -- what a deployment and build data hold


def test_a_deployment_has_the_node_whole(world: World) -> None:
    run(world, "deploy_nodes")
    given = world.provisioner.deployments["n01"]
    assert (given.node.image, given.node.interfaces[0].name) == ("jammy", "eno1")
    assert given.node.bmc is not None
    assert (given.node.bmc.type, given.node.bmc.address) == ("redfish", "10.2.0.10")
    assert (given.meta_data.instance_id, given.meta_data.hostname) == (given.id, "n01.local")
    assert "not-a-secret" not in repr(given)


def test_facts_of_both_families_become_build_data_of_one_schema(world: World) -> None:
    ended = run(world, "prepare_nodes")
    found = build_data(world, world.subtasks(ended.id)["n01"])
    assert set(found) == {"redfish", "fake"}
    assert (found["redfish"]["product"], found["fake"]["cpu_count"]) == ("dictionary", 8)
    assert set(found["redfish"]) == set(found["fake"])
