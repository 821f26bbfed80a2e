"""deploy_node looks whether the machine is what its design says, before anything is written to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from drydock.errors import NodeNotFound
from drydock.model.hardware_check import HardwareCheck
from drydock.model.hardware_facts import DiskFacts, HardwareFacts, NicFacts
from drydock.model.task import ResultStatus
from drydock.orchestrator.services.hardware import HardwareService
from tests.orchestrator.test_actions import run, said
from tests.orchestrator.test_driver_capabilities import build_data, errors
from tests.orchestrator.world import World

SMALL = HardwareFacts(
    vendor="Other",
    disks=(DiskFacts(name="sda", size_bytes=8 * 10**9, bus_address="0:0.0.0"),),
    nics=(NicFacts(mac="02:00:00:00:00:01", name="eno1", bus_address="0000:01:00.0"),),
)
LINES = [
    "the vendor is Other, and the hardware profile has test",
    "the boot disk sda has 8.0 GB, and its partitions need 30.0 GB",
]


def use(world: World, facts: HardwareFacts, check: HardwareCheck = HardwareCheck.FAIL) -> list[str]:
    """``facts``: what the provisioner found. The nodes that it is asked about are in the list that is returned."""
    asked: list[str] = []

    def found(nodes: Sequence[str]) -> Mapping[str, HardwareFacts]:
        asked.extend(nodes)
        return dict.fromkeys(nodes, facts)

    world.provisioner.facts = found  # type: ignore[method-assign]
    world.services = replace(world.services, hardware_check=check)
    world.use_runner()
    return asked


def test_a_node_fails_with_all_differences_before_it_is_touched(world: World) -> None:
    use(world, SMALL)
    ended = run(world, "deploy_nodes")
    failed = world.subtasks(ended.id)["n01"]
    assert (failed.step, failed.result.status) == ("check_hardware", ResultStatus.FAILURE)
    assert errors(failed)[-2:] == LINES
    assert failed.result.reason == "the hardware is not as the design has it: " + "; ".join(LINES)
    assert world.provisioner.asked == []


def test_a_warning_for_each_difference(world: World) -> None:
    use(world, SMALL, HardwareCheck.WARN)
    ended = run(world, "deploy_nodes")
    assert ended.result.status is ResultStatus.SUCCESS
    messages = world.subtasks(ended.id)["n01"].result.messages
    assert [message.message for message in messages if message.extra.get("level") == "Warning"] == LINES


def test_nothing_is_looked_at_if_it_is_off(world: World) -> None:
    asked = use(world, SMALL, HardwareCheck.OFF)
    assert run(world, "deploy_nodes").result.status is ResultStatus.SUCCESS
    assert asked == []


def test_what_preparation_found_is_not_asked_for_again(world: World) -> None:
    asked = use(world, replace(SMALL, vendor="Test", disks=None))
    run(world, "prepare_nodes")
    assert asked == ["n01"]
    ended = run(world, "deploy_nodes")
    assert "the hardware is as designed" in said(world, ended)
    assert asked == ["n01"]


def test_what_was_asked_for_is_kept_and_shown_with_the_time_before(world: World) -> None:
    use(world, replace(SMALL, vendor="Test", disks=None))
    first = run(world, "deploy_nodes")
    assert build_data(world, world.subtasks(first.id)["n01"])["fake"]["vendor"] == "Test"
    service = HardwareService(world.database, provisioner="fake", oob_drivers=["redfish"])
    known = service.of_node("N01")
    assert (known.node, known.facts.vendor, known.before) == ("n01", "Test", None)
    use(world, replace(SMALL, vendor="Tested"))
    run(world, "prepare_nodes", force=True)
    known = service.of_node("n01")
    assert known.before is not None
    assert (known.facts.vendor, known.before.vendor, known.facts.product) == ("Tested", "Test", "dictionary")
    with pytest.raises(NodeNotFound):
        service.of_node("n99")
